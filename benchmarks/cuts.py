"""How often is a cut inside a film noticed as one? Cuts of real films, judged by cues/continuity.py alone.

    python -m benchmarks.cuts --data ../shared/data/faces --json cuts.json
    python -m benchmarks.cuts --data ../shared/data/faces --json quick.json --cuts 2      two of each kind a film

A second before the cut and a second after it are joined, each with the film's own times, and observed as a login would
be. Kinds:

* `inside`        from a random frame of a film to a random one at least half a second away
* `inside, alike` the same, where the two pictures are most alike: what somebody who cuts would choose
* `between`       from a film of one person to one of another (the recognisers say that they differ)
* `between, gap`  the same, with 0.2 to 0.5 s without a frame at the joint
* `swapped`       one to three frames of another person, and back: of forty random ones those most alike
* `uncut`         two seconds as they were filmed, for comparison

Every film gives --cuts of the first, second and last kind, and one of the others with each film of another person.
`found`: the joint breaks a rule of continuity's. Cues that know the challenge, the person and the order of things are
not asked. No name leaves the program.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from functools import cached_property
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
from biometric.liveness.cuts import COLUMNS, measure_cuts
from biometric.pipeline import FacePipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from biometric.types import FaceEmbeddings, Frame

SIDE = 15  # frames before and after the cut: a second
APART = 8  # frames that a cut leaves out or goes back, at least
LONGEST_MS = 20_000
UNCUT = "uncut"
GAP_FRAMES, SWAP_FRAMES, TRIED = (3, 9), (1, 4), 40
THUMB = (64, 48)
STRAIGHT_DEG = 5.0  # by so much the head may differ across a cut between like poses


@dataclass(frozen=True, repr=False)
class Film:
    """A film's pictures as a page would have sent them, and whom it shows."""

    frames: list[Frame]
    person: FaceEmbeddings

    def places(self) -> NDArray[np.int_]:
        """Return where a cut may be: with a second on both sides."""
        return np.arange(SIDE, len(self.frames) - SIDE)

    @cached_property
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
    at: tuple[int, ...] = (SIDE,)
    """The first frames after a joint."""


def open_film(path: Path, pipeline: FacePipeline) -> Film:
    """Return a film and the first of its faces that could be enrolled."""
    frames = list(read_clip(path, detector=pipeline.detector, longest_ms=LONGEST_MS))
    for frame in frames:
        try:
            return Film(frames, pipeline.still(decode_image(frame.jpeg)).embeddings)
        except CannotTell:
            continue
    raise SystemExit("a film shows no face that could be enrolled")


def joined(kind: str, before: Film, end: int, after: Film, begin: int, *, gap_ms: float = FRAME_MS) -> Joined:
    """Return the second that ends with `end` and the one that begins with `begin`."""
    first, second = before.frames[end + 1 - SIDE : end + 1], after.frames[begin : begin + SIDE]
    gap_ms = second[0].captured_ms - before.frames[end].captured_ms if kind == UNCUT else gap_ms
    later_ms = first[-1].captured_ms + gap_ms - second[0].captured_ms
    return Joined(kind, first + [replace(frame, captured_ms=frame.captured_ms + later_ms) for frame in second])


def cuts_of(film: Film, others: list[Film], cuts: int, rng: np.random.Generator) -> Iterator[Joined]:
    """Yield all cuts that begin in one film."""
    places = film.places()
    pairs = np.array([(end, begin) for end in places for begin in places if abs(int(begin) - int(end) - 1) >= APART])
    for end, begin in rng.permutation(pairs)[:cuts]:
        yield joined("inside", film, end, film, begin)
    thumbs = film.thumbs
    unlike = np.abs(thumbs[pairs[:, 0]] - thumbs[pairs[:, 1]]).mean(axis=1)
    for end, begin in _apart(pairs[np.argsort(unlike)], cuts):
        yield joined("inside, alike", film, end, film, begin)
    for end in rng.permutation(places)[:cuts]:
        yield joined(UNCUT, film, end, film, end + 1)
    for other in others:
        yield joined("between", film, rng.choice(places), other, rng.choice(other.places()))
        gap_ms = FRAME_MS * int(rng.integers(*GAP_FRAMES))
        yield joined("between, gap", film, rng.choice(places), other, rng.choice(other.places()), gap_ms=gap_ms)
        yield swapped(film, rng.choice(places), other, rng)


def swapped(film: Film, end: int, other: Film, rng: np.random.Generator) -> Joined:
    """Return two seconds of a film in which some frames are of another one: those most alike of a few."""
    count = int(rng.integers(*SWAP_FRAMES))
    tried = rng.permutation(other.places())[:TRIED]
    unlike = np.abs(other.thumbs[tried] - film.thumbs[end + 1]).mean(axis=1)
    begin = int(tried[int(unlike.argmin())])
    own = film.frames[end + 1 - SIDE : end + 1 + SIDE]
    put = [replace(own[SIDE + k], jpeg=other.frames[begin + k].jpeg) for k in range(count)]
    return Joined("swapped", own[:SIDE] + put + own[SIDE + count :], (SIDE, SIDE + count))


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
    evidence = observe(cut.frames, pipeline)
    table = evidence.columns("captured_ms", "presence", "yaw", "x", "y", "scale")
    found, why = measure_cuts(evidence.columns(*COLUMNS)), ""
    for at in cut.at:
        numbers = {f"cut_{name}": float(column[at]) for name, column in found.items()}
        continuity._speed(table[at - 1 : at + 1], numbers)
        why = why or continuity.decide(numbers, shipped().continuity)
    turned = abs(float(np.diff(table[SIDE - 1 : SIDE + 1, 2])[0]))
    return {"kind": cut.kind, "why": why, "like": turned < STRAIGHT_DEG}


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
