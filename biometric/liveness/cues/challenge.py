"""Confirms (behaviour) when every step was done, in order, in time, each after it was asked for; denies otherwise.

A recording stops here unless it holds the right actions, in the right order, at the right times, and no wrong ones
(steps/judge.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.steps.judge import MISTAKES_ALLOWED, count_mistakes

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    mistakes = count_mistakes(evidence)
    done = sum(1 for mark in evidence.marks if mark.done_ms is not None)
    numbers = {"done": float(done), "of": float(len(evidence.steps)), "mistakes": float(mistakes)}

    def vote(verdict: Verdict, why: str = "") -> CueResult:
        return CueResult("challenge", Physics.BEHAVIOUR, verdict, why, numbers)

    if evidence.failed:
        return vote(Verdict.DENY, evidence.failed)
    if mistakes > MISTAKES_ALLOWED:
        return vote(Verdict.DENY, "mistakes")
    if evidence.baseline is None or not evidence.done:
        return vote(Verdict.DENY, "incomplete")
    return vote(Verdict.CONFIRM)
