"""The thresholds, and what they were measured with.

Rules:
 * Thresholds live in calibration.json, written by `facestep calibrate` and by nobody's hand: `id` is a digest of
   everything else in the file, so an edit shows.
 * They belong to model files and to one way of cutting the face (FRAMING). With any other, loading raises, and the
   service does not start.

Not here: how they are chosen (evaluation/calibrate.py), what they mean (docs/calibration.md).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from biometric.errors import CalibrationMismatch

if TYPE_CHECKING:
    from pathlib import Path

    from biometric.models import ModelStore

FRAMING: Final = "mesh-points-facenet-stretched-mirrored-sface-single-v1"
"""Changes whenever a pixel or a vector would come out differently (align.py, embed.py, landmarks.py)."""

BOUND_MODELS: Final = ("yunet", "face_mesh", "facenet", "sface")


@dataclass(frozen=True, slots=True)
class ModelCalibration:
    """One model: its impostor scores' mean and deviation, its floor, and its part in the fused score."""

    mean: float
    deviation: float
    floor: float
    weight: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that a comparison needs besides two faces.

    Attributes:
        id: digest of everything else, 16 hex digits.
        framing: the FRAMING it was measured with.
        models: identity of each model file in use (Lock.identity).
        facenet: FaceNet's part.
        sface: SFace's part.
        fused_threshold: what the weighted sum of z-scores must reach.
        evidence: data, counts, dates and measured error rates; for people, not for the comparison.
    """

    id: str
    framing: str
    models: dict[str, str]
    facenet: ModelCalibration
    sface: ModelCalibration
    fused_threshold: float
    evidence: dict[str, Any]

    @classmethod
    def load(cls, models: ModelStore, path: Path | None = None) -> Calibration:
        """Return the calibration of this package (or of `path`), bound to the models in `models`.

        Raises:
            CalibrationMismatch: it is unreadable, edited, or was measured with other model files or another framing.
        """
        try:
            source = path if path is not None else files("biometric") / "calibration.json"
            calibration = cls.from_json(source.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError, KeyError) as exc:
            raise CalibrationMismatch(f"the calibration cannot be read: {exc!r}") from exc
        if calibration.id != calibration.digest():
            raise CalibrationMismatch("the calibration was edited; make a new one with `facestep calibrate`")
        if calibration.framing != FRAMING:
            raise CalibrationMismatch(
                f"the calibration was measured with framing {calibration.framing!r}, not {FRAMING!r}"
            )
        in_use = models.digests()
        for name in BOUND_MODELS:
            if calibration.models.get(name) != in_use[name]:
                raise CalibrationMismatch(f"the calibration was measured with another {name} file")
        return calibration

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Return what `text` says, unchecked; `load` checks."""
        table = json.loads(text)
        table["facenet"] = ModelCalibration(**table["facenet"])
        table["sface"] = ModelCalibration(**table["sface"])
        return cls(**table)

    def to_json(self) -> str:
        """Return the file's content."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    def digest(self) -> str:
        """Return the digest of everything but `id`."""
        table = asdict(self)
        del table["id"]
        canonical = json.dumps(table, sort_keys=True, separators=(",", ":")).encode()
        return hashlib.sha256(canonical).hexdigest()[:16]

    def fused(self, facenet: Any, sface: Any) -> Any:
        """Return the fused score of two similarities (numbers or arrays of them)."""
        z_facenet = (facenet - self.facenet.mean) / self.facenet.deviation
        z_sface = (sface - self.sface.mean) / self.sface.deviation
        return self.facenet.weight * z_facenet + self.sface.weight * z_sface
