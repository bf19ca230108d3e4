"""Presentations one by one: a case drawn from species, number and seed, a page, a session, an outcome."""

from __future__ import annotations

import hashlib
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import biometric
from biometric.errors import BiometricError
from biometric.evaluation.presentation import Outcome, how_it_ended
from biometric.limits import shipped
from biometric.liveness.challenge import draw_challenge, draw_pauses, parse_steps
from biometric.liveness.evidence import Mode
from biometric.liveness.stream import MAX_FRAMES
from tests.biometric.liveness import rig
from tests.simulator import Person
from tests.simulator.laboratory.people import find_people, read
from tests.simulator.laboratory.species import BRIGHTNESS, SPECIES, Case, draw_habits
from tests.simulator.laboratory.surroundings import Before

if TYPE_CHECKING:
    from collections.abc import Mapping

    from biometric.evaluation.presentation import Group
    from biometric.liveness.challenge import Step
    from biometric.liveness.session import FaceSession
    from biometric.pipeline import FacePipeline
    from biometric.types import FaceEmbeddings
    from tests.simulator.laboratory.people import Sitter
    from tests.simulator.laboratory.species import Maker


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is not left to chance: by default nothing is fixed and the page takes 15 pictures a second."""

    frame_ms: float = rig.FRAME_MS
    frames: int = MAX_FRAMES
    steps: tuple[Step, ...] = ()  # else drawn
    turn_ms: tuple[float, float] | None = None
    mode: Mode = Mode.LOGIN  # an enrolment is compared with no reference


DECIDE = (
    "calibration.json",
    "calibration.projection.npy",
    "agreement.json",
    "weights/texture.json",
    "weights/liveness.json",
)
"""What decides a vote besides code and models: a run is not taken up over another threshold."""


class Laboratory:
    """The simulated source; see biometric.evaluation.presentation.PresentationSource."""

    simulated = True

    def __init__(
        self,
        people: list[Sitter],
        *,
        seed: int,
        conditions: Conditions | None = None,
        species: Mapping[str, tuple[Group, Maker]] = SPECIES,
        judges: bool = True,
    ) -> None:
        self.groups = {name: group for name, (group, _) in species.items()}
        self.people = people
        self._seed, self._species, self._conditions = seed, species, conditions or Conditions()
        self._judges = judges
        self._references: dict[int, FaceEmbeddings] = {}
        self._recordings: dict[int, list[bytes]] = {}

    def fingerprint(self) -> str:
        """Return a digest of the pictures, the seed, the conditions, and all that makes and judges presentations.

        A laboratory that only measures leaves out the limits by which the cues decide: they change no number. The
        quality gate's do, since nothing begins before a face is good enough.
        """
        digest = hashlib.sha256(f"{self._seed} {self._conditions} {shipped().live}".encode())
        for sitter in self.people:
            digest.update(sitter.shown.read_bytes() + sitter.reference.read_bytes())
        own, judged = Path(__file__).parents[1], Path(biometric.__file__).parent
        code = [*own.rglob("*.py"), Path(rig.__file__), *(judged / "liveness").rglob("*.py"), *judged.glob("*.py")]
        decides = [judged / name for name in DECIDE] if self._judges else []
        for path in sorted({*code, *decides, judged / "models.lock", judged / "weights" / "texture.tflite"}):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def present(self, species: str, number: int, *, pipeline: FacePipeline) -> Outcome:
        """Make one presentation and return what came of it. Raises KeyError for an unknown species."""
        began = time.process_time()
        victim, other = self._pair(number)
        rng = random.Random(f"{self._seed}/{species}/{number}")
        conditions = self._conditions
        case = Case(
            victim, other, rng.randrange(2**31), rng, lambda: self._recording(number, pipeline), conditions.turn_ms
        )
        made = self._species[species][1](case)
        actor = made.actor if made.injected else Before(made.actor, brightness=rng.uniform(*BRIGHTNESS))
        session = draw_session(rng, conditions.steps, mode=conditions.mode)
        page = rig.Page(actor, session, pipeline, frame_ms=conditions.frame_ms)
        page.chance = np.random.default_rng(case.seed)
        with suppress(BiometricError):  # the session remembers which rule was broken, and its report denies
            page.between = lambda session: session  # nothing is stored between requests: it comes to the same
            page.play(frames=conditions.frames)
        reference = self._reference(victim, pipeline) if conditions.mode is Mode.LOGIN else None
        report = page.session.report(reference=reference, calibration=pipeline.calibration)
        evidence = page.session.evidence
        return Outcome(
            species=species,
            number=number,
            simulated=True,
            person=victim.number,
            variant=made.variant,
            steps=tuple(str(step) for step in evidence.steps),
            done=sum(mark.done_ms is not None for mark in evidence.marks),
            began=evidence.baseline is not None,
            ended=how_it_ended(page.session),
            frames=len(page.sent),
            seconds=evidence.last_ms / 1000,
            cpu_s=round(time.process_time() - began, 3),
            votes=report.results,
        )

    def _pair(self, number: int) -> tuple[Sitter, Sitter]:
        """Return the person shown and somebody else, another one each time the same person comes."""
        people = len(self.people)
        turn = number // people
        return self.people[number % people], self.people[(number + 1 + turn % (people - 1)) % people]

    def _recording(self, number: int, pipeline: FacePipeline) -> list[bytes]:
        """Return the frames of an earlier genuine login, with the challenge and the colours of its own.

        The species of one number share it; only the last one is kept.
        """
        if number not in self._recordings:
            self._recordings = {number: self._record(number, pipeline)}
        return self._recordings[number]

    def _record(self, number: int, pipeline: FacePipeline) -> list[bytes]:
        victim, _ = self._pair(number)
        rng = random.Random(f"{self._seed}/recording/{number}")
        person = Person(victim.subject, seed=rng.randrange(2**31), habits=draw_habits(rng))
        page = rig.Page(Before(person, brightness=rng.uniform(*BRIGHTNESS)), draw_session(rng), pipeline)
        page.play()
        return [frame.jpeg for frame in page.sent]

    def _reference(self, sitter: Sitter, pipeline: FacePipeline) -> FaceEmbeddings:
        if sitter.number not in self._references:
            self._references[sitter.number] = pipeline.still(read(sitter.reference)).embeddings
        return self._references[sitter.number]


def draw_session(rng: random.Random, steps: tuple[Step, ...] = (), *, mode: Mode = Mode.LOGIN) -> FaceSession:
    """Return a session as a server begins one: steps (unless given), pauses and colours by chance."""
    steps = steps or draw_challenge(rng)
    return rig.begin_session(steps, mode=mode, pauses_ms=draw_pauses(rng, steps), seed=rng.randrange(2**31))


def open_source(
    *, photos: Path | None, seed: int, steps: str = "", frames: int = MAX_FRAMES, fps: float = 0, judges: bool = True
) -> Laboratory:
    """Return the laboratory; `steps` are drawn and `fps` is the page's own unless given. Raises PhotosInvalid."""
    frame_ms = 1000 / fps if fps else rig.FRAME_MS
    conditions = Conditions(frame_ms, frames=frames, steps=parse_steps(steps) if steps else ())
    return Laboratory(find_people(photos), seed=seed, conditions=conditions, judges=judges)
