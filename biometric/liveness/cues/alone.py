"""Denies when a second face of comparable size is seen again and again: it would be unclear who is being judged.

One look with a passer-by is forgiven; the page says `alone` then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence

CROWDED_LOOKS: Final = 2


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    crowded = evidence.crowded_looks >= CROWDED_LOOKS
    return CueResult(
        "alone",
        Physics.INTEGRITY,
        Verdict.DENY if crowded else Verdict.NEUTRAL,
        "several_faces" if crowded else "",
        {"looks": float(evidence.looks), "crowded": float(evidence.crowded_looks)},
    )
