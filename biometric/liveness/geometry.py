"""How deep is what turns? Relief from tracked skin, and how much narrower it became.

Under a turn by an angle, a patch that stands out by z (outer-eye distances) moves sideways by z sin(angle) more than
the plane through the face does. A photo, however it is moved, tilted or turned, moves as one plane; a bent photo moves
as a plane and a curve along one direction. So the sideways movement is fitted as

    plane(x, y) + bend (x cos a + y sin a)² + relief sin(angle) z(x, y)

with z from the average head (head.py), for several directions a, and the least relief of them counts: what a bend in
any direction can explain is not taken for a nose. Relief is about 1 for the average head and 0 for paper. Compared
with the plain residual of a homography this is a matched filter: noise, speech and lost patches do not look like a
nose.

The angle is the mesh's, except where the mesh sees no turn but the thing became clearly narrower: that is a sheet that
was turned, and its own narrowing tells the angle.

Figures: docs/liveness.md. Not here: which frames count, thresholds (cues/planarity.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.tracking import SkinTrack

LEAST_PATCHES: Final = 16  # five unknowns; below this the fit means little
LEAST_TURN: Final = 12.0  # degrees of the mesh from which relief is measured
NARROW: Final = 0.88  # width by height, against before; cos(28 degrees)
LEVEL: Final = 6.0  # degrees; a nod changes the height, so narrowing is only believed without one
_BENDS: Final = tuple(np.radians((0.0, 45.0, 90.0, 135.0)))
_ROUNDS: Final = 3
_HUBER: Final = 1.5  # in robust standard deviations


@dataclass(frozen=True, slots=True)
class Relief:
    """What a track tells of depth.

    Attributes:
        squeeze: width by height against the beginning; 1 while nothing has turned.
        relief: 1 for the average head, 0 for paper; None while nothing has turned.
        t: relief by its standard error.
        residual: of the best homography, by outer-eye distance.
    """

    squeeze: float
    relief: float | None = None
    t: float = 0.0
    residual: float = float("nan")


def measure_relief(track: SkinTrack, *, yaw: float, pitch: float) -> Relief | None:
    """Return what `track` says of depth now that the mesh stands at these angles; None if too few patches are left."""
    if len(track.current) < LEAST_PATCHES:
        return None
    angle = np.radians(track.roll)
    upright = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    before = (track.origin - track.origin.mean(axis=0)) @ upright.T / track.scale
    after = (track.current - track.current.mean(axis=0)) @ upright.T / track.scale
    flat = np.column_stack([np.ones(len(before)), before, track.depth - track.depth.mean()])
    squeeze = float(_robust_fit(flat, after[:, 0])[0][1] / max(_robust_fit(flat, after[:, 1])[0][2], 1e-6))
    slope = _turned(yaw - track.yaw, squeeze if abs(pitch - track.pitch) < LEVEL else 1.0)
    if slope is None:
        return Relief(squeeze)
    amounts = [_amount(flat, before, bend, after[:, 0]) for bend in _BENDS]
    amount, error = min(((amount / slope, error / abs(slope)) for amount, error in amounts), key=lambda pair: pair[0])
    return Relief(squeeze, amount, abs(amount) / max(error, 1e-6), _homography_residual(track))


def _turned(yaw: float, squeeze: float) -> float | None:
    """Return the sine of the turn, or None if there is none."""
    if abs(yaw) >= LEAST_TURN:
        return float(np.sin(np.radians(yaw)))
    if squeeze < NARROW:
        return float(np.copysign(np.sqrt(1 - max(squeeze, 0.5) ** 2), yaw))
    return None


def _amount(
    flat: NDArray[np.float64], place: NDArray[np.float64], bend: float, seen: NDArray[np.float64]
) -> tuple[float, float]:
    """Return how much of the average head's depth is seen beyond a bend along one direction, and its standard error."""
    along = place[:, 0] * np.cos(bend) + place[:, 1] * np.sin(bend)
    design = np.column_stack([flat[:, :3], along**2, flat[:, 3]])
    fitted, errors = _robust_fit(design, seen)
    return float(fitted[-1]), float(errors[-1])


def _robust_fit(
    design: NDArray[np.float64], seen: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coefficients of a robust (Huber) least-squares fit and their standard errors."""
    weight = np.ones(len(seen))
    for _ in range(_ROUNDS):
        normal = (design * weight[:, None]).T @ design + 1e-9 * np.eye(design.shape[1])
        fitted = np.linalg.solve(normal, (design * weight[:, None]).T @ seen).astype(np.float64)
        rest = np.abs(seen - design @ fitted)
        spread = 1.4826 * float(np.median(rest)) + 1e-4
        weight = np.minimum(1.0, _HUBER * spread / np.maximum(rest, 1e-9))
    variance = float((weight * rest**2).sum()) / max(1.0, float(weight.sum()) - design.shape[1])
    errors: NDArray[np.float64] = np.sqrt(np.maximum(np.diag(np.linalg.inv(normal)) * variance, 0))
    return fitted, errors


def _homography_residual(track: SkinTrack) -> float:
    source, target = track.origin.reshape(-1, 1, 2), track.current.reshape(-1, 1, 2)
    plane: Any = cv2.findHomography(source, target, 0)[0]
    if plane is None:
        return float("nan")
    rest = cv2.perspectiveTransform(source, plane) - target
    return float(np.sqrt(np.mean(np.sum(rest.reshape(-1, 2) ** 2, axis=1)))) / track.scale
