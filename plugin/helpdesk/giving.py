"""Actions that give something back: tries (unlock), and every login (lift).

Rules:
 * The person is told first, at every address and with the link that stops it; where that cannot be done nothing is
   given, nor where the stop was faster. A stop locks the account again (aftermath.py).
 * Nothing is unlocked for a person who has just stopped somebody, or who is suspended: lifting is an action of its own.

Not here: passes (aftermath.py, passes.py), who may (desk.py).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from plugin.ceremonies.attempts import Counted
from plugin.errors import ServiceError
from plugin.helpdesk import action_letters
from plugin.helpdesk.aftermath import hashed
from plugin.helpdesk.suspension import lift
from plugin.helpdesk.types import Action, CaseState
from plugin.store.stopped import is_stopped
from plugin.store.suspended import is_suspended

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.types import Subject
    from plugin.helpdesk.aftermath import Aftermath
    from plugin.helpdesk.cases import Cases
    from plugin.helpdesk.types import Agent, CaseView
    from plugin.store.database import Database


class Giving:
    """Unlock and lift."""

    def __init__(
        self, *, cases: Cases, aftermath: Aftermath, attempts: Attempts, database: Database, audit: AuditLog
    ) -> None:
        self._cases = cases
        self._aftermath = aftermath
        self._attempts = attempts
        self._database = database
        self._audit = audit

    def check(self, case: CaseView, *, now: datetime) -> None:
        """Raise ServiceError: nothing_to_do, account_stopped."""
        with self._database.reading() as session:
            _check(case, session=session, now=now)

    def check_not_suspended(self, case: CaseView) -> None:
        """Raise ServiceError("account_stopped") for somebody who is suspended: a pass would open nothing."""
        with self._database.reading() as session:
            if is_suspended(session, issuer=case.owner.issuer, subject=case.owner.subject):
                raise ServiceError("account_stopped", "suspended")

    def carry_out(self, case: CaseView, agent: Agent, *, now: datetime, **decided: Any) -> CaseView:
        """Tell the person, then give it; return the case as it is then."""
        token = secrets.token_urlsafe(32)
        said = {"agent": agent.id, "case": case.id, "action": str(case.action)}

        def agreed(session: Session) -> None:
            self._log("helpdesk_action_agreed", case.owner, now=now, session=session, proofs=list(case.proofs), **said)

        done = self._cases.change(case, to=CaseState.DONE, within=agreed, freeze_hash=hashed(token), **decided)
        try:
            self._aftermath.notify(case.owner, action_letters.told(case, link=self._aftermath.link(token)), now=now)
        except ServiceError:
            self._not_given(done)
            raise

        def given(session: Session) -> None:
            _check(case, session=session, now=now)  # again: the person may have stopped it by another link meanwhile
            self._log("helpdesk_action_done", case.owner, now=now, session=session, **said)
            self._give(case, session=session, now=now)

        try:
            return self._cases.change(done, within=given)
        except ServiceError as exc:
            if exc.code != "case_moved":  # a stop by its own link has frozen it already
                self._not_given(done)
            raise

    def _not_given(self, case: CaseView) -> None:
        self._cases.change(case, to=CaseState.FROZEN, within=lambda _session: None)

    def _give(self, case: CaseView, *, session: Session, now: datetime) -> None:
        if case.action is Action.LIFT:
            lift(case.owner, audit=self._audit, session=session, now=now, case=case.id)
            return
        self._attempts.reset(case.owner, list(Counted), session=session)
        self._log("attempts_reset", case.owner, now=now, session=session, case=case.id)

    def _log(self, event: str, owner: Subject, *, now: datetime, session: Session, **details: Any) -> None:
        about = {"issuer": owner.issuer, "subject": owner.subject}
        self._audit.append(event, at=now, **about, details=details, session=session)


def _check(case: CaseView, *, session: Session, now: datetime) -> None:
    """Raise ServiceError: nothing_to_do, account_stopped."""
    who = {"issuer": case.owner.issuer, "subject": case.owner.subject}
    suspended = is_suspended(session, **who)
    if case.action is Action.LIFT:
        if not suspended:
            raise ServiceError("nothing_to_do", "not_suspended")
        return
    if suspended or is_stopped(session, **who, now=now):
        raise ServiceError("account_stopped")
