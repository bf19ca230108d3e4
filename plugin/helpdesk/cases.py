"""Cases: one person's request for a way back in, from the call to its end.

    open ──▶ waiting ──▶ issued, done
      │         ├──────▶ ready ──▶ issued, closed, frozen
      │         ├──────▶ refused
      ├─────────┼──────▶ closed
      ╰─────────┴──────▶ frozen ◀── issued, done

Rules:
 * A move that is not drawn does not happen, and every change names the version it was read at: of two agents one wins,
   and a decision about a case that was frozen meanwhile is no decision.
 * The row carries a keyed MAC over every column: who can write to the database cannot note a proof. Nor put a row back
   as it was before a decision: it moves on only while the audit log agrees (last_word.py).
 * What policy demands is written into the case when it is opened, and what it and the action demand besides when that
   is asked for; a case may be for one action alone from its beginning. From then on action, target and proofs stand:
   who decides has seen what was asked.

Not here: who may do what (desk.py).
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import and_, or_, select, update

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.helpdesk.last_word import require_newest
from plugin.helpdesk.types import Action, CaseState, CaseView
from plugin.store.helpdesk_tables import HelpdeskCase
from plugin.store.instants import from_ms, to_ms
from plugin.store.integrity import check, mac_of, sign
from vault.encoding import canonical
from vault.interface import WrongMac

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import CursorResult
    from sqlalchemy.orm import Session

    from plugin.helpdesk.policy import Demands
    from plugin.helpdesk.types import OnRecord
    from plugin.store.database import Database
    from vault.interface import Sealer

    Within = Callable[[Session], None]

_SHOWN: Final = 8  # characters of an id, as elsewhere in logs
log = logging.getLogger("facestep.helpdesk")

LIFE: Final = timedelta(hours=8)
"""A working day: what was proven in the morning is not proven tomorrow."""
MOST_LISTED: Final = 50
NEXT: Final[dict[CaseState, frozenset[CaseState]]] = {
    CaseState.OPEN: frozenset(
        {CaseState.WAITING, CaseState.ISSUED, CaseState.DONE, CaseState.CLOSED, CaseState.FROZEN}
    ),
    CaseState.WAITING: frozenset(
        {CaseState.READY, CaseState.ISSUED, CaseState.DONE, CaseState.REFUSED, CaseState.CLOSED, CaseState.FROZEN}
    ),
    CaseState.READY: frozenset({CaseState.ISSUED, CaseState.CLOSED, CaseState.FROZEN}),
    CaseState.ISSUED: frozenset({CaseState.FROZEN}),
    CaseState.DONE: frozenset({CaseState.FROZEN}),
}
STOPPABLE: Final = frozenset({CaseState.OPEN, CaseState.WAITING, CaseState.READY, CaseState.ISSUED})
"""What a stop ends beside the case whose letter had the link: all that could still open something."""


class Cases:
    """Write and read cases."""

    def __init__(self, *, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def new(
        self,
        person: OnRecord,
        *,
        opened_by: str,
        ticket: str,
        reason: str,
        risks: tuple[str, ...],
        demands: Demands,
        now: datetime,
        only: Action | None = None,
    ) -> HelpdeskCase:
        """Return the signed row of a case about `person`; for one action alone, if named."""
        row = HelpdeskCase(
            id=secrets.token_urlsafe(32),
            issuer=person.owner.issuer,
            subject=person.owner.subject,
            name=person.name,
            ticket=ticket,
            reason=reason,
            state=CaseState.OPEN.value,
            risks=list(risks),
            demanded=list(demands.proofs),
            four_eyes=demands.four_eyes,
            proofs=[],
            noted_by=[],
            action=only.value if only else "",
            target="",
            opened_by=opened_by,
            asked_by="",
            asked_from="",
            decided_by="",
            freeze_hash=None,
            version=0,
            created_ms=to_ms(now),
            expires_ms=to_ms(now + LIFE),
        )
        sign(row, sealer=self._sealer)
        return row

    def load(self, case_id: str) -> CaseView:
        """Return a case. Raises ServiceError("case_unknown"), or WrongMac if it is not as we wrote it."""
        with self._database.reading() as session:
            row = session.get(HelpdeskCase, case_id)
        if row is None:
            raise ServiceError("case_unknown")
        return self._view(row)

    def looked_for(self, issuer: str, name: str) -> str:
        """Return what the log holds of a name that was typed: a keyed hash, the same for the same name."""
        return self._sealer.mac(canonical(issuer, name.casefold()), label="helpdesk-name").hex()

    def by_freeze_token(self, token_hash: bytes) -> CaseView:
        """Return the case whose letter had this link. Raises ServiceError("case_unknown")."""
        with self._database.reading() as session:
            row = session.scalar(select(HelpdeskCase).where(HelpdeskCase.freeze_hash == token_hash))
        if row is None:
            raise ServiceError("case_unknown")
        return self._view(row)

    def waiting(self, *, now: datetime) -> list[CaseView]:
        """Return the cases that wait for a second agent, oldest first."""
        return self._listed(HelpdeskCase.state == CaseState.WAITING.value, now=now)

    def opened_by(self, agent: str, *, now: datetime) -> list[CaseView]:
        """Return the cases that this agent opened and that are not over."""
        return self._listed(HelpdeskCase.opened_by == agent, now=now)

    def about(self, owner: Subject, *, now: datetime) -> list[CaseView]:
        """Return the cases about one person that are not over."""
        return self._listed(HelpdeskCase.issuer == owner.issuer, HelpdeskCase.subject == owner.subject, now=now)

    def change(self, case: CaseView, *, to: CaseState | None = None, within: Within, **changes: Any) -> CaseView:
        """Write one change, and `within` with it, if nobody changed the case since it was read.

        Raises:
            ServiceError: "case_moved": the move is not drawn, or somebody was faster; nothing was written.
            WrongMac: the row is not as we wrote it; PutBack: not as we wrote it last.
        """
        if to is not None and to not in NEXT.get(case.state, frozenset()):
            raise ServiceError("case_moved", f"{case.state}_to_{to}")
        values = dict(changes, version=case.version + 1) | ({"state": to.value} if to is not None else {})
        with self._database.transaction() as session:
            row = session.get(HelpdeskCase, case.id)
            if row is None or row.version != case.version:
                raise ServiceError("case_moved", "changed_meanwhile")
            check(row, sealer=self._sealer)
            require_newest(session, row)
            values["mac"] = mac_of(row, sealer=self._sealer, changed=values)
            read = (HelpdeskCase.id == case.id, HelpdeskCase.version == case.version)
            done = session.execute(update(HelpdeskCase).where(*read).values(**values))
            if cast("CursorResult[Any]", done).rowcount != 1:
                raise ServiceError("case_moved", "changed_meanwhile")
            within(session)
        return self.load(case.id)

    def freeze(
        self, owner: Subject, *, named: str = "", session: Session, now: datetime
    ) -> tuple[list[CaseView], list[str]]:
        """Freeze the case `named` and every other about this person that could still open something.

        In the caller's transaction, beside which nobody writes: none is moved meanwhile, and what was read before is
        too old for any decision after it.

        Returns:
            the cases as they were, oldest first; the ids of rows that are not as we wrote them: left, since nobody
            believes them.

        Raises:
            ServiceError: "case_moved": the case `named` was stopped before, or cannot be; nothing was written.
        """
        mine = (HelpdeskCase.issuer == owner.issuer, HelpdeskCase.subject == owner.subject)
        live = and_(HelpdeskCase.state.in_([one.value for one in STOPPABLE]), HelpdeskCase.expires_ms > to_ms(now))
        query = select(HelpdeskCase).where(*mine, or_(live, HelpdeskCase.id == named))
        frozen, broken = [], []
        for row in session.scalars(query.order_by(HelpdeskCase.created_ms)).all():
            try:
                case = self._view(row)
            except WrongMac:
                broken.append(row.id)
                continue
            if CaseState.FROZEN not in NEXT.get(case.state, frozenset()):
                continue
            values: dict[str, Any] = {"state": CaseState.FROZEN.value, "version": case.version + 1}
            values["mac"] = mac_of(row, sealer=self._sealer, changed=values)
            session.execute(update(HelpdeskCase).where(HelpdeskCase.id == case.id).values(**values))
            frozen.append(case)
        if named and named not in {*broken, *(one.id for one in frozen)}:
            raise ServiceError("case_moved", "stopped_before")
        return frozen, broken

    def _listed(self, *conditions: Any, now: datetime) -> list[CaseView]:
        query = select(HelpdeskCase).where(*conditions, HelpdeskCase.expires_ms > to_ms(now))
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(HelpdeskCase.created_ms).limit(MOST_LISTED)).all()
        return [case for row in rows if (case := self._believed(row)) is not None]

    def _believed(self, row: HelpdeskCase) -> CaseView | None:
        """Return a case for a list; one that is not as we wrote it does not keep the others from anybody."""
        try:
            return self._view(row)
        except WrongMac:
            log.critical("the case %s is not as it was written; it is left out of every list", row.id[:_SHOWN])
            return None

    def _view(self, row: HelpdeskCase) -> CaseView:
        check(row, sealer=self._sealer)
        return CaseView(
            id=row.id,
            owner=Subject(row.issuer, row.subject),
            name=row.name,
            ticket=row.ticket,
            reason=row.reason,
            state=CaseState(row.state),
            risks=tuple(row.risks),
            demanded=tuple(row.demanded),
            four_eyes=row.four_eyes,
            proofs=tuple(row.proofs),
            noted_by=tuple(row.noted_by or ()),
            action=Action(row.action) if row.action else None,
            target=row.target or "",
            opened_by=row.opened_by,
            asked_by=row.asked_by,
            asked_from=row.asked_from,
            decided_by=row.decided_by,
            version=row.version,
            created_at=from_ms(row.created_ms),
            expires_at=from_ms(row.expires_ms),
        )
