"""What the page says of its camera, and what of it is worth a note in the audit log. Risk only: it never denies.

Rules:
 * A browser can say anything, so nothing rests on it; most people who feed a film into a browser do not bother to lie.
 * The label is compared here and then forgotten: it may hold a name ("…'s phone"). Only codes go on.
 * A phone used as a webcam is a virtual camera too. So a code is no accusation (docs/operations.md, "Risk codes").

Not here: what the frames themselves show (biometric/liveness/risk.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LONGEST_LABEL: Final = 200
ASKED: Final = (640, 480)
SLOWEST: Final = 5.0  # pictures a second; below, no challenge can be done, so it is not what the camera gives
FASTEST: Final = 240.0
VIRTUAL: Final = (  # parts of labels, lower case; makers' own names, as systems list them
    "obs virtual",
    "obs-camera",
    "manycam",
    "xsplit",
    "snap camera",
    "v4l2loopback",
    "dummy video device",
    "virtual camera",
    "virtual webcam",
    "virtualcam",
    "vcam",
    "splitcam",
    "camtwist",
    "youcam",
    "sparkocam",
    "altercam",
    "webcamoid",
    "akvirtual",
    "unity video capture",
    "ndi video",
    "newtek ndi",
    "vmix video",
    "wirecast",
    "mmhmm",
    "prism live",
    "finecam",
    "nvidia broadcast",
    "chromacam",
    "droidcam",
    "ivcam",
    "epoccam",
    "iriun",
    "screen capture",
    "screen-capture",
    "fake_device",
)


@dataclass(frozen=True, slots=True, repr=False)
class CameraReport:
    """Label of the track and what its settings say; None where the browser tells nothing."""

    label: str
    width: float | None
    height: float | None
    frame_rate: float | None


def camera_risks(report: CameraReport | None) -> tuple[str, ...]:
    """Return codes: virtual_camera, camera_unnamed, camera_size, camera_rate; none without a report."""
    if report is None:
        return ()
    label = report.label.casefold()
    sides = sorted((report.width or 0, report.height or 0))
    found = {
        "virtual_camera": any(part in label for part in VIRTUAL),
        "camera_unnamed": not label.strip(),  # who may use a camera may read its name; a canvas has none
        "camera_size": sides[0] < min(ASKED) or sides[1] < max(ASKED),
        "camera_rate": report.frame_rate is None or not SLOWEST <= report.frame_rate <= FASTEST,
    }
    return tuple(code for code, is_seen in found.items() if is_seen)
