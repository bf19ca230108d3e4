"""Blink an exact number of times.

A blink: both eyes, relative to this person's own open eyes, close and open again within 50 to 800 ms. Blinks that
follow each other within PAUSE_MS are one group. The step is done when a group has exactly the asked number and the
eyes then stay open for QUIET_MS, so that "at least twice" does not pass for "twice".

People blink without being asked about every four seconds. Hence a group with fewer blinks than asked is overlooked;
one with more is a mistake, and so is any group of two or more that was not asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.steps.window import Hint, StepView, quantile

if TYPE_CHECKING:
    from biometric.liveness.steps.window import Window

# Shares of the open eye's aspect ratio, 15 frames a second (docs/liveness.md, "Angles, eyes, mouth"). In films of
# people blinks reach 0.44 to 0.80, in the median 0.63 (FIELD's 0.65 misses nearly half); simulated ones 0.27 to 0.66,
# and simulated open eyes stay above 0.91. Real lids also droop below 0.80 without a blink, in three of seven films.
CLOSED: Final = 0.80
CLOSED_EACH: Final = 0.88  # each eye by itself: a wink is no blink
OPEN: Final = 0.88
OPEN_QUANTILE: Final = 0.8
SHORTEST_MS: Final = 30  # one frame
LONGEST_MS: Final = 800  # a deliberate blink; involuntary ones take 100 to 400
PAUSE_MS: Final = 1200
QUIET_MS: Final = 600
MOST_YAW: Final = 20.0  # beyond, the far eye's ratio means nothing


def judge_blink(window: Window, *, count: int) -> StepView:
    """Return whether the eyes were closed exactly `count` times in a row."""
    groups = blink_groups(window)
    mistakes = sum(1 for group in groups if len(group) > max(count, 1))
    if groups and len(groups[-1]) == count and window.end_ms - groups[-1][-1] >= QUIET_MS:
        return StepView(done=True, mistakes=mistakes)
    hint = Hint.BLINK_SLOWER if mistakes else Hint.BLINK_AGAIN if groups else None
    return StepView(done=False, hint=hint, mistakes=mistakes)


def blink_groups(window: Window) -> list[list[float]]:
    """Return groups of blinks, each blink as the time when the eyes were open again."""
    groups: list[list[float]] = []
    for closed_ms, open_ms in _blinks(window):
        if groups and closed_ms - groups[-1][-1] <= PAUSE_MS:
            groups[-1].append(open_ms)
        else:
            groups.append([open_ms])
    return groups


def _blinks(window: Window) -> list[tuple[float, float]]:
    """Return (closed, open again) times; a window that begins with closed eyes begins with no blink."""
    times, right, left = window.get("captured_ms"), window.get("ear_right"), window.get("ear_left")
    if not len(times):
        return []
    right = right / np.float32(max(quantile(right, OPEN_QUANTILE), 1e-6))
    left = left / np.float32(max(quantile(left, OPEN_QUANTILE), 1e-6))
    both = (right + left) / 2
    shut = (both < CLOSED) & (np.maximum(right, left) < CLOSED_EACH) & (np.abs(window.yaw) < MOST_YAW)
    found: list[tuple[float, float]] = []
    ready, since = False, None
    for time, share, is_shut in zip(times, both, shut, strict=True):
        if since is None:
            if is_shut and ready:
                since = float(time)
            ready = ready or share >= OPEN
        elif share >= OPEN:
            if SHORTEST_MS <= time - since <= LONGEST_MS:
                found.append((since, float(time)))
            since = None
    return found
