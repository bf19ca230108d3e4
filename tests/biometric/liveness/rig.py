"""A login without a browser: an actor at the camera, a session behind it, a page in between.

The page takes 15 frames a second, or as many as a test says, sends them by six, or what came in that time, with the
last one repeated. It shows a new step when the answer has come, and a hint when it came twice. In the step `flash` it
shines in the session's colours, one after another, and says when it began. Whatever is measured this way is a
*simulated* figure.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from biometric.liveness.challenge import HOLD_MS, StepKind, draw_colours
from biometric.liveness.session import FaceSession, Progress, State
from biometric.liveness.stream import MAX_FRAMES
from biometric.types import Frame
from tests.simulator import Actor, jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from biometric.liveness.challenge import Colour, Step
    from biometric.pipeline import FacePipeline

FRAME_MS = 66
BATCH = 6
ANSWER_MS = 120  # from the last frame of a batch to the page showing the answer
UPLOAD_MS = 60
DARK_MS = 300  # the page darkens before the first colour (screen_light.js)
SCREEN_GAMMA = 2.2
HINT_SHOWN, HINT_STAYS = 2, 8  # answers until a hint is shown, and until somebody notices that it is still there


@dataclass(slots=True)
class Page:
    """What the page shows and keeps while it plays one challenge."""

    actor: Actor
    session: FaceSession
    pipeline: FacePipeline
    log: list[tuple[int, Progress]] = field(default_factory=list)
    sent: list[Frame] = field(default_factory=list)
    frame_ms: float = FRAME_MS
    light_ms: int | None = None
    chance: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))  # of second looks
    _hinted: tuple[str | None, int] = (None, 0)
    between: Callable[[FaceSession], FaceSession] = lambda session: FaceSession.from_bytes(session.to_bytes())

    def play(self, *, frames: int = MAX_FRAMES) -> Progress:
        """Send batches until the session ends or `frames` were sent."""
        self.actor.show("centre", 1, 0.0)
        progress = Progress(State.GO_ON, None, -1)
        shows: tuple[float, Step] | None = None
        batch: list[Frame] = []
        skips = getattr(self.actor, "skips", lambda _: False)  # who leaves frames out
        for tick in range(frames):
            at_ms = round(tick * self.frame_ms)
            if shows is not None and at_ms >= shows[0]:
                self._show(shows[1], shows[0])
                shows = None
            if skips(at_ms):
                continue
            batch.append(Frame(len(self.sent) + len(batch), at_ms, jpeg(self.actor, at_ms)))
            if len(batch) < BATCH and at_ms - batch[0].captured_ms < BATCH * FRAME_MS:
                continue
            progress = self.push(batch)
            batch = []
            if progress.state in {State.FINISHED, State.FAILED}:
                break
            if progress.state is State.NEXT_STEP:
                shows = at_ms + ANSWER_MS, self.session.evidence.steps[progress.step_index]
            self._hint(progress.hint, at_ms + ANSWER_MS)
        return progress

    def _show(self, step: Step, at_ms: float) -> None:
        """Show a step; in `flash`, the colours from a moment later on, then darkness."""
        self.actor.show(str(step.kind), step.count, at_ms)
        if step.kind is not StepKind.FLASH:
            return
        self.light_ms = round(at_ms) + DARK_MS
        colours = [light_of(colour) for colour in self.session.evidence.colours]
        light = getattr(self.actor, "light", None)
        for number, colour in enumerate([*colours, (0.0, 0.0, 0.0)] if light is not None else ()):
            light(colour, self.light_ms + number * HOLD_MS)

    def _hint(self, hint: str | None, at_ms: float) -> None:
        """Show a hint once it came twice in a row, as guide.js does; people do as it says, and more so if it stays."""
        self._hinted = (hint, self._hinted[1] + 1 if hint == self._hinted[0] else 1)
        hear = getattr(self.actor, "hear", None)
        if hint is not None and hear is not None and self._hinted[1] % HINT_STAYS == HINT_SHOWN:
            hear(hint, at_ms)

    def push(self, batch: Sequence[Frame]) -> Progress:
        """Send one batch, with the last frame of the one before."""
        self.session = self.between(self.session)
        now_ms = batch[-1].captured_ms + UPLOAD_MS
        shone = self.light_ms if self.light_ms is not None and self.light_ms <= now_ms else None
        frames = [*self.sent[-1:], *batch]
        progress = self.session.push(frames, pipeline=self.pipeline, now_ms=now_ms, light_ms=shone, chance=self.chance)
        self.sent.extend(batch)
        self.log.append((batch[-1].captured_ms, progress))
        return progress


def light_of(colour: Colour) -> tuple[float, float, float]:
    """Return what a screen gives for a colour of the page: B, G, R, linear, 1 for white."""
    red, green, blue = ((code / 255) ** SCREEN_GAMMA for code in colour)
    return blue, green, red


def begin_session(
    steps: Sequence[Step], *, mode: str = "login", pauses_ms: Sequence[int] = (), seed: int = 0
) -> FaceSession:
    """Return a new session, with colours drawn from `seed` where the steps need some."""
    flashes = any(step.kind is StepKind.FLASH for step in steps)
    colours = draw_colours(random.Random(seed)) if flashes else ()
    return FaceSession.begin(steps, mode=mode, pauses_ms=pauses_ms, colours=colours)


def play_login(
    actor: Actor,
    steps: Sequence[Step],
    *,
    pipeline: FacePipeline,
    mode: str = "login",
    pauses_ms: Sequence[int] = (),
    frames: int = MAX_FRAMES,
) -> Page:
    """Play one challenge and return the page with its session."""
    page = Page(actor, begin_session(steps, mode=mode, pauses_ms=pauses_ms), pipeline)
    page.play(frames=frames)
    return page
