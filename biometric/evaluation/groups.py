"""False matches and false non-matches by group of people, at one fixed threshold for everybody.

Rules:
 * The list is a CSV whose first column is the folder's name; every other column is a trait. A column of whole numbers
   called age (or ending in _age) is put into the bands of AGES; empty, NA and unknown people belong to no group.
 * Within: both people are of the group. Across: one of the two is. Nobody is compared at a threshold of their own.
 * Each figure says how many people and pairs it rests on, with a 95 % interval (rates.py): few people tell little.

Not here: the threshold (calibration.py).
"""

from __future__ import annotations

import csv
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.evaluation.corpus import CorpusUnusable
from biometric.evaluation.pairs import count_pairs, score_pairs
from biometric.evaluation.rates import DRAWS, TAIL_PROBABILITY, Estimate, Weighted, estimates, widened

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from biometric.evaluation.corpus import Corpus
    from biometric.evaluation.pairs import PairScores, Scorer

AGES: Final = ((0, 24, "under 25"), (25, 34, "25 to 34"), (35, 200, "35 and over"))
UNKNOWN: Final = frozenset({"", "na", "n/a", "unknown"})
LOOSE_FMR: Final = 1e-2  # where even few people make some false matches, so that groups can be told apart

Traits = dict[str, dict[str, str]]
"""trait -> folder's name -> group"""


def read_groups(path: Path) -> Traits:
    """Return the groups in a CSV file.

    Raises:
        CorpusUnusable: it cannot be read, or has no trait.
    """
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.reader(handle))
    except (OSError, ValueError, csv.Error) as exc:
        raise CorpusUnusable(f"{path} cannot be read: {exc}") from exc
    if not rows or len(rows[0]) < 2:  # noqa: PLR2004  (a name and a trait)
        raise CorpusUnusable(f"{path} needs a header: the folder's name, then traits")
    wrong = [number for number, row in enumerate(rows, start=1) if row and len(row) != len(rows[0])]
    if wrong:
        raise CorpusUnusable(f"{path} line {wrong[0]} has another number of columns than its header")
    header = [name.strip() for name in rows[0]]
    traits: Traits = {}
    for column, trait in enumerate(header[1:], start=1):
        told = {row[0].strip(): _group(trait, row[column].strip()) for row in rows[1:] if row}
        traits[trait] = {person: group for person, group in told.items() if group}
    return traits


def _group(trait: str, value: str) -> str:
    if value.lower() in UNKNOWN:
        return ""
    if trait == "age" or trait.endswith("_age"):
        if not value.isdigit():
            raise CorpusUnusable(f"{trait} {value!r} is no whole number")
        return next(name for low, high, name in AGES if low <= min(int(value), AGES[-1][1]) <= high)
    return value


def group_report(
    corpus: Corpus, traits: Traits, decision: Scorer, score: Scorer, *, seed: int = 1
) -> dict[str, dict[str, Any]]:
    """Return per trait and group: people, pairs, FMR within and across, FNMR, and FMR at the loose threshold.

    Args:
        corpus: vectors as they are compared.
        traits: of read_groups.
        decision: 0 or more where the shipped decision is a match (recognition.decision_scorer).
        score: the fused score; the loose threshold is where all people together have FMR LOOSE_FMR.
        seed: of the bootstrap.

    Raises:
        CorpusUnusable: nobody in the corpus is in the list.
    """
    rng = np.random.default_rng(seed)
    decided = score_pairs(corpus, decision, rng=rng)
    fused = score_pairs(corpus, score, rng=rng)
    loose = Weighted.under(fused, None).threshold(LOOSE_FMR)
    report: dict[str, dict[str, Any]] = {}
    for trait, group_of in traits.items():
        present = sorted({group_of[name] for name in corpus.people if name in group_of}, key=_order)
        for group in present:
            member = np.array([group_of.get(name) == group for name in corpus.people])
            part = corpus.part(lambda name, group=group, group_of=group_of: group_of.get(name) == group)  # type: ignore[misc]
            report.setdefault(trait, {})[group] = (
                _counts(part)
                | _within(part, decision, rng=rng)
                | {
                    "fmr_across": asdict(_false_matches(decided, 0.0, member, within=False, rng=rng)),
                    "fmr_loose": asdict(_false_matches(fused, loose, member, within=True, rng=rng)),
                }
            )
    if not report:
        raise CorpusUnusable("nobody in these pictures is in the list of groups; its first column is the folder's name")
    return report


def _order(group: str) -> tuple[int, str]:
    """Ages from young to old, everything else by name."""
    bands = [name for _, _, name in AGES]
    return (bands.index(group) if group in bands else len(bands), group)


def _counts(part: Corpus) -> dict[str, int]:
    genuine, impostor = count_pairs(part)
    return {"people": len(part.people), "genuine_pairs": genuine, "impostor_pairs": impostor}


def _within(part: Corpus, decision: Scorer, *, rng: np.random.Generator) -> dict[str, Any]:
    genuine, impostor = count_pairs(part)
    people, twice = len(part.people), int((np.bincount(part.person) > 1).sum())
    scores = score_pairs(part, decision, rng=rng)
    unknown = Estimate(0.0, 0.0, 1.0)
    found = {"fmr": unknown, "fnmr": unknown}
    if impostor:
        wished = {"fmr": lambda drawn: drawn.fmr(0.0), "fnmr": lambda drawn: drawn.fnmr(0.0)}
        found |= estimates(scores, wished, rng=rng)
    return {
        "fmr_within": asdict(widened(found["fmr"], trials=people * (people - 1) // 2)) if impostor else None,
        "fnmr": asdict(widened(found["fnmr"], trials=twice)) if genuine and impostor else None,
    }


def _false_matches(
    scores: PairScores, threshold: float, member: NDArray[np.bool_], *, within: bool, rng: np.random.Generator
) -> Estimate:
    """Return the FMR of pairs with both people in the group, or with exactly one."""
    left, right = member[scores.left], member[scores.right]
    matched = (scores.impostor >= threshold) & ((left & right) if within else (left ^ right))
    at = scores.left[matched], scores.right[matched], scores.weight[matched]

    def rate(drawn: NDArray[np.float64]) -> float:
        rows = drawn * scores.pictures_of
        inside, outside = rows[member], rows[~member]
        pairs = (inside.sum() ** 2 - (inside**2).sum()) / 2 if within else inside.sum() * outside.sum()
        return float((at[2] * drawn[at[0]] * drawn[at[1]]).sum() / pairs) if pairs > 0 else 0.0

    people = len(member)
    draws = [
        rate(np.bincount(rng.integers(people, size=people), minlength=people).astype(np.float64)) for _ in range(DRAWS)
    ]
    value = rate(np.ones(people))
    low, high = np.quantile(draws, [TAIL_PROBABILITY, 1 - TAIL_PROBABILITY])
    inside_people = int(member.sum())
    trials = inside_people * (inside_people - 1) // 2 if within else inside_people * (people - inside_people)
    return widened(Estimate(value, min(float(low), value), max(float(high), value)), trials=trials)
