"""The list of real films for `facestep evaluate ceremony`: which film holds which steps, and its reference picture.

    .venv/bin/python -m benchmarks.real_clips --data ../shared/data/faces --out real
    .venv/bin/facestep evaluate ceremony --clips real/clips.csv --json real/out.json

The reference of a film is its first frame that could be enrolled, so identity is easier than in a login on another day;
the films are here for liveness. The reference of a print is a picture of the same person alive. --out holds pictures of
people afterwards: remove it.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from biometric.errors import CannotTell
from biometric.evaluation.clips import read_clip
from biometric.image import decode_image
from biometric.pipeline import FacePipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = ("clip", "reference", "label", "species", "steps")
GENUINE = (
    ("*_d0.mp4", "smile blink:1"),
    ("*_d3.mp4", "turn_left"),
    ("*_d3.mp4", "turn_right turn_left"),
    ("*_d6.mp4", "blink:1"),
    ("*_d9.mp4", "blink:1 smile"),
    ("*_d12.mp4", "turn_left turn_right"),
    ("*_d12.mp4", "smile turn_left turn_right"),
    ("*_d20.mp4", "smile"),
    ("*_WDA_*.mp4", "turn_right turn_left"),
    ("*_WDA_*.mp4", "turn_right blink:1 turn_left"),
    ("*_WDA_*.mp4", "smile turn_right"),
)
REPLAY = "turn_right turn_left"
PRINT = ("turn_left", "turn_right", "blink:1")
OTHER = ("*_d3.mp4", "*_d12.mp4", "turn_left")


class References:
    """A good picture of each film's person, made once."""

    def __init__(self, folder: Path, pipeline: FacePipeline) -> None:
        self._folder, self._pipeline = folder, pipeline

    def of_film(self, film: Path) -> Path:
        frames = read_clip(film, detector=self._pipeline.detector, longest_ms=20_000)
        return self._first_good(film.stem, (frame.jpeg for frame in frames))

    def of_person(self, pictures: Path) -> Path:
        return self._first_good(f"person_{pictures.name}", (path.read_bytes() for path in sorted(pictures.iterdir())))

    def _first_good(self, name: str, pictures: Iterator[bytes]) -> Path:
        target = self._folder / f"reference_{name}.png"
        for jpeg in pictures:
            if target.is_file():
                break
            image = decode_image(jpeg)
            try:
                self._pipeline.still(image)
            except CannotTell:
                continue
            cv2.imwrite(str(target), image)
        return target


def rows(data: Path, references: References) -> Iterator[tuple[Path, Path, str, str, str]]:
    def film(pattern: str) -> Path:
        (found,) = (data / "videos" / "genuine").glob(pattern)
        return found

    for pattern, steps in GENUINE:
        yield film(pattern), references.of_film(film(pattern)), "genuine", "", steps
    for replay in sorted((data / "videos" / "replay").iterdir()):
        yield replay, references.of_film(replay), "attack", "replay", REPLAY
    for run in sorted((data / "nuaa" / "sequences").glob("imposter_*")):
        living = references.of_person(data / "nuaa" / "client" / run.name.split("_")[1])
        for steps in PRINT:
            yield run, living, "attack", "print", steps
    mine, other, steps = OTHER
    yield film(mine), references.of_film(film(other)), "attack", "other_person", steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with videos/ and nuaa/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    references = References(options.out, FacePipeline.open(options.models_dir.expanduser()))
    with (options.out / "clips.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        for clip, reference, *rest in rows(options.data.resolve(), references):
            writer.writerow([clip, reference.name, *rest])


if __name__ == "__main__":
    main()
