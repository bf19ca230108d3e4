"""Signed requests and assertions work once.

Rules:
 * Taking an id is one INSERT; the table's key decides between two callers at the same moment.
 * An id is kept until the message it came in is refused for its age anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from plugin.errors import ClientRefused
from plugin.store.instants import to_ms
from plugin.store.tables import SeenJti

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.store.database import Database


class SeenJtis:
    """The ids that were used, shared by all workers through the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, issuer: str, jti: str, *, expires: datetime, now: datetime) -> None:
        """Remember `jti`; raise ClientRefused if it was seen before. Ids past their time are swept on the way."""
        with self._database.transaction() as session:
            session.execute(delete(SeenJti).where(SeenJti.expires_ms < to_ms(now)))
            session.add(SeenJti(issuer=issuer, jti=jti, expires_ms=to_ms(expires)))
            try:
                session.flush()
            except IntegrityError as exc:
                raise ClientRefused("client_refused", "jti_reused") from exc
