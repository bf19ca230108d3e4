"""Signed-in agents: who sits at this browser. What they may do is asked of the directory at every request.

Rules:
 * The token is 256 random bits in a cookie; its hash is stored, with a MAC over the row.
 * An hour, without renewal: then the identity provider decides again.
 * Leaving deletes the row.

Not here: how an agent proves who they are (doors/agent_login.py), roles (types.Directory).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete

from plugin.ceremonies.types import Subject
from plugin.store.helpdesk_tables import HelpdeskSession
from plugin.store.instants import to_ms
from plugin.store.integrity import check, sign

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.audit.log import AuditLog
    from plugin.store.database import Database
    from vault.interface import Sealer

LIFE: Final = timedelta(hours=1)


class Sessions:
    """Begin, find, end."""

    def __init__(self, *, database: Database, sealer: Sealer, audit: AuditLog) -> None:
        self._database = database
        self._sealer = sealer
        self._audit = audit

    def begin(self, owner: Subject, *, name: str, now: datetime) -> str:
        """Return the token of a new session."""
        token = secrets.token_urlsafe(32)
        row = HelpdeskSession(
            token_hash=hashlib.sha256(token.encode()).digest(),
            issuer=owner.issuer,
            subject=owner.subject,
            name=name,
            created_ms=to_ms(now),
            expires_ms=to_ms(now + LIFE),
        )
        sign(row, sealer=self._sealer)
        with self._database.transaction() as session:
            session.execute(delete(HelpdeskSession).where(HelpdeskSession.expires_ms <= to_ms(now)))
            session.add(row)
            self._audit.append("helpdesk_login", at=now, issuer=owner.issuer, subject=owner.subject, session=session)
        return token

    def find(self, token: str, *, now: datetime) -> Subject | None:
        """Return who holds this token, or None. Raises WrongMac for a row that is not ours."""
        with self._database.reading() as session:
            row = session.get(HelpdeskSession, hashlib.sha256(token.encode()).digest())
        if row is None or to_ms(now) >= row.expires_ms:
            return None
        check(row, sealer=self._sealer)
        return Subject(row.issuer, row.subject)

    def end(self, token: str, *, now: datetime) -> None:
        """Forget the session."""
        owner = self.find(token, now=now)
        if owner is None:
            return
        with self._database.transaction() as session:
            token_hash = hashlib.sha256(token.encode()).digest()
            session.execute(delete(HelpdeskSession).where(HelpdeskSession.token_hash == token_hash))
            self._audit.append("helpdesk_logout", at=now, issuer=owner.issuer, subject=owner.subject, session=session)
