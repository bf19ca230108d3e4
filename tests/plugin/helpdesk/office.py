"""A helpdesk over a World: real parts inside; the directory is a list of people, letters land in a list."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.factors.face_answers import FaceRefused
from plugin.helpdesk.office import assemble
from plugin.helpdesk.policy import LIVE_FACE, NOTED
from plugin.helpdesk.record import has_usable_face
from plugin.helpdesk.types import AGENT_ROLE, API_ROLE, APPROVER_ROLE, Agent, CaseState, Holder, OnRecord
from tests.plugin.factors.world import REALM, Person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plugin.helpdesk.parts import Helpdesk
    from plugin.helpdesk.policy import Policy
    from plugin.helpdesk.types import Action, CaseView
    from tests.plugin.factors.world import World


@dataclass
class ListedPeople:
    """The production protocol Directory over people in memory."""

    people: dict[str, OnRecord] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def add(
        self, name: str, *, roles: Sequence[str] = (), groups: Sequence[str] = (), addresses=None, manager: str = ""
    ) -> OnRecord:
        subject = f"{name}-id"
        addresses = (f"{name}@example.org",) if addresses is None else tuple(addresses)
        self.people[subject] = OnRecord(
            Subject(REALM, subject), name, addresses, tuple(groups), frozenset(roles), enabled=True, manager=manager
        )
        return self.people[subject]

    def change(self, name: str, **changes) -> None:
        self.people[f"{name}-id"] = replace(self.people[f"{name}-id"], **changes)

    def find(self, name: str) -> OnRecord | None:
        return next((one for one in self.people.values() if one.name == name), None)

    def person(self, subject: str) -> OnRecord | None:
        return self.people.get(subject)

    def holders(self, roles) -> tuple[Holder, ...]:
        found = [one for one in self.people.values() if one.roles & set(roles) and one.enabled and one.addresses]
        return tuple(Holder(one.owner, one.addresses) for one in found)

    def end_sessions(self, subject: str) -> None:
        self.ended.append(subject)

    def forget_face(self, subject: str) -> None:
        self.forgotten.append(subject)


@dataclass
class Letters:
    """The production protocol Post; keeps what it is given, or is broken."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    broken: bool = False

    def send(self, addresses: Sequence[str], *, subject: str, text: str) -> None:
        if self.broken:
            raise ServiceError("mail_failed", "broken")
        self.sent += [(address, subject, text) for address in addresses]

    def to(self, address: str) -> list[str]:
        return [text for to, _, text in self.sent if to == address]

    def the_pass(self) -> str:
        return re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", "\n".join(text for *_, text in self.sent))[0]

    def token(self, kind: str) -> str:
        """The token of the newest letter with a link of this kind: check or confirm."""
        return re.findall(rf"/helpdesk/{kind}/(\S+)", "\n".join(text for *_, text in self.sent))[-1]

    def mailed_code(self) -> str:
        """Return the code of the last letter that brought one."""
        whole = "\n".join(text for *_, text in self.sent)
        return re.findall(r"^    ([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})$", whole, re.MULTILINE)[-1]

    def link(self) -> str:
        return re.search(r"/helpdesk/stop/(\S+)", "\n".join(text for *_, text in self.sent))[1]


class ScriptedLogin:
    """The production protocol Login; the realm says what the test says. The real one has its own tests."""

    def __init__(self) -> None:
        self.who = ""

    def begin(self, token: str) -> str:
        return f"{REALM}/protocol/openid-connect/auth?state={token[:8]}"

    def finish(self, token: str, *, state: str, code: str, now: datetime) -> Subject:
        if state != token[:8]:
            raise ServiceError("helpdesk_login_refused", "state")
        return Subject(REALM, self.who)


@dataclass
class ListedPrograms:
    """The production protocol Programs; a token is a name. The real one has its own tests."""

    people: ListedPeople

    def program(self, token: str, *, address: str, now: datetime) -> Agent:
        person = self.people.find(f"service-account-{token}") if token else None
        if person is None or API_ROLE not in person.roles:
            raise ServiceError("api_token", "listed")
        return Agent(person, address, program=True)


@dataclass
class Office:
    """Alice calls; Ada is an agent, Bob may approve."""

    world: World
    people: ListedPeople
    letters: Letters
    login: ScriptedLogin
    parts: Helpdesk

    @property
    def desk(self):
        return self.parts.desk

    @property
    def watch(self):
        return self.parts.desk.watch

    def agent(self, name: str = "ada", *, address: str = "192.0.2.1") -> Agent:
        return Agent(self.people.person(f"{name}-id"), address)

    def opens(self, about: str = "alice", *, by: str = "ada", reason: str = "phone lost") -> CaseView:
        return self.desk.open(self.agent(by), about, ticket="T-1", reason=reason, now=self.world.now)

    def asked(self, about: str = "alice", *, by: str = "ada") -> CaseView:
        """Bring a case to where a second person decides; a pass needs a face that it can be checked against."""
        if not has_usable_face(Subject(REALM, f"{about}-id"), database=self.world.database, now=self.world.now):
            self.world.person(f"{about}-id").has_face(about)
        case = self.proves(self.opens(about, by=by), by=by)
        return self.desk.ask(self.agent(by), case.id, now=self.world.now)

    def proves(self, case: CaseView, *, by: str = "ada") -> CaseView:
        """Let everything be proven that the case demands: the person shows their face, the manager says yes."""
        for proof in case.missing:
            self.prove(case, proof, by=by)
        return self.desk.case(self.agent(by), case.id, now=self.world.now)

    def prove(self, case: CaseView, proof: str, *, by: str = "ada") -> None:
        if proof in NOTED:
            self.desk.note(self.agent(by), case.id, proof, now=self.world.now)
        elif proof == LIVE_FACE:
            self.checks_face(case, by=by)
        else:
            token = self.asks_manager(case, by=by)
            manager = self.people.find(self.people.person(case.owner.subject).manager)
            self.parts.managers.answer(token, manager.owner, yes=True, now=self.world.now)

    def checks_face(self, case: CaseView, *, face: str = "", by: str = "ada") -> None:
        """Ask for a live face check and let somebody with this face do it, the person themselves if not said."""
        person = self.opens_check(case, by=by)
        view = person.view()
        try:
            self.parts.face_checks.matched(person.shows(face or case.name, view), now=self.world.now)
        except FaceRefused as refused:
            if not refused.may_retry:
                self.parts.face_checks.failed(view, another=refused.another, now=self.world.now)
            raise

    def opens_check(self, case: CaseView, *, by: str = "ada") -> Person:
        """Ask for a check, press the button of its link, and stand in front of the camera."""
        self.parts.face_checks.ask(self.agent(by), case.id, now=self.world.now)
        new = self.parts.face_checks.begin(self.letters.token("check"), now=self.world.now)
        return Person(self.world, case.owner, new.id, new.browser_token)

    def asks_manager(self, case: CaseView, *, by: str = "ada") -> str:
        """Ask the manager; return the token of the link in the letter."""
        self.parts.managers.ask(self.agent(by), case.id, now=self.world.now)
        return self.letters.token("confirm")

    def asks(self, action: Action, target: str = "", *, about: str = "alice", by: str = "ada") -> CaseView:
        """Open a case, note what this action needs, ask for it."""
        case = self.opens(about, by=by)
        for proof in self.desk._policy.for_action(action, case, target=target).proofs:
            self.prove(case, proof, by=by)
        return self.desk.ask(self.agent(by), case.id, action=action, target=target, now=self.world.now)

    def does(self, action: Action, target: str = "", *, about: str = "alice") -> CaseView:
        """Have two people do it, or one where one is enough."""
        case = self.asks(action, target, about=about)
        return case if case.state is CaseState.DONE else self.agrees(case)

    def uses(self, policy: Policy) -> Policy:
        """Work by another policy from now on."""
        self.desk._policy = self.desk._deeds._policy = self.watch._policy = policy
        return policy

    def allows(self, **changes) -> Policy:
        return self.uses(replace(self.desk._policy, **changes))

    def agrees(self, case: CaseView, *, by: str = "bob") -> CaseView:
        return self.desk.decide(self.agent(by), case.id, agree=True, now=self.world.now)

    def issued(self, about: str = "alice") -> str:
        """Return the pass of a case that two people agreed to."""
        case = self.asked(about)
        self.desk.decide(self.agent("bob"), case.id, agree=True, now=self.world.now)
        return self.letters.the_pass()

    def refusals(self) -> list[str]:
        return [one["code"] for one in self.world.audited("helpdesk_refused")]

    def alarms(self) -> list[str]:
        return [one["reason"] for one in self.world.audited("helpdesk_alarm")]


def open_office(world: World, *, people: ListedPeople | None = None, letters: Letters | None = None) -> Office:
    """Give the world a helpdesk; with a policy file in the settings, that policy."""
    people, letters, login = people or ListedPeople(), letters or Letters(), ScriptedLogin()
    world.settings = replace(
        world.settings, helpdesk_issuer=REALM, mail_server="smtp://127.0.0.1:25", mail_from="desk@example.org"
    )
    parts = assemble(
        ceremonies=world.ceremonies,
        database=world.database,
        sealer=world.sealer,
        attempts=world.attempts,
        audit=world.audit,
        settings=world.settings,
        directory=people,
        post=letters,
        login=login,
        programs=ListedPrograms(people),
    )
    world.helpdesk = parts
    people.add("alice", addresses=["alice@example.org", "alice@home.example"], manager="mia")
    people.add("mia")
    people.add("ada", roles=[AGENT_ROLE])
    people.add("bob", roles=[APPROVER_ROLE])
    return Office(world, people, letters, login, parts)
