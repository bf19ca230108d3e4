"""What a cue says.

Rules:
 * DENY rejects, whatever others say. CONFIRM counts towards the two of different physics that are needed. NEUTRAL
   says nothing.
 * `why` and the numbers are for the audit log; no score ever leaves the service.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verdict(StrEnum):
    """A cue's vote."""

    DENY = "deny"
    CONFIRM = "confirm"
    NEUTRAL = "neutral"


class Physics(StrEnum):
    """What a cue rests on; two confirming cues of the same kind count once."""

    GEOMETRY = "geometry"
    BEHAVIOUR = "behaviour"
    LIGHT = "light"
    INTEGRITY = "integrity"
    IDENTITY = "identity"


CONFIRMING: Final = frozenset({Physics.GEOMETRY, Physics.BEHAVIOUR, Physics.LIGHT})


@dataclass(frozen=True, slots=True)
class CueResult:
    """A cue's vote and its reasons."""

    name: str
    physics: Physics
    verdict: Verdict
    why: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
