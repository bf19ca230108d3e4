"""How small a copy of a login's frame may be searched, so that a second face that counts is still seen.

    .venv/bin/python -m benchmarks.second_faces --images ../shared/data/faces/lfw

Two faces of LFW stand side by side in a frame of 640x480, the second smaller by a ratio from which it counts
(detect.only_face: one half). For each size of the copy: the share of frames in which the detector sees one face only.
`*` marks the copy that a login searches beside a face of that size (detect.side_beside).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from biometric.detect import FaceDetector, side_beside
from biometric.evaluation.corpus import find_pictures
from biometric.models import ModelStore

if TYPE_CHECKING:
    from biometric.types import Image

SIDES = (320, 256, 224, 192, 160, 128)
FACES_PX = (100, 120, 165, 230)
RATIOS = (0.55, 0.7, 1.0)
AROUND = 1.6  # side of the cut-out, in faces
FRAME = (480, 640, 3)


def cut_out(detector: FaceDetector, path: Path) -> tuple[Image, float] | None:
    """Return the only face of a picture with what is around it, and its longer side in pixels."""
    image = cv2.imread(str(path))
    found = detector.detect(image)
    if len(found) != 1:
        return None
    x, y, w, h = found[0].box
    face_px = max(w, h)
    reach = AROUND * face_px / 2
    left, top = max(0, int(x + w / 2 - reach)), max(0, int(y + h / 2 - reach))
    return image[top : int(y + h / 2 + reach), left : int(x + w / 2 + reach)], face_px


def placed(frame: Image, cut: tuple[Image, float], *, face_px: float, middle_x: int) -> None:
    """Put a face of this size into the frame, its middle at half of the height."""
    picture, own_px = cut
    zoom = face_px / own_px
    scaled = cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)
    height, width = min(scaled.shape[0], FRAME[0]), min(scaled.shape[1], FRAME[1] // 2 - 10)
    top, left = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    y, x = (FRAME[0] - height) // 2, middle_x - width // 2
    frame[y : y + height, x : x + width] = scaled[top : top + height, left : left + width]


def missed(detector: FaceDetector, cuts: list, *, face_px: int, ratio: float) -> dict[int, float]:
    """Return for each size of the copy the share of frames in which fewer than two faces were found."""
    counts = dict.fromkeys(SIDES, 0)
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    for near, far in pairs:
        frame = np.full(FRAME, 110, np.uint8)
        placed(frame, near, face_px=face_px, middle_x=FRAME[1] // 4)
        placed(frame, far, face_px=ratio * face_px, middle_x=3 * FRAME[1] // 4)
        for side in SIDES:
            counts[side] += len(detector.detect(frame, longest_side=side)) < 2  # noqa: PLR2004  (both)
    return {side: count / len(pairs) for side, count in counts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    detector = FaceDetector(ModelStore(options.models_dir.expanduser()))
    paths = [picture.path for picture in find_pictures(options.images)]
    chosen = np.random.default_rng(5).permutation(len(paths))[: options.pictures]
    cuts = [cut for cut in (cut_out(detector, paths[place]) for place in chosen) if cut is not None]
    table = Table(
        "face px", "second by first", *(f"{side} px" for side in SIDES), title=f"missed, {len(cuts) // 2} frames"
    )
    for face_px in track(FACES_PX, description="sizes of the known face"):
        taken = side_beside(face_px, longest_px=max(FRAME))
        for ratio in RATIOS:
            row = missed(detector, cuts, face_px=face_px, ratio=ratio)
            cells = (f"{share:.1%}{'*' if side == taken else ''}" for side, share in row.items())
            table.add_row(str(face_px), f"{ratio:g}", *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
