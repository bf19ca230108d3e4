"""How a face moves below the skin: a smile. Displacements in metres of head coordinates; eyelids are in eyelids.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.simulator.head import MESH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.simulator.head import Head

MOUTH_RIGHT, MOUTH_LEFT = 61, 291
CHEEK_RIGHT, CHEEK_LEFT = 205, 425


def smile_field(head: Head) -> NDArray[np.float64]:
    """Return N x 3: the way of each vertex in a broad smile; the hull stays at rest."""
    face = head.rest[:MESH]
    width = float(np.linalg.norm(face[MOUTH_LEFT] - face[MOUTH_RIGHT]))
    field = np.zeros((len(head.rest), 3))
    for corner, cheek, side in ((MOUTH_RIGHT, CHEEK_RIGHT, -1.0), (MOUTH_LEFT, CHEEK_LEFT, 1.0)):
        field[:MESH] += _bump(face, corner, 0.36 * width) * np.array([side * 0.15, -0.085, 0.05]) * width
        field[:MESH] += _bump(face, cheek, 0.42 * width) * np.array([side * 0.02, -0.05, -0.05]) * width
    return field


def _bump(face: NDArray[np.float64], centre: int, radius: float) -> NDArray[np.float64]:
    distance = np.linalg.norm(face[:, :2] - face[centre, :2], axis=1)
    return np.asarray(np.exp(-((distance / radius) ** 2))[:, None])
