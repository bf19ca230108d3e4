"""How a vector is written into a reference and read again: one scheme a transform version.

Rules:
 * A version never changes what it means; what was sealed with any of them opens as long as it is listed here.
 * Every scheme is keyed, and has a mark of its own in the sealed text.
 * What was plain in between is overwritten.

Not here: sealing and binding (references.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from vault import biohash, transform
from vault.memory import wipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Scheme(Protocol):
    """One way to keep a unit vector."""

    mark: bytes

    def length(self, size: int) -> int:
        """Return how many bytes a vector of `size` coordinates takes."""

    def write(self, vector: NDArray[np.float32], *, key: bytes, name: str) -> bytes:
        """Return what is kept of the vector."""

    def read(self, kept: bytes, *, size: int, key: bytes, name: str) -> NDArray[np.float64]:
        """Return the vector; its length is 1 but for rounding. Raises ValueError for what cannot be one."""


class Rotation:
    """The whole vector, in keyed directions, as half floats: exact (transform.py)."""

    mark = b"FSR1"

    def length(self, size: int) -> int:
        """Two bytes a coordinate."""
        return 2 * size

    def write(self, vector: NDArray[np.float32], *, key: bytes, name: str) -> bytes:
        """Return the rotated coordinates."""
        rotated = transform.protect(vector, key=key, name=name)
        kept = rotated.astype("<f2").tobytes()
        wipe(rotated)
        return kept

    def read(self, kept: bytes, *, size: int, key: bytes, name: str) -> NDArray[np.float64]:
        """Rotate back."""
        rotated = np.frombuffer(kept, dtype="<f2", count=size).astype(np.float64)
        vector = transform.recover(rotated, key=key, name=name)
        wipe(rotated)
        return vector


class BioHash:
    """Only the signs of keyed directions: less to steal, and less to compare with (biohash.py)."""

    mark = b"FSB1"

    def length(self, size: int) -> int:
        """Return the same for every size."""
        return biohash.BITS // 8 if size else 0

    def write(self, vector: NDArray[np.float32], *, key: bytes, name: str) -> bytes:
        """Return the signs."""
        return biohash.protect(vector, key=key, name=name).tobytes()

    def read(self, kept: bytes, *, size: int, key: bytes, name: str) -> NDArray[np.float64]:
        """Return the direction that the signs point to."""
        return biohash.recover(np.frombuffer(kept, dtype=np.uint8), key=key, name=name, size=size)


SCHEMES: Final[Mapping[int, Scheme]] = {transform.VERSION: Rotation(), biohash.VERSION: BioHash()}
NAMES: Final[Mapping[str, int]] = {"rotation": transform.VERSION, "biohash": biohash.VERSION}
"""What settings call them."""
