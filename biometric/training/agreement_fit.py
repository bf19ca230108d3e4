"""The arithmetic of the disagreement detector's training: map, moments, head. No pictures here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.agreement import LIMIT, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Floats

    Doubles = NDArray[np.float64]

RIDGE: Final = 3.0  # unit vectors, about 1,000 rows: flat from 0.1 to 10 on people not fitted (docs/adversarial.md)
UNITS: Final = 8
ROUNDS: Final = 3000
RATE: Final = 0.01
DECAY: Final = 2e-2  # of 1e-3 to 4e-2, best on attacked pairs left out of the fit (docs/adversarial.md)
_ADAM: Final = (0.9, 0.999, 1e-8)


def fit_map(rows: Rows, *, ridge: float = RIDGE) -> dict[str, Any]:
    """Return facenet_mean, sface_mean and map, rounded as they are kept (float16 for the map)."""
    facenet_mean, sface_mean = rows.facenet.mean(axis=0), rows.sface.mean(axis=0)
    left, right = (rows.facenet - facenet_mean).astype(np.float64), (rows.sface - sface_mean).astype(np.float64)
    found = np.linalg.solve(left.T @ left + ridge * np.eye(left.shape[1]), left.T @ right)
    return {
        "facenet_mean": facenet_mean.astype(np.float32),
        "sface_mean": sface_mean.astype(np.float32),
        "map": found.astype(np.float16).astype(np.float32),
    }


def moments(left: Floats, right: Floats, people: NDArray[np.int64]) -> tuple[float, float]:
    """Return mean and deviation of the cosines of rows of different people."""
    others = people[:, None] != people[None, :]
    values = (left @ right.T)[others].astype(np.float64)
    return float(values.mean()), float(values.std())


def fit_head(genuine: Doubles, attacks: Doubles, *, seed: int) -> dict[str, Any]:
    """Return scale, hidden and output of a head that tells attacks from genuine logins (rows of FEATURES).

    Both kinds weigh the same in all; logistic loss, weight decay, Adam over the whole set.
    """
    rng = np.random.default_rng(seed)
    deviation = np.maximum(genuine.std(axis=0), 1e-6)
    scale = np.stack([genuine.mean(axis=0), deviation]).astype(np.float32)
    rows = np.clip((np.concatenate([genuine, attacks]) - scale[0]) / scale[1], -LIMIT, LIMIT)
    truth = np.concatenate([np.zeros(len(genuine)), np.ones(len(attacks))])
    weight = np.where(truth == 1, 0.5 / max(len(attacks), 1), 0.5 / len(genuine))
    features = rows.shape[1]
    hidden = rng.normal(0, 1 / np.sqrt(features), (features + 1, UNITS))
    output = rng.normal(0, 1 / np.sqrt(UNITS), UNITS + 1)
    memory = [np.zeros_like(part) for part in (hidden, output, hidden, output)]
    for turn in range(1, ROUNDS + 1):
        units = np.tanh(rows @ hidden[:-1] + hidden[-1])
        wrong = (1 / (1 + np.exp(-np.clip(units @ output[:-1] + output[-1], -60, 60))) - truth) * weight
        back = np.outer(wrong, output[:-1]) * (1 - units**2)
        slopes = (
            np.vstack([rows.T @ back, back.sum(axis=0)]) + DECAY * hidden,
            np.append(units.T @ wrong, wrong.sum()) + DECAY * output,
        )
        for place, (part, slope) in enumerate(zip((hidden, output), slopes, strict=True)):
            _adam(part, slope, memory[place], memory[place + 2], turn)
    return {"scale": scale, "hidden": hidden.astype(np.float32), "output": output.astype(np.float32)}


def _adam(part: Any, slope: Any, first: Any, second: Any, turn: int) -> None:
    """Move `part` against `slope`, in place (Kingma and Ba, arXiv 1412.6980)."""
    slow, slower, tiny = _ADAM
    first += (1 - slow) * (slope - first)
    second += (1 - slower) * (slope**2 - second)
    part -= RATE * (first / (1 - slow**turn)) / (np.sqrt(second / (1 - slower**turn)) + tiny)
