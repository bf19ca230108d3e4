"""The face challenge of one ceremony, resumable between requests.

    session = FaceSession.begin(steps, mode=Mode.LOGIN, pauses_ms=draw_pauses(rng, steps))
    progress = session.push(frames, pipeline=pipeline, now_ms=elapsed)      # for every batch; keep
    session.to_bytes() sealed face = session.verdict(reference=reference, calibration=calibration)    # once
    progress.state is FINISHED (or FAILED)

Rules:
 * Opening first (look straight: step index -1), then the steps, one at a time: a step is revealed only when the one
   before is done and its random pause is over.
 * Work is done as frames arrive, so the verdict is arithmetic: no picture is looked at after the last batch.
 * A batch that breaks a stream rule raises and ends the session for good; a challenge that cannot be won any more
   FAILS. Either way `verdict` raises.
 * `verdict` of an unfinished challenge is a rejection, like everything that is not proof.

Not here: single use, attempts and sealing (the service's), what the cues conclude (fusion.py).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.compare import compare
from biometric.errors import BiometricError, FaceRejected, FramesInvalid
from biometric.image import decode_image, overwrite
from biometric.liveness import fusion, risk, snapshot
from biometric.liveness.challenge import StepKind
from biometric.liveness.cues.continuity import AWAY_MS, longest_away
from biometric.liveness.evidence import CENTRE, Baseline, Evidence, Mode, StepMark
from biometric.liveness.observe import Follow, Look, Observer, Trail
from biometric.liveness.poses import Sampler
from biometric.liveness.steps.centre import judge_centre
from biometric.liveness.steps.judge import MISTAKES_ALLOWED, count_mistakes, judge_step
from biometric.liveness.steps.window import Hint
from biometric.liveness.stream import MAX_FRAME_BYTES, MAX_FRAMES, check_batch, check_light

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometric.calibration import Calibration
    from biometric.liveness.challenge import Colour, Step
    from biometric.pipeline import FacePipeline
    from biometric.types import Comparison, FaceEmbeddings, Frame, Image

DEADLINE_MS: Final = 30_000
GRACE_MS: Final = 2_000  # for frames captured in time to arrive
SIZES: Final = frozenset({(640, 480), (480, 640)})


class State(StrEnum):
    """What the page does next."""

    GO_ON = "go_on"
    NEXT_STEP = "next_step"
    FINISHED = "finished"
    FAILED = "failed"


GOES_ON: Final = frozenset({State.GO_ON, State.NEXT_STEP})


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the challenge stands; `step_index` is -1 in the opening."""

    state: State
    hint: str | None
    step_index: int


@dataclass(frozen=True, slots=True)
class LiveFace:
    """Proof: a living person did what was asked and is the expected one.

    Enrolling, nobody is expected (`comparison` is None); then it proves that it was the same person in every pose.
    """

    embeddings: FaceEmbeddings
    comparison: Comparison | None
    confirmed_by: tuple[str, ...]


class FaceSession:
    """One challenge. Make it with `begin` or `from_bytes`."""

    def __init__(self, evidence: Evidence, trail: Trail, *, deadline_ms: int) -> None:
        self._evidence = evidence
        self._trail = trail
        self._deadline_ms = deadline_ms

    @classmethod
    def begin(
        cls,
        steps: Sequence[Step],
        *,
        mode: Mode | str,
        pauses_ms: Sequence[int] = (),
        colours: Sequence[Colour] = (),
        deadline_ms: int = DEADLINE_MS,
        chain_key: bytes = b"",
        camera_risks: Sequence[str] = (),
    ) -> FaceSession:
        """Return a new session; without `pauses_ms` every step is revealed as soon as the one before is done.

        `colours` belong to the step FLASH, and only to it. With a `chain_key` every frame must carry its tag
        (chain.py); only films and simulations go without. `camera_risks` are kept for `risks`.
        """
        pauses = tuple(pauses_ms) or (0,) * len(steps)
        if not steps or len(pauses) != len(steps):
            raise ValueError("a challenge needs steps, and a pause for each")
        if any(step.kind is StepKind.FLASH for step in steps) != bool(colours):
            raise ValueError("a step FLASH needs colours, and they need such a step")
        evidence = Evidence(tuple(steps), pauses, Mode(mode), colours=tuple(colours))
        evidence.chain_key, evidence.camera_risks = chain_key, tuple(camera_risks)
        return cls(evidence, Trail(), deadline_ms=deadline_ms)

    @classmethod
    def from_bytes(cls, data: bytes) -> FaceSession:
        """Return the session that `to_bytes` left; raises FramesInvalid for anything else."""
        evidence, trail, deadline_ms = snapshot.load(data)
        return cls(evidence, trail, deadline_ms=deadline_ms)

    def to_bytes(self) -> bytes:
        """Return the session's state. It holds embeddings: seal it."""
        return snapshot.save(self._evidence, self._trail, deadline_ms=self._deadline_ms)

    @property
    def evidence(self) -> Evidence:
        """What was seen; to be read only."""
        return self._evidence

    @property
    def step_index(self) -> int:
        """The step that is revealed now; -1 in the opening."""
        return len(self._evidence.marks) - 1 if self._evidence.marks else CENTRE

    def push(
        self,
        frames: Sequence[Frame],
        *,
        pipeline: FacePipeline,
        now_ms: int,
        light_ms: int | None = None,
        max_frame_bytes: int = MAX_FRAME_BYTES,
        max_frames: int = MAX_FRAMES,
        chance: np.random.Generator | None = None,
    ) -> Progress:
        """Take a batch in; `now_ms` is our own time since the challenge began.

        `light_ms` is when the page began to show the colours, on the page's clock; None before. `chance` draws
        which frames are compared, and how some are looked at a second time: fresh from the system unless given.

        Raises:
            FramesInvalid, ImageUnreadable, ImageTooLarge: the batch is not what a camera page sends; the session is
            over.
        """
        evidence = self._evidence
        goes_on = bool(evidence.digests)
        sizes = {"max_frame_bytes": max_frame_bytes, "max_frames": max_frames}
        new = check_batch(frames, evidence=evidence, now_ms=now_ms, **sizes)
        check_light(light_ms, evidence=evidence)
        if now_ms > self._deadline_ms + GRACE_MS or (new and new[-1].captured_ms > self._deadline_ms):
            return self._fail("deadline")
        follow = self._followed()
        observer = Observer(evidence, self._trail, pipeline, follow=follow)
        crowded_before = evidence.crowded_looks
        with ExitStack() as ending:
            if goes_on and follow is not Follow.NOTHING:
                observer.recall(self._decode(frames[0], ending))
            looks = [observer.observe(frame, self._decode(frame, ending)) for frame in new]
            progress = self._advance(looks, Sampler(evidence, pipeline, chance=chance or np.random.default_rng()))
        if progress.state in GOES_ON and len(evidence.digests) >= max_frames:
            return self._fail("deadline")  # no frame may follow, so nothing can end it later
        if progress.state is State.GO_ON and evidence.crowded_looks > crowded_before:
            return replace(progress, hint=Hint.ALONE)
        return progress

    def risks(self) -> tuple[str, ...]:
        """Return codes of what looks as if no camera had sent it; for the audit log, they decide nothing."""
        return risk.find_risks(self._evidence)

    def report(
        self, *, reference: FaceEmbeddings | None, calibration: Calibration, demanded: frozenset[str] = frozenset()
    ) -> fusion.LivenessReport:
        """Return every cue's vote; for the audit log and for evaluation."""
        if (reference is None) != (self._evidence.mode is Mode.ENROL):
            raise ValueError("a login is compared with a reference, an enrolment with none")
        return fusion.judge(self._evidence, reference=reference, calibration=calibration, demanded=demanded)

    def verdict(
        self, *, reference: FaceEmbeddings | None, calibration: Calibration, demanded: frozenset[str] = frozenset()
    ) -> LiveFace:
        """Return the proof; the cues in `demanded` must confirm, whatever others do.

        Raises:
            FaceRejected: something denies, or too little confirms; the reasons are for the audit log.
        """
        report = self.report(reference=reference, calibration=calibration, demanded=demanded)
        front = self._evidence.front()
        if not report.accepted or front is None:
            raise FaceRejected(report.reasons)
        comparison = None if reference is None else compare(front, reference, calibration=calibration)
        return LiveFace(embeddings=front, comparison=comparison, confirmed_by=report.confirmed_by)

    def _rested_ms(self) -> float | None:
        return self._evidence.baseline.captured_ms if self._evidence.baseline is not None else None

    def _followed(self) -> Follow:
        """Return what the skin is followed through now."""
        marks = self._evidence.marks
        if not marks or marks[-1].done_ms is not None:
            return Follow.NOTHING
        kind = self._evidence.steps[self.step_index].kind
        return Follow.TURN if kind.is_turn else Follow.APPROACH if kind is StepKind.CLOSER else Follow.NOTHING

    def _is_near(self) -> bool:
        """Whether the last step asked the person to be nearer than at rest."""
        return bool(self._evidence.marks) and self._evidence.steps[self.step_index].kind.is_near

    def _decode(self, frame: Frame, ending: ExitStack) -> Image:
        """Return the picture, which is overwritten when the block of `ending` ends."""
        evidence = self._evidence
        try:
            image = decode_image(frame.jpeg, max_pixels=640 * 480)
        except BiometricError:
            evidence.broken = "unreadable"
            raise
        ending.callback(overwrite, image)
        size = (image.shape[1], image.shape[0])
        if size not in SIZES or evidence.size not in {(0, 0), size}:
            evidence.broken = "size"
            raise FramesInvalid("size")
        evidence.size = size
        return image

    def _fail(self, why: str) -> Progress:
        self._evidence.failed = why
        return Progress(State.FAILED, None, self.step_index)

    def _advance(self, looks: Sequence[Look], sampler: Sampler) -> Progress:
        """Judge where the challenge stands after a batch."""
        evidence = self._evidence
        if evidence.baseline is None:
            return self._open(looks, sampler)
        if longest_away(evidence) > AWAY_MS:
            return self._fail("face_lost")
        if evidence.marks and evidence.marks[-1].done_ms is None:
            running = self._run_step(looks, sampler, evidence.baseline)
            if running is not None:
                return running
        return self._reveal_next()

    def _open(self, looks: Sequence[Look], sampler: Sampler) -> Progress:
        """Look for the person at rest."""
        if not looks:
            return Progress(State.GO_ON, None, CENTRE)
        hint = sampler.quality_hint(looks[-1])
        found = judge_centre(self._evidence)
        if hint is not None or not isinstance(found, Baseline):
            return Progress(State.GO_ON, hint or str(found), CENTRE)
        self._evidence.baseline = found
        sampler.take_front(looks)
        return self._reveal_next()

    def _run_step(self, looks: Sequence[Look], sampler: Sampler, baseline: Baseline) -> Progress | None:
        """Judge the running step; None when it is done."""
        evidence = self._evidence
        mark, step = evidence.marks[-1], evidence.steps[self.step_index]
        view = judge_step(step, evidence, baseline, mark)
        taken = sampler.take_step(step, looks, mark=mark, done=view.done)
        if count_mistakes(evidence) > MISTAKES_ALLOWED:
            return self._fail("mistakes")
        if view.done and (taken or not step.kind.is_turn):
            evidence.marks[-1] = replace(mark, done_ms=evidence.last_ms)
            return None
        if evidence.rows[-1][1] == 0:
            return Progress(State.GO_ON, Hint.NO_FACE, self.step_index)
        return Progress(State.GO_ON, Hint.TURN_SLOWER if view.done else view.hint, self.step_index)

    def _reveal_next(self) -> Progress:
        """Reveal the next step when its pause is over."""
        evidence = self._evidence
        if evidence.done:
            return Progress(State.FINISHED, None, self.step_index)
        since = evidence.marks[-1].done_ms if evidence.marks else self._rested_ms()
        if since is None or evidence.last_ms < since + evidence.pauses_ms[len(evidence.marks)]:
            return Progress(State.GO_ON, Hint.STAY_NEAR if self._is_near() else Hint.LOOK_STRAIGHT, self.step_index)
        evidence.marks.append(StepMark(revealed_ms=evidence.last_ms))
        return Progress(State.NEXT_STEP, None, self.step_index)
