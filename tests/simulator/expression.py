"""How a face moves below the skin: a smile, eyes at ease. Displacements in metres of head coordinates.

Not here: eyelids, which are painted (eyelids.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.simulator.head import MESH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.simulator.head import Head

MOUTH_RIGHT, MOUTH_LEFT = 61, 291
CHEEK_RIGHT, CHEEK_LEFT = 205, 425
LIDS = (
    # upper lid, lower lid, crease above, from corner to corner
    ((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155), (247, 30, 29, 27, 28, 56, 190)),
    ((466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382), (467, 260, 259, 257, 258, 286, 414)),
)
CORNERS = ((33, 133), (263, 362))
EASY_OPENING = 0.3  # height over width of an eye that looks at a screen; people laughing into the sun have half of it
MOST_WIDENING = 0.6


def smile_field(head: Head) -> NDArray[np.float64]:
    """Return N x 3: the way of each vertex in a broad smile; the hull stays at rest."""
    face = head.rest[:MESH]
    width = float(np.linalg.norm(face[MOUTH_LEFT] - face[MOUTH_RIGHT]))
    field = np.zeros((len(head.rest), 3))
    for corner, cheek, side in ((MOUTH_RIGHT, CHEEK_RIGHT, -1.0), (MOUTH_LEFT, CHEEK_LEFT, 1.0)):
        field[:MESH] += _bump(face, corner, 0.36 * width) * np.array([side * 0.15, -0.085, 0.05]) * width
        field[:MESH] += _bump(face, cheek, 0.42 * width) * np.array([side * 0.02, -0.05, -0.05]) * width
    return field


def ease_eyes_field(head: Head) -> NDArray[np.float64]:
    """Return N x 3: how lids move when somebody photographed laughing stops squinting."""
    face = head.rest
    field = np.zeros((len(face), 3))
    for (upper, lower, crease), (outer, inner) in zip(LIDS, CORNERS, strict=True):
        gap = face[list(lower)] - face[list(upper)]
        opening = np.linalg.norm(gap[2:5], axis=1).mean() / np.linalg.norm(face[outer] - face[inner])
        more = np.clip(EASY_OPENING / opening - 1, 0, MOST_WIDENING)
        field[list(upper)] = -0.65 * more * gap
        field[list(crease)] = -0.35 * more * gap
        field[list(lower)] = 0.35 * more * gap
    return field


def _bump(face: NDArray[np.float64], centre: int, radius: float) -> NDArray[np.float64]:
    distance = np.linalg.norm(face[:, :2] - face[centre, :2], axis=1)
    return np.asarray(np.exp(-((distance / radius) ** 2))[:, None])
