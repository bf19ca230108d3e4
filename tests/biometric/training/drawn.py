"""Drawn people, live and printed, in the layout of the data: a training set that shows nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from biometric.evaluation.drawn_face import Look, draw

if TYPE_CHECKING:
    from pathlib import Path


def draw_people(data: Path, *, people: int = 6, pictures: int = 2) -> Path:
    """Write faces/nuaa/{client,imposter}/PERSON/*.jpg below `data`; a print has lines across it. Returns `data`."""
    rng = np.random.default_rng(1)
    rows = np.arange(480)[:, None, None]
    for person in range(people):
        face = draw(Look(yaw=float(person - 3), smile=0.1 * person)).astype(np.float32) * rng.uniform(0.8, 1.1)
        for kind, lines in (("client", 0.0), ("imposter", 25.0)):
            folder = data / "faces" / "nuaa" / kind / f"{person:04d}"
            folder.mkdir(parents=True)
            for number in range(pictures):
                noisy = face + lines * np.sin(2.2 * rows) + rng.normal(0, 3, face.shape)
                cv2.imwrite(str(folder / f"{number}.jpg"), np.clip(noisy, 0, 255).astype(np.uint8))
    return data
