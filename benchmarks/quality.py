"""What biometric/quality.py sees in real pictures: the spread of each figure, and whom the limits refuse.

    .venv/bin/python -m benchmarks.quality --most 500 ../shared/data/faces/lfw ../shared/data/faces/london

Each folder is looked through with all its folders; of more than --most pictures, evenly spread ones are taken. A film
gives evenly spread frames, the same number for each. Nothing is written.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from biometric.detect import FaceDetector, most_prominent
from biometric.errors import CannotTell, NoFace, QualityTooLow
from biometric.evaluation.clips import read_clip
from biometric.image import decode_image
from biometric.landmarks import FaceMesh
from biometric.limits import shipped
from biometric.models import ModelStore
from biometric.pipeline import STILL_SEARCH_SIDE_PX
from biometric.quality import assess, measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PICTURES = {".jpg", ".jpeg", ".png"}
FILMS = {".mp4", ".mov"}
FILM_MS = 20_000
PERCENTILES = (0, 1, 50, 99, 100)


def spread(found: Sequence, most: int) -> list:
    if len(found) <= most:
        return list(found)
    return [found[round(at)] for at in np.linspace(0, len(found) - 1, most)]


def jpegs(folder: Path, most: int, detector: FaceDetector) -> Iterator[bytes]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES | FILMS)
    films = [path for path in files if path.suffix.lower() in FILMS]
    for path in films:
        frames = [frame.jpeg for frame in read_clip(path, detector=detector, longest_ms=FILM_MS)]
        yield from spread(frames, most // len(films))
    if not films:
        for path in spread(files, most):
            yield path.read_bytes()


def figures(jpeg: bytes, detector: FaceDetector, mesh: FaceMesh, refused: Counter) -> dict[str, float]:
    image = decode_image(jpeg)
    faces = detector.detect(image, longest_side=STILL_SEARCH_SIDE_PX)
    if not faces:
        raise NoFace("nobody is seen")
    face = most_prominent(faces, image)
    marks = mesh.locate(image, face)
    for name, limits in (("still", shipped().still), ("camera", shipped().live)):
        try:
            assess(image, face, marks, limits=limits)
        except QualityTooLow as exc:
            refused[f"{name}: {exc}"] += 1
    return asdict(measure(image, face, marks))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--most", type=int, default=500)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    store = ModelStore(options.models_dir.expanduser())
    detector, mesh = FaceDetector(store), FaceMesh(store)
    for folder in options.folders:
        rows, refused = [], Counter()
        for jpeg in jpegs(folder, options.most, detector):
            try:
                rows.append(figures(jpeg, detector, mesh, refused))
            except CannotTell as exc:
                refused[exc.code] += 1
        print(f"\n{folder}: {len(rows)} pictures; refused {dict(sorted(refused.items())) or 'none'}")
        print(f"{'percentile':16}" + "".join(f"{one:8}" for one in PERCENTILES))
        for name in rows[0]:
            at = np.percentile([row[name] for row in rows], PERCENTILES)
            print(f"{name:16}" + "".join(f"{value:8.2f}" for value in at))


if __name__ == "__main__":
    main()
