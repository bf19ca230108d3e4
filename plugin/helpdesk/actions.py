"""What may be asked for on a case, and what each action needs whatever policy says: one table.

    pass           a one-time way back in, sent to the person (passes.py)
    reset_factor   one factor goes: the app, one passkey, the saved codes
    reenrol_face   the face goes; a new one takes the old possession factor and a code that is mailed to the person
    unlock         failed tries are forgotten, factors that were switched off are on again
    suspend        no login and no enrolment begins
    lift           the end of a suspension
    erase          everything goes; only an enrolment code leads back

Not here: what policy adds (policy.py), what an action does (deeds.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from plugin.helpdesk.types import Action


@dataclass(frozen=True, slots=True)
class Kind:
    """One action.

    Attributes:
        four_eyes: a second agent must agree, whatever policy says.
        quick: takes effect at once and asks for no proof but its own; it can only take away.
        proofs: what must be proven besides what the person's case demands.
    """

    four_eyes: bool = False
    quick: bool = False
    proofs: frozenset[str] = frozenset()


KINDS: Final[dict[Action, Kind]] = {
    Action.PASS: Kind(),
    Action.RESET_FACTOR: Kind(),
    Action.REENROL_FACE: Kind(four_eyes=True, proofs=frozenset({"document"})),
    Action.UNLOCK: Kind(),
    Action.SUSPEND: Kind(quick=True),
    Action.LIFT: Kind(four_eyes=True),
    Action.ERASE: Kind(four_eyes=True, proofs=frozenset({"document"})),
}
