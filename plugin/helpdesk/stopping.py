"""Stop a recovery: by the link of a letter, or by "that was not me" on a person's own page.

Rules:
 * Stopping only takes away: open cases, all that the person has under way (store/under_way.py) and, if a recovery has
   bound something since, every possession factor and the face that it put in the place of another. Nothing is opened or
   added, so it is worth nothing to a thief, and a link needs no login.
 * One transaction stops all of it. Nobody writes beside it, so a decision comes before, and what it gave is taken back,
   or after, and finds its case frozen.
 * It reaches back to `since`, and to the beginning of each case that it freezes: the link of that case is used up too.
 * A link is 256 random bits, stored hashed with a MAC over the row, good for a week and for one use. A stop uses up the
   links that reach no further back than itself: older ones stop more, and whoever got in must not switch them off.
 * After another action than the pass (unlocked, factor reset, …) the link of its letter suspends the account: somebody
   works on it in the person's name.
 * Sessions and offline tokens at the identity provider end too, where there is a directory that can do it; if it cannot
   be done, that is an alarm.

Not here: how a letter looks (letters.py), who is told (aftermath.py).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.factors.lost import forget_lost
from plugin.helpdesk import limits
from plugin.helpdesk.suspension import suspend
from plugin.helpdesk.types import CaseState
from plugin.store.cooling import BOUND, FACE_REPLACED
from plugin.store.instants import from_ms, to_ms
from plugin.store.integrity import check, sign
from plugin.store.me_tables import StopLink
from plugin.store.stopped import STOPPED
from plugin.store.tables import Reference
from plugin.store.under_way import end_under_way

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.helpdesk.cases import Cases
    from plugin.helpdesk.types import CaseView
    from plugin.store.database import Database
    from vault.interface import Sealer

LINK_LIFE: Final = timedelta(days=7)
"""For so long the link of a letter stops a recovery; after that what it bound is the person's own."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What a link stops: everything about `owner` since it was made."""

    owner: Subject
    since: datetime


class Stopping:
    """Make links, and stop."""

    def __init__(
        self,
        *,
        cases: Cases,
        database: Database,
        sealer: Sealer,
        audit: AuditLog,
        end_sessions: Callable[[str], None] | None = None,
    ) -> None:
        self._cases = cases
        self._database = database
        self._sealer = sealer
        self._audit = audit
        self._end_sessions = end_sessions

    def new_link(self, owner: Subject, *, now: datetime) -> str:
        """Return the token of a new link."""
        token = secrets.token_urlsafe(32)
        row = StopLink(
            token_hash=_hashed(token),
            issuer=owner.issuer,
            subject=owner.subject,
            created_ms=to_ms(now),
            expires_ms=to_ms(now + LINK_LIFE),
        )
        sign(row, sealer=self._sealer)
        with self._database.transaction() as session:
            session.add(row)
        return token

    def purge(self, *, now: datetime) -> int:
        """Delete links that are over; return how many."""
        with self._database.transaction() as session:
            gone: Any = session.execute(delete(StopLink).where(StopLink.expires_ms <= to_ms(now)))
        return int(gone.rowcount)

    def find(self, token: str, *, now: datetime) -> Stop | None:
        """Return what this link stops, or None. Raises WrongMac for a row that is not ours."""
        with self._database.reading() as session:
            row = session.get(StopLink, _hashed(token))
        if row is None or to_ms(now) >= row.expires_ms:
            return None
        check(row, sealer=self._sealer)
        return Stop(Subject(row.issuer, row.subject), from_ms(row.created_ms))

    def stop(
        self, owner: Subject, *, since: datetime, reason: str, now: datetime, case: CaseView | None = None, **said: str
    ) -> bool:
        """Stop everything about this person; return whether sessions at the identity provider were ended too.

        What was bound from `since` on is forgotten. `case` is the one whose letter had the link; it is frozen even when
        it is done. `reason` is that of the alarm, and `said` what else it tells.

        Raises:
            ServiceError: "case_moved": this case was stopped before; nothing was written.
        """
        with self._database.transaction() as session:
            self._stop(owner, since, case, now=now, session=session)
            about = {"case": case.id} if case is not None else {}
            self._log("helpdesk_alarm", owner, now=now, details={"reason": reason, **about, **said}, session=session)
        return self.end_sessions(owner, now=now)

    def _stop(self, owner: Subject, since: datetime, case: CaseView | None, *, now: datetime, session: Session) -> None:
        frozen, broken = self._cases.freeze(owner, named=case.id if case else "", session=session, now=now)
        since = min([since, *(one.created_at for one in frozen)])
        for about in (*([""] if case is None else []), *(one.id for one in frozen)):
            self._log(STOPPED, owner, now=now, details={"case": about} if about else {}, session=session)
        for case_id in broken:
            said = {"reason": "case_not_stopped", "case": case_id}
            self._log("helpdesk_alarm", owner, now=now, details=said, session=session)
        forget_bound(owner, since=since, session=session, audit=self._audit, now=now)
        mine = (StopLink.issuer == owner.issuer, StopLink.subject == owner.subject)
        session.execute(delete(StopLink).where(*mine, StopLink.created_ms >= to_ms(since)))
        end_under_way(session, issuer=owner.issuer, subject=owner.subject)
        for done in (one for one in frozen if one.state is CaseState.DONE):
            suspend(owner, audit=self._audit, session=session, now=now, reason="frozen_by_owner", case=done.id)

    def end_sessions(self, owner: Subject, *, now: datetime) -> bool:
        """End the person's sessions at the identity provider; a failure is an alarm."""
        if self._end_sessions is None:
            return False
        try:
            self._end_sessions(owner.subject)
        except ServiceError as exc:
            self._log("helpdesk_alarm", owner, now=now, details={"reason": "sessions_not_ended", "code": exc.code})
            return False
        return True

    def _log(
        self, event: str, owner: Subject, *, now: datetime, details: dict[str, Any], session: Session | None = None
    ) -> None:
        self._audit.append(event, at=now, issuer=owner.issuer, subject=owner.subject, details=details, session=session)


def forget_bound(owner: Subject, *, since: datetime, session: Session, audit: AuditLog, now: datetime) -> None:
    """Forget what a recovery has bound since then, in the caller's transaction."""
    if _since(session, BOUND, owner, since):
        forget_lost(owner, session=session)
    if _since(session, FACE_REPLACED, owner, since):
        gone: Any = session.execute(delete(Reference).filter_by(issuer=owner.issuer, subject=owner.subject))
        about = {"issuer": owner.issuer, "subject": owner.subject}
        audit.append("erased", at=now, **about, details={"references": gone.rowcount}, session=session)


def _since(session: Session, event: str, owner: Subject, since: datetime) -> bool:
    at = limits.last(session, event, owner=owner)
    return at is not None and at >= since


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
