"""Which file judges which step, and how many deliberate wrong actions a challenge has seen.

A recording that happens to hold every action does them at its own times. So an action that was not asked for is a
mistake: a second turn to the wrong side, a turn while something else was asked, more blinks than asked, blinks in a
row while something else was asked. People make one now and then (MISTAKES_ALLOWED), recordings make one after another.

A turn is only done when skin could be followed through it, or through a turn before: a head that turns faster than the
camera takes pictures is asked to do it once more, rather than told at the end that nothing was confirmed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from biometric.liveness.challenge import Step, StepKind
from biometric.liveness.cues.planarity import is_measured
from biometric.liveness.steps.blink import blink_groups, judge_blink
from biometric.liveness.steps.closer import judge_closer
from biometric.liveness.steps.flash import judge_flash
from biometric.liveness.steps.smile import judge_smile
from biometric.liveness.steps.turn import excursions, judge_turn
from biometric.liveness.steps.window import REACTION_MS, Hint, StepView, Window, window

if TYPE_CHECKING:
    from biometric.liveness.evidence import Baseline, Evidence, StepMark

MISTAKES_ALLOWED: Final = 1
_GROUP: Final = 2  # blinks in a row that nobody makes by chance


def step_window(evidence: Evidence, baseline: Baseline, mark: StepMark) -> Window:
    """Return the frames in which the step of `mark` may be done."""
    end_ms = evidence.last_ms if mark.done_ms is None else mark.done_ms
    return window(evidence, baseline, start_ms=mark.revealed_ms + REACTION_MS, end_ms=end_ms)


def judge_step(step: Step, evidence: Evidence, baseline: Baseline, mark: StepMark) -> StepView:
    """Return what the frames since the step was revealed show of it."""
    return _judge(step, evidence, baseline, step_window(evidence, baseline, mark))


def _judge(step: Step, evidence: Evidence, baseline: Baseline, frames: Window) -> StepView:
    if step.kind is StepKind.CLOSER:
        return judge_closer(frames)
    if step.kind is StepKind.FLASH:
        return judge_flash(frames, evidence)
    if step.kind is StepKind.BLINK:
        view = judge_blink(frames, count=step.count)
    elif step.kind is StepKind.SMILE:
        view = judge_smile(frames, before=window(evidence, baseline, start_ms=0, end_ms=frames.start_ms))
    else:
        view = judge_turn(frames, side=1 if step.kind is StepKind.TURN_LEFT else -1)
        if view.done and not is_measured(window(evidence, baseline, start_ms=0, end_ms=frames.end_ms)):
            view = replace(view, done=False, hint=Hint.TURN_SLOWER)
    return view if view.done else replace(view, hint=frames.distance_hint or view.hint)


def count_mistakes(evidence: Evidence) -> int:
    """Return the deliberate wrong actions seen in all steps so far."""
    if evidence.baseline is None:
        return 0
    total = 0
    for step, mark in zip(evidence.steps, evidence.marks, strict=False):
        frames = step_window(evidence, evidence.baseline, mark)
        total += _judge(step, evidence, evidence.baseline, frames).mistakes
        if not step.kind.is_turn:
            total += excursions(frames.yaw) + excursions(-frames.yaw)
        if step.kind not in {StepKind.BLINK, StepKind.FLASH}:  # changing light makes people blink
            total += sum(1 for group in blink_groups(frames) if len(group) >= _GROUP)
    return total
