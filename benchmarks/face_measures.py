"""What is read from eyes that blink and mouths that smile, and how much of it the steps' limits take.

    python -m benchmarks.face_measures --data ../shared/data/faces --json measures.json
    python -m benchmarks.face_measures --data ../shared/data/faces --json quick.json --people 5
    python -m benchmarks.face_measures --data ../shared/data/faces --json smiles.json --parts smiles films

* `eyes`    simulated people blink six times: how far the eyes' aspect ratio falls, and what it does without a blink
* `films`   the same of filmed people, where nobody says what is a blink: of the blinks that steps/blink.py finds
* `smiles`  pictures of people at rest and smiling: how many smile enough for steps/smile.py

Simulated people are the test pictures and those of london/. No name and no picture leaves the program.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.progress import track

from benchmarks.mask_hints import FRAME_MS, observe
from biometric.detect import only_face
from biometric.evaluation.clips import read_clip
from biometric.liveness.evidence import Baseline
from biometric.liveness.measure import measure_face
from biometric.liveness.steps import blink, smile
from biometric.liveness.steps.window import window
from biometric.pipeline import FacePipeline
from biometric.types import Frame
from tests.simulator import Person, jpeg
from tests.simulator.laboratory.people import find_people, read
from tests.simulator.laboratory.species import draw_habits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from biometric.liveness.evidence import Evidence
    from biometric.liveness.measure import FaceMeasure
    from biometric.types import Image
    from tests.simulator.laboratory.people import Sitter

PARTS = ("eyes", "films", "smiles")
BLINKS, ASKED_MS, FILM_MS = 3, 500, 7500  # asked once, done twice, as whoever sees that the page still waits
LONGEST_MS = 20_000
WIDE = 0.12  # a smile by width alone (FIELD 1.3)
QUANTILES = (0.0, 0.02, 0.05, 0.5, 0.95, 0.99, 1.0)


def face_in(image: Image, pipeline: FacePipeline) -> FaceMeasure:
    return measure_face(pipeline.mesh.locate(image, only_face(pipeline.detector.detect(image))).points)


def shares_of(evidence: Evidence) -> NDArray[np.float32]:
    """Return per frame both eyes' aspect ratio by the open eyes', as steps/blink.py has it; NaN where turned away."""
    yaw, *eyes = evidence.columns("yaw", "ear_right", "ear_left").T
    ahead = np.abs(yaw - np.nanmedian(yaw)) < blink.MOST_YAW
    both = sum(eye / np.nanquantile(eye, blink.OPEN_QUANTILE) for eye in eyes) / 2
    return np.where(ahead, both, np.nan)


def blinks_of(evidence: Evidence) -> list[tuple[float, float]]:
    """Return the blinks that steps/blink.py finds: from and to, milliseconds."""
    straight = float(np.nanmedian(evidence.column("yaw")))
    rest = Baseline(0.0, straight, 0.0, scale=1.0, ear=1.0, mouth_width=1.0, corners_up=0.0)
    return blink._blinks(window(evidence, rest, start_ms=0.0, end_ms=evidence.last_ms))


def measure_eyes(people: Sequence[Sitter], pipeline: FacePipeline) -> dict[str, object]:
    """Return how deep shown blinks are, what eyes do without one, and how many are found."""
    deep, still, found = [], [], 0
    for sitter in track(people, "eyes"):
        rng = random.Random(sitter.number)
        person = Person(sitter.subject, seed=sitter.number, habits=draw_habits(rng))
        person.show("blink", BLINKS, ASKED_MS)
        frames = [Frame(seq, at_ms, jpeg(person, at_ms)) for seq, at_ms in enumerate(range(0, FILM_MS, FRAME_MS))]
        shut = np.array([person.pose(frame.captured_ms).blink > 0 for frame in frames])
        evidence = observe(frames, pipeline)
        shares = shares_of(evidence)
        begun = np.flatnonzero(np.diff(shut.astype(int), prepend=0) == 1)
        deep += [float(np.nanmin(shares[first : _end(shut, first) + 1])) for first in begun]
        near = np.convolve(shut, np.ones(3), mode="same") > 0
        still += shares[~near & np.isfinite(shares)].tolist()
        found += len(blinks_of(evidence))
    return {"people": len(people), "found": found, "blinks": quantiles(deep), "without_a_blink": open_eyes(still)}


def _end(shut: NDArray[np.bool_], first: int) -> int:
    """Return the first frame from `first` on in which the lids are up again."""
    later = np.flatnonzero(~shut[first:])
    return first + int(later[0]) if len(later) else len(shut)


def measure_films(data: Path, pipeline: FacePipeline) -> dict[str, object]:
    deep, still, each = [], [], []
    paths = sorted((data / "videos" / "genuine").iterdir())
    for path in track(paths, "films"):
        evidence = observe(read_clip(path, detector=pipeline.detector, longest_ms=LONGEST_MS), pipeline)
        times, shares = evidence.column("captured_ms"), shares_of(evidence)
        rest = np.isfinite(shares)
        for since, until in blinks_of(evidence):
            within = (times >= since) & (times <= until)
            deep.append(float(np.nanmin(shares[within])))
            rest &= (times < since - FRAME_MS) | (times > until + FRAME_MS)
        still += shares[rest].tolist()
        each.append({"frames": int(rest.sum()), **longest_low(times, np.where(rest, shares, np.nan))})
    return {"films": len(paths), "blinks": quantiles(deep), "without_a_blink": open_eyes(still), "each": each}


def longest_low(times: NDArray[np.float32], shares: NDArray[np.float32]) -> dict[str, float]:
    """Return in how many frames eyes are as if closed, and for how long at most."""
    low = shares < blink.CLOSED
    edges = np.flatnonzero(np.diff(low.astype(int), prepend=0, append=0))
    spans = [float(times[last - 1] - times[first]) for first, last in edges.reshape(-1, 2)]
    return {"below_closed": int(low.sum()), "longest_ms": max(spans, default=0.0)}


def open_eyes(shares: Sequence[float]) -> dict[str, float]:
    """Return quantiles, and the share of frames that are below the two limits of a blink."""
    limits = {"closed": blink.CLOSED, "open": blink.OPEN}
    below = {f"below_{name}": round(float(np.mean(np.array(shares) < limit)), 3) for name, limit in limits.items()}
    return quantiles(shares) | below


def measure_smiles(data: Path, pipeline: FacePipeline) -> dict[str, object]:
    """Return what the size of a smile is in pairs of pictures, and how many pass which rule."""
    found: dict[str, list[float]] = defaultdict(list)
    for folder in track(sorted(path.parent for path in (data / "london").glob("*/smiling.jpg")), "smiles"):
        rest, smiling = (face_in(read(folder / name), pipeline) for name in ("neutral.jpg", "smiling.jpg"))
        wide, up = smiling.mouth_width / rest.mouth_width - 1, smiling.corners_up - rest.corners_up
        found["size"].append(wide + 2 * up)
        found["wide"].append(wide)
        found["up"].append(up)
        found["lips_apart"].append(smiling.mouth_open)
    size, wide, up = (np.array(found[name]) for name in ("size", "wide", "up"))
    return {
        "pairs": len(size),
        "pass": int(((size >= smile.SMILE) & (up >= smile.CORNERS_UP)).sum()),
        "wide": int((wide >= WIDE).sum()),
        "wide_with_corners_that_rise": int(((wide >= WIDE) & (up >= smile.CORNERS_UP)).sum()),
        **{f"{name}_by": quantiles(values) for name, values in found.items()},
    }


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return how many there are, and quantiles from the least to the greatest."""
    if not len(values):
        return {"n": 0}
    return {"n": len(values)} | {str(share): round(float(np.quantile(values, share)), 3) for share in QUANTILES}


def spread(people: list[Sitter], count: int | None) -> list[Sitter]:
    """Return so many of them, the first and the last among them; all if no number is given."""
    return people if count is None else [people[round(at)] for at in np.linspace(0, len(people) - 1, count)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with london/ and videos/")
    parser.add_argument("--people", type=int, help="simulated people, spread over all; all of them unless given")
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=PARTS)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = FacePipeline.open(options.models_dir.expanduser())
    people = spread(find_people(options.data / "london"), options.people)
    measures = {
        "eyes": lambda: {"simulated": True} | measure_eyes(people, pipeline),
        "films": lambda: measure_films(options.data, pipeline),
        "smiles": lambda: measure_smiles(options.data, pipeline),
    }
    measured = {part: measures[part]() for part in options.parts}
    print(json.dumps(measured, indent=1))
    options.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
