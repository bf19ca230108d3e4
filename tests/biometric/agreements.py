"""An invented detector for tests: a real map for invented faces, and a head whose weights are written by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from biometric.agreement import FEATURES, Agreement, Look
from biometric.calibration import BOUND_MODELS, FRAMING, Calibration, ModelCalibration
from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings

MODELS = dict.fromkeys(BOUND_MODELS, "d")
_MIX = np.linalg.qr(np.random.default_rng(0).standard_normal((512, 128)))[0].astype(np.float32)


def unit(vector):
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def calibration(**other):
    part = ModelCalibration(mean=0.0, deviation=0.1, floor=0.3, weight=0.5)
    return Calibration("", FRAMING, MODELS | other, part, part, fused_threshold=4.0, evidence={})


def detector(*, threshold=1.0, **weights):
    """A head that adds up named features, each times its weight; pairing and drop by default."""
    weights = weights or {"pairing": -4.0, "drop": 1.0}
    hidden = np.zeros((len(FEATURES) + 1, 2), np.float32)
    for name, weight in weights.items():
        hidden[FEATURES.index(name), 0] = weight / 100  # tanh is straight that close to zero
    made = Agreement(
        id="",
        framing=FRAMING,
        models=dict(MODELS),
        facenet_mean=np.zeros(512, np.float32),
        sface_mean=np.zeros(128, np.float32),
        map=_MIX.astype(np.float16).astype(np.float32),
        moments=dict.fromkeys(("facenet", "sface", "promised", "recalled"), (0.0, 0.1)),
        scale=np.stack([np.zeros(len(FEATURES)), np.ones(len(FEATURES))]).astype(np.float32),
        hidden=hidden,
        output=np.array([100, 0, 0], np.float32),
        threshold=threshold,
        evidence={"facenet_fmr_1e-4": 0.5},
    )
    return replace(made, id=made.digest())


def face(seed, *, sface_of=None):
    """An invented face on which both models agree, or whose SFace vector is that of another."""
    facenet = unit(_MIX @ np.random.default_rng(seed).standard_normal(128))
    other = facenet if sface_of is None else face(sface_of).facenet.vector
    return FaceEmbeddings(Embedding(facenet, FACENET), Embedding(unit(other @ _MIX), SFACE))


def look(plain, *, loss=0.0, seed=9):
    """A frame whose second look has lost `loss` of its direction."""
    noise = unit(np.random.default_rng(seed).standard_normal(512))
    return Look(plain, Embedding(unit((1 - loss) * plain.facenet.vector + loss * noise), FACENET))
