"""How often is a cut inside a film noticed as one? Cuts of real films, judged by cues/continuity.py alone.

    python -m benchmarks.cuts --data ../shared/data/faces --json cuts.json
    python -m benchmarks.cuts --data ../shared/data/faces --json quick.json --cuts 2      two of each kind a film

A second before the cut and a second after it are joined, each with the film's own times, and observed as a login would
be. Kinds:

* `inside`        from a random frame of a film to a random one at least half a second away
* `inside, alike` the same, where the two pictures are most alike: what somebody who cuts would choose
* `between`       from a film of one person to one of another (the recognisers say that they differ)
* `uncut`         two seconds as they were filmed, for comparison

Every film gives --cuts of the first, second and last kind, and one cut to each film of another person. `found`: the
joint breaks a rule of continuity's. Cues that know the challenge, the person and the order of things are not asked. No
name leaves the program.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.progress import track

from benchmarks.mask_hints import FRAME_MS, observe
from biometric.compare import compare
from biometric.errors import CannotTell
from biometric.evaluation.clips import read_clip
from biometric.image import decode_image
from biometric.limits import shipped
from biometric.liveness.cues import continuity
from biometric.pipeline import FacePipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from biometric.types import FaceEmbeddings, Frame

SIDE = 15  # frames before and after the cut: a second
APART = 8  # frames that a cut leaves out or goes back, at least
LONGEST_MS = 20_000
UNCUT = "uncut"
THUMB = (64, 48)
STRAIGHT_DEG = 5.0  # by so much the head may differ across a cut between like poses


@dataclass(frozen=True, slots=True, repr=False)
class Film:
    """A film's pictures as a page would have sent them, and whom it shows."""

    frames: list[Frame]
    person: FaceEmbeddings

    def places(self) -> NDArray[np.int_]:
        """Return where a cut may be: with a second on both sides."""
        return np.arange(SIDE, len(self.frames) - SIDE)

    def thumbs(self) -> NDArray[np.float32]:
        """Return framesxpixels, to see which pictures are alike."""
        pictures = (decode_image(frame.jpeg) for frame in self.frames)
        small = [cv2.resize(picture, THUMB, interpolation=cv2.INTER_AREA).ravel() for picture in pictures]
        return np.array(small, np.float32)


@dataclass(frozen=True, slots=True, repr=False)
class Joined:
    """Two seconds of pictures with a joint in the middle."""

    kind: str
    frames: list[Frame]


def open_film(path: Path, pipeline: FacePipeline) -> Film:
    """Return a film and the first of its faces that could be enrolled."""
    frames = list(read_clip(path, detector=pipeline.detector, longest_ms=LONGEST_MS))
    for frame in frames:
        try:
            return Film(frames, pipeline.still(decode_image(frame.jpeg)).embeddings)
        except CannotTell:
            continue
    raise SystemExit("a film shows no face that could be enrolled")


def joined(kind: str, before: Film, end: int, after: Film, begin: int) -> Joined:
    """Return the second that ends with `end` and the one that begins with `begin`."""
    first, second = before.frames[end + 1 - SIDE : end + 1], after.frames[begin : begin + SIDE]
    gap_ms = second[0].captured_ms - before.frames[end].captured_ms if kind == UNCUT else FRAME_MS
    later_ms = first[-1].captured_ms + gap_ms - second[0].captured_ms
    return Joined(kind, first + [replace(frame, captured_ms=frame.captured_ms + later_ms) for frame in second])


def cuts_of(film: Film, others: list[Film], cuts: int, rng: np.random.Generator) -> Iterator[Joined]:
    """Yield all cuts that begin in one film."""
    places = film.places()
    pairs = np.array([(end, begin) for end in places for begin in places if abs(int(begin) - int(end) - 1) >= APART])
    for end, begin in rng.permutation(pairs)[:cuts]:
        yield joined("inside", film, end, film, begin)
    thumbs = film.thumbs()
    unlike = np.abs(thumbs[pairs[:, 0]] - thumbs[pairs[:, 1]]).mean(axis=1)
    for end, begin in _apart(pairs[np.argsort(unlike)], cuts):
        yield joined("inside, alike", film, end, film, begin)
    for end in rng.permutation(places)[:cuts]:
        yield joined(UNCUT, film, end, film, end + 1)
    for other in others:
        yield joined("between", film, rng.choice(places), other, rng.choice(other.places()))


def _apart(pairs: NDArray[np.int_], count: int) -> list[NDArray[np.int_]]:
    """Return the first of these that do not begin at the same place as one before."""
    chosen: list[NDArray[np.int_]] = []
    for pair in pairs:
        if len(chosen) < count and all(abs(int(pair[0]) - int(one[0])) >= APART for one in chosen):
            chosen.append(pair)
    return chosen


def judge(cut: Joined, pipeline: FacePipeline) -> dict[str, object]:
    """Return what continuity says of the joint alone, and whether the head looks the same way on both sides of it.

    Other frames are what they are compared with: two seconds torn out of a film begin and end amid movements.
    """
    columns = ("captured_ms", "presence", "yaw", "x", "y", "scale", "face_change", "scene_change")
    table = observe(cut.frames, pipeline).columns(*columns)
    numbers: dict[str, float] = {}
    continuity._speed(table[SIDE - 1 : SIDE + 1], numbers)
    faces = continuity._spikes(table[:, 6], continuity.FACE_FLOOR)[SIDE]
    scenes = continuity._spikes(table[:, 7], continuity.SCENE_FLOOR)[SIDE]
    lone = scenes / continuity.LONE_SPIKE if table[SIDE, 7] > continuity.LONE_SCENE else 0.0
    both = min(faces / continuity.FACE_SPIKE, scenes / continuity.SCENE_SPIKE)
    why = continuity.decide(numbers | {"cut_both": both, "cut_scene": lone}, shipped().continuity)
    return {"kind": cut.kind, "why": why, "like": abs(float(np.diff(table[SIDE - 1 : SIDE + 1, 2])[0])) < STRAIGHT_DEG}


def summarise(rows: list[dict]) -> dict[str, dict[str, object]]:
    summary: dict[str, dict[str, object]] = {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        several = [row for row in rows if row["kind"] == kind]
        whys = [row["why"] for row in several if row["why"]]
        like = [row for row in several if row["like"]]
        summary[kind] = {
            "n": len(several),
            "found": len(whys),
            "why": {why: whys.count(why) for why in sorted(set(whys))},
            "like_poses": {"n": len(like), "found": sum(bool(row["why"]) for row in like)},
        }
    return summary


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with videos/genuine/")
    parser.add_argument("--cuts", type=int, default=5, help="cuts of each kind inside a film")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    pipeline = FacePipeline.open(options.models_dir.expanduser())
    paths = sorted((options.data / "videos" / "genuine").iterdir())
    films = [open_film(path, pipeline) for path in track(paths, "reading films")]
    rng = np.random.default_rng(options.seed)
    cuts: list[Joined] = []
    for film in track(films, "cutting"):
        differ = (compare(film.person, one.person, calibration=pipeline.calibration) for one in films)
        others = [one for one, seen in zip(films, differ, strict=True) if not seen.match]
        cuts += cuts_of(film, others, options.cuts, rng)
    rows = [judge(cut, pipeline) for cut in track(cuts, "judging")]
    summary = summarise(rows)
    print(json.dumps(summary, indent=1))
    options.json.write_text(json.dumps({"films": len(films), "summary": summary}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
