"""Choose the limits of the liveness cues: by what people and attacks reach, and by a rule for each limit.

The rule of a limit names the number that is compared with it, on which side of it people lie, the species of attacks
it is there for and the quantile of these that it must not be laxer than. So two edges are measured:

 * people   the quantile at which SHARE of the people would be refused by this limit alone, and MARGIN away from it; of
            simulated people, of films of people and of single pictures of people, whichever is farthest out. A single
            picture counts as if every look of a login were like it, which is harder than a login: it shows what stands
            around real people, which simulated rooms do not
 * attacks  the named quantile of the worst of the named species

Between both, the limit in force is confirmed. Outside, it is moved to the nearer edge. Where the edges cross, it stays
with the people: what it lets through, other cues have to stop. A limit that confirms is never made milder for the sake
of people; only the attacks move it, and what it costs people is reported. Values are rounded to three digits, away from
the edge.

Few presentations only confirm: a limit is moved by at least ENOUGH_PEOPLE and ENOUGH_ATTACKS, or stays and says so.
Single pictures are not counted among them.

Quality limits have no attacks: each may hint at or refuse a SHARE of the pictures.

Not here: where presentations come from (presentation_run.py), the file (biometric/limits.py).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.evaluation.presentation import GENUINE
from biometric.limits import POSSIBLE
from biometric.liveness.cues.planarity import beyond_narrow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from biometric.evaluation.presentation import Outcome
    from biometric.liveness.cues.result import CueResult

    Numbers = Mapping[str, Sequence[float]]
    """What each species reached: lists of one number."""

SHARE: Final = 0.005
MARGIN: Final = 0.05
QUALITY_SHARE: Final = {"still": 0.01, "live": 0.05}
QUANTILES: Final = (0.0, 0.01, 0.05, 0.5, 0.95, 0.99, 1.0)
ENOUGH_PEOPLE, ENOUGH_ATTACKS = 100, 20
LEAST: Final = 8  # presentations in which a number was measured; fewer say nothing of a quantile
CUTS: Final = ("injected_recording_with_cuts",)
SPLICED: Final = ("stills_in_own_login",)
ZOOMED: Final = ("phone_replay", "tablet_replay")
AGAIN: Final = ("injected_recording",)
SHEETS: Final = ("flat_print", "bent_print", "cut_out_print")
FLAT: Final = ("flat_print", "still_on_screen")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one limit is chosen.

    Attributes:
        limit: its name (biometric/limits.py).
        people_below: on which side of it people lie.
        species: the attacks it is there for.
        course: which presentations of them are asked: `full`, `turn`, `near` or `slow`.
        quantile: of the attacks, that it must not be laxer than.
        confirms: whether it lets in; else it denies.
        alone: whether it decides by itself; else people are told by another limit too, and their edge does not count.
        number: the cue's number; that of the limit's own name if empty.
        people: the course that people do; films count where it is the full one.
    """

    limit: str
    people_below: bool
    species: tuple[str, ...]
    course: str
    quantile: float
    confirms: bool = False
    alone: bool = True
    number: str = ""
    people: str = "full"

    @property
    def reads(self) -> str:
        """The number that is compared with it, after its cue's name."""
        cue, _, name = self.limit.partition(".")
        return f"{cue}.{self.number or name}"


RULES: Final = (
    Rule("continuity.yaw_per_s", True, CUTS, "full", 0.75),
    Rule("continuity.move_per_s", True, CUTS, "full", 0.75),
    Rule("continuity.growth", True, ZOOMED, "full", 0.5),
    Rule("continuity.cut_both", True, CUTS, "full", 0.75),
    Rule("continuity.cut_scene", True, CUTS, "full", 0.75),
    Rule("continuity.cut_twice", True, CUTS, "full", 0.75),
    Rule("continuity.cut_swap", True, SPLICED, "full", 0.5),
    Rule("continuity.cut_gap", True, SPLICED, "slow", 0.5, people="slow"),
    Rule("continuity.distance", True, AGAIN, "full", 0.5),
    Rule("repetition.forward", False, AGAIN, "full", 0.02),
    Rule("repetition.backward", False, (), "full", 0.5),
    Rule("planarity.flat", False, FLAT, "turn", 0.99, number="relief"),
    Rule("planarity.round", False, FLAT, "turn", 0.99, confirms=True, number="relief"),
    Rule("planarity.nose", False, SHEETS, "turn", 0.99, confirms=True, alone=False, number="nose"),
    Rule("planarity.bent", True, SHEETS, "turn", 0.05, alone=False, number="narrow"),
    Rule("planarity.wide", True, SHEETS, "turn", 0.01, confirms=True, alone=False, number="narrow"),
    Rule("planarity.stiff", False, FLAT, "turn", 0.99, number="residual"),
    Rule("perspective.flat", False, FLAT, "near", 0.5, number="relief"),
    Rule("perspective.round", False, FLAT, "near", 0.95, confirms=True, number="relief"),
    Rule("colour.follows", False, AGAIN, "near", 0.95, confirms=True),
    Rule("colour.gain", False, (), "near", 0.5, confirms=True),
    Rule("colour.relief", False, FLAT[:1], "near", 0.95, confirms=True),
    Rule("colour.behind", True, ("puppet_on_screen",), "near", 0.5),
    Rule("surface.bezel", True, ("flat_print",), "near", 0.05, number="bezel_held"),
    Rule("surface.moire", True, ("tablet_replay",), "full", 0.05, number="moire_held"),
)
SPECIES_IN: Final[Mapping[str, tuple[str, ...]]] = {
    course: tuple(dict.fromkeys(name for rule in RULES if rule.course == course for name in rule.species))
    for course in ("full", "turn", "near", "slow")
}
"""Which species are presented in which course."""

PEOPLE_IN: Final = frozenset(rule.people for rule in RULES)
"""The courses that people do."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A limit and what speaks for it; edges are None where there is none."""

    value: float
    before: float
    how: str
    people: float | None
    attacks: float | None
    reads: str
    measured: dict[str, dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the entry of the file."""
        return asdict(self)


def numbers_of(votes: Iterable[CueResult]) -> dict[str, float]:
    """Return what the cues measured in one presentation, each number after its cue's name."""
    found = {f"{vote.name}.{name}": value for vote in votes for name, value in vote.numbers.items()}
    if "planarity.bump" in found:
        found["planarity.nose"] = beyond_narrow(found["planarity.bump"], found["planarity.narrow"])
    return {name: value for name, value in found.items() if math.isfinite(value)}


def choose_all(
    courses: Mapping[str, Sequence[Outcome]],
    films: Sequence[Mapping[str, float]],
    looks: Sequence[Mapping[str, float]],
    *,
    before: Mapping[str, float],
) -> dict[str, Chosen]:
    """Return the limits of the cues: from each course's outcomes, films of people and single pictures of people."""
    seen = {course: [(one.species, numbers_of(one.votes)) for one in made] for course, made in courses.items()}

    def reached(name: str, course: str, species: str) -> list[float]:
        return [numbers[name] for shown, numbers in seen[course] if shown == species and name in numbers]

    return {
        rule.limit: choose(
            rule,
            {
                "people (simulated)": reached(rule.reads, rule.people, GENUINE),
                "people (films)": [
                    numbers[rule.reads] for numbers in films if rule.people == "full" and rule.reads in numbers
                ],
            },
            {species: reached(rule.reads, rule.course, species) for species in rule.species},
            looks={"people (pictures)": [numbers[rule.reads] for numbers in looks if rule.reads in numbers]},
            before=before[rule.limit],
        )
        for rule in RULES
    }


def choose(rule: Rule, people: Numbers, attacks: Numbers, *, before: float, looks: Numbers | None = None) -> Chosen:
    """Return the limit that `rule` gives for what people (by source) and attacks (by species) reached.

    Args:
        rule: how it is chosen.
        people: presentations of people, by source.
        attacks: presentations of attacks, by species.
        before: the limit in force.
        looks: single pictures of people, by source.
    """
    shown_by = {**people, **(looks or {})}
    outermost = [_people_edge(values, below=rule.people_below) for values in shown_by.values() if len(values)]
    shown = [
        float(np.quantile(attacks[name], rule.quantile)) for name in rule.species if len(attacks.get(name, ())) >= LEAST
    ]
    mildest, strictest = (max, min) if rule.people_below else (min, max)
    ours = mildest(outermost) if outermost and rule.alone else None
    theirs = strictest(shown) if shown else None
    value, how = _between(rule, ours, theirs, before=before)
    if value != before and not _enough(rule, people, attacks):
        value, how = before, f"kept, too few to have it {how}"
    measured = {name: _spread(values) for name, values in {**shown_by, **attacks}.items() if len(values)}
    return Chosen(value, before, how, ours, theirs, rule.reads, measured)


def choose_quality(part: str, name: str, seen: Numbers, *, before: float) -> Chosen:
    """Return a limit of the quality gate: the one in force if it refuses few enough pictures, else one that does."""
    least = name.startswith("least")
    share = QUALITY_SHARE[part]
    edges = [float(np.quantile(values, share if least else 1 - share)) for values in seen.values() if len(values)]
    edge = (min if least else max)(edges) if edges else None
    kept = edge is None or (before <= edge if least else before >= edge)
    value = before if kept or edge is None else _rounded(edge, up=not least)
    how = "not measured" if edge is None else "confirmed" if kept else "moved to the people"
    measured = {source: _spread(values) for source, values in seen.items() if len(values)}
    return Chosen(value, before, how, edge, None, name, measured)


def _people_edge(values: Sequence[float], *, below: bool) -> float:
    edge = float(np.quantile(values, 1 - SHARE if below else SHARE))
    return edge + abs(edge) * (MARGIN if below else -MARGIN)


def _enough(rule: Rule, people: Numbers, attacks: Numbers) -> bool:
    """Return whether so many were measured that a limit may move."""
    shown = [len(attacks[name]) for name in rule.species if len(attacks.get(name, ())) >= LEAST]
    return sum(map(len, people.values())) >= ENOUGH_PEOPLE and all(count >= ENOUGH_ATTACKS for count in shown)


def _between(rule: Rule, people: float | None, attacks: float | None, *, before: float) -> tuple[float, str]:
    """Return the value and how it came about, from the two edges and what is in force."""
    people = None if rule.confirms else people
    low, high = (people, attacks) if rule.people_below else (attacks, people)
    least, most = POSSIBLE[rule.limit]
    low, high = (min(max(end, least), most) for end in (least if low is None else low, most if high is None else high))
    crossed = low > high
    if crossed:
        low, high = (low, most) if rule.people_below else (least, high)
    if low <= before <= high:
        return before, "kept with the people, the edges cross" if crossed else "confirmed"
    raised = before < low
    how = f"moved {'up' if raised else 'down'}" + (", the edges cross" if crossed else "")
    return min(max(_rounded(low if raised else high, up=raised), least), most), how


def _rounded(value: float, *, up: bool) -> float:
    """Return a value with three digits."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    steps = math.ceil(value / unit - 1e-9) if up else math.floor(value / unit + 1e-9)
    return float(f"{steps * unit:.12g}")


def _spread(values: Sequence[float]) -> dict[str, Any]:
    at = np.quantile(values, QUANTILES)
    return {"n": len(values), "quantiles": {str(q): round(float(v), 5) for q, v in zip(QUANTILES, at, strict=True)}}
