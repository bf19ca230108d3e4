"""FaceNet's space, evened out before two vectors are compared.

FaceNet spreads strangers over some 90 of its 512 directions, and unevenly: a few directions make most of the likeness
between strangers. The projection keeps the directions in which people differ and takes a part of the unevenness away,
as score normalisation against a population would, without storing one.

Rules:
 * It is one matrix, learnt from some thousand people at once (evaluation/learn.py); nobody's vector is in it.
 * It belongs to one calibration, by digest; the file is opened only after its digest matched, and is never a pickle.
 * It is applied when two faces are compared. References hold what the nets said, so a better projection needs no new
   enrolment.

Not here: SFace, which gets none: its strangers are as alike on other data as on the data that would teach it
(docs/calibration.md).
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.errors import CalibrationMismatch, CannotTell
from biometric.types import FACENET, VECTOR_SIZE

if TYPE_CHECKING:
    from biometric.types import Floats

DIRECTIONS: Final = 128
_LEAST_LENGTH: Final = 1e-6


@dataclass(frozen=True, slots=True, repr=False)
class Projection:
    """Unit vectors x become the direction of matrix · x.

    Attributes:
        matrix: float32 that is exact in float16, (DIRECTIONS, 512).
    """

    matrix: Floats

    def __repr__(self) -> str:
        return f"Projection(<{self.matrix.shape[0]} of {self.matrix.shape[1]} directions>)"

    def __call__(self, rows: Floats) -> Floats:
        """Return unit vectors for unit vectors: (n, 512) to (n, DIRECTIONS), or one for one.

        Raises:
            CannotTell: a vector has no direction left.
        """
        moved = rows @ self.matrix.T
        lengths = np.linalg.norm(moved, axis=-1, keepdims=True)
        if not (lengths > _LEAST_LENGTH).all():  # written so that NaN fails
            raise CannotTell("a vector has nothing in the directions that are compared")
        units: Floats = (moved / lengths).astype(np.float32)
        return units

    def to_bytes(self) -> bytes:
        """Return the file's content; the same matrix gives the same bytes."""
        out = io.BytesIO()
        np.save(out, self.matrix.astype("<f2"), allow_pickle=False)
        return out.getvalue()

    @classmethod
    def of(cls, matrix: Floats) -> Projection:
        """Return the projection as it will be read again: rounded to half floats."""
        return cls(matrix.astype(np.float16).astype(np.float32))

    @classmethod
    def from_bytes(cls, content: bytes, *, expected_sha256: str) -> Projection:
        """Return the projection in a file.

        Raises:
            CalibrationMismatch: it is not the expected file, or not one of ours.
        """
        digest = hashlib.sha256(content).hexdigest()
        if digest != expected_sha256:
            raise CalibrationMismatch(f"the projection has digest {digest}, not {expected_sha256}")
        try:
            stored = np.load(io.BytesIO(content), allow_pickle=False)
        except (ValueError, OSError, EOFError) as exc:
            raise CalibrationMismatch(f"the projection cannot be read: {exc!r}") from exc
        shape = (DIRECTIONS, VECTOR_SIZE[FACENET])
        if stored.shape != shape or stored.dtype != np.float16 or not np.isfinite(stored).all():
            raise CalibrationMismatch(f"the projection is not {shape} finite half floats")
        matrix: Floats = stored.astype(np.float32)
        matrix.flags.writeable = False
        return cls(matrix)
