"""Denies when frames did not arrive as a camera sends them; the rules are in biometric/liveness/stream.py.

Its other numbers (jitter, duplicates, noise: risk.py) are for the audit log and decide nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.risk import measure_stream

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    verdict = Verdict.DENY if evidence.broken else Verdict.NEUTRAL
    numbers = {"frames": float(len(evidence.rows)), **measure_stream(evidence)}
    return CueResult("stream", Physics.INTEGRITY, verdict, evidence.broken, numbers)
