"""Denies when frames did not arrive as a camera sends them; the rules are in biometric/liveness/stream.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometric.liveness.cues.result import CueResult, Physics, Verdict

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    verdict = Verdict.DENY if evidence.broken else Verdict.NEUTRAL
    return CueResult("stream", Physics.INTEGRITY, verdict, evidence.broken, {"frames": float(len(evidence.rows))})
