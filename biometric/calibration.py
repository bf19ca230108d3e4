"""The thresholds, and what they were measured with.

Rules:
 * Thresholds live in calibration.json, written by `facestep calibrate` and by nobody's hand: `id` is a digest of
   everything else in the file, so an edit shows.
 * They belong to model files, to one way of cutting the face (FRAMING), and to one projection (projection.py), whose
   file lies beside. With any other, loading raises, and the service does not start.
 * The detector of the very same nets may lie beside as well (agreement_file.py); who serves binds it at the start.

Not here: how they are chosen (evaluation/calibrate.py), what they mean (docs/calibration.md).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from biometric.errors import CalibrationMismatch
from biometric.projection import Projection

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from biometric.agreement import Agreement
    from biometric.models import ModelStore
    from biometric.types import Floats

FRAMING: Final = "mesh-points-facenet-stretched-mirrored-sface-single-v1"
"""Changes whenever a pixel or a vector would come out differently (align.py, embed.py, landmarks.py)."""

BOUND_MODELS: Final = ("yunet", "face_mesh", "facenet", "sface")


SHIPPED: Final = files("biometric") / "calibration.json"


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
        projection_sha256: digest of the projection's file; empty if there is none.
        projection: what that file holds; not part of the file's own content.
        source: the file it was read from; None for the one of this package.
        agreement: the disagreement detector that was opened with it; None until then (Agreement.load).
    """

    id: str
    framing: str
    models: dict[str, str]
    facenet: ModelCalibration
    sface: ModelCalibration
    fused_threshold: float
    evidence: dict[str, Any]
    projection_sha256: str = ""
    projection: Projection | None = field(default=None, compare=False, repr=False)
    source: Path | None = field(default=None, compare=False, repr=False)
    agreement: Agreement | None = field(default=None, compare=False, repr=False)

    @classmethod
    def load(cls, models: ModelStore, path: Path | None = None) -> Calibration:
        """Return the calibration of this package (or of `path`), bound to the models in `models`.

        Raises:
            CalibrationMismatch: it is unreadable, edited, or was measured with other model files or another framing.
        """
        try:
            source = path.expanduser() if path is not None else SHIPPED
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
        own = path.expanduser() if path is not None else None
        return replace(calibration, projection=_projection(calibration.projection_sha256, own), source=own)

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Return what `text` says, unchecked; `load` checks."""
        table = json.loads(text)
        table["facenet"] = ModelCalibration(**table["facenet"])
        table["sface"] = ModelCalibration(**table["sface"])
        return cls(**table)

    def to_json(self) -> str:
        """Return the file's content."""
        return json.dumps(self._table(), indent=2, sort_keys=True) + "\n"

    def digest(self) -> str:
        """Return the digest of everything but `id`."""
        return record_digest(self._table())

    def _table(self) -> dict[str, Any]:
        """Return what the file holds; without a projection there is no word of one."""
        table = asdict(replace(self, projection=None, source=None, agreement=None))
        for beside in ("projection", "source", "agreement"):
            del table[beside]
        if not self.projection_sha256:
            del table["projection_sha256"]
        return table

    def facenet_space(self, rows: Floats) -> Floats:
        """Return FaceNet's unit vectors, (n, 512) or one, as unit vectors whose cosine is the similarity."""
        return rows if self.projection is None else self.projection(rows)

    def fused(self, facenet: Any, sface: Any) -> Any:
        """Return the fused score of two similarities (numbers or arrays of them)."""
        z_facenet = (facenet - self.facenet.mean) / self.facenet.deviation
        z_sface = (sface - self.sface.mean) / self.sface.deviation
        return self.facenet.weight * z_facenet + self.sface.weight * z_sface


def record_digest(table: dict[str, Any]) -> str:
    """Return the digest of everything in a record but its `id`, 16 hex digits."""
    rest = {name: value for name, value in table.items() if name != "id"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(canonical).hexdigest()[:16]


def projection_path(calibration: Path) -> Path:
    """Return where the projection of this calibration file lies."""
    return calibration.with_name(calibration.stem + ".projection.npy")


def _projection(expected_sha256: str, path: Path | None) -> Projection | None:
    """Return the projection with this digest, from beside `path` or from this package.

    Raises:
        CalibrationMismatch: it is nowhere, or another one.
    """
    if not expected_sha256:
        return None
    shipped = files("biometric") / "calibration.projection.npy"
    own = projection_path(path) if path is not None else None
    source: Path | Traversable = own if own is not None and own.is_file() else shipped
    try:
        content = source.read_bytes()
    except OSError as exc:
        raise CalibrationMismatch(f"the projection {source} cannot be read: {exc.strerror or exc}") from exc
    return Projection.from_bytes(content, expected_sha256=expected_sha256)
