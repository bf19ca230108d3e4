"""A BioHash: of a keyed transform of the vector only the signs are kept. Less can be read from it, at a price.

BITS bits of each vector, whatever its size: so many keyed transforms (transform.py) as give that many coordinates, and
of each coordinate its sign (Teoh, Goh and Ngo, 2006). Opened again it gives no vector that went in but the one of
length 1 that these signs point to; its cosine with the true one is about 0.88 for 512 coordinates and 0.97 for 128. So
a face is compared with less: docs/protection.md has the measured price, and what is won.

What it does not give: secrecy once the key is known. Whoever has the key does what `recover` does, and more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vault import transform

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION: Final = 2
"""Stored with each reference, beside transform.VERSION; a change of anything below needs a new number."""

BITS: Final = 1024


def protect(vector: NDArray[np.float32], *, key: bytes, name: str) -> NDArray[np.uint8]:
    """Return BITS / 8 bytes of signs. Raises ValueError for a size that BITS is no multiple of."""
    parts = [transform.protect(vector, key=key, name=part) for part in _parts(name, vector.size)]
    return np.packbits(np.concatenate(parts) >= 0)


def recover(signs: NDArray[np.uint8], *, key: bytes, name: str, size: int) -> NDArray[np.float64]:
    """Return the vector of length 1 and `size` coordinates that the signs point to."""
    if signs.size * 8 != BITS:
        raise ValueError(f"a hash has {BITS} bits, not {signs.size * 8}")
    halves = (2.0 * np.unpackbits(signs).astype(np.float64) - 1.0).reshape(-1, size)
    parts = zip(_parts(name, size), halves, strict=True)
    pointed = np.sum([transform.recover(half, key=key, name=part) for part, half in parts], axis=0)
    unit: NDArray[np.float64] = pointed / np.linalg.norm(pointed)
    return unit


def _parts(name: str, size: int) -> list[str]:
    """Return a name for each transform, so that no two are the same."""
    if not size or BITS % size:
        raise ValueError(f"{BITS} bits cannot be made of vectors of {size}")
    return [f"{name}/{part}" for part in range(BITS // size)]
