"""All cues together: deny or confirm, never a mean.

 1. Any cue that denies rejects.
 2. At least two confirming cues of different physics (geometry, behaviour, light) are needed.
 3. A cue that fails with an error, or that a policy demands and that is not there, rejects: not knowing is a no.

More cues are added to CUES; what they see is the evidence alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from biometric.errors import BiometricError
from biometric.liveness.cues import (
    agreement,
    alone,
    challenge,
    colour,
    continuity,
    identity,
    perspective,
    planarity,
    pulse,
    repetition,
    stillness,
    stream,
    surface,
    texture,
)
from biometric.liveness.cues.result import CONFIRMING, CueResult, Physics, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from biometric.calibration import Calibration
    from biometric.liveness.evidence import Evidence
    from biometric.types import FaceEmbeddings

    Cue = Callable[[Evidence], CueResult]

    class ComparingCue(Protocol):
        """A cue that is told who is expected (None in an enrolment), and by which thresholds."""

        def __call__(
            self, evidence: Evidence, *, reference: FaceEmbeddings | None, calibration: Calibration
        ) -> CueResult:
            """Return the vote."""


CUES: Final[Mapping[str, Cue]] = {
    "stream": stream.evaluate,
    "alone": alone.evaluate,
    "continuity": continuity.evaluate,
    "repetition": repetition.evaluate,
    "challenge": challenge.evaluate,
    "planarity": planarity.evaluate,
    "perspective": perspective.evaluate,
    "colour": colour.evaluate,
    "surface": surface.evaluate,
    "texture": texture.evaluate,
    "pulse": pulse.evaluate,
    "stillness": stillness.evaluate,
}
COMPARING: Final[Mapping[str, ComparingCue]] = {"identity": identity.evaluate, "agreement": agreement.evaluate}
"""Cues that see the reference too."""
CONFIRMATIONS: Final = 2
UNCONFIRMED: Final = "unconfirmed"


@dataclass(frozen=True, slots=True)
class LivenessReport:
    """Every cue's vote; for the audit log and the evaluation, never for the browser."""

    results: tuple[CueResult, ...]
    demanded: frozenset[str] = frozenset()

    @property
    def denied_by(self) -> tuple[str, ...]:
        """Names of the cues that deny, or that are demanded and do not confirm; `unconfirmed` if too few confirm."""
        denied = tuple(result.name for result in self.results if result.verdict is Verdict.DENY or self._lacks(result))
        missing = tuple(sorted(self.demanded - {result.name for result in self.results}))
        return denied + missing if denied or missing or self._confirmed else (UNCONFIRMED,)

    @property
    def confirmed_by(self) -> tuple[str, ...]:
        """Names of the cues that confirm."""
        return tuple(result.name for result in self.results if result.verdict is Verdict.CONFIRM)

    @property
    def reasons(self) -> tuple[str, ...]:
        """As `denied_by`, each with its why: `planarity:flat`."""
        denied = [result for result in self.results if result.verdict is Verdict.DENY or self._lacks(result)]
        return tuple(f"{result.name}:{result.why}" for result in denied) or self.denied_by

    def _lacks(self, result: CueResult) -> bool:
        return result.name in self.demanded and result.verdict is not Verdict.CONFIRM

    @property
    def accepted(self) -> bool:
        """Whether nothing denies and enough confirms."""
        return not self.denied_by

    @property
    def _confirmed(self) -> bool:
        kinds = {result.physics for result in self.results if result.verdict is Verdict.CONFIRM}
        return len(kinds & CONFIRMING) >= CONFIRMATIONS


def judge(
    evidence: Evidence,
    *,
    reference: FaceEmbeddings | None,
    calibration: Calibration,
    demanded: frozenset[str] = frozenset(),
    cues: Mapping[str, Cue] = CUES,
    comparing: Mapping[str, ComparingCue] = COMPARING,
) -> LivenessReport:
    """Return every cue's vote. Never raises for what a cue could not do: that is a vote against."""
    bound = {name: partial(cue, reference=reference, calibration=calibration) for name, cue in comparing.items()}
    every: dict[str, Cue] = {**cues, **bound}
    return LivenessReport(tuple(_vote(name, cue, evidence) for name, cue in every.items()), demanded)


def _vote(name: str, cue: Cue, evidence: Evidence) -> CueResult:
    try:
        return cue(evidence)
    except (BiometricError, ArithmeticError, LookupError, TypeError, ValueError) as exc:
        return CueResult(name, Physics.INTEGRITY, Verdict.DENY, f"error:{type(exc).__name__}")  # (3)
