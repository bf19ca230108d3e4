"""References of many pictures, kept and opened by the code that seals them; only the encryption around it is left out.

Encryption is exact and would hide everything these measurements ask about: what has a thief who got through it?
Keys are drawn from a seed, one a record as in the service, so that the figures can be made again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vault import biohash
from vault.noise import blurred
from vault.schemes import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometric.evaluation.corpus import Corpus
    from biometric.types import Floats

    Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Issuer:
    """One deployment's or issuer's keys: a key for each record."""

    name: str
    one_key_for_all: bool = False

    def key(self, record: int) -> bytes:
        """Return the transform key of a record; `one_key_for_all` is the mistake that the attacks are checked on."""
        identity = f"{self.name}/{0 if self.one_key_for_all else record}"
        return hashlib.sha256(b"facestep measured key/" + identity.encode()).digest()


def kept(rows: Floats, *, model: str, version: int, issuer: Issuer, report: Report = lambda *_: None) -> Floats:
    """Return the numbers that a thief finds in the opened seal: (n, d) half floats, or (n, BITS) signs of -1 and 1."""
    scheme, found = SCHEMES[version], []
    for record, row in enumerate(rows):
        found.append(_numbers(scheme.write(row, key=issuer.key(record), name=model), version=version))
        report(record + 1, len(rows))
    return np.array(found, np.float32)


def opened(corpus: Corpus, *, version: int, issuer: Issuer, report: Report = lambda *_: None) -> Corpus:
    """Return the corpus as the service compares with it after sealing and opening."""
    scheme = SCHEMES[version]

    def through(row: Floats, record: int, model: str) -> Floats:
        key = issuer.key(record)
        unit = scheme.read(scheme.write(row, key=key, name=model), size=row.size, key=key, name=model)
        return (unit / np.linalg.norm(unit)).astype(np.float32)

    facenet, sface = [], []
    for record, (first, second) in enumerate(zip(corpus.facenet, corpus.sface, strict=True)):
        facenet.append(through(first, record, "facenet"))
        sface.append(through(second, record, "sface"))
        report(record + 1, len(corpus.person))
    return replace(corpus, facenet=np.array(facenet), sface=np.array(sface))


def noisy(corpus: Corpus, *, sigma: float, seed: int) -> Corpus:
    """Return the corpus with noise on every vector, as `reference_noise` adds it."""
    rng = np.random.default_rng(seed)
    return replace(
        corpus,
        facenet=np.array([blurred(row, sigma=sigma, rng=rng) for row in corpus.facenet]),
        sface=np.array([blurred(row, sigma=sigma, rng=rng) for row in corpus.sface]),
    )


def _numbers(written: bytes, *, version: int) -> Floats:
    if version == biohash.VERSION:
        return (2.0 * np.unpackbits(np.frombuffer(written, dtype=np.uint8)) - 1.0).astype(np.float32)
    return np.frombuffer(written, dtype="<f2").astype(np.float32)
