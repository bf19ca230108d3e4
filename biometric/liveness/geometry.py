"""How deep is what turns? Relief from tracked skin, and the residual of the best homography.

Under a turn by yaw, a patch that stands out by z (outer-eye distances) moves by z·sin(yaw) more than the plane
through the face does. A photo, however it is moved, tilted or turned, moves as one plane. So the sideways movement
is fitted as

    plane(x, y) + relief·sin(yaw)·z(x, y)

with z from the average head (head.py) and yaw as the mesh shows it: relief is about 1 for a head, 0 for a flat
thing. Against the plain residual of a homography this is a matched filter: noise, speech and lost patches do not
look like a nose.

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

LEAST_PATCHES: Final = 16  # four unknowns; below this the fit means little
_ROUNDS: Final = 5
_HUBER: Final = 1.5  # in robust standard deviations


@dataclass(frozen=True, slots=True)
class Relief:
    """Apparent relief, its size by its standard error, and the homography's residual by outer-eye distance."""

    relief: float
    t: float
    residual: float


def measure_relief(track: SkinTrack, *, yaw: float) -> Relief | None:
    """Return what `track` says of depth now that the head stands at `yaw`; None if too few patches are left."""
    if len(track.current) < LEAST_PATCHES:
        return None
    slope = float(np.sin(np.radians(yaw - track.yaw)))
    if abs(slope) < 1e-3:  # noqa: PLR2004  (no turn, nothing to divide by)
        return None
    angle = np.radians(track.roll)
    upright = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    before = (track.origin - track.origin.mean(axis=0)) @ upright.T / track.scale
    after = (track.current - track.current.mean(axis=0)) @ upright.T / track.scale
    design = np.column_stack([np.ones(len(before)), before, track.depth - track.depth.mean()])
    amount, error = _last_coefficient(design, after[:, 0])
    return Relief(relief=amount / slope, t=abs(amount) / max(error, 1e-6), residual=_homography_residual(track))


def _last_coefficient(design: NDArray[np.float64], seen: NDArray[np.float64]) -> tuple[float, float]:
    """Return the last coefficient of a robust (Huber) least-squares fit and its standard error."""
    weight = np.ones(len(seen))
    for _ in range(_ROUNDS):
        fitted = np.linalg.lstsq(design * weight[:, None], seen * weight, rcond=None)[0]
        rest = seen - design @ fitted
        spread = 1.4826 * float(np.median(np.abs(rest))) + 1e-4
        weight = np.sqrt(np.minimum(1.0, _HUBER * spread / np.maximum(np.abs(rest), 1e-9)))
    weighted = design * weight[:, None]
    freedom = max(1.0, float((weight**2).sum()) - design.shape[1])
    variance = float(((weight * rest) ** 2).sum()) / freedom
    covariance = np.linalg.pinv(weighted.T @ weighted) * variance
    return float(fitted[-1]), float(np.sqrt(max(covariance[-1, -1], 0.0)))


def _homography_residual(track: SkinTrack) -> float:
    source, target = track.origin.reshape(-1, 1, 2), track.current.reshape(-1, 1, 2)
    plane: Any = cv2.findHomography(source, target, 0)[0]
    if plane is None:
        return float("nan")
    rest = cv2.perspectiveTransform(source, plane) - target
    return float(np.sqrt(np.mean(np.sum(rest.reshape(-1, 2) ** 2, axis=1)))) / track.scale
