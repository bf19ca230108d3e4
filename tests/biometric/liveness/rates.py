"""Simulated error rates of the face challenge: people who obey, and attackers who try.

    python -m tests.biometric.liveness.rates --json rates.json [--photos DIR --every 3] [--seeds 2]
        [--species flat_print ...] [--steps turn_left --frames 90]

Prints a line a login and writes counts per species. Photos are the test pictures, and with --photos every *.jpg of a
folder (for example the neutral pictures of the London set). Every figure is a *simulated* figure.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from biometric.liveness.challenge import draw_challenge, draw_pauses, parse_steps
from biometric.liveness.cues.result import Verdict
from biometric.liveness.session import FaceSession
from biometric.pipeline import FacePipeline
from tests.biometric.liveness.rig import FRAME_MS, Page
from tests.fixtures_cache import PICTURES, cache_folder, load_picture
from tests.simulator import Person, Sensor, Subject, attacks
from tests.simulator.clips import FPS, person_clips
from tests.simulator.timeline import Habits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from biometric.liveness.challenge import Step
    from biometric.types import Image
    from tests.simulator import Actor

GENUINE = "genuine"


@dataclass(frozen=True, slots=True)
class Case:
    """One login: whose photo, whose helper, which chance, which steps are asked."""

    photo: Image
    other: Image
    seed: int
    steps: Sequence[Step]
    pipeline: FacePipeline
    fps: float = FPS
    habits: Habits = field(default_factory=Habits)

    @property
    def frame_ms(self) -> float:
        """Return how far frames lie apart."""
        return FRAME_MS if self.fps == FPS else 1000 / self.fps

    def recording(self, *, steps: Sequence[Step] | None = None) -> list[bytes]:
        """Return what was sent in an earlier genuine login of the same person, for a challenge drawn for itself."""
        rng = random.Random(self.seed + 5000)
        asked = steps or draw_challenge(rng)
        session = FaceSession.begin(asked, mode="login", pauses_ms=draw_pauses(rng, tuple(asked)))
        person = Person(Subject(self.photo), seed=self.seed + 900, habits=self.habits)
        page = Page(person, session, self.pipeline, frame_ms=self.frame_ms)
        page.play()
        return [frame.jpeg for frame in page.sent]

    def film(self) -> list[Image]:
        """Return the same, as pictures."""
        return [attacks.Injected([frame]).frame(0) for frame in self.recording()]


class EncodedAnew:
    """An injector who hides that frames were used before: fresh noise, encoded again."""

    def __init__(self, actor: Actor, *, seed: int) -> None:
        self._actor, self._sensor = actor, Sensor(seed=seed, strength=1.0)

    def show(self, action: str, count: int, at_ms: float) -> None:
        """Pass it on."""
        self._actor.show(action, count, at_ms)

    def frame(self, at_ms: float) -> Image:
        """Return the picture with noise."""
        return self._sensor.expose(self._actor.frame(at_ms))


ACTORS: dict[str, Callable[[Case], Actor]] = {
    GENUINE: lambda case: Person(Subject(case.photo), seed=case.seed, habits=case.habits),
    "flat_print": lambda case: attacks.PrintedPhoto(case.photo, seed=case.seed),
    "bent_print": lambda case: attacks.PrintedPhoto(case.photo, seed=case.seed, bend_radius_m=0.10),
    "strongly_bent_print": lambda case: attacks.PrintedPhoto(case.photo, seed=case.seed, bend_radius_m=0.07),
    "cut_out_eyes": lambda case: attacks.CutOutEyes(case.photo, Subject(case.other), seed=case.seed),
    "still_on_tablet": lambda case: attacks.StillOnScreen(case.photo, seed=case.seed),
    "film_on_tablet": lambda case: attacks.FilmOnScreen(case.film(), seed=case.seed, fps=case.fps),
    "injected_recording": lambda case: attacks.Injected(case.recording(), fps=case.fps),
    "injected_clips_with_cuts": lambda case: attacks.CutClips(person_clips(Subject(case.photo), seed=case.seed)),
    "injected_recording_encoded_anew": lambda case: EncodedAnew(
        attacks.Injected(case.recording(), fps=case.fps), seed=case.seed
    ),
    "injected_clips_encoded_anew": lambda case: EncodedAnew(
        attacks.CutClips(person_clips(Subject(case.photo), seed=case.seed)), seed=case.seed
    ),
    "other_person": lambda case: Person(Subject(case.other), seed=case.seed),
    "other_person_takes_over": lambda case: attacks.Relay(
        Person(Subject(case.photo), seed=case.seed),
        Person(Subject(case.other), seed=case.seed + 1),
        takes_over=lambda action: action.startswith("turn"),
    ),
    "print_then_own_face": lambda case: attacks.Relay(
        attacks.PrintedPhoto(case.photo, seed=case.seed),
        Person(Subject(case.other), seed=case.seed + 1),
        takes_over=lambda action: action != "centre",
    ),
}


def main() -> int:
    """Run the battery."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--every", type=int, default=1, help="Take every so-manieth of --photos.")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--species", nargs="*", default=list(ACTORS))
    parser.add_argument("--steps", help="Ask for these steps instead of drawing some, and stop after --frames.")
    parser.add_argument("--frames", type=int, default=299)
    parser.add_argument("--fps", type=float, default=FPS, help="Frames a second that the page sends.")
    parser.add_argument("--turn-ms", type=float, nargs=2, help="A turn of a living person takes between these times.")
    options = parser.parse_args()
    habits = Habits(turn_ms=tuple(options.turn_ms)) if options.turn_ms else Habits()
    steps = parse_steps(options.steps) if options.steps else None
    pipeline = FacePipeline.open(cache_folder() / "models")
    people = list(_photos(options.photos, options.every))
    entries = []
    for species in options.species:
        for number, (name, photo) in enumerate(people):
            _, other = people[(number + 1) % len(people)]
            for seed in range(options.seeds):
                seeded = random.Random(1000 * number + seed)
                case = Case(
                    photo, other, 1000 * number + seed, steps or draw_challenge(seeded), pipeline, options.fps, habits
                )
                entries.append(_login(species, name, case, frames=options.frames))
                print(json.dumps(entries[-1]), flush=True)
    counts = {species: _count([e for e in entries if e["species"] == species]) for species in options.species}
    options.json.write_text(json.dumps({"simulated": True, "counts": counts, "logins": entries}, indent=1) + "\n")
    print(json.dumps(counts, indent=1))
    return 0


def _photos(folder: Path | None, every: int) -> Iterator[tuple[str, Image]]:
    for name in PICTURES:
        if name not in {"person_a_2", "person_b_2"}:
            yield name, load_picture(name)
    for path in sorted(folder.rglob("*.jpg"))[::every] if folder else ():
        yield f"{path.parent.name}/{path.stem}", cv2.imread(str(path))


def _login(species: str, name: str, case: Case, *, frames: int) -> dict[str, object]:
    pauses_ms = draw_pauses(random.Random(case.seed + 77), tuple(case.steps))
    pipeline = case.pipeline
    session = FaceSession.begin(case.steps, mode="login", pauses_ms=pauses_ms)
    page = Page(ACTORS[species](case), session, pipeline, frame_ms=case.frame_ms)
    stopped = ""
    try:
        page.play(frames=frames)
    except Exception as exc:  # noqa: BLE001  (a broken stream is an outcome here; the report tells which)
        stopped = type(exc).__name__
    report = page.session.report(reference=pipeline.still(case.photo).embeddings, calibration=pipeline.calibration)
    return {
        "species": species,
        "photo": name,
        "seed": case.seed,
        "steps": [str(step) for step in case.steps],
        "accepted": report.accepted,
        "denied_by": report.denied_by,
        "why": {r.name: r.why for r in report.results if r.verdict is Verdict.DENY},
        "confirmed_by": report.confirmed_by,
        "stopped": stopped,
        "seconds": page.session.evidence.last_ms / 1000,
        "numbers": {r.name: {k: round(v, 3) for k, v in r.numbers.items()} for r in report.results},
    }


def _count(entries: Sequence[dict[str, object]]) -> dict[str, int]:
    return {"logins": len(entries), "accepted": sum(bool(entry["accepted"]) for entry in entries)}


if __name__ == "__main__":
    sys.exit(main())
