"""Error rates of presentation attack detection (ISO/IEC 30107-3) for nets that give each picture P(spoof).

Rules:
 * APCER: share of an attack species that is called live (below the threshold). Per species; the worst counts, and no
   mean over species is made. BPCER: share of live presentations called an attack.
 * Intervals: 95 %, bootstrap over people, since pictures of one person err together. Where nothing was observed, the
   upper end is the binomial's with as many trials as there are people.
 * A figure whose pictures were made by a model is marked simulated.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from biometric.evaluation.rates import DRAWS, TAIL_PROBABILITY, Estimate, widened
from biometric.liveness.cues.texture import LEAST_LOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometric.types import Floats


@dataclass(frozen=True, slots=True)
class Species:
    """What was shown: a live group or an attack species.

    Attributes:
        name: for the report.
        attack: whether calling it live is the error.
        simulated: whether its pictures were made by a model.
        counterpart: the live group of the same origin; empty for a live group or where there is none.
    """

    name: str
    attack: bool
    simulated: bool = False
    counterpart: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """All presentations of one species: P(spoof) and whose face it was, row by row."""

    species: Species
    scores: Floats
    people: tuple[str, ...]


def error_rate(shown: Shown, threshold: float, *, rng: np.random.Generator) -> Estimate:
    """Return APCER of an attack, BPCER of a live group, at a threshold: at or above it is called a spoof."""
    spoof = shown.scores >= threshold
    wrong = (~spoof if shown.species.attack else spoof).astype(np.float64)
    names = sorted(set(shown.people))
    position = {name: number for number, name in enumerate(names)}
    person = np.array([position[name] for name in shown.people])
    errors, trials = (np.bincount(person, weights=w, minlength=len(names)) for w in (wrong, np.ones(len(wrong))))
    drawn = rng.integers(len(names), size=(DRAWS, len(names)))
    rates = errors[drawn].sum(axis=1) / trials[drawn].sum(axis=1)
    value = float(wrong.mean())
    low, high = np.quantile(rates, [TAIL_PROBABILITY, 1 - TAIL_PROBABILITY])
    return widened(Estimate(value, min(float(low), value), max(float(high), value)), trials=len(names))


def threshold_at_bpcer(live: Sequence[Floats], bpcer: float) -> float:
    """Return the least threshold at which none of the live groups has a higher BPCER."""
    each = [float(np.nextafter(np.quantile(s, 1 - bpcer, method="higher"), np.float64(2))) for s in live]
    return max(_lowest(s, candidate, bpcer) for s, candidate in zip(live, each, strict=True))


def _lowest(scores: Floats, candidate: float, bpcer: float) -> float:
    """Return the lowest of the scores' own thresholds that keeps the rate, else the candidate just above."""
    levels = np.unique(scores.astype(np.float64))
    fits = [level for level in levels if (scores >= level).mean() <= bpcer]
    return float(min(fits)) if fits else candidate


def _by_median(shown: Shown, deny_at: float) -> dict[str, int]:
    """Return what the cue would do: of the people with LEAST_LOOKS pictures, how many have a median that denies."""
    looks: dict[str, list[float]] = {}
    for person, score in zip(shown.people, shown.scores.tolist(), strict=True):
        looks.setdefault(person, []).append(score)
    medians = [float(np.median(found)) for found in looks.values() if len(found) >= LEAST_LOOKS]
    return {"people_with_looks": len(medians), "people_denied": sum(median >= deny_at for median in medians)}


def rates_report(shown: Sequence[Shown], *, deny_at: float, bpcer: float, seed: int) -> dict[str, Any]:
    """Return the figures of one net on all species."""
    rng = np.random.default_rng(seed)
    live = {one.species.name: one for one in shown if not one.species.attack}
    overall = threshold_at_bpcer([one.scores for one in live.values()], bpcer) if live else deny_at
    rows = []
    for one in shown:
        row: dict[str, Any] = {
            "species": one.species.name,
            "rate": "APCER" if one.species.attack else "BPCER",
            "simulated": one.species.simulated,
            "presentations": len(one.scores),
            "people": len(set(one.people)),
            "median_score": float(np.median(one.scores)),
            "at_deny_threshold": asdict(error_rate(one, deny_at, rng=rng)),
            "at_half": asdict(error_rate(one, 0.5, rng=rng)),
            **_by_median(one, deny_at),
        }
        if one.species.attack:
            row[f"at_bpcer_{bpcer:g}_of_all"] = asdict(error_rate(one, overall, rng=rng))
            if one.species.counterpart in live:
                own = threshold_at_bpcer([live[one.species.counterpart].scores], bpcer)
                row[f"at_bpcer_{bpcer:g}_of_counterpart"] = asdict(error_rate(one, own, rng=rng))
        rows.append(row)
    attacks = [row for row in rows if row["rate"] == "APCER"]
    worst = max(attacks, key=lambda row: row["at_deny_threshold"]["value"], default=None)
    return {
        "deny_at": deny_at,
        "threshold_at_bpcer_of_all": overall,
        "worst_species": worst["species"] if worst else None,
        "species": rows,
    }
