"""What the looks at a surface (moire, bezel, gloss) say of living people, prints and screens.

    python -m benchmarks.surface --data ../shared/data/faces --json surface.json
    python -m benchmarks.surface --data ../shared/data/faces --every 10 --json quick.json     one picture in ten

A *look* is one picture inspected by biometric/liveness/surface.py; a *run* is what cues/surface.py judges together: the
looks of one challenge. Stills are runs of one look, repeated as often as the cue needs, which is harder than a login:
nothing averages out. Films are looked at every 0.9 s. Simulated people and attackers are looked at three times at rest
and three times near. Prints a line a source; no name and no picture leaves the program.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.progress import track

from biometric.detect import only_face
from biometric.errors import CannotTell
from biometric.evaluation.clips import read_clip
from biometric.image import decode_image
from biometric.landmarks import LOST
from biometric.liveness.cues import surface as cue
from biometric.liveness.cues.result import Verdict
from biometric.liveness.evidence import Evidence, Mode, make_row
from biometric.liveness.observe import LOOK_EVERY_MS
from biometric.liveness.surface import inspect_surface
from biometric.pipeline import FacePipeline
from tests.fixtures_cache import PICTURES, load_picture
from tests.simulator import Person, Subject, attacks, jpeg
from tests.simulator.attacks.screens import PHONE, TABLET_CLOSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from biometric.types import Image, Points

COLUMNS = ("moire", "bezel", "gloss")
LOOKS_MS = (200, 1100, 2000, 3800, 4700, 5600)  # of a simulated challenge; asked to come closer at 2100
ASKED_MS = 2100
LONGEST_MS = 20_000
LARGEST = (640, 480)


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """One picture: which source, which run of it, and what is in it."""

    source: str
    run: str
    image: Image


@dataclass(slots=True)
class Counts:
    """What one source showed."""

    looks: list[tuple[float, ...]] = field(default_factory=list)
    runs: dict[str, list[dict[str, float]]] = field(default_factory=lambda: defaultdict(list))
    no_face: int = 0


def stills(folder: Path, pattern: str, source: str, every: int) -> Iterator[Shown]:
    """Yield pictures, each a run of its own; large ones in the size a page sends."""
    for number, path in enumerate(sorted(folder.glob(pattern))[::every]):
        image = cv2.imread(str(path))
        scale = min(1.0, LARGEST[0] / image.shape[1], LARGEST[1] / image.shape[0])
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        yield Shown(source, str(number), np.asarray(image, np.uint8))


def films(paths: list[Path], source: str, pipeline: FacePipeline, *, all_frames: bool) -> Iterator[Shown]:
    """Yield the frames that the detector would look at; folders of single pictures whole."""
    for number, path in enumerate(paths):
        looked = -LOOK_EVERY_MS
        for frame in read_clip(path, detector=pipeline.detector, longest_ms=LONGEST_MS):
            if all_frames or frame.captured_ms - looked >= LOOK_EVERY_MS:
                looked = frame.captured_ms
                yield Shown(source, str(number), decode_image(frame.jpeg))


def simulated(every: int, photos: Path) -> Iterator[Shown]:
    """Yield looks at simulated people and attackers."""
    people = [load_picture(name) for name in PICTURES if name not in {"person_a_2", "person_b_2"}]
    people += [cv2.imread(str(path)) for path in sorted(photos.glob("*/neutral.jpg"))[::3]]
    for number, photo in enumerate(people[::every]):
        person = Person(Subject(photo), seed=number)
        still = Person(Subject(photo), seed=number).frame(0)
        actors = {
            "people (simulated)": person,
            "flat print (simulated)": attacks.PrintedPhoto(photo, seed=number),
            "bent print (simulated)": attacks.PrintedPhoto(photo, seed=number, bend_radius_m=0.10),
            "still on tablet (simulated)": attacks.StillOnScreen(still, seed=number),
            "still on phone (simulated)": attacks.StillOnScreen(still, seed=number, device=PHONE),
            "still on tablet, no bezel (simulated)": attacks.StillOnScreen(still, seed=number, device=TABLET_CLOSE),
        }
        for source, actor in actors.items():
            actor.show("centre", 1, 0)
            for at_ms in LOOKS_MS:
                if at_ms > ASKED_MS and at_ms == LOOKS_MS[3]:
                    actor.show("closer", 1, ASKED_MS)
                yield Shown(source, str(number), decode_image(jpeg(actor, at_ms)))


def every_picture(data: Path, every: int, pipeline: FacePipeline) -> Iterator[Shown]:
    yield from stills(data / "lfw", "*/*_0001.jpg", "press photos", every * 4)
    yield from stills(data / "london", "*/*.jpg", "studio portraits", every)
    yield from stills(data / "nuaa" / "client", "*/*.jpg", "webcam people", every)
    yield from films(sorted((data / "videos" / "genuine").iterdir()), "films of people", pipeline, all_frames=False)
    sequences = data / "nuaa" / "sequences"
    yield from films(sorted(sequences.glob("client_*")), "webcam people, runs", pipeline, all_frames=True)
    yield from simulated(every, data / "london")
    yield from stills(data / "nuaa" / "imposter", "*/*.jpg", "webcam prints", every)
    yield from films(sorted(sequences.glob("imposter_*")), "webcam prints, runs", pipeline, all_frames=True)
    yield from films(sorted((data / "videos" / "replay").iterdir()), "phone replays", pipeline, all_frames=False)


def points_of(image: Image, pipeline: FacePipeline) -> Points | None:
    try:
        landmarks = pipeline.mesh.locate(image, only_face(pipeline.detector.detect(image)))
    except CannotTell:
        return None
    return landmarks.points if landmarks.presence >= LOST else None


def measure(data: Path, every: int, pipeline: FacePipeline) -> tuple[dict[str, Counts], dict[str, float]]:
    counts: dict[str, Counts] = defaultdict(Counts)
    spent = {"surface": 0.0, "detector": 0.0, "looks": 0.0}
    for shown in track(every_picture(data, every, pipeline), "looking", total=None):
        began = time.process_time()
        pipeline.detector.detect(shown.image)
        detected = time.process_time()
        points = points_of(shown.image, pipeline)
        if points is None:
            counts[shown.source].no_face += 1
            continue
        begun = time.process_time()
        look = inspect_surface(shown.image, points)
        if shown.image.shape[:2] == (480, 640):
            spent["surface"] += time.process_time() - begun
            spent["detector"] += detected - began
            spent["looks"] += 1
        counts[shown.source].looks.append(tuple(look[name] for name in COLUMNS))
        counts[shown.source].runs[shown.run].append(look)
    return counts, spent


def judged(looks: list[dict[str, float]]) -> str:
    """Return why the cue denies these looks, or nothing."""
    evidence = Evidence((), (), Mode.LOGIN)
    repeated = looks if len(looks) > 1 else looks * cue.LEAST_LOOKS
    for place, look in enumerate(repeated):
        evidence.rows.append(make_row(captured_ms=place * LOOK_EVERY_MS, presence=1.0, **look))
    result = cue.evaluate(evidence)
    return result.why if result.verdict is Verdict.DENY else ""


def report(counts: dict[str, Counts]) -> dict[str, dict[str, object]]:
    rows: dict[str, dict[str, object]] = {}
    for source, seen in counts.items():
        whys = [judged(run) for run in seen.runs.values()]
        table = np.array(seen.looks)
        rows[source] = {
            "looks": len(table),
            "no_face": seen.no_face,
            "runs": len(whys),
            "denied": {why: whys.count(why) for why in sorted(set(whys)) if why},
            **{
                name: {str(q): round(float(np.nanpercentile(table[:, place], q)), 4) for q in (1, 5, 50, 95, 99, 100)}
                for place, name in enumerate(COLUMNS)
            },
        }
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with lfw/, london/, nuaa/ and videos/")
    parser.add_argument("--every", type=int, default=1, help="Take every so-manieth picture and person.")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = FacePipeline.open(options.models_dir.expanduser())
    counts, spent = measure(options.data, options.every, pipeline)
    rows = report(counts)
    for source, row in rows.items():
        print(json.dumps({"source": source, **row}))
    ratio = spent["surface"] / max(spent["detector"], 1e-9)
    print(f"one look costs {ratio:.2f} times the detector's search ({spent['looks']:.0f} looks at 640x480)")
    options.json.write_text(json.dumps({"rows": rows, "cost_by_detector": ratio}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
