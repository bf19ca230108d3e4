"""What may be asked for on a case, and what each action needs whatever policy says: one table.

    pass   a one-time way back in, sent to the person (passes.py)

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
}
