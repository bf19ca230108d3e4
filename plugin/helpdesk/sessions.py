"""Who sits at this browser: agents at the helpdesk, everybody at their own page.

Rules:
 * The token is 256 random bits in a cookie; its hash is stored, with a MAC over the row. Each page has a table of its
   own: a session of one opens nothing at the other.
 * An hour for agents, half an hour at one's own page, without renewal: then the identity provider decides again.
 * Leaving deletes the row, and so does whatever ends all that a person has under way (store/under_way.py).
 * Whoever is suspended is nobody here: asked at every request, and in the transaction in which somebody signs in.
 * What an agent may do is asked of the directory at every request.

Not here: how somebody proves who they are (doors/realm_login.py), roles (types.Directory).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.store.helpdesk_tables import HelpdeskSession
from plugin.store.instants import to_ms
from plugin.store.integrity import check, sign
from plugin.store.me_tables import MeSession
from plugin.store.suspended import is_suspended

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.store.database import Database
    from vault.interface import Sealer


@dataclass(frozen=True, slots=True)
class Kind:
    """Which page; `event` begins the names of its audit events."""

    table: type[Any]
    life: timedelta
    event: str


AGENTS: Final = Kind(HelpdeskSession, timedelta(hours=1), "helpdesk")
PEOPLE: Final = Kind(MeSession, timedelta(minutes=30), "me")


class Sessions:
    """Begin, find, end."""

    def __init__(self, kind: Kind = AGENTS, *, database: Database, sealer: Sealer, audit: AuditLog) -> None:
        self._kind = kind
        self._table = kind.table
        self._database = database
        self._sealer = sealer
        self._audit = audit

    def begin(self, owner: Subject, *, name: str, now: datetime, **more: int) -> str:
        """Return the token of a new session; `more` are the columns that this kind has besides.

        Raises:
            ServiceError: "suspended".
        """
        token = secrets.token_urlsafe(32)
        row = self._table(
            token_hash=_hashed(token),
            issuer=owner.issuer,
            subject=owner.subject,
            name=name,
            created_ms=to_ms(now),
            expires_ms=to_ms(now + self._kind.life),
            **more,
        )
        sign(row, sealer=self._sealer)
        with self._database.transaction() as session:
            session.add(row)
            self._log("login", owner, now=now, session=session)
            if is_suspended(session, issuer=owner.issuer, subject=owner.subject):
                raise ServiceError("suspended", self._kind.event)
        return token

    def purge(self, *, now: datetime) -> int:
        """Delete sessions that are over; return how many."""
        with self._database.transaction() as session:
            gone: Any = session.execute(delete(self._table).where(self._table.expires_ms <= to_ms(now)))
        return int(gone.rowcount)

    def find(self, token: str, *, now: datetime) -> Subject | None:
        """Return who holds this token, or None. Raises WrongMac for a row that is not ours."""
        row = self.row(token, now=now)
        return None if row is None else Subject(row.issuer, row.subject)

    def row(self, token: str, *, now: datetime) -> Any:
        """Return the row of this session, believed, or None. Raises WrongMac for a row that is not ours."""
        with self._database.reading() as session:
            row = session.get(self._table, _hashed(token))
            if row is None or to_ms(now) >= row.expires_ms:
                return None
            check(row, sealer=self._sealer)
            return None if is_suspended(session, issuer=row.issuer, subject=row.subject) else row

    def count(self, owner: Subject, *, now: datetime) -> int:
        """Return in how many browsers this person is signed in."""
        mine = (self._table.issuer == owner.issuer, self._table.subject == owner.subject)
        query = select(func.count()).select_from(self._table).where(*mine, self._table.expires_ms > to_ms(now))
        with self._database.reading() as session:
            return session.scalar(query) or 0

    def end(self, token: str, *, now: datetime) -> None:
        """Forget the session."""
        owner = self.find(token, now=now)
        if owner is None:
            return
        with self._database.transaction() as session:
            session.execute(delete(self._table).where(self._table.token_hash == _hashed(token)))
            self._log("logout", owner, now=now, session=session)

    def _log(self, deed: str, owner: Subject, *, now: datetime, session: Session) -> None:
        event = f"{self._kind.event}_{deed}"
        self._audit.append(event, at=now, issuer=owner.issuer, subject=owner.subject, session=session)


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
