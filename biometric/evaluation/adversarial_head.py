"""The disagreement head as TensorFlow operations, for the attacker who knows it.

The same sums as Agreement.measure and agreement.head, for N logins of one frame each; a test holds them together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from biometric.agreement import FEATURES, LIMIT

if TYPE_CHECKING:
    from biometric.agreement import Agreement

Tensor = Any


def head_log_odds(agreement: Agreement, look: tuple[Tensor, Tensor, Tensor], victim: tuple[Tensor, Tensor]) -> Tensor:
    """Return the log-odds (N) of looks against victims.

    Args:
        agreement: the detector.
        look: FaceNet's vectors (Nx512), SFace's (Nx128), FaceNet's of the second look (Nx512).
        victim: FaceNet's and SFace's vectors of the victims.
    """
    (facenet, sface, again), (facenet_victim, sface_victim) = look, victim

    def z(kind: str, left: Tensor, right: Tensor) -> Tensor:
        mean, deviation = agreement.moments[kind]
        return (_dot(left, right) - mean) / deviation

    promised, promised_again, known_promise = (
        _unit((vectors - agreement.facenet_mean) @ agreement.map) for vectors in (facenet, again, facenet_victim)
    )
    centred, known = (_unit(vectors - agreement.sface_mean) for vectors in (sface, sface_victim))
    like, to_known, pairing = (
        z("facenet", facenet, facenet_victim),
        z("promised", promised, known),
        _dot(promised, centred),
    )
    drop = like - z("facenet", again, facenet_victim)
    values = {
        "facenet": like,
        "sface": z("sface", sface, sface_victim),
        "pairing": pairing - _dot(known_promise, known),
        "promised": to_known,
        "recalled": z("recalled", centred, known_promise),
        "drop": drop,
        "worst_drop": drop,
        "apart": 1 - _dot(facenet, again),
        "pairing_drop": pairing - _dot(promised_again, centred),
        "promised_drop": to_known - z("promised", promised_again, known),
    }
    features = tf.stack([values[name] for name in FEATURES], axis=1)
    standard = tf.clip_by_value((features - agreement.scale[0]) / agreement.scale[1], -LIMIT, LIMIT)
    units = tf.tanh(standard @ agreement.hidden[:-1] + agreement.hidden[-1])
    return tf.linalg.matvec(units, agreement.output[:-1]) + agreement.output[-1]


def _dot(left: Tensor, right: Tensor) -> Tensor:
    return tf.reduce_sum(left * right, axis=1)


def _unit(vectors: Tensor) -> Tensor:
    return tf.math.l2_normalize(vectors, axis=-1)
