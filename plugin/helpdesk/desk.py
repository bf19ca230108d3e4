"""What agents can do. Every method is one decision: checked, written down, or refused and written down.

Rules:
 * Nobody acts on their own account, by this or another one of theirs; who opened, proved or asked does not decide.
 * An action needs every proof that policy demanded when the case was opened or demands now, and those of its own; a
   pass needs a face that the recovery can compare. What was asked for stands; another action is another case.
 * Roles were read for this very request (types.Agent); a case that is over or frozen takes nothing.
 * A program opens and asks like an agent, about its own cases alone, notes what policy lets it note, and waits for two
   eyes of a person, always. It decides nothing and is shown nothing.
 * Breaking glass needs a role of its own of both people, and no proofs (break_glass.py). It may be about who has lately
   agreed to what one asked for: they may be the last who approves.
 * Every refusal is an audit entry about the agent.

Not here: what an action does (deeds.py), letters (aftermath.py), pages (pages/helpdesk.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from plugin.errors import ServiceError
from plugin.helpdesk.actions import KINDS, kind_of
from plugin.helpdesk.cases import STOPPABLE
from plugin.helpdesk.clerk import Clerk
from plugin.helpdesk.lists import emergencies_for, queue_of
from plugin.helpdesk.networks import network_of
from plugin.helpdesk.policy import NOTED, PROOFS
from plugin.helpdesk.risks import looked_at, renewed
from plugin.helpdesk.second_person import NOTED as PROOF_NOTED
from plugin.helpdesk.second_person import SecondPerson
from plugin.helpdesk.types import APPROVER_ROLE, BREAK_GLASS_ROLE, SHOWN, Action, CaseState
from plugin.helpdesk.watch import ASKED, LOOKED_UP, NOBODYS, OPENED, OWN, SUSPENDING, WHOSE, Watch

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.helpdesk.cases import Cases
    from plugin.helpdesk.deeds import Deeds, Offer
    from plugin.helpdesk.links import Links
    from plugin.helpdesk.policy import Policy
    from plugin.helpdesk.types import Agent, CaseView, Directory
    from plugin.store.database import Database


class Desk(Clerk):
    """Open, prove, ask, decide."""

    def __init__(
        self,
        *,
        cases: Cases,
        links: Links,
        directory: Directory,
        deeds: Deeds,
        policy: Policy,
        database: Database,
        audit: AuditLog,
    ) -> None:
        super().__init__(audit)
        self._cases = cases
        self._links = links
        self._directory = directory
        self._deeds = deeds
        self._policy = policy
        self._second = SecondPerson(directory=directory, links=links, database=database)
        self.watch = Watch(database=database, audit=audit, policy=policy)
        self._database = database

    def open(
        self, agent: Agent, name: str, *, ticket: str, reason: str, now: datetime, only: Action | None = None
    ) -> CaseView:
        """Open a case about the person with exactly this user name.

        1. the agent's role      2. the look-up is counted, found or not        3. somebody is found
        4. neither the agent nor who agreed lately to what the agent asked for   5. not too many cases

        Where it is for one action `only`, (2) and (5) count and refuse nothing: that has a limit of its own. To break
        glass, one's own look-ups still refuse.

        Raises:
            ServiceError: helpdesk_role, too_many_lookups, person_unknown, own_case, approvers_case, too_many_cases.
        """
        emergency = kind_of(only).emergency
        self._require_asking(agent, emergency=emergency, now=now)  # (1)
        refuses, looked_for = OWN if emergency else NOBODYS, self._cases.looked_for(agent.person.owner.issuer, name)
        refuses = WHOSE if only is None else refuses
        self.watch.allow(LOOKED_UP, agent, agent.person.owner, now=now, refuses=refuses, looked_for=looked_for)  # (2)
        person = self._directory.find(name)
        if person is None:  # (3)
            self._refuse(agent, "person_unknown", now=now)
        self.watch.keep_apart(agent, person.owner.subject, person=person, emergency=emergency, now=now)  # (4)
        risks, demands = looked_at(person, policy=self._policy, database=self._database, now=now)
        row = self._cases.new(
            person, opened_by=agent.id, ticket=ticket, reason=reason, risks=risks, demands=demands, now=now, only=only
        )
        said: dict[str, Any] = {"case": row.id, "ticket": ticket, "grounds": reason, "risk": list(risks)}
        self.watch.allow(OPENED, agent, person.owner, now=now, refuses=NOBODYS if only else WHOSE, **said)  # (5)
        with self._database.transaction() as session:
            session.add(row)
        return self._cases.load(row.id)

    def suspend(self, agent: Agent, name: str, *, ticket: str, reason: str, now: datetime) -> CaseView:
        """Suspend the person with this user name in one step, by a case that is good for nothing else.

        Raises:
            ServiceError: too_many_suspensions, not_for_programs, what `open` and `ask` raise but for other limits.
        """
        self._require_asking(agent, now=now)
        if agent.program:
            self._refuse(agent, "not_for_programs", now=now)
        self.watch.allow(SUSPENDING, agent, agent.person.owner, now=now)
        case = self.open(agent, name, ticket=ticket, reason=reason, now=now, only=Action.SUSPEND)
        return self.ask(agent, case.id, action=Action.SUSPEND, now=now)

    def case(self, agent: Agent, case_id: str, *, emergency: bool = False, now: datetime) -> CaseView:
        """Return a case for staff; not one's own, nor that of who agreed lately to one's requests.

        The latter not for who breaks glass, on a case for that or to do it. One that is under way comes with the risks
        of now, and with what they demand besides (risks.py).
        """
        breaks = agent.has(BREAK_GLASS_ROLE)
        if not (breaks or agent.has(APPROVER_ROLE)):
            self._require_asking(agent, now=now)
        case = self._cases.load(case_id)
        if agent.program and case.opened_by != agent.id:
            raise ServiceError("case_unknown", "another_opened_it")
        person = self._directory.person(case.owner.subject)
        emergency = breaks and (emergency or kind_of(case.action).emergency)
        self.watch.keep_apart(agent, case.owner.subject, person=person, emergency=emergency, now=now)
        if person is None:
            return case
        return renewed(case, person, policy=self._policy, database=self._database, now=now)

    def look(self, agent: Agent, case_id: str, *, now: datetime) -> CaseView:
        """Return a case to be shown, as `case` does, and write down who reads it."""
        case = self.case(agent, case_id, now=now)
        self.watch.seen(agent, case.id, case.owner, now=now)
        return case

    def under_way(self, agent: Agent, case_id: str, *, emergency: bool = False, now: datetime) -> CaseView:
        """Return an open case that this agent may go on with: not whoever has vouched for the person as their manager.

        Raises:
            ServiceError: helpdesk_role, own_case, approvers_case, case_unknown, case_moved, same_person.
        """
        self._require_asking(agent, emergency=emergency, now=now)
        case = self._under_way(self.case(agent, case_id, emergency=emergency, now=now), CaseState.OPEN, now=now)
        if agent.id in self._links.confirmed_by(case_id):
            self._refuse(agent, "same_person", now=now, case=case)
        return case

    def note(self, agent: Agent, case_id: str, proof: str, *, now: datetime) -> CaseView:
        """Note that the agent has done one of the proofs; what the service notes itself is no agent's to note."""
        case = self.under_way(agent, case_id, now=now)
        if proof in PROOFS and proof not in NOTED:
            self._refuse(agent, "proof_not_noted", now=now, case=case)
        if proof not in NOTED or proof in case.proofs:
            raise ServiceError("bad_request", "proof")
        if agent.program and proof not in self._policy.api_proofs:
            self._refuse(agent, "not_for_programs", now=now, case=case)

        def within(session: Session) -> None:
            said = {"proof": proof, "network": network_of(agent.address)}
            self._log_case(PROOF_NOTED, case, agent, now=now, session=session, **said)

        noted_by = list(dict.fromkeys((*case.noted_by, agent.id)))
        return self._cases.change(case, within=within, proofs=[*case.proofs, proof], noted_by=noted_by)

    def ask(
        self, agent: Agent, case_id: str, *, action: Action = Action.PASS, target: str = "", now: datetime
    ) -> CaseView:
        """Ask for an action: it is done at once, or waits for a second agent where four eyes are needed.

        1. the agent's role              3. everything is proven that this action needs, by who still may
        2. open, not over, not oneself   4. it can be done: `target` is there, the person can use it
                                         5. not too much is asked for; to suspend never is, to break glass differs
        """
        emergency = KINDS[action].emergency
        if agent.program and (target == SHOWN or emergency):
            self._refuse(agent, "not_for_programs", now=now, case=self.case(agent, case_id, now=now))
        case = self.under_way(agent, case_id, emergency=emergency, now=now)  # (1) (2)
        if case.action not in {None, action}:
            self._refuse(agent, "case_moved", now=now, case=case)
        demands = self._deeds.demands(replace(case, action=action, target=target), now=now)
        demands = replace(demands, four_eyes=demands.four_eyes or agent.program)
        if set(demands.proofs) - set(case.proofs):  # (3)
            self._refuse(agent, "proofs_missing", now=now, case=case)
        if demands.proofs and (gone := self._second.gone(replace(case, action=action))):
            self._refuse(agent, gone, now=now, case=case)
        demanded = case.demanded if emergency else demands.proofs  # who decides in an emergency sees what is missing
        asked = replace(case, action=action, target=target, demanded=demanded, four_eyes=demands.four_eyes)
        self._can_be_done(replace(asked, asked_by=agent.id), agent, now=now)  # (4)
        refuses = NOBODYS if emergency or action is Action.SUSPEND else WHOSE
        self.watch.allow(ASKED, agent, case.owner, now=now, refuses=refuses, case=case.id, action=action.value)  # (5)
        written: dict[str, Any] = {"asked_by": agent.id, "asked_from": agent.address, "action": action.value}
        written |= {"target": target, "four_eyes": asked.four_eyes, "demanded": [*demanded], "risks": [*case.risks]}
        if emergency:
            self._break_glass("asked", replace(asked, asked_by=agent.id), agent, now=now)  # (5)
            return self._deeds.break_glass.ask(asked, now=now, **written)
        if not demands.four_eyes:
            return self._deeds.carry_out(asked, agent, now=now, **written)

        def within(session: Session) -> None:
            said = {"proofs": list(case.proofs), "action": action.value, "target": target, "risk": list(case.risks)}
            self._log_case("helpdesk_approval_asked", case, agent, now=now, session=session, **said)

        return self._cases.change(case, to=CaseState.WAITING, within=within, **written)

    def decide(self, approver: Agent, case_id: str, *, agree: bool, now: datetime) -> CaseView:
        """Decide about a waiting case.

        1. the approver's role          4. another person than all who acted, who still may (second_person.py)
        2. waiting and not over         5. what was asked for can still be done
        3. not about this person        6. everything is proven that this needs by now
        """
        self._require(approver, APPROVER_ROLE, BREAK_GLASS_ROLE, now=now)  # (1)
        case = self.case(approver, case_id, now=now)  # (3)
        kind = kind_of(case.action)
        self._require(approver, kind.decided_by, now=now)  # (1)
        self._under_way(case, CaseState.WAITING, now=now)  # (2)
        wrong = self._second.unfit(case, approver, apart=self._policy.apart, now=now)
        if wrong:  # (4)
            self._refuse(approver, wrong, now=now, case=case)
        if agree:
            if set(self._deeds.demands(case, now=now).proofs) - set(case.proofs):  # (6)
                self._refuse(approver, "proofs_missing", now=now, case=case)
            self._can_be_done(replace(case, decided_by=approver.id), approver, now=now)  # (5)
            if kind.emergency:
                self._break_glass("agreed", case, approver, now=now, approver=approver.id)
            self.watch.agreed(approver, case.asked_by, case.owner, now=now, case=case.id)
            return self._deeds.carry_out(case, approver, now=now, decided_by=approver.id)

        def within(session: Session) -> None:
            self._log_case("helpdesk_case_closed", case, approver, now=now, session=session, reason="refused")

        return self._cases.change(case, to=CaseState.REFUSED, within=within, decided_by=approver.id)

    def offers(self, case: CaseView, *, now: datetime) -> tuple[Offer, ...]:
        """Return what can be asked for on this case."""
        return self._deeds.offers(case, now=now)

    def show(self, agent: Agent, case_id: str, *, now: datetime) -> tuple[str, CaseView]:
        """Return the pass that a second person agreed to show to the agent who asked: once, and never again."""
        case = self._under_way(self.case(agent, case_id, now=now), CaseState.READY, now=now)
        self._require(agent, kind_of(case.action).asked_by, now=now)
        if agent.id != case.asked_by:
            self._refuse(agent, "not_asked_by_you", now=now, case=case)
        self._can_be_done(case, agent, now=now)
        return self._deeds.show(case, agent, now=now)

    def stop(self, agent: Agent, case_id: str, *, now: datetime) -> None:
        """Stop a case on which glass is being broken or was, as its person could by the link in the letter."""
        self._require(agent, APPROVER_ROLE, BREAK_GLASS_ROLE, now=now)
        case = self.case(agent, case_id, now=now)
        if not kind_of(case.action).emergency or case.state not in STOPPABLE:
            raise ServiceError("case_moved", f"{case.state}_not_stopped")
        self._deeds.break_glass.stop(case, agent, now=now)

    def close(self, agent: Agent, case_id: str, *, now: datetime) -> CaseView:
        """End a case: nothing was done, and what was asked for is withdrawn."""
        case = self.case(agent, case_id, now=now)
        if agent.id != case.asked_by:
            self._require_asking(agent, now=now)

        def within(session: Session) -> None:
            self._log_case("helpdesk_case_closed", case, agent, now=now, session=session, reason="closed")

        return self._cases.change(case, to=CaseState.CLOSED, within=within)

    def queue(self, agent: Agent, *, now: datetime) -> list[CaseView]:
        """Return what waits for this agent's decision."""
        return queue_of(agent, cases=self._cases, watch=self.watch, now=now)

    def emergencies(self, agent: Agent, *, now: datetime) -> list[CaseView]:
        """Return the cases in which glass was asked to be broken within a day, newest first, but one's own."""
        return emergencies_for(agent, cases=self._cases, watch=self.watch, now=now)

    def mine(self, agent: Agent, *, now: datetime) -> list[CaseView]:
        """Return the agent's own cases that are not over."""
        return self._cases.opened_by(agent.id, now=now)

    def _break_glass(self, stage: str, case: CaseView, who: Agent, *, now: datetime, **more: str) -> None:
        said = {"agent": case.asked_by, "case": case.id, "ticket": case.ticket, "grounds": case.reason, **more}
        self.watch.break_glass(stage, who, case.owner, now=now, **said)

    def _can_be_done(self, case: CaseView, agent: Agent, *, now: datetime) -> None:
        try:
            self._deeds.check(case, now=now)
        except ServiceError as exc:
            self._refuse(agent, exc.code, now=now, case=case)
