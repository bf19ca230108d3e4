"""How deep is what turns? Read from tracked skin.

Under a turn by an angle, a patch that stands out by z (outer-eye distances) moves sideways by z sin(angle) more than
the plane through the face does. A photo, however it is moved, tilted or turned, moves as one plane. So the sideways
movement is fitted as

    plane(x, y) + relief sin(angle) z(x, y)

with z from the average head (head.py): relief is about 1 for a head and 0 for a flat photo. Compared with the plain
residual of a homography this is a matched filter: noise, speech and lost patches do not look like a nose.

A photo bent round a cylinder has relief too. Two things give it away:
 * its relief is a curve along one direction. `bump` is the relief that is left when such a curve may take its share,
   for the direction that takes most: the nose itself, which no bent sheet has.
 * to show as much relief as a head it must be turned further than the head, so it becomes narrower. `narrow` is how
   much narrower than the turn of a head explains.

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
LEVEL: Final = 6.0  # degrees; a nod changes the height, so narrowing alone is only believed without one
MOST_NOD: Final = 12.0  # degrees
OLDEST_FRAMES: Final = 24  # patches creep: in the clips relief fades after about two seconds of following
_BENDS: Final = tuple(np.radians((0.0, 45.0, 90.0, 135.0)))
_ROUNDS: Final = 3
_HUBER: Final = 1.5  # in robust standard deviations


@dataclass(frozen=True, slots=True)
class Depth:
    """What a track tells of depth, at an instant at which something has turned.

    Attributes:
        relief: 1 for the average head, 0 for a flat photo.
        bump: what is left of it beyond a bend.
        narrow: how much narrower than a head would be, as a share of the width.
        residual: of the best homography, by outer-eye distance.
    """

    relief: float
    bump: float
    narrow: float
    residual: float


def measure_squeeze(track: SkinTrack) -> float | None:
    """Return width by height against the beginning, 1 while nothing has turned; None if too few patches are left."""
    fitted = _plane(track)
    return None if fitted is None else fitted.squeeze


def measure_depth(track: SkinTrack, *, yaw: float, pitch: float) -> Depth | None:
    """Return what `track` says of depth now that the mesh stands at these angles.

    None if nothing has turned, if too few patches are left, or if the track is too old to be believed.
    """
    fitted = _plane(track)
    level = abs(pitch - track.pitch)
    if fitted is None or track.age > OLDEST_FRAMES or level > MOST_NOD:
        return None
    slope = _turned(yaw - track.yaw, fitted.squeeze if level < LEVEL else 1.0)
    if slope is None:
        return None
    bumps = [_amount(fitted, bend) / slope for bend in _BENDS]
    return Depth(
        relief=fitted.relief / slope,
        bump=min(bumps),
        narrow=float(np.cos(np.radians(yaw - track.yaw))) - fitted.squeeze,
        residual=_homography_residual(track),
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Plane:
    """A track in outer-eye distances, upright, and what a plane with relief explains of it."""

    design: NDArray[np.float64]
    across: NDArray[np.float64]
    squeeze: float
    relief: float


def _plane(track: SkinTrack) -> _Plane | None:
    if len(track.current) < LEAST_PATCHES:
        return None
    angle = np.radians(track.roll)
    upright = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    before = (track.origin - track.origin.mean(axis=0)) @ upright.T / track.scale
    after = (track.current - track.current.mean(axis=0)) @ upright.T / track.scale
    design = np.column_stack([np.ones(len(before)), before, track.depth - track.depth.mean()])
    wide, high = robust_fit(design, after[:, 0]), robust_fit(design, after[:, 1])
    return _Plane(design, after[:, 0], float(wide[1] / max(high[2], 1e-6)), float(wide[3]))


def _turned(yaw: float, squeeze: float) -> float | None:
    """Return the sine of the turn, or None if there is none."""
    if abs(yaw) >= LEAST_TURN:
        return float(np.sin(np.radians(yaw)))
    if squeeze < NARROW:
        return float(np.copysign(np.sqrt(1 - max(squeeze, 0.5) ** 2), yaw))
    return None


def _amount(plane: _Plane, bend: float) -> float:
    """Return how much of the average head's depth is seen beyond a bend along one direction."""
    along = plane.design[:, 1] * np.cos(bend) + plane.design[:, 2] * np.sin(bend)
    design = np.column_stack([plane.design[:, :3], along**2, plane.design[:, 3]])
    return float(robust_fit(design, plane.across)[-1])


def robust_fit(design: NDArray[np.float64], seen: NDArray[np.float64], *, coordinates: int = 1) -> NDArray[np.float64]:
    """Return the coefficients of a robust (Huber) least-squares fit.

    With two `coordinates` the rows are all points' first, then all points' second; a point is weighed as one.
    """
    weight = np.ones(len(seen) // coordinates)
    fitted = np.zeros(design.shape[1])
    ridge = 1e-9 * np.eye(design.shape[1])
    for _ in range(_ROUNDS):
        weighted = design * (weight if coordinates == 1 else np.tile(weight, coordinates))[:, None]
        fitted = np.linalg.solve(weighted.T @ design + ridge, weighted.T @ seen).astype(np.float64)
        off = seen - design @ fitted
        rest = np.abs(off) if coordinates == 1 else np.linalg.norm(off.reshape(coordinates, -1), axis=0)
        spread = 1.4826 * _median(rest) + 1e-4
        weight = np.minimum(1.0, _HUBER * spread / np.maximum(rest, 1e-9))
    return fitted


def _median(values: NDArray[np.float64]) -> float:
    """Return what np.median returns for some numbers, without the time it takes to look for NaN and axes."""
    ordered = np.sort(values)
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def _homography_residual(track: SkinTrack) -> float:
    source, target = track.origin.reshape(-1, 1, 2), track.current.reshape(-1, 1, 2)
    plane: Any = cv2.findHomography(source, target, 0)[0]
    if plane is None:
        return float("nan")
    rest = cv2.perspectiveTransform(source, plane) - target
    return float(np.sqrt(np.mean(np.sum(rest.reshape(-1, 2) ** 2, axis=1)))) / track.scale
