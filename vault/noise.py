"""Gaussian noise on a vector before it is sealed, and what it is worth in differential privacy.

The analytic Gaussian mechanism (Balle and Wang, 2018): noise of standard deviation sigma on each coordinate hides which
of two vectors at most SENSITIVITY apart went in, up to (epsilon, DELTA). Unit vectors are at most 2 apart. Bringing the
noisy vector back to length 1 is processing afterwards and costs nothing. Two vectors of one face cost epsilon twice.

What it does not give at any sigma that leaves verification usable: a guarantee. There epsilon is in the hundreds, which
bounds nothing (docs/protection.md has the table). It is hardening: what is read from an opened reference is blurred.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DELTA: Final = 1e-5
SENSITIVITY: Final = 2.0
_ASYMPTOTIC: Final = 25.0  # beyond it exp(x^2) nears the end of doubles; three terms are exact to 1e-8 there
_HALVINGS: Final = 200


def blurred(vector: NDArray[np.float32], *, sigma: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the vector with noise, of length 1 again."""
    noisy = vector.astype(np.float64) + rng.normal(scale=sigma, size=vector.shape)
    unit: NDArray[np.float32] = (noisy / np.linalg.norm(noisy)).astype(np.float32)
    return unit


def epsilon_of(sigma: float) -> float:
    """Return the smallest epsilon that noise of this sigma gives at DELTA."""
    if not sigma > 0:
        raise ValueError("sigma must be above 0")
    low, high = 0.0, 1.0
    while _delta(high, sigma) > DELTA:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _delta(middle, sigma) > DELTA else (low, middle)
    return high


def sigma_for(epsilon: float) -> float:
    """Return the smallest sigma that gives this epsilon at DELTA."""
    if not epsilon > 0:
        raise ValueError("epsilon must be above 0")
    low, high = 0.0, 1.0
    while _delta(epsilon, high) > DELTA:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if middle == 0 or _delta(epsilon, middle) > DELTA else (low, middle)
    return high


def _delta(epsilon: float, sigma: float) -> float:
    """Return the delta of the mechanism (theorem 8): Phi(-b) - e^epsilon Phi(-a), without overflow.

    With a = s + epsilon / 2s and b = epsilon / 2s - s, where s = SENSITIVITY / 2 sigma, a^2 - b^2 = 2 epsilon.
    """
    half = SENSITIVITY / (2 * sigma)
    a, b = epsilon / (2 * half) + half, epsilon / (2 * half) - half
    return 0.5 * math.erfc(b / math.sqrt(2)) - 0.5 * _erfcx(a / math.sqrt(2)) * math.exp(-b * b / 2)


def _erfcx(x: float) -> float:
    """Return exp(x^2) erfc(x) for x >= 0."""
    if x < _ASYMPTOTIC:
        return math.exp(x * x) * math.erfc(x)
    inverse = 1 / (2 * x * x)
    return (1 - inverse + 3 * inverse * inverse) / (x * math.sqrt(math.pi))
