"""Patches of skin followed from frame to frame while the head turns (Lucas-Kanade).

Rules:
 * The mesh only says where to begin and how far that patch stands out on an average head; from then on the pixels
   themselves tell where the patch went. (Mesh points would not do: on a flat photo the net moves them as if the head
   were round. Residual of the best homography, printed photos of NUAA: mesh 0.03 to 0.08, tracked skin 0.01 to 0.04;
   live people: 0.03 to 0.08 both.)
 * A patch that does not come back to its place when followed backwards is dropped.
 * Tracking runs on half-size grey pictures; coordinates are theirs.

Not here: what the movement says about depth (geometry.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.liveness import head

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.measure import FaceMeasure
    from biometric.types import Points

    Grey = NDArray[np.uint8]

WINDOW_PX: Final = (
    15  # 11, 15 and 21 were tried on the clips and print runs; 11 loses patches, 21 blurs the nose into the cheek
)
BACK_PX: Final = 0.7  # patches farther off than this after forward and back are lost
_CORNER_BLOCK: Final = 5
_SNAP: Final = 0.03  # of the outer-eye distance: look for the best corner this near


@dataclass(frozen=True, slots=True, repr=False)
class SkinTrack:
    """Patches begun in one frontal frame and where they are now.

    Attributes:
        origin: Nx2, where they began.
        current: Nx2, where they are.
        depth: N, how far each stands out on an average head.
        begun: how many were begun.
        scale: outer-eye distance at the beginning, in pixels of the half-size picture.
        roll: degrees, at the beginning.
        yaw: degrees, at the beginning.
        pitch: likewise.
        age: frames followed so far.
    """

    origin: NDArray[np.float32]
    current: NDArray[np.float32]
    depth: NDArray[np.float32]
    begun: int
    scale: float
    roll: float
    yaw: float
    pitch: float
    age: int = 0

    def __repr__(self) -> str:
        return f"SkinTrack(<{len(self.current)} of {self.begun} patches>)"


def begin_track(grey: Grey, points: Points, face: FaceMeasure, *, wide: bool = False) -> SkinTrack | None:
    """Begin at the strongest corner near each skin point; None if the face is partly outside the picture.

    `wide` takes the sides of the face too, which a turn would hide.
    """
    chosen, standing_out = (head.WIDE_POINTS, head.WIDE_DEPTH) if wide else (head.SKIN_POINTS, head.SKIN_DEPTH)
    reach = max(1, round(face.scale / 2 * _SNAP))
    strength = cv2.cornerMinEigenVal(grey, _CORNER_BLOCK)
    height, width = grey.shape
    starts, depths = [], []
    for (x, y), depth in zip(np.rint(points[chosen] / 2).astype(int), standing_out, strict=True):
        if reach < x < width - reach - 1 and reach < y < height - reach - 1:
            patch = strength[y - reach : y + reach + 1, x - reach : x + reach + 1]
            row, column = divmod(int(patch.argmax()), patch.shape[1])
            starts.append((x - reach + column, y - reach + row))
            depths.append(depth)
    if len(starts) < len(chosen) // 2:
        return None
    origin = np.array(starts, np.float32)
    return SkinTrack(
        origin=origin,
        current=origin.copy(),
        depth=np.array(depths, np.float32),
        begun=len(origin),
        scale=face.scale / 2,
        roll=face.roll,
        yaw=face.yaw,
        pitch=face.pitch,
    )


def follow_track(track: SkinTrack, before: Grey, now: Grey) -> SkinTrack:
    """Return the track with every patch moved on, without those that were lost."""
    if not len(track.current):
        return track
    here = track.current.reshape(-1, 1, 2)
    window = (WINDOW_PX, WINDOW_PX)
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, now, here, np.empty_like(here), winSize=window, maxLevel=3)
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(now, before, there, np.empty_like(here), winSize=window, maxLevel=3)
    error = np.hypot(*(back - here).reshape(-1, 2).T)
    kept = (found.ravel() == 1) & (found_back.ravel() == 1) & (error < BACK_PX)
    return SkinTrack(
        origin=track.origin[kept],
        current=there.reshape(-1, 2)[kept].astype(np.float32),
        depth=track.depth[kept],
        begun=track.begun,
        scale=track.scale,
        roll=track.roll,
        yaw=track.yaw,
        pitch=track.pitch,
        age=track.age + 1,
    )
