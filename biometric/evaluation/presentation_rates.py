"""Error rates of presentations in the terms of ISO/IEC 30107-3, each with its 95 % interval.

 * APCER: share of the presentations of one attack species that liveness accepts. The worst species counts, no mean.
 * BPCER: share of genuine presentations that liveness refuses.
 * IAPAR: share of the presentations of one attack species that the whole system lets in, identity included.
 * APNRR, BPNRR: share that never got past the opening; these count as refused in the rates above.
 * Intervals are those of Clopper and Pearson (1934), two-sided. They take presentations to be independent; those of one
   person are not quite.
 * Ablation: the same votes, decided once more without one cue. Two confirmations of different physics are still
   needed. A challenge that FAILED shows no later step, so what later cues would have said is not known there, and its
   end counts as the cue `challenge`.

Not here: the presentations (presentation.py), how figures are shown (plugin/commands/attacks_page.py).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from math import exp, lgamma, log
from typing import TYPE_CHECKING, Any, Final

from biometric.evaluation.presentation import GENUINE, Group, Outcome, cues_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CONFIDENCE: Final = 0.95
_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, as a rate with its interval; None where there was nothing."""

    count: int
    of: int
    rate: float | None
    low: float | None
    high: float | None


def share(count: int, of: int) -> Share:
    """Return a rate with its two-sided Clopper-Pearson interval."""
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of}")
    if of == 0:
        return Share(0, 0, None, None, None)
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if count == 0 else _solve(lambda p: 1 - _at_most(count - 1, of, p), tail)
    high = 1.0 if count == of else _solve(lambda p: 1 - _at_most(count, of, p), 1 - tail)
    return Share(count, of, count / of, low, high)


def _solve(rising: Callable[[float], float], goal: float) -> float:
    """Return where a function that rises on 0 to 1 reaches `goal`."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < goal else (low, middle)
    return (low + high) / 2


def _at_most(count: int, of: int, chance: float) -> float:
    """Return the probability of at most `count` of `of`, each with `chance` strictly between 0 and 1."""
    ways = (lgamma(of + 1) - lgamma(k + 1) - lgamma(of - k + 1) for k in range(count + 1))
    return sum(exp(way + k * log(chance) + (of - k) * log(1 - chance)) for k, way in enumerate(ways))


def rates(outcomes: Sequence[Outcome], groups: Mapping[str, Group]) -> dict[str, Any]:
    """Return all figures of a run as plain values."""
    species = sorted({outcome.species for outcome in outcomes} - {GENUINE}, key=list(groups).index)
    attacks = {name: _attack([o for o in outcomes if o.species == name], groups[name]) for name in species}
    return {
        "simulated": any(outcome.simulated for outcome in outcomes),
        "confidence": CONFIDENCE,
        "attacks": attacks,
        "worst": _worst(attacks),
        "genuine": _genuine([o for o in outcomes if o.species == GENUINE]),
        "ablation": _ablation(outcomes, groups),
        "cpu_s": _cost(outcomes),
        "accepted_attacks": [_brief(o) for o in outcomes if o.species != GENUINE and o.accepted(system=True)],
        "refused_genuine": [_brief(o) for o in outcomes if o.species == GENUINE and not o.accepted(system=True)],
    }


def _cost(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    if not outcomes:
        return None
    species = dict.fromkeys(outcome.species for outcome in outcomes)
    spent = {name: [outcome.cpu_s for outcome in outcomes if outcome.species == name] for name in species}
    means = {name: round(sum(seconds) / len(seconds), 2) for name, seconds in spent.items()}
    return {"mean": sum(outcome.cpu_s for outcome in outcomes) / len(outcomes), "by_species": means}


def _attack(outcomes: Sequence[Outcome], group: Group) -> dict[str, Any]:
    refused = [outcome.denied_by(system=True) for outcome in outcomes]
    living = group is Group.IMPOSTOR
    return {
        "group": group,
        "simulated": any(outcome.simulated for outcome in outcomes),
        "presentations": len(outcomes),
        "apcer": None if living else _part(outcomes, lambda outcome: outcome.accepted()),
        "iapar": _part(outcomes, lambda outcome: outcome.accepted(system=True)),
        "apnrr": _part(outcomes, lambda outcome: not outcome.began),
        "first_cue": _counted(names[:1] for names in refused),
        "all_cues": _counted(refused),
        "only_cue": _counted(names for names in refused if len(names) == 1),
        "ended": _counted((outcome.ended,) for outcome in outcomes),
    }


def _genuine(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    refused = [outcome.denied_by() for outcome in outcomes]
    seconds = sorted(outcome.seconds for outcome in outcomes)
    return {
        "simulated": any(outcome.simulated for outcome in outcomes),
        "presentations": len(outcomes),
        "people": len({outcome.person for outcome in outcomes}),
        "bpcer": _part(outcomes, lambda outcome: not outcome.accepted()),
        "refused_by_system": _part(outcomes, lambda outcome: not outcome.accepted(system=True)),
        "bpnrr": _part(outcomes, lambda outcome: not outcome.began),
        "bpcer_by_cue": {
            cue: asdict(share(sum(cue in names for names in refused), len(outcomes)))
            for cue in dict.fromkeys([*cues_of(outcomes), *(name for names in refused for name in names)])
        },
        "only_cue": _counted(names for names in refused if len(names) == 1),
        "seconds": {"median": seconds[len(seconds) // 2], "most": seconds[-1]} if seconds else None,
    }


def _worst(attacks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the worst APCER of each group, and of all species."""
    judged = {name: row for name, row in attacks.items() if row["apcer"] is not None}

    def worst(names: Sequence[str]) -> dict[str, Any] | None:
        if not names:
            return None
        name = max(names, key=lambda name: (judged[name]["apcer"]["rate"], judged[name]["apcer"]["high"]))
        return {"species": name, **judged[name]["apcer"]}

    by_group = {str(group): worst([name for name, row in judged.items() if row["group"] == group]) for group in Group}
    return {"all": worst(list(judged)), **{group: found for group, found in by_group.items() if found is not None}}


def _ablation(outcomes: Sequence[Outcome], groups: Mapping[str, Group]) -> dict[str, Any]:
    """Return per cue, switched off: how many of each species liveness lets in, how many genuine it refuses."""
    attacks = [o for o in outcomes if o.species != GENUINE and groups[o.species] is not Group.IMPOSTOR]
    genuine = [o for o in outcomes if o.species == GENUINE]
    table: dict[str, Any] = {}
    for off in ("", *cues_of(outcomes)):
        without = frozenset({off}) - {""}
        let_in = Counter(outcome.species for outcome in attacks if outcome.accepted(without=without))
        refused = sum(not outcome.accepted(without=without) for outcome in genuine)
        table[off or "none"] = {
            "accepted": {name: let_in[name] for name in groups if any(o.species == name for o in attacks)},
            "bpcer": asdict(share(refused, len(genuine))),
        }
    return table


def _part(outcomes: Sequence[Outcome], holds: Callable[[Outcome], bool]) -> dict[str, Any]:
    return asdict(share(sum(holds(outcome) for outcome in outcomes), len(outcomes)))


def _counted(names: Any) -> dict[str, int]:
    return dict(Counter(name for some in names for name in some).most_common())


def _brief(outcome: Outcome) -> dict[str, Any]:
    return {
        "species": outcome.species,
        "number": outcome.number,
        "variant": outcome.variant,
        "person": outcome.person,
        "steps": list(outcome.steps),
        "ended": outcome.ended,
        "liveness": outcome.accepted(),
        "reasons": list(outcome.reasons()),
        "simulated": outcome.simulated,
    }
