"""Links with which somebody else than an agent proves something: the person by their face, the manager by a login.

    sent ──▶ opened ──▶ matched, not_matched, not_live        the face, once this browser has pressed the button
      │         ╰─▶ tried ──▶ the same                        a try was refused, another is left
      ├────▶ confirmed, refused                               the manager
      ╰────▶ unsent                                           the letter could not be sent: it counts for nothing

Rules:
 * 256 random bits; the hash is stored, with a MAC over the row. A link is for one case, one proof and one recipient.
 * A move that is not drawn does not happen, and every change names the version it was read at: of two browsers that
   press at the same moment one wins.
 * Unknown, used, expired and meant for something else look the same from outside: ServiceError("link_over").

Not here: who may ask for one, and what follows (asked_proofs.py).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import select, update

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.store.instants import from_ms, to_ms
from plugin.store.integrity import check, mac_of, sign
from plugin.store.link_tables import HelpdeskLink

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlalchemy.orm import Session

    from plugin.helpdesk.types import CaseView
    from plugin.store.database import Database
    from vault.interface import Sealer


class LinkState(StrEnum):
    """Where a link stands."""

    SENT = "sent"
    OPENED = "opened"
    TRIED = "tried"
    MATCHED = "matched"
    NOT_MATCHED = "not_matched"
    NOT_LIVE = "not_live"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNSENT = "unsent"


NEXT: Final[dict[LinkState, frozenset[LinkState]]] = {
    LinkState.SENT: frozenset({LinkState.OPENED, LinkState.CONFIRMED, LinkState.REFUSED, LinkState.UNSENT}),
    LinkState.OPENED: frozenset({LinkState.TRIED, LinkState.MATCHED, LinkState.NOT_MATCHED, LinkState.NOT_LIVE}),
    LinkState.TRIED: frozenset({LinkState.MATCHED, LinkState.NOT_MATCHED, LinkState.NOT_LIVE}),
}


MOST_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link as this request read it, after its MAC was checked; its token is known to the recipient alone."""

    id: str
    case_id: str
    owner: Subject
    proof: str
    recipient: str
    asked_by: str
    state: LinkState
    version: int
    expires_at: datetime

    def is_under_way(self, *, now: datetime) -> bool:
        """Tell whether an answer can still come."""
        return self.state in NEXT and now < self.expires_at


class Links:
    """Write and read links."""

    def __init__(self, *, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def new(
        self, case: CaseView, *, proof: str, recipient: str, asked_by: str, minutes: int, now: datetime
    ) -> tuple[str, HelpdeskLink]:
        """Return the token of a new link and its signed row; it does not outlive the case."""
        token = secrets.token_urlsafe(32)
        row = HelpdeskLink(
            id=secrets.token_urlsafe(32),
            issuer=case.owner.issuer,
            subject=case.owner.subject,
            case_id=case.id,
            proof=proof,
            recipient=recipient,
            asked_by=asked_by,
            token_hash=_hashed(token),
            state=LinkState.SENT.value,
            version=0,
            created_ms=to_ms(now),
            expires_ms=to_ms(min(now + timedelta(minutes=minutes), case.expires_at)),
        )
        sign(row, sealer=self._sealer)
        return token, row

    def find(self, token: str, *, proof: str, now: datetime) -> LinkView:
        """Return the link that waits to be used for this proof. Raises ServiceError("link_over")."""
        with self._database.reading() as session:
            row = session.scalar(select(HelpdeskLink).where(HelpdeskLink.token_hash == _hashed(token)))
        found = None if row is None else self._view(row)
        if found is None or found.proof != proof or found.state is not LinkState.SENT or now >= found.expires_at:
            raise ServiceError("link_over", "unknown" if found is None else found.state.value)
        return found

    def load(self, link_id: str) -> LinkView:
        """Return a link by its id, which opens nothing. Raises ServiceError("link_over")."""
        with self._database.reading() as session:
            row = session.get(HelpdeskLink, link_id)
        if row is None:
            raise ServiceError("link_over", "unknown")
        return self._view(row)

    def of(self, case_id: str, *, proof: str = "") -> list[LinkView]:
        """Return the links of a case whose letters were sent, oldest first; of one proof, where it is named."""
        query = select(HelpdeskLink).where(HelpdeskLink.case_id == case_id).order_by(HelpdeskLink.created_ms)
        with self._database.reading() as session:
            rows = session.scalars(query).all()
        views = [self._view(row) for row in rows]
        return [one for one in views if one.state is not LinkState.UNSENT and proof in {"", one.proof}]

    def given_up(self, *, now: datetime) -> list[LinkView]:
        """Return the links of checks in which a try was refused and no other came while there was time."""
        over = (HelpdeskLink.state == LinkState.TRIED.value, HelpdeskLink.expires_ms <= to_ms(now))
        with self._database.reading() as session:
            rows = session.scalars(select(HelpdeskLink).where(*over).limit(MOST_AT_ONCE)).all()
        return [self._view(row) for row in rows]

    def confirmed_by(self, case_id: str) -> frozenset[str]:
        """Return who confirmed something on this case with a login of their own: they act on it in no other part."""
        return frozenset(one.recipient for one in self.of(case_id) if one.state is LinkState.CONFIRMED)

    def change(self, link: LinkView, *, to: LinkState, session: Session, expires_at: datetime | None = None) -> None:
        """Move a link in the caller's transaction, unless somebody was faster. Raises ServiceError("link_over")."""
        if to not in NEXT.get(link.state, frozenset()):
            raise ServiceError("link_over", f"{link.state}_to_{to}")
        row = session.get(HelpdeskLink, link.id)
        if row is None or row.version != link.version:
            raise ServiceError("link_over", "changed_meanwhile")
        check(row, sealer=self._sealer)
        changes: dict[str, Any] = {"state": to.value, "version": link.version + 1}
        if expires_at is not None:
            changes["expires_ms"] = to_ms(expires_at)
        changes["mac"] = mac_of(row, sealer=self._sealer, changed=changes)
        read = (HelpdeskLink.id == link.id, HelpdeskLink.version == link.version)
        done = session.execute(update(HelpdeskLink).where(*read).values(**changes))
        if cast("CursorResult[Any]", done).rowcount != 1:
            raise ServiceError("link_over", "changed_meanwhile")

    def _view(self, row: HelpdeskLink) -> LinkView:
        check(row, sealer=self._sealer)
        return LinkView(
            id=row.id,
            case_id=row.case_id,
            owner=Subject(row.issuer, row.subject),
            proof=row.proof,
            recipient=row.recipient,
            asked_by=row.asked_by,
            state=LinkState(row.state),
            version=row.version,
            expires_at=from_ms(row.expires_ms),
        )


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
