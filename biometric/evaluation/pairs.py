"""All pairs of a corpus, without holding them all: 7,000 pictures make 24 million.

Rules:
 * Genuine pairs are kept one by one. Of the impostor pairs the highest are kept one by one, since error rates of 1e-3
   and below are made of them, and of the rest a uniform sample, each counting for many.
 * Each kept pair knows its two people, because uncertainty comes from people and not from pairs (rates.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.types import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.evaluation.corpus import Corpus

Scorer = Callable[[Floats, Floats], Floats]
"""similarity blocks of FaceNet and SFace to scores"""

CHUNK_ROWS: Final = 256
EXACT_TAIL: Final = 200_000  # at 24 million pairs, the 0.8 % highest: eight times what FMR 1e-3 needs
BODY_SAMPLE: Final = 200_000
CUT_ROWS: Final = 1_500  # a million pairs tell where the highest 0.8 % begin


@dataclass(frozen=True, slots=True, repr=False)
class PairScores:
    """One kind of score over all pairs.

    Attributes:
        genuine: scores of pairs of the same person, lowest first; genuine_person tells whose.
        impostor: kept scores of pairs of two people, highest first; left and right tell whose, weight how many pairs
            one stands for.
        missed: how many genuine scores lie below each kept impostor score.
        impostor_pairs: how many impostor pairs there are.
        pictures_of: rows per person.
    """

    genuine: Floats
    genuine_person: NDArray[np.int32]
    impostor: Floats
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    weight: Floats
    missed: NDArray[np.int64]
    impostor_pairs: int
    pictures_of: NDArray[np.int64]


def count_pairs(corpus: Corpus) -> tuple[int, int]:
    """Return the number of genuine and of impostor pairs."""
    rows = np.bincount(corpus.person, minlength=len(corpus.people)).astype(np.int64)
    genuine = int((rows * (rows - 1) // 2).sum())
    total = int(rows.sum())
    return genuine, total * (total - 1) // 2 - genuine


def score_pairs(corpus: Corpus, scorer: Scorer, *, rng: np.random.Generator) -> PairScores:
    """Return one kind of score over all pairs of `corpus`."""
    pairs = count_pairs(corpus)[1]
    cut = _tail_cut(corpus, scorer, pairs, rng=rng)
    rate = min(1.0, BODY_SAMPLE / max(pairs, 1))
    genuine, owners, kept = [], [], []
    for scores, left, right in _blocks(corpus, scorer):
        same = left == right
        genuine.append(scores[same])
        owners.append(left[same])
        tail = ~same & (scores >= cut)
        body = ~same & ~tail & (rng.random(len(scores)) < rate)
        keep = tail | body
        weight = np.where(tail[keep], 1.0, 1.0 / rate).astype(np.float32)
        kept.append((scores[keep], left[keep], right[keep], weight))
    impostor, first, second, weight = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    order = np.argsort(impostor)[::-1]
    own, owner = np.concatenate(genuine), np.concatenate(owners)
    rising = np.argsort(own)
    return PairScores(
        genuine=own[rising],
        genuine_person=owner[rising],
        impostor=impostor[order],
        left=first[order],
        right=second[order],
        weight=weight[order],
        missed=np.searchsorted(own[rising], impostor[order], side="left"),
        impostor_pairs=pairs,
        pictures_of=np.bincount(corpus.person, minlength=len(corpus.people)).astype(np.int64),
    )


def impostor_moments(corpus: Corpus, scorer: Scorer) -> tuple[float, float]:
    """Return mean and deviation of the impostor scores."""
    count, total, squares = 0, 0.0, 0.0
    for scores, left, right in _blocks(corpus, scorer):
        values = scores[left != right].astype(np.float64)
        count += len(values)
        total += float(values.sum())
        squares += float((values**2).sum())
    mean = total / count
    return mean, float(np.sqrt(max(squares / count - mean**2, 0.0)))


def _blocks(corpus: Corpus, scorer: Scorer) -> Iterator[tuple[Floats, NDArray[np.int32], NDArray[np.int32]]]:
    """Yield scores and both people, each unordered pair of rows once."""
    rows = len(corpus.person)
    for start in range(0, rows, CHUNK_ROWS):
        stop = min(start + CHUNK_ROWS, rows)
        block = scorer(
            corpus.facenet[start:stop] @ corpus.facenet[start:].T, corpus.sface[start:stop] @ corpus.sface[start:].T
        )
        above = np.arange(rows - start)[None, :] > np.arange(stop - start)[:, None]
        i, j = np.nonzero(above)
        yield block[i, j].astype(np.float32), corpus.person[start + i], corpus.person[start + j]


def _tail_cut(corpus: Corpus, scorer: Scorer, pairs: int, *, rng: np.random.Generator) -> float:
    """Return a score above which about EXACT_TAIL impostor pairs lie; -inf keeps all."""
    if pairs <= EXACT_TAIL:
        return -np.inf
    rows = np.sort(rng.choice(len(corpus.person), size=min(len(corpus.person), CUT_ROWS), replace=False))
    sample = replace(corpus, person=corpus.person[rows], facenet=corpus.facenet[rows], sface=corpus.sface[rows])
    seen = np.concatenate([scores[left != right] for scores, left, right in _blocks(sample, scorer)])
    return float(np.quantile(seen, 1 - EXACT_TAIL / pairs))
