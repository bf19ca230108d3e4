"""What may be asked for on a case, and what each action needs whatever policy says: one table.

    pass           a one-time way back in, sent to the person (passes.py)
    reset_factor   one factor goes: the app, one passkey, the saved codes
    reenrol_face   the face goes; a new one takes the old possession factor and a code that is mailed to the person
    unlock         failed tries are forgotten, factors that were switched off are on again
    suspend        no login and no enrolment begins
    lift           the end of a suspension
    erase          everything goes; only an enrolment code leads back
    break_glass    a pass without the proofs, shown to who asked: for when the proofs cannot be had (break_glass.py)

Not here: what policy adds (policy.py), what an action does (deeds.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plugin.helpdesk.types import AGENT_ROLE, APPROVER_ROLE, BREAK_GLASS_ROLE, Action


@dataclass(frozen=True, slots=True)
class Kind:
    """One action.

    Attributes:
        four_eyes: a second agent must agree, whatever policy says.
        quick: takes effect at once and asks for no proof but its own; it can only take away.
        proofs: what must be proven besides what the person's case demands.
        emergency: what the case demands need not be proven, and both people have a role of its own; never for programs,
            and not in the list of what can be asked for.
    """

    four_eyes: bool = False
    quick: bool = False
    proofs: frozenset[str] = frozenset()
    emergency: bool = False

    @property
    def asked_by(self) -> str:
        """Return the role of people who may ask for it."""
        return BREAK_GLASS_ROLE if self.emergency else AGENT_ROLE

    @property
    def decided_by(self) -> str:
        """Return the role of people who may decide about it."""
        return BREAK_GLASS_ROLE if self.emergency else APPROVER_ROLE


KINDS: Final[dict[Action, Kind]] = {
    Action.PASS: Kind(),
    Action.RESET_FACTOR: Kind(),
    Action.REENROL_FACE: Kind(four_eyes=True, proofs=frozenset({"document"})),
    Action.UNLOCK: Kind(),
    Action.SUSPEND: Kind(quick=True),
    Action.LIFT: Kind(four_eyes=True),
    Action.ERASE: Kind(four_eyes=True, proofs=frozenset({"document"})),
    Action.BREAK_GLASS: Kind(four_eyes=True, emergency=True),
}


def kind_of(action: Action | None) -> Kind:
    """Return the kind of what a case asks for; a case of version 4 that waits asks for a pass."""
    return KINDS[action or Action.PASS]
