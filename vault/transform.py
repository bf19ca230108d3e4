"""A keyed orthonormal transform of a vector: lengths and angles stay, the coordinates mean nothing without the key.

Q = product of ROUNDS times (Hadamard, permutation, signs); the signs and permutations come from the key. It costs
0.1 ms for 512 coordinates, where drawing a random Q by QR costs some 20 ms (docs/adr/0002-vault-transit.md), and its
inverse is the same steps backwards. Each round mixes every coordinate into every other; three rounds are the count at
which such products are used in place of a random rotation (Yu et al., "Orthogonal Random Features", 2016), and tests
hold the images under two keys to the spread that random directions have.

What it gives: two references of one face are unlinkable, and a reference can be renewed. What it does not: it is no
encryption. 128 known pairs under one key reveal Q, which is why each reference has a key of its own and is sealed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION: Final = 1
"""Stored with each reference; a change of anything below needs a new number."""

_ROUNDS: Final = 3
_WORD_BYTES: Final = 8


def protect(vector: NDArray[np.float32], *, key: bytes, name: str) -> NDArray[np.float64]:
    """Return Q·vector. `name` separates several vectors under one key."""
    protected = vector.astype(np.float64)
    for signs, order in _rounds(key, name, vector.size):
        protected = _hadamard((protected * signs)[order])
    return protected


def recover(protected: NDArray[np.float64], *, key: bytes, name: str) -> NDArray[np.float64]:
    """Return the vector that `protect` was given."""
    vector = protected.astype(np.float64)
    for signs, order in reversed(_rounds(key, name, protected.size)):
        back = np.empty_like(vector)
        back[order] = _hadamard(vector)
        vector = back * signs
    return vector


def _rounds(key: bytes, name: str, size: int) -> list[tuple[NDArray[np.float64], NDArray[np.intp]]]:
    """Draw each round's signs and order from the key (SHAKE-256 as a keyed stream)."""
    if size < 1 or size & (size - 1):
        raise ValueError(f"the transform needs a power of two of coordinates, not {size}")
    label = name.encode("utf-8")
    header = b"facestep transform" + bytes([VERSION]) + len(label).to_bytes(2, "big") + label + size.to_bytes(4, "big")
    stream = hashlib.shake_256(key + header).digest(_ROUNDS * size * _WORD_BYTES)
    words = np.frombuffer(stream, dtype="<u8").reshape(_ROUNDS, size)
    # The highest 63 bits order the coordinates (a tie is as good as impossible, and stable); the lowest gives the sign.
    signs = 1.0 - 2.0 * (words & np.uint64(1)).astype(np.float64)
    orders = np.argsort(words >> np.uint64(1), axis=1, kind="stable")
    return list(zip(signs, orders, strict=True))


def _hadamard(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return H·vector with H orthonormal and its own inverse."""
    size = vector.size
    half = 1
    while half < size:
        pairs = vector.reshape(-1, 2, half)
        vector = np.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), axis=1).reshape(size)
        half *= 2
    return vector * np.float64(size) ** -0.5
