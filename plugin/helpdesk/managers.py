"""The manager's word: whoever is on record as the person's manager signs in with their own face and says yes or no.

Rules:
 * Who the manager is, the directory says, when it is asked and again when they answer.
 * The manager is somebody else: not the person, not an agent of this case, not one of their other accounts (no address
   on record may be shared). Who has confirmed is written into the case like who noted a proof: they do not decide.
 * The link alone shows nothing and does nothing: the answer needs the manager's own login, with the face step.
 * A no closes the case and is an alarm.

Not here: the login (doors/agent_login.py), asking and noting (asked_proofs.py).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

from plugin.errors import ServiceError
from plugin.helpdesk import letters
from plugin.helpdesk.links import LinkState
from plugin.helpdesk.policy import MANAGER
from plugin.helpdesk.types import CaseState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import Subject
    from plugin.helpdesk.asked_proofs import Asking
    from plugin.helpdesk.links import LinkView
    from plugin.helpdesk.types import Agent, CaseView, OnRecord

_UNFIT: Final = "manager_unfit"


class Managers:
    """Ask the manager, show them the case, take their answer."""

    def __init__(self, asking: Asking, *, our_url: str) -> None:
        self._desk, self._cases, self._asked = asking.desk, asking.cases, asking.asked
        self._waiting = partial(asking.waiting, proof=MANAGER)
        self._directory, self._policy = asking.directory, asking.policy
        self._url = our_url

    def may_ask(self, case: CaseView, *, now: datetime) -> bool:
        """Tell whether the manager can be asked; whether there is one, `ask` finds out."""
        return self._asked.may_ask(case, MANAGER, now=now)

    def ask(self, agent: Agent, case_id: str, *, now: datetime) -> CaseView:
        """Send the manager a link.

        Raises:
            ServiceError: what Desk.under_way raises; no_manager, manager_unfit, not_askable_now, mail_failed.
        """
        case = self._desk.under_way(agent, case_id, now=now)
        manager = self._manager_of(case)
        if manager is None:
            raise ServiceError("no_manager")
        self._require_fit(case, manager, acted={agent.id}, now=now)
        return self._asked.ask(
            case,
            agent,
            proof=MANAGER,
            recipient=manager.owner.subject,
            address=manager.mailbox,
            minutes=self._policy.manager_minutes,
            letter=lambda token, ends: letters.manager_asked(link=f"{self._url}/helpdesk/confirm/{token}", ends=ends),
            now=now,
        )

    def find(self, token: str, *, now: datetime) -> LinkView:
        """Return the link that can still be answered; it names nobody. Raises ServiceError("link_over")."""
        return self._waiting(token, now=now)

    def asked(self, token: str, signed_in: Subject, *, now: datetime) -> tuple[CaseView, OnRecord]:
        """Return what the manager is asked about, and the agent who asks.

        1. the link waits, its case is open     3. the directory still says that they are the manager
        2. sent to whoever is signed in         4. somebody else than everybody who acted on the case

        Raises:
            ServiceError: link_over, not_for_you, manager_unfit, asker_gone.
        """
        link = self.find(token, now=now)  # (1)
        case = self._cases.load(link.case_id)
        if (signed_in.issuer, signed_in.subject) != (case.owner.issuer, link.recipient):  # (2)
            self._refuse(case, signed_in.subject, "not_for_you", now=now)
        manager = self._manager_of(case)
        if manager is None or manager.owner.subject != link.recipient:  # (3)
            self._refuse(case, signed_in.subject, _UNFIT, now=now)
        self._require_fit(case, manager, acted={link.asked_by, *case.noted_by}, now=now)  # (4)
        agent = self._directory.person(link.asked_by)
        if agent is None:
            raise ServiceError("asker_gone")
        return case, agent

    def answer(self, token: str, signed_in: Subject, *, yes: bool, now: datetime) -> None:
        """Write the manager's answer down; a no closes the case.

        Raises:
            ServiceError: as `asked`; case_moved.
        """
        case, _ = self.asked(token, signed_in, now=now)
        link = self.find(token, now=now)
        if yes:
            if not self._asked.note(link, to=LinkState.CONFIRMED, by=signed_in.subject, now=now):
                raise ServiceError("link_over", "case_over")
            return
        self._asked.end(link, to=LinkState.REFUSED, now=now, alarm="manager_refused")

        def within(session: Session) -> None:
            said = {"agent": signed_in.subject, "reason": "manager_refused"}
            self._asked.log("helpdesk_case_closed", case, now=now, session=session, **said)

        self._cases.change(self._cases.load(case.id), to=CaseState.CLOSED, within=within)

    def _manager_of(self, case: CaseView) -> OnRecord | None:
        person = self._directory.person(case.owner.subject)
        if person is None or not person.manager:
            return None
        manager = self._directory.find(person.manager)
        return manager if manager is not None and manager.enabled and manager.mailbox else None

    def _require_fit(self, case: CaseView, manager: OnRecord, *, acted: Iterable[str], now: datetime) -> None:
        """Refuse a manager who is the person, or somebody who acted on the case, by this or another account."""
        for subject in {case.owner.subject, case.opened_by, *acted}:
            other = self._directory.person(subject)
            if other is None or other.is_same_as(manager):
                self._refuse(case, manager.owner.subject, _UNFIT, now=now)

    def _refuse(self, case: CaseView, who: str, code: str, *, now: datetime) -> NoReturn:
        self._asked.log("helpdesk_refused", case, now=now, code=code, agent=who)
        raise ServiceError(code)
