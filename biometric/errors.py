"""The one error root of this package.

Two kinds leave it: `CannotTell` (no verdict could be reached; the input or a model is at fault) and `FaceRejected` (a
verdict was reached and it is *no*). Both end in *no* for the person at the door. Codes are stable: plugin/errors.py
maps them to HTTP, and commands print them.
"""

from __future__ import annotations

from typing import ClassVar


class BiometricError(Exception):
    """Root of all errors of this package; `code` is stable and public."""

    code: ClassVar[str] = "biometric_error"


class CannotTell(BiometricError):  # noqa: N818  (reads as the sentence it is)
    """No verdict: the picture, the frames or a model do not allow one."""

    code = "cannot_tell"


class ImageUnreadable(CannotTell):
    """The bytes are no picture, or a truncated one."""

    code = "image_unreadable"


class ImageTooLarge(CannotTell):
    """More bytes or pixels than we are willing to decode (decompression bomb)."""

    code = "image_too_large"


class NoFace(CannotTell):
    """No face was found."""

    code = "no_face"


class SeveralFaces(CannotTell):
    """More than one face was found; none of them is chosen for the person."""

    code = "several_faces"


class QualityTooLow(CannotTell):
    """The face is there but not good enough to compare; `hint` says what the person can change."""

    code = "quality_too_low"

    def __init__(self, hint: str) -> None:
        super().__init__(hint)
        self.hint = hint


class FramesInvalid(CannotTell):
    """Frames out of order, repeated, too many, too large, too slow, or not the ones announced."""

    code = "frames_invalid"


class ModelMissing(CannotTell):
    """A model file is not there; `facestep models fetch` brings it."""

    code = "model_missing"


class ModelDigestMismatch(CannotTell):
    """A model file is not the one that was measured. It was not opened."""

    code = "model_digest_mismatch"


class CalibrationMismatch(CannotTell):
    """The thresholds were measured with other model files than those in use."""

    code = "calibration_mismatch"


class LimitsMismatch(CannotTell):
    """The limits of the liveness cues are not those that were measured, or belong to other model files."""

    code = "limits_mismatch"


class FaceRejected(BiometricError):  # noqa: N818
    """A verdict: not live, or not the same person. `reasons` are for the audit log only."""

    code = "face_rejected"

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons
