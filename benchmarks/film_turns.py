"""What turns show of depth in films of people and in filmed phones, and what the mesh net's own points show.

    python -m benchmarks.film_turns --data ../shared/data/faces --json turns.json
    python -m benchmarks.film_turns --data ../shared/data/faces --json quick.json --longest 6

* `skin`  what cues/planarity.py measures when each film is asked for a turn to either side: medians of tracked skin.
          Only turns that were done count
* `mesh`  the same equations on the mesh net's own points, between the straightest and a turned frame (nearest to 25
          degrees), in films, of simulated people and of simulated prints that are turned, flat or bent: why these
          points prove nothing

Films are of people who were not asked to turn. No name and no picture leaves the program.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.progress import track

from benchmarks.mask_hints import FRAME_MS
from benchmarks.surface import points_of
from biometric.evaluation.ceremony import GENUINE, ClipRow, run_login
from biometric.evaluation.clips import read_clip
from biometric.image import decode_image
from biometric.liveness import geometry, head
from biometric.liveness.cues import planarity
from biometric.liveness.measure import measure_face
from biometric.liveness.tracking import SkinTrack
from biometric.pipeline import FacePipeline
from biometric.types import Frame
from tests.simulator import Person, attacks, jpeg
from tests.simulator.attacks.prints import IN_HANDS
from tests.simulator.laboratory.people import find_people

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from biometric.liveness.measure import FaceMeasure
    from biometric.types import Points
    from tests.simulator.laboratory.people import Sitter

NUMBERS = ("relief", "bump", "narrow", "residual")
ASKED_MS, TURN_MS = 400, 2400
SIDES = ("turn_left", "turn_right")
TURNED_DEG = 25.0


def films_of(data: Path) -> dict[str, list[Path]]:
    videos = data / "videos"
    return {
        "films of people": sorted((videos / "genuine").iterdir()),
        "phone replays": sorted((videos / "replay").iterdir()),
    }


def printed(sitter: Sitter, radius_m: float | None) -> attacks.PrintedPhoto:
    seed, portrait = sitter.number, sitter.portrait
    return attacks.PrintedPhoto(sitter.photo, seed=seed, bend_radius_m=radius_m, habits=IN_HANDS, portrait=portrait)


def simulated(data: Path, people: int) -> Iterator[tuple[str, list[Frame]]]:
    """Yield turns of simulated people and of prints of them."""
    for sitter in find_people(data / "london")[:people]:
        seed = sitter.number
        actors = {
            "people (simulated)": Person(sitter.subject, seed=seed),
            "flat print (simulated)": printed(sitter, None),
            "print bent to 10 cm (simulated)": printed(sitter, 0.10),
        }
        for source, actor in actors.items():
            actor.show("turn_left", 1, ASKED_MS)
            times = range(0, TURN_MS, FRAME_MS)
            yield source, [Frame(seq, at_ms, jpeg(actor, at_ms)) for seq, at_ms in enumerate(times)]


def skin_of(film: Path, side: str, pipeline: FacePipeline) -> dict[str, float] | None:
    """Return what planarity measured when the film was asked for this turn; None if it holds none."""
    evidence = run_login(ClipRow("", film, film, GENUINE, "", side), pipeline).evidence
    numbers = planarity.evaluate(evidence).numbers
    return {name: round(numbers[name], 3) for name in NUMBERS} if evidence.done and "relief" in numbers else None


def mesh_of(frames: Iterable[Frame], pipeline: FacePipeline) -> dict[str, float] | None:
    """Return the same read from the mesh's points of two frames; None if nothing turns."""
    looks: list[tuple[Points, FaceMeasure]] = []
    for frame in frames:
        points = points_of(decode_image(frame.jpeg), pipeline)
        if points is not None:
            looks.append((points, measure_face(points)))
    if not looks:
        return None
    front, face = min(looks, key=lambda look: abs(look[1].yaw))
    turned, then = min(looks, key=lambda look: abs(abs(look[1].yaw - face.yaw) - TURNED_DEG))
    if abs(then.yaw - face.yaw) < geometry.LEAST_TURN:
        return None
    origin, current = (np.asarray(points[head.SKIN_POINTS], np.float32) for points in (front, turned))
    angles = {"roll": face.roll, "yaw": face.yaw, "pitch": face.pitch}
    whole = SkinTrack(origin, current, head.SKIN_DEPTH, len(origin), face.scale, **angles)
    depth = geometry.measure_depth(whole, yaw=then.yaw, pitch=then.pitch)
    return None if depth is None else {name: round(getattr(depth, name), 3) for name in NUMBERS}


def summarise(found: list[dict[str, float] | None]) -> dict[str, object]:
    measured = [one for one in found if one is not None]
    ends = {name: [pick(one[name] for one in measured) for pick in (min, max)] for name in NUMBERS if measured}
    return {"n": len(found), "measured": len(measured), **ends}


def measure(data: Path, people: int, longest_ms: float, pipeline: FacePipeline) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {"skin": {}, "mesh": {}}
    meshes: dict[str, list[dict[str, float] | None]] = {}
    for source, paths in films_of(data).items():
        skins = [(film, skin_of(film, side, pipeline)) for film in track(paths, f"{source}: skin") for side in SIDES]
        several = [skin for _, skin in skins]
        found["skin"][source] = summarise(several) | {
            "films": len({film for film, skin in skins if skin is not None}),
            "each": [skin for skin in several if skin is not None],
        }
        clips = (read_clip(path, detector=pipeline.detector, longest_ms=longest_ms) for path in paths)
        meshes[source] = [mesh_of(clip, pipeline) for clip in track(clips, f"{source}: mesh", total=len(paths))]
    for source, frames in track(simulated(data, people), "simulated: mesh", total=3 * people):
        meshes.setdefault(source, []).append(mesh_of(frames, pipeline))
    found["mesh"] = {source: summarise(several) for source, several in meshes.items()}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with london/ and videos/")
    parser.add_argument("--people", type=int, default=13, help="simulated people, at most")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds of a film that `mesh` looks at")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = FacePipeline.open(options.models_dir.expanduser())
    rows = measure(options.data, options.people, 1000 * options.longest, pipeline)
    print(json.dumps(rows, indent=1))
    options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
