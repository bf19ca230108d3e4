"""The figures of an adversarial evaluation: shares with their intervals, per attack and for genuine people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from biometric.evaluation.adversarial_logins import Login

    Yes = Mapping[str, NDArray[np.bool_]]

_Z95: Final = 1.96


def attack_row(
    logins: Sequence[Login | None], said: Yes, alarms: Mapping[str, NDArray[np.float64]], limits: Mapping[str, float]
) -> dict[str, Any]:
    """Return the shares of one attack.

    Args:
        logins: what the service saw of each attacked picture; None where it saw no face.
        said: who accepted each of them.
        alarms: per detector, how suspicious it found each one that was seen.
        limits: per detector, its threshold at 1 % false alarm.
    """
    there = [login for login in logins if login is not None]
    seen = np.array([login is not None for login in logins], bool)
    matching = said["decision"][seen]
    return {
        "accepted_by": {name: share(int(yes.sum()), len(logins)) for name, yes in said.items()},
        "no_face_any_more": len(logins) - len(there),
        "similarity": _similarities(there),
        "caught_at_1_percent": {
            name: {
                "of_all": share(int((values > limits[name]).sum()), len(there)),
                "of_those_the_decision_accepts": share(
                    int((matching & (values > limits[name])).sum()), int(matching.sum())
                ),
            }
            for name, values in alarms.items()
        },
    }


def genuine_row(said: Yes, alarms: Mapping[str, Sequence[bool]]) -> dict[str, Any]:
    """Return what each defence costs people who are who they say; `alarms` are the shipped detector's, by kind."""
    total = len(said["decision"])
    return {
        "logins": total,
        "accepted_by": {name: share(int(yes.sum()), total) for name, yes in said.items()},
        "false_alarms_as_shipped": {kind: share(sum(values), len(values)) for kind, values in alarms.items()},
    }


def _similarities(logins: Sequence[Login]) -> dict[str, float]:
    """Return the median cosine to the victim, per model."""
    pairs = [
        (
            float(login.looks[0].plain.facenet.vector @ login.reference.facenet.vector),
            float(login.looks[0].plain.sface.vector @ login.reference.sface.vector),
        )
        for login in logins
    ]
    facenet, sface = np.median(np.array(pairs).reshape(-1, 2), axis=0) if pairs else (0.0, 0.0)
    return {"facenet": round(float(facenet), 3), "sface": round(float(sface), 3)}


def share(count: int, of: int) -> dict[str, float]:
    """Return a share with Wilson's 95 % interval."""
    if not of:
        return {"count": 0, "of": 0, "value": 0.0, "low": 0.0, "high": 1.0}
    value = count / of
    spread = _Z95**2 / of
    middle = (value + spread / 2) / (1 + spread)
    half = _Z95 * float(np.sqrt(value * (1 - value) / of + spread / (4 * of))) / (1 + spread)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return {"count": count, "of": of, "value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}
