"""The rules by which limits are chosen, on numbers that are written down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biometric.evaluation.limits import (
    ENOUGH_ATTACKS,
    ENOUGH_PEOPLE,
    LEAST,
    RULES,
    SPECIES_IN,
    Rule,
    choose,
    choose_all,
    choose_quality,
    numbers_of,
)
from biometric.evaluation.presentation import GENUINE
from biometric.evaluation.rejudge import DECISIONS, decided_anew
from biometric.limits import NAMES, limits_of, shipped, values_of
from biometric.liveness.cues.result import CueResult, Physics, Verdict
from tests.biometric.scripted_source import outcome
from tests.simulator.laboratory.species import SPECIES

DENIES = Rule("continuity.growth", True, ("zoom",), "full", 0.5)
CONFIRMS = Rule("colour.relief", False, ("sheet",), "near", 0.95, confirms=True)


def around(middle, spread=0.01, count=200):
    return list(np.linspace(middle - spread, middle + spread, count))


def chosen(rule, people, attacks, before):
    return choose(rule, {"people": people}, dict.fromkeys(rule.species, attacks), before=before)


def test_a_limit_between_people_and_attacks_is_confirmed():
    found = chosen(DENIES, around(1.05), around(1.45), 1.3)
    assert (found.value, found.how) == (1.3, "confirmed")
    assert found.people == pytest.approx(1.06 * 1.05, abs=0.002)
    assert found.attacks == pytest.approx(1.45, abs=0.002)


def test_a_limit_laxer_than_the_attacks_becomes_stricter_and_one_that_refuses_people_milder():
    assert chosen(DENIES, around(1.05), around(1.25), 1.3).value == pytest.approx(1.25, abs=0.01)
    assert chosen(DENIES, around(1.17), around(1.45), 1.2).value == pytest.approx(1.24, abs=0.01)
    assert chosen(CONFIRMS, around(0.6), around(0.2), 0.13).value == pytest.approx(0.209, abs=0.001)


def test_what_confirms_is_never_made_milder_for_people():
    found = chosen(CONFIRMS, around(0.2), around(0.1), 0.45)
    assert (found.value, found.how) == (0.45, "confirmed")
    assert found.people == pytest.approx(0.19 * 0.95, abs=0.001)
    assert chosen(CONFIRMS, around(0.2), around(0.3), 0.13).value >= 0.3


def test_where_the_edges_cross_what_denies_stays_with_the_people():
    denies = chosen(DENIES, around(1.3), around(1.2), 1.2)
    assert denies.value >= 1.3
    assert denies.how == "moved up, the edges cross"
    kept = chosen(DENIES, around(1.2), around(1.15), 1.45)
    assert (kept.value, kept.how) == (1.45, "kept with the people, the edges cross")


def test_a_tail_of_people_smaller_than_the_share_does_not_make_a_limit_milder():
    people = [*around(1.05, count=999), 1.4]
    assert chosen(DENIES, people, around(1.45), 1.2).value == 1.2


def test_the_worst_species_counts_and_too_few_presentations_say_nothing():
    rule = Rule("colour.relief", False, ("mild", "bad", "few"), "near", 0.95, confirms=True)
    attacks = {"mild": around(0.1), "bad": around(0.3), "few": [0.45] * (LEAST - 1)}
    assert choose(rule, {"people": around(0.6)}, attacks, before=0.13).value == pytest.approx(0.309, abs=0.001)


@pytest.mark.parametrize(("people", "attacks"), [(ENOUGH_PEOPLE - 1, 200), (200, ENOUGH_ATTACKS - 1)])
def test_few_presentations_move_no_limit_and_say_so(people, attacks):
    found = chosen(CONFIRMS, around(0.6, count=people), around(0.2, count=attacks), 0.13)
    assert (found.value, found.how) == (0.13, "kept, too few to have it moved up")


def test_single_pictures_of_people_keep_a_limit_away_from_them_but_move_none_by_their_number():
    attacks, looks = {"zoom": around(1.15)}, {"pictures": around(1.2)}
    assert choose(DENIES, {"people": around(1.05)}, attacks, before=1.3).value == pytest.approx(1.15, abs=0.01)
    found = choose(DENIES, {"people": around(1.05)}, attacks, looks=looks, before=1.3)
    assert (found.value, found.how) == (1.3, "kept with the people, the edges cross")
    assert found.measured["pictures"]["n"] == 200
    few = choose(DENIES, {"people": around(1.05, count=9)}, {"zoom": around(1.28)}, looks=looks, before=1.3)
    assert few.how == "kept, too few to have it moved down"


def test_a_limit_that_does_not_decide_alone_asks_nobody_but_the_attacks():
    rule = Rule("planarity.bent", True, ("sheet",), "turn", 0.05, alone=False)
    found = choose(rule, {"people": around(0.2)}, {"sheet": around(0.12)}, before=0.08)
    assert (found.value, found.people) == (0.08, None)


def test_no_rule_leaves_what_is_possible():
    assert chosen(DENIES, around(1.9), around(2.0), 1.3).value == 1.5
    assert chosen(CONFIRMS, around(0.9), around(0.8), 0.13).value == 0.5


def test_quality_limits_refuse_few_people():
    seen = {"a": list(np.linspace(50, 200, 301)), "b": list(np.linspace(30, 200, 301))}
    assert choose_quality("live", "least_light", seen, before=20).value == 20
    moved = choose_quality("live", "least_light", seen, before=60)
    assert (moved.value, moved.how) == (38.5, "moved to the people")
    assert choose_quality("still", "most_light", {}, before=245).how == "not measured"


def test_every_limit_of_a_cue_has_a_rule_and_every_species_exists_in_the_laboratory():
    assert {rule.limit for rule in RULES} == {name for name in NAMES if not name.startswith(("still", "live"))}
    assert {name for species in SPECIES_IN.values() for name in species} <= set(SPECIES) - {GENUINE}


def test_people_films_and_attacks_come_from_where_the_rule_says():
    def vote(**numbers):
        return (CueResult("continuity", Physics.INTEGRITY, Verdict.NEUTRAL, "", numbers),)

    def made(species, count, **numbers):
        return [replace(outcome(species, k), votes=vote(**numbers)) for k in range(count)]

    courses = {
        "full": [*made(GENUINE, 20, growth=1.05), *made("phone_replay", 20, growth=1.4), *made("mask", 9, growth=1.01)],
        "turn": made("phone_replay", 20, growth=1.02),
        "near": [],
        "slow": [*made(GENUINE, 20, cut_gap=0.8), *made("stills_in_own_login", 20, cut_gap=1.9)],
    }
    film = {"continuity.growth": 1.1, "continuity.cut_gap": 1.7}
    found = choose_all(courses, [film], [{"surface.bezel_held": 0.7}], before=values_of(shipped()))
    assert found["surface.bezel"].people == pytest.approx(0.7 * 1.05)
    slow = found["continuity.cut_gap"]
    assert (slow.people, slow.attacks) == pytest.approx((0.8 * 1.05, 1.9)), "films are no slow course"
    found = found["continuity.growth"]
    assert (found.people, found.attacks) == pytest.approx((1.1 * 1.05, 1.4))
    assert {name: row["n"] for name, row in found.measured.items()} == {
        "people (simulated)": 20,
        "people (films)": 1,
        "phone_replay": 20,
    }


def test_what_was_no_number_is_left_out_and_a_nose_is_told_from_what_narrowness_explains():
    votes = (
        CueResult("planarity", Physics.GEOMETRY, Verdict.NEUTRAL, "", {"bump": 0.5, "narrow": 0.15, "relief": 1.0}),
        CueResult("colour", Physics.LIGHT, Verdict.NEUTRAL, "", {"behind": float("nan")}),
    )
    found = numbers_of(votes)
    assert found["planarity.nose"] == pytest.approx(0.3)
    assert "colour.behind" not in found


NUMBERS = {
    "continuity": {"yaw_per_s": 100.0, "move_per_s": 1.0, "growth": 1.05, "away": 0.0},
    "repetition": {"forward": 5.0, "backward": 5.0},
    "planarity": {"relief": 1.5, "bump": 0.9, "narrow": 0.02, "residual": 0.1, "head": 1.0},
    "perspective": {"relief": 1.1},
    "colour": {"follows": 0.98, "gain": 0.15, "relief": 0.5, "behind": 0.05},
    "surface": {"bezel_looks": 9.0, "bezel_held": 0.2, "moire_held": 0.0},
}

SPOILT = {"continuity": {"yaw_per_s": 900.0}, "surface": {"bezel_looks": 9.0, "bezel_held": 1.0}}


@pytest.mark.parametrize(
    ("cue", "limit", "value"),
    [
        ("continuity", "continuity.yaw_per_s", None),
        ("repetition", "repetition.forward", None),
        ("planarity", "planarity.round", None),
        ("perspective", "perspective.round", 1.2),
        ("colour", "colour.relief", None),
        ("surface", "surface.bezel", None),
    ],
)
def test_votes_are_decided_anew_from_their_numbers(cue, limit, value):
    stored = tuple(CueResult(name, Physics.LIGHT, Verdict.DENY, "stale", NUMBERS[name]) for name in DECISIONS)
    good = decided_anew(replace(outcome(GENUINE), votes=stored), shipped())
    assert Verdict.DENY not in {vote.verdict for vote in good.votes}
    if value is not None:
        other = limits_of(values_of(shipped()) | {limit: value})
        assert next(vote for vote in decided_anew(good, other).votes if vote.name == cue).verdict is Verdict.NEUTRAL
    bad = dict.fromkeys(NUMBERS[cue], 0.0) | SPOILT.get(cue, {})
    spoilt = replace(good, votes=tuple(replace(v, numbers=bad) if v.name == cue else v for v in good.votes))
    verdict = next(vote for vote in decided_anew(spoilt, shipped()).votes if vote.name == cue).verdict
    assert verdict is Verdict.DENY


def test_what_a_cue_could_not_measure_stays_as_it_was():
    vote = CueResult("colour", Physics.LIGHT, Verdict.DENY, "not_measured", {"frames": 0.0})
    assert decided_anew(replace(outcome(GENUINE), votes=(vote,)), shipped()).votes == (vote,)
