"""Vectors of pictures that were looked at before, so that a second evaluation takes seconds.

Rules:
 * Only a folder that the person names is written to, and only its owner may read it: vectors are biometric data.
   Without a folder nothing is kept.
 * A file belongs to the model files, the framing and the quality limits that made it; with others a new one is begun.
 * A picture is known by the digest of its bytes; no name and no path is kept.

Not here: looking at pictures (corpus.py).
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.calibration import BOUND_MODELS, FRAMING
from biometric.errors import CannotTell
from biometric.limits import shipped
from biometric.pipeline import STILL_SEARCH_SIDE_PX
from biometric.types import FACENET, SFACE, VECTOR_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from biometric.types import Floats

_ARRAYS: Final = ("digest", "code", "several", "facenet", "sface")


class CacheUnusable(CannotTell):
    """The cache cannot be read or written; the message names the file."""

    code = "cache_unusable"


@dataclass(frozen=True, slots=True, repr=False)
class Looked:
    """What a look at one picture gave.

    Attributes:
        code: why it gave no vector, or empty.
        several: another face of comparable size was there.
        facenet: FaceNet's unit vector, or None.
        sface: SFace's.
    """

    code: str
    several: bool
    facenet: Floats | None
    sface: Floats | None


class VectorCache:
    """The looks of one set of models; read whole at the start, written whole by `save`."""

    def __init__(self, folder: Path, models: Mapping[str, str]) -> None:
        key = [{name: models[name] for name in BOUND_MODELS}, FRAMING, asdict(shipped().still), STILL_SEARCH_SIDE_PX]
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
        self._path = folder.expanduser() / f"vectors-{name}.npz"
        self._looks = _read(self._path)
        self._changed = False

    def get(self, content: bytes) -> Looked | None:
        """Return what was seen in a picture with these bytes, or None."""
        return self._looks.get(hashlib.sha256(content).digest())

    def put(self, content: bytes, looked: Looked) -> None:
        """Remember what was seen; nothing is written yet."""
        self._looks[hashlib.sha256(content).digest()] = looked
        self._changed = True

    def save(self) -> None:
        """Write the file if there is anything new.

        Raises:
            CacheUnusable: it cannot be written.
        """
        if not self._changed:
            return
        partial = self._path.with_suffix(".partial.npz")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial.touch(mode=0o600)
            np.savez(partial, **_arrays(self._looks))  # type: ignore[arg-type]  # numpy's stub takes one name for all
            partial.replace(self._path)
        except OSError as exc:
            raise CacheUnusable(f"{self._path}: {exc.strerror or exc}") from exc
        self._changed = False


def _arrays(looks: Mapping[bytes, Looked]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    nothing = {FACENET: np.zeros(VECTOR_SIZE[FACENET], np.float32), SFACE: np.zeros(VECTOR_SIZE[SFACE], np.float32)}
    return {
        "digest": np.array([list(digest) for digest in looks], np.uint8),
        "code": np.array([look.code for look in looks.values()], np.str_),
        "several": np.array([look.several for look in looks.values()], np.bool_),
        "facenet": np.array([nothing[FACENET] if look.facenet is None else look.facenet for look in looks.values()]),
        "sface": np.array([nothing[SFACE] if look.sface is None else look.sface for look in looks.values()]),
    }


def _read(path: Path) -> dict[bytes, Looked]:
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            digest, code, several, facenet, sface = (stored[name] for name in _ARRAYS)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as exc:
        raise CacheUnusable(f"{path} cannot be read, delete it: {exc}") from exc
    return {
        bytes(digest[row]): Looked(
            code=str(code[row]),
            several=bool(several[row]),
            facenet=None if code[row] else facenet[row],
            sface=None if code[row] else sface[row],
        )
        for row in range(len(digest))
    }
