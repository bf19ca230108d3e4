"""Three parties on one table: keys, made-up faces, a matcher's context, and a judge whose clock is the test's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings
from plugin.audit.log import AuditLog
from plugin.encrypted.judge import Judge
from plugin.encrypted.matcher import encrypt_face
from tests.plugin.factors.scripted import calibration
from vault.he import KeyPair, PublicContext, SecretContext, make_keys

if TYPE_CHECKING:
    from plugin.encrypted.matcher import EncryptedFace
    from plugin.store.database import Database

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CALLER = "matcher-a"


@cache
def keys() -> KeyPair:
    return make_keys()


def face(person: int, picture: int = 0, *, alike: float = 0.8) -> FaceEmbeddings:
    """A made-up face: two pictures of one person are about `alike` alike (simulated)."""

    def unit(size: int) -> Any:
        own = np.random.default_rng(person).normal(size=size) / np.sqrt(size)
        blur = np.random.default_rng(1000 * person + picture + 1).normal(size=size) / np.sqrt(size)
        vector = np.sqrt(alike) * own + np.sqrt(1 - alike) * blur
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    return FaceEmbeddings(Embedding(unit(512), FACENET), Embedding(unit(128), SFACE))


@dataclass
class Parties:
    """The key service's judge, and what everybody else holds."""

    database: Database
    budget: int = 100_000

    def __post_init__(self) -> None:
        self.now = START
        self.public = PublicContext(keys().public)
        self.audit = AuditLog(self.database)
        self.judge = Judge(
            secret=SecretContext(keys().secret),
            calibration=calibration(),
            database=self.database,
            audit=self.audit,
            budget=self.budget,
        )

    def encrypted(self, seen: FaceEmbeddings) -> EncryptedFace:
        return encrypt_face(seen, context=self.public, calibration=calibration())

    def asks(self, one: EncryptedFace, other: EncryptedFace, *, record: str = "alice", **changes: Any) -> bool:
        """Do as the matcher does, without HTTP."""
        scores = {} if "sface" in changes and "facenet" in changes else self.scores(one, other)
        told = {"caller": CALLER, "record": record, "calibration": one.calibration, "now": self.now}
        return self.judge.decide(**(told | scores | changes))

    def scores(self, one: EncryptedFace, other: EncryptedFace) -> dict[str, Any]:
        return {name: self.public.score(getattr(one, name), getattr(other, name)) for name in ("facenet", "sface")}

    def passes(self, **how: float) -> None:
        self.now += timedelta(**how)
