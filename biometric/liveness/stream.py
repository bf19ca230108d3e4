"""Do the frames arrive as one camera would send them?

A batch is checked before anything in it is decoded. Rules, each with its own name (kept in `Evidence.broken`) and
its own test:

 1. batch      1 to 30 frames, the challenge still open
 2. overlap    after the first, a batch begins with the last frame of the one before, byte for byte: nothing was cut
               out between
 3. order      positions count up from 0 without a gap
 4. clock      capture times strictly increase, by 10 ms to 1.5 s: a camera neither stands still nor makes a hundred
               pictures a second
 5. late       the newest frame was captured no later than it arrived and at most 4 s before: frames come as they are
               taken
 6. server     our own clock did not run backwards (a state was put back)
 7. many       at most 450 frames, or what the settings say
 8. bytes      a frame has at most so many bytes and is a JPEG
 9. repeated   no frame comes twice: a camera's noise never repeats
10. light      the page says once when it began to show the colours: at most 5 s after they were revealed, with the
               first frames that were taken since, and before these arrived; who could choose the time afterwards,
               or wait with the colours in hand, could choose a recording or make one
11. chain      with a key, every frame carries the tag of its place in the challenge's chain (chain.py)

Not here: the deadline (session.py; being slow is no offence), pictures that repeat without being equal
(cues/repetition.py).
"""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from biometric.errors import FramesInvalid, ImageUnreadable
from biometric.liveness.chain import is_tag, next_tag
from biometric.liveness.challenge import StepKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometric.liveness.evidence import Evidence
    from biometric.types import Frame

MAX_BATCH: Final = 30
MAX_FRAMES: Final = 450
MAX_FRAME_BYTES: Final = 400_000  # a noisy 640x480 JPEG of quality 0.9 has 150 kB
SHORTEST_MS: Final = 10
LONGEST_MS: Final = 1500  # a busy phone drops frames for a second; longer, and anything could have happened in between
EARLY_MS: Final = 250  # the page's clock starts after ours, so this only covers rounding and drift
LATE_MS: Final = 4000  # a slow line; longer, and there was time to edit
LIGHT_BY_MS: Final = LATE_MS + 1000  # the slowest answer, and the dark page before the first colour (screen_light.js)
_DIGEST_BYTES: Final = 16


def digest(frame: Frame) -> bytes:
    """Return what a frame is recognised by."""
    return sha256(frame.jpeg).digest()[:_DIGEST_BYTES]


def check_batch(
    frames: Sequence[Frame], *, evidence: Evidence, now_ms: int, max_frame_bytes: int, max_frames: int = MAX_FRAMES
) -> Sequence[Frame]:
    """Return the frames of the batch that are new; note their digests and the time in `evidence`.

    Raises:
        FramesInvalid: a rule is broken; its name is the message and stays in `evidence.broken`.
        ImageUnreadable: a frame is no JPEG.
    """
    try:
        new = _checked(frames, evidence=evidence, now_ms=now_ms, max_frames=max_frames)
        _check_bytes(new, evidence=evidence, max_frame_bytes=max_frame_bytes)
        if evidence.chain_key:
            _check_chain(frames, new, evidence=evidence)
    except (FramesInvalid, ImageUnreadable) as exc:
        evidence.broken = str(exc)
        raise
    evidence.served_ms = now_ms
    return new


def check_light(light_ms: int | None, *, evidence: Evidence) -> None:
    """Note when the page began to show the colours, after `check_batch`.

    Raises:
        FramesInvalid: rule 10 is broken.
    """
    if light_ms is None or light_ms == evidence.light_ms:
        return
    marks, steps = evidence.marks, evidence.steps
    running = steps[len(marks) - 1] if marks and marks[-1].done_ms is None else None
    asked = running is not None and running.kind is StepKind.FLASH and evidence.light_ms is None
    revealed = marks[-1].revealed_ms if marks else 0.0
    earliest = max(revealed, evidence.last_ms - EARLY_MS if evidence.rows else 0.0)
    if not asked or not earliest <= light_ms <= min(evidence.served_ms + EARLY_MS, revealed + LIGHT_BY_MS):  # (10)
        evidence.broken = "light"
        raise FramesInvalid("light")
    evidence.light_ms = light_ms


def _checked(frames: Sequence[Frame], *, evidence: Evidence, now_ms: int, max_frames: int) -> Sequence[Frame]:
    if not 1 <= len(frames) <= MAX_BATCH or evidence.broken or evidence.failed or evidence.done:  # (1)
        raise FramesInvalid("batch")
    new = frames
    if evidence.digests:
        if frames[0].seq != len(evidence.digests) - 1 or digest(frames[0]) != evidence.digests[-1]:  # (2)
            raise FramesInvalid("overlap")
        new = frames[1:]
    if any(frame.seq != len(evidence.digests) + place for place, frame in enumerate(new)):  # (3)
        raise FramesInvalid("order")
    _check_times(new, evidence=evidence, now_ms=now_ms)
    if len(evidence.digests) + len(new) > max_frames:  # (7)
        raise FramesInvalid("many")
    return new


def _check_chain(frames: Sequence[Frame], new: Sequence[Frame], *, evidence: Evidence) -> None:
    before = evidence.chain_tag
    repeated = frames[: len(frames) - len(new)]
    if any(not is_tag(frame.tag, before) for frame in repeated):  # (11)
        raise FramesInvalid("chain")
    for frame in new:
        before = next_tag(evidence.chain_key, before, frame)
        if not is_tag(frame.tag, before):  # (11)
            raise FramesInvalid("chain")
    evidence.chain_tag = before


def _check_bytes(new: Sequence[Frame], *, evidence: Evidence, max_frame_bytes: int) -> None:
    known, marks = set(evidence.digests), []
    for frame in new:
        if len(frame.jpeg) > max_frame_bytes:  # (8)
            raise FramesInvalid("bytes")
        if not frame.jpeg.startswith(b"\xff\xd8\xff"):  # (8)
            raise ImageUnreadable("a frame is no JPEG")
        marks.append(digest(frame))
        if marks[-1] in known:  # (9)
            raise FramesInvalid("repeated")
        known.add(marks[-1])
    evidence.digests.extend(marks)


def _check_times(new: Sequence[Frame], *, evidence: Evidence, now_ms: int) -> None:
    times = [frame.captured_ms for frame in new]
    if evidence.rows:
        times.insert(0, int(evidence.last_ms))
    steps = [later - earlier for earlier, later in pairwise(times)]
    if any(not SHORTEST_MS <= step <= LONGEST_MS for step in steps) or any(time < 0 for time in times):  # (4)
        raise FramesInvalid("clock")
    if times and not now_ms - LATE_MS <= times[-1] <= now_ms + EARLY_MS:  # (5)
        raise FramesInvalid("late")
    if now_ms < evidence.served_ms:  # (6)
        raise FramesInvalid("server")
