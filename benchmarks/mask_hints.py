"""What pulse, stillness and the stream's numbers say of people, prints, screens and masks: hints, never a verdict.

    python -m benchmarks.mask_hints --data ../shared/data/faces --json hints.json
    python -m benchmarks.mask_hints --data ../shared/data/faces --json quick.json --people 1 --seconds 8

Films, runs of consecutive webcam pictures (taken as 15 a second) and simulated actors are observed as a login would be,
without a challenge; simulated ones look straight at the camera for --seconds. Prints a line a presentation, and a
summary a source; no name and no picture leaves the program.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
from rich.progress import track

from biometric.evaluation.clips import read_clip
from biometric.image import decode_image
from biometric.liveness.cues import pulse, stillness
from biometric.liveness.evidence import Evidence, Mode
from biometric.liveness.observe import Follow, Observer, Trail
from biometric.liveness.risk import measure_stream
from biometric.pipeline import FacePipeline
from biometric.types import Frame
from tests.biometric.liveness.beating import Beating
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Subject, attacks, jpeg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from biometric.types import Image

FRAME_MS = 66
STRENGTHS = (0.003, 0.006, 0.012)  # amplitude in green, as a share of its value
PHOTOS = ("person_a_1", "person_b_1", "impostor_1", "impostor_2", "astronaut")


class Rendering(Person):
    """A person without a camera: the picture as it was computed."""

    def frame(self, at_ms: float) -> Image:
        """Return it without noise."""
        return self.subject.render(self.pose(at_ms))


def actors(people: int) -> Iterator[tuple[str, object]]:
    for seed, name in enumerate(PHOTOS[:people]):
        photo, other = load_picture(name), load_picture(PHOTOS[(seed + 1) % len(PHOTOS)])
        subject, wearer = Subject(photo), Subject(other)
        yield "people without a pulse (simulated)", Person(subject, seed=seed)
        for strength in STRENGTHS:
            beating = Beating(Person(subject, seed=seed), seed=seed, strength=strength, per_minute=60 + 7 * seed)
            yield f"people with a pulse of {100 * strength:.1f} % (simulated)", beating
        yield "rendering without noise (simulated)", Rendering(subject, seed=seed)
        yield "rigid mask (simulated)", attacks.RigidMask(subject, wearer, seed=seed)
        yield "still on tablet (simulated)", attacks.StillOnScreen(Person(subject, seed=seed).frame(0), seed=seed)
        yield "flat print (simulated)", attacks.PrintedPhoto(photo, seed=seed)


def presentations(data: Path, people: int, seconds: float, pipeline: FacePipeline) -> Iterator[tuple[str, list[Frame]]]:
    sequences = data / "nuaa" / "sequences"
    for source, paths in (
        ("films of people", sorted((data / "videos" / "genuine").iterdir())),
        ("webcam people, runs", sorted(sequences.glob("client_*"))),
        ("webcam prints, runs", sorted(sequences.glob("imposter_*"))),
        ("phone replays", sorted((data / "videos" / "replay").iterdir())),
    ):
        for path in paths:
            yield source, list(read_clip(path, detector=pipeline.detector, longest_ms=1000 * seconds))
    for source, actor in actors(people):
        actor.show("centre", 1, 0)
        times = range(0, round(1000 * seconds), FRAME_MS)
        yield source, [Frame(seq, at_ms, jpeg(actor, at_ms)) for seq, at_ms in enumerate(times)]


def observe(frames: Iterable[Frame], pipeline: FacePipeline) -> Evidence:
    evidence = Evidence((), (), Mode.LOGIN)
    observer = Observer(evidence, Trail(), pipeline, follow=Follow.NOTHING)
    for frame in frames:
        observer.observe(frame, decode_image(frame.jpeg))
    return evidence


def measure(data: Path, people: int, seconds: float, pipeline: FacePipeline) -> list[dict[str, object]]:
    found = []
    for source, frames in track(list(presentations(data, people, seconds, pipeline)), "observing"):
        evidence = observe(frames, pipeline)
        results = {"pulse": pulse.evaluate(evidence), "stillness": stillness.evaluate(evidence)}
        row: dict[str, object] = {"source": source, "frames": len(frames), "stream": measure_stream(evidence)}
        for name, result in results.items():
            row[name] = {"why": result.why} | {key: round(value, 4) for key, value in result.numbers.items()}
        found.append(row)
    return found


def summarise(rows: list[dict]) -> dict[str, dict[str, object]]:
    summary: dict[str, dict[str, object]] = {}
    for source in dict.fromkeys(row["source"] for row in rows):
        several = [row for row in rows if row["source"] == source]
        whys = [row["pulse"]["why"] or "seen" for row in several]
        moved = [row["stillness"] for row in several if "eyes" in row["stillness"]]
        summary[source] = {
            "n": len(several),
            "pulse": {why: whys.count(why) for why in sorted(set(whys))},
            "eyes": sorted(still["eyes"] for still in moved),
            "mouth": sorted(still["mouth"] for still in moved),
            "unchanged": sorted(round(row["stream"].get("unchanged", float("nan")), 3) for row in several),
        }
    return summary


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with nuaa/ and videos/")
    parser.add_argument("--people", type=int, default=len(PHOTOS), help="simulated people (at most 5)")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = FacePipeline.open(options.models_dir.expanduser())
    rows = measure(options.data, options.people, options.seconds, pipeline)
    summary = summarise(rows)
    for row in rows:
        print(json.dumps(row))
    print(json.dumps(summary, indent=1))
    options.json.write_text(json.dumps({"rows": rows, "summary": summary}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
