"""How deep is what comes closer? Read from tracked skin.

A pinhole camera shows a point that stands out by z (towards the camera, outer-eye distances) larger by
(d0 - z) / (d1 - z) when its plane comes from d0 to d1: with s = d0 / d1, to first order s (1 + z (s - 1) / d0). So
beyond what a plane does, every patch moves outwards by its depth times its place:

    after = plane(before) + k z before + shift z,        k = s (s - 1) / d0 for a head, 0 for anything flat

with z from the average head (head.py). `shift` takes what a small turn or a step aside does, which moves deep patches
all alike; only k tells. It is far smaller than what a turn shows (2 % of the face's width at s = 1.45), which is why
the sides of the face are followed too, what the mouth moves is not, and why this cue does not stand alone.

d0 comes from the size of the face in the picture and a usual focal length; a camera with another one makes the relief
of everybody larger or smaller, of flat things it stays 0.

Figures: docs/liveness.md. Not here: which frames count, thresholds (cues/perspective.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.geometry import robust_fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.tracking import SkinTrack

FOCAL: Final = 0.8  # by the longer side of the picture: 64 degrees along it, usual for built-in cameras
LEAST_PATCHES: Final = 25  # nine unknowns, and a signal below a pixel
LEAST_GROWTH: Final = 1.2


def measure_growth(track: SkinTrack) -> float | None:
    """Return how much larger the face is than at the beginning of the track; None if too few patches are left."""
    if len(track.current) < LEAST_PATCHES:
        return None
    before, after = _spread(track.origin), _spread(track.current)
    return after / max(before, 1e-6)


def measure_near_relief(track: SkinTrack, *, longer_side: int) -> float | None:
    """Return the apparent relief: about 1 for a head, 0 for a flat photo.

    None if the face has not grown enough, or too few patches are left.

    Args:
        track: begun at rest, with the sides of the face.
        longer_side: of the picture that is tracked in, pixels.
    """
    growth = measure_growth(track)
    if growth is None or growth < LEAST_GROWTH:
        return None
    before = (track.origin - track.origin.mean(axis=0)).astype(np.float64) / track.scale
    after = (track.current - track.current.mean(axis=0)).astype(np.float64) / track.scale
    depth = (track.depth - track.depth.mean()).astype(np.float64)
    outwards = _fit(before, after, depth)
    distance = FOCAL * longer_side / track.scale
    return outwards / (growth * (growth - 1) / distance)


def _spread(points: NDArray[np.float32]) -> float:
    return float(np.median(np.hypot(*(points - np.median(points, axis=0)).T)))


def _fit(before: NDArray[np.float64], after: NDArray[np.float64], depth: NDArray[np.float64]) -> float:
    """Return k of a robust (Huber) fit of both coordinates at once."""
    count = len(before)
    plane = np.column_stack([np.ones(count), before, depth])
    design = np.zeros((2 * count, 9))
    design[:count, :4], design[count:, 4:8] = plane, plane
    design[:, 8] = (depth[:, None] * before).T.ravel()
    return float(robust_fit(design, after.T.ravel(), coordinates=2)[8])
