"""What the helpdesk speaks of, and what it needs of the world outside.

Not here: how people are found (keycloak/directory.py), how letters travel (mail.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from plugin.ceremonies.types import Subject

AGENT_ROLE = "facestep-helpdesk"
"""May open cases, note proofs and ask for a pass."""
APPROVER_ROLE = "facestep-helpdesk-approver"
"""May decide about what an agent has asked for."""
API_ROLE = "facestep-helpdesk-api"
"""For the service account of a ticket system: opens cases and asks, like an agent, and decides nothing."""
BREAK_GLASS_ROLE = "facestep-helpdesk-breakglass"
"""May break glass (break_glass.py): one asks, another decides. It gives nothing else."""
STAFF_ROLES = frozenset({AGENT_ROLE, APPROVER_ROLE, BREAK_GLASS_ROLE})
"""Roles of people who sign in to the helpdesk's pages."""
SHOWN = "shown"
"""Target of a pass that is not sent but shown once to the agent who asked, where policy allows it."""
PRIVILEGED = "privileged"
"""The risk that makes every action wait for a second agent."""


class CaseState(StrEnum):
    """Where a case stands; cases.py says which follows which.

    ISSUED is a pass that was sent or shown, READY one that two people agreed to show and that is not made yet (as it is
    when glass was broken), DONE any other action.
    """

    OPEN = "open"
    WAITING = "waiting"
    READY = "ready"
    ISSUED = "issued"
    DONE = "done"
    REFUSED = "refused"
    CLOSED = "closed"
    FROZEN = "frozen"


UNDER_WAY = frozenset({CaseState.OPEN, CaseState.WAITING, CaseState.READY})
"""Somebody still has to do something."""


class Action(StrEnum):
    """What may be asked for on a case; actions.py says what each needs."""

    PASS = "pass"  # noqa: S105  (names an action)
    RESET_FACTOR = "reset_factor"
    REENROL_FACE = "reenrol_face"
    UNLOCK = "unlock"
    SUSPEND = "suspend"
    LIFT = "lift"
    ERASE = "erase"
    BREAK_GLASS = "break_glass"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who has a role, as far as letters to them need it. Addresses are written to, never shown."""

    owner: Subject
    addresses: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OnRecord:
    """A person as the directory knows them. Addresses are written to, never shown.

    Attributes:
        addresses: every one that is written to; the mailbox of this account first, if it has one.
        unverified: the account's own address while nobody has verified that it is theirs: never written to, and still
            on record when two accounts are compared.
        manager: user name of whoever manages this person, if the directory says so.
    """

    owner: Subject
    name: str
    addresses: tuple[str, ...] = field(repr=False)
    groups: tuple[str, ...]
    roles: frozenset[str]
    enabled: bool
    manager: str = field(default="", repr=False)
    unverified: str = field(default="", repr=False)

    @property
    def mailbox(self) -> str:
        """Return where to send what lets somebody in, or an empty string.

        A further address does not stand in for one that is not verified: who changes theirs would choose the mailbox.
        """
        return "" if self.unverified or not self.addresses else self.addresses[0]

    @property
    def is_staff(self) -> bool:
        """Tell whether this person can act in the helpdesk."""
        return bool(self.roles & STAFF_ROLES)

    def is_same_as(self, other: OnRecord) -> bool:
        """Tell whether this may be the same human being: one account, or an address on record that both have."""
        ours, theirs = ({*map(str.casefold, (*one.addresses, one.unverified))} - {""} for one in (self, other))
        return self.owner == other.owner or bool(ours & theirs)


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody of the helpdesk, whose roles were read for this very request.

    Attributes:
        person: who it is, as the directory knows them now.
        address: the network address the request came from.
        program: it is a service account, which stands for nobody.
    """

    person: OnRecord
    address: str
    program: bool = False

    @property
    def id(self) -> str:
        """Return the agent's id at the identity provider."""
        return self.person.owner.subject

    def has(self, role: str) -> bool:
        """Tell whether the agent has this role. Roles of people are nothing to a program, nor the other way round."""
        return self.person.enabled and role in self.person.roles and self.program == (role == API_ROLE)

    @property
    def may_ask(self) -> bool:
        """Tell whether this agent, or program, may open cases and ask for something."""
        return self.has(API_ROLE if self.program else AGENT_ROLE)


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as this request read it, after its MAC was checked. Every change names `version`.

    Attributes:
        noted_by: who noted a proof.
        action: what was asked for, or what alone can be; None before. It does not change afterwards, nor does `target`.
        target: what the action is about, where it needs to be said.
    """

    id: str
    owner: Subject
    name: str
    ticket: str
    reason: str
    state: CaseState
    risks: tuple[str, ...]
    demanded: tuple[str, ...]
    four_eyes: bool
    proofs: tuple[str, ...]
    noted_by: tuple[str, ...]
    opened_by: str
    action: Action | None
    target: str
    asked_by: str
    asked_from: str = field(repr=False)
    decided_by: str
    version: int
    created_at: datetime
    expires_at: datetime

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the proofs that policy demands and nobody has noted."""
        return tuple(proof for proof in self.demanded if proof not in self.proofs)


class Directory(Protocol):
    """People of the realm. Every method asks anew: whoever was demoted or locked a moment ago is."""

    def find(self, name: str) -> OnRecord | None:
        """Return the one person with exactly this user name. Raises ServiceError if that cannot be told."""

    def person(self, subject: str) -> OnRecord | None:
        """Return the person with this id. Raises ServiceError if that cannot be told."""

    def holders(self, roles: Collection[str]) -> tuple[Holder, ...]:
        """Return whoever has one of these roles, is enabled and can be written to, each once. Raises ServiceError."""

    def end_sessions(self, subject: str) -> None:
        """End every session of this person, offline tokens too. Raises ServiceError."""

    def forget_face(self, subject: str) -> None:
        """Forget that this person has a face enrolled with us: the next login enrols. Raises ServiceError."""


class Login(Protocol):
    """How agents prove who they are."""

    def begin(self, token: str) -> str:
        """Return where to send the browser that holds `token`."""

    def finish(self, token: str, *, state: str, code: str, now: datetime) -> Subject:
        """Return who has signed in. Raises ServiceError("helpdesk_login_refused")."""


class Programs(Protocol):
    """How programs prove who they are."""

    def program(self, token: str, *, address: str, now: datetime) -> Agent:
        """Return which program has this token. Raises ServiceError("api_token")."""


class Post(Protocol):
    """Sends letters."""

    def send(self, addresses: Sequence[str], *, subject: str, text: str) -> None:
        """Send one letter to each address. Raises ServiceError("mail_failed") unless all were taken."""
