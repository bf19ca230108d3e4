"""What looks as if no camera had sent it: numbers and codes for the audit log. Nothing here ever denies.

 * even_intervals   capture times are the same distance apart to the millisecond: a camera and a busy page are not
 * near_duplicates  pictures that equal the one before but for a few places: a recording played more slowly
 * no_sensor_noise  most of every picture is the very same as before, while something moves: an injected rendering
 * virtual_camera and other `camera_…` codes come with the challenge (Evidence.camera_risks): what the page said of its
   camera

Each has an innocent explanation: browsers that round their clock, cameras that denoise, overexposed walls, a phone used
as a webcam. Together and over many logins they are worth a look (docs/liveness.md, "Stream").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from biometric.liveness.evidence import Evidence

LEAST_FRAMES: Final = 20  # intervals, and pictures that could be compared
EVEN_MS: Final = 0.5  # from the shortest to the longest interval, without the slowest tenth; a page that follows its
# screen's refresh rounds to 66 and 67 in turn
DUPLICATE: Final = 0.995  # of the pixels unchanged
DUPLICATES: Final = 0.05  # of the frames (FIELD.md 1.3)
NOISELESS: Final = 0.7  # of the pixels unchanged, in the median frame; webcams 0.20 to 0.25, compressed films to 0.52,
# renderings without noise 0.81 to 0.86 (docs/liveness.md, "Stream")


def measure_stream(evidence: Evidence) -> dict[str, float]:
    """Return jitter_ms, duplicates and unchanged, as far as there are frames to tell."""
    times, unchanged = evidence.columns("captured_ms", "unchanged").T
    numbers: dict[str, float] = {}
    if len(times) > LEAST_FRAMES:
        intervals = np.sort(np.diff(times))
        numbers["jitter_ms"] = float(np.ptp(intervals[: int(0.9 * len(intervals))]))
    compared = unchanged[np.isfinite(unchanged)]
    if len(compared) >= LEAST_FRAMES:
        numbers["duplicates"] = float((compared >= DUPLICATE).mean())
        numbers["unchanged"] = float(np.median(compared))
    return numbers


def find_risks(evidence: Evidence) -> tuple[str, ...]:
    """Return the codes, those of the camera first."""
    numbers = measure_stream(evidence)
    found = {
        "even_intervals": numbers.get("jitter_ms", np.inf) <= EVEN_MS,
        "near_duplicates": numbers.get("duplicates", 0.0) > DUPLICATES,
        "no_sensor_noise": numbers.get("unchanged", 0.0) > NOISELESS,
    }
    return (*evidence.camera_risks, *(code for code, is_seen in found.items() if is_seen))
