"""Decide stored votes anew, by other limits, from the numbers that the cues left: what a limit costs and what it stops.

Only cues of which the limits decide are decided anew; what they could not measure stays as it was, and so does every
other cue. A presentation that a cue would have ended earlier is not played anew: no cue with limits ends one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from biometric.liveness.cues import colour, continuity, perspective, planarity, repetition, surface
from biometric.liveness.cues.result import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from biometric.evaluation.presentation import Outcome
    from biometric.limits import Limits
    from biometric.liveness.cues.result import CueResult

    Decision = Callable[[Mapping[str, float], Limits], tuple[Verdict, str]]


def _deny(why: str) -> tuple[Verdict, str]:
    return (Verdict.DENY, why) if why else (Verdict.NEUTRAL, "")


DECISIONS: Final[Mapping[str, tuple[str, Decision]]] = {
    "continuity": ("away", lambda numbers, limits: _deny(continuity.decide(numbers, limits.continuity))),
    "repetition": ("forward", lambda numbers, limits: _deny(repetition.decide(numbers, limits.repetition))),
    "planarity": ("relief", lambda numbers, limits: planarity.decide(numbers, limits.planarity)),
    "perspective": ("relief", lambda numbers, limits: perspective.decide(numbers, limits.perspective)),
    "colour": ("follows", lambda numbers, limits: colour.decide(numbers, limits.colour)),
    "surface": ("bezel_looks", lambda numbers, limits: _deny(surface.decide(numbers, limits.surface))),
}
"""By cue: the number without which it measured nothing, and how it decides."""


def decided_anew(outcome: Outcome, limits: Limits) -> Outcome:
    """Return the outcome as these limits decide it."""
    return replace(outcome, votes=tuple(_anew(vote, limits) for vote in outcome.votes))


def _anew(vote: CueResult, limits: Limits) -> CueResult:
    needed, decide = DECISIONS.get(vote.name, ("", None))
    if decide is None or needed not in vote.numbers:
        return vote
    verdict, why = decide(vote.numbers, limits)
    return replace(vote, verdict=verdict, why=why)
