"""Where one take ends and another begins: frames at which face and scene change far more than around them.

A frame's spike is its change by the changes around it (the three frames before and after), by what is usual in the
whole challenge, or by a floor for a still scene's noise, whichever is greatest. In units of limits:

 * both   face and scene together, against the greatest change around
 * scene  the scene alone, likewise
 * twice  face and scene, against the second greatest: a cut is not hidden by another one beside it
 * swap   face and scene, against the likeness to a frame two to four before: what was away comes back
 * gap    as `twice`, across more than CUT_MS without a frame, where the head looks the same way on both sides; in a
          longer time more may change, by its square root (a walk's growth; docs/liveness.md, "Cuts")

Frames without a face have no place in it: what comes after them is compared with what was before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

COLUMNS: Final = ("captured_ms", "yaw", "face_change", "scene_change", "face_back", "scene_back")
CUT_MS: Final = 150.0  # frames farther apart may differ for being apart
NEIGHBOURS: Final = 3
FACE_FLOOR: Final = 0.03
SCENE_FLOOR: Final = 0.004
USUAL: Final = 3.0  # medians of all changes: a camera that shakes all the time
FACE_SPIKE: Final = 2.0
SCENE_SPIKE: Final = 3.0
LONE_SPIKE: Final = 6.0
LONE_SCENE: Final = 0.03
LIKE_YAW: Final = 10.0  # degrees


def measure_cuts(table: NDArray[np.float32]) -> dict[str, Column]:
    """Return each number for every frame, 0 where it says nothing; nothing at all of too few frames.

    Args:
        table: framesxCOLUMNS, frames with a face alone.
    """
    times, yaw, face, scene, face_back, scene_back = table.astype(np.float64).T
    if (np.isfinite(face) & np.isfinite(scene)).sum() <= NEIGHBOURS:
        return {}
    faces, scenes = _Changes(face, FACE_FLOOR), _Changes(scene, SCENE_FLOOR)
    apart = np.diff(times, prepend=-np.inf)
    longer = np.sqrt(np.maximum(1, apart / np.median(apart[1:])))
    near, like = apart <= CUT_MS, np.abs(np.diff(yaw, prepend=np.nan)) < LIKE_YAW

    def together(by_face: Column, by_scene: Column) -> Column:
        return np.minimum(by_face / FACE_SPIKE, by_scene / SCENE_SPIKE)

    twice = together(faces.spikes(rank=1), scenes.spikes(rank=1))
    numbers = {
        "both": np.where(near, together(faces.spikes(rank=0), scenes.spikes(rank=0)), 0),
        "scene": np.where(near & (scene > LONE_SCENE), scenes.spikes(rank=0) / LONE_SPIKE, 0),
        "twice": np.where(near, twice, 0),
        "swap": np.where(near, together(faces.by(face_back), scenes.by(scene_back)), 0),
        "gap": np.where(~near & like, twice / longer, 0),
    }
    return {name: np.nan_to_num(column) for name, column in numbers.items()}


class _Changes:
    """How much each frame differs from the one before, and what that is compared with."""

    def __init__(self, change: Column, floor: float) -> None:
        self._change = change
        self._floor = max(floor, USUAL * float(np.nanmedian(change)))
        padded = np.pad(np.nan_to_num(change), NEIGHBOURS)
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
        self._around = np.sort(np.delete(around, NEIGHBOURS, axis=1), axis=1)

    def spikes(self, *, rank: int) -> Column:
        """Return the changes by the greatest around each (`rank` 0), or by the second greatest (1)."""
        return self.by(self._around[:, -1 - rank])

    def by(self, other: Column) -> Column:
        """Return the changes by something else, or by the floor."""
        return self._change / np.maximum(other, self._floor)
