"""APCER, BPCER, IAPAR, their intervals and the ablation, against values worked out by hand."""

from __future__ import annotations

from math import isnan, nan

import pytest

from biometric.evaluation.presentation import GENUINE, from_json, to_json
from biometric.evaluation.presentation_rates import rates, share
from biometric.liveness.cues.result import CueResult, Physics, Verdict
from tests.biometric.scripted_source import GROUPS, outcome


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (0, 150, 0.0, 1 - 0.025 ** (1 / 150)),  # closed form where nothing was seen
        (150, 150, 0.025 ** (1 / 150), 1.0),
        (1, 10, 0.002529, 0.445016),  # the rest from tables of the exact binomial interval
        (5, 100, 0.016432, 0.112835),
        (5, 10, 0.187086, 0.812914),
    ],
)
def test_intervals_are_the_exact_binomials(count, of, low, high):
    found = share(count, of)
    assert (found.count, found.of, found.rate) == (count, of, count / of)
    assert found.low == pytest.approx(low, abs=1e-6)
    assert found.high == pytest.approx(high, abs=1e-6)


def test_nothing_observed_is_no_rate():
    assert share(0, 0).rate is None
    with pytest.raises(ValueError, match="3 of 2"):
        share(3, 2)


def test_the_worst_species_counts_and_not_the_mean():
    made = [outcome("paper", k, deny="planarity:flat") for k in range(10)]
    made += [outcome("film", k, deny="" if k < 1 else "colour:wrong") for k in range(10)]
    made += [outcome("mask", k, deny="" if k < 4 else "challenge:incomplete") for k in range(10)]
    found = rates(made, GROUPS)
    assert [found["attacks"][name]["apcer"]["rate"] for name in ("paper", "film", "mask")] == [0.0, 0.1, 0.4]
    assert (found["worst"]["all"]["species"], found["worst"]["flat"]["species"]) == ("mask", "film")
    assert found["worst"]["flat"]["rate"] == 0.1
    assert found["attacks"]["mask"]["simulated"]


def test_who_is_somebody_else_is_accepted_by_liveness_and_refused_by_the_system():
    made = [outcome("mask", k, deny="identity:another_person") for k in range(4)]
    made += [outcome("stranger", k, deny="identity:another_person") for k in range(4)]
    found = rates(made, GROUPS)["attacks"]
    assert (found["mask"]["apcer"]["rate"], found["mask"]["iapar"]["rate"]) == (1.0, 0.0)
    assert (found["stranger"]["apcer"], found["stranger"]["iapar"]["rate"]) == (None, 0.0)


def test_a_face_that_changes_between_poses_is_refused_by_liveness_too():
    made = [outcome("film", 0, deny="identity:changed")]
    assert rates(made, GROUPS)["attacks"]["film"]["apcer"]["rate"] == 0.0


def test_what_never_began_is_refused_and_told_apart():
    made = [outcome("paper", 0, deny="challenge:incomplete", began=False), outcome("paper", 1, deny="planarity:flat")]
    row = rates(made, GROUPS)["attacks"]["paper"]
    assert (row["apnrr"]["count"], row["apcer"]["count"]) == (1, 0)


def test_what_refused_is_counted_first_in_all_and_alone():
    made = [outcome("paper", 0, deny="challenge planarity"), outcome("paper", 1, deny="planarity")]
    row = rates(made, GROUPS)["attacks"]["paper"]
    assert row["first_cue"] == {"challenge": 1, "planarity": 1}
    assert row["all_cues"] == {"planarity": 2, "challenge": 1}
    assert row["only_cue"] == {"planarity": 1}


def test_genuine_people_are_counted_by_cue_and_by_person():
    made = [outcome(GENUINE, k, deny="stream:gap planarity:flat" if k == 0 else "", person=k % 2) for k in range(4)]
    made.append(outcome(GENUINE, 4, confirm="challenge"))
    found = rates(made, GROUPS)["genuine"]
    assert (found["people"], found["presentations"], found["bpcer"]["count"]) == (2, 5, 2)
    refused = {cue: row["count"] for cue, row in found["bpcer_by_cue"].items() if row["count"]}
    assert refused == {"stream": 1, "planarity": 1, "unconfirmed": 1}
    assert found["only_cue"] == {"unconfirmed": 1}
    assert found["seconds"] == {"median": 12.0, "most": 14.0}


def test_an_ablation_decides_the_same_votes_once_more():
    made = [
        outcome("paper", 0, deny="planarity:flat", confirm="challenge colour"),  # planarity alone refuses
        outcome("paper", 1, deny="planarity:flat challenge:mistakes", confirm=""),
        outcome(GENUINE, 0),  # confirmed by two only
        outcome(GENUINE, 1, confirm="challenge planarity colour"),
    ]
    table = rates(made, GROUPS)["ablation"]
    assert {cue: row["accepted"]["paper"] for cue, row in table.items() if row["accepted"]["paper"]} == {"planarity": 1}
    assert [table[cue]["bpcer"]["count"] for cue in ("none", "stream", "colour", "planarity", "challenge")] == [
        *(0, 0, 0),
        *(1, 1),  # one confirmation is left, and two are needed
    ]


@pytest.mark.parametrize(
    ("deny", "counted"),
    [
        ("challenge:mistakes colour:not_measured identity:pose_missing", ("challenge",)),
        ("challenge:incomplete identity:no_front", ("challenge",)),
        ("stream:repeated challenge:incomplete colour:not_measured", ("stream",)),
        ("colour:not_measured", ("colour",)),  # the challenge was done: the light was really not there
        ("challenge:mistakes colour:wrong", ("challenge", "colour")),
    ],
)
def test_what_was_never_shown_counts_as_the_cue_that_ended_it(deny, counted):
    assert set(outcome("paper", 0, deny=deny).denied_by(system=True)) == set(counted)


def test_a_challenge_that_failed_does_not_become_a_success_when_it_is_not_counted():
    one = outcome("paper", 0, deny="challenge:mistakes colour:not_measured", confirm="planarity")
    assert one.denied_by(without={"challenge"}) == ("unconfirmed",)


def test_those_who_were_judged_wrongly_are_listed_with_their_reasons():
    found = rates([outcome("mask", 7), outcome(GENUINE, 3, deny="stream:gap")], GROUPS)
    assert [(one["species"], one["number"]) for one in found["accepted_attacks"]] == [("mask", 7)]
    assert found["refused_genuine"][0]["reasons"] == ["stream:gap"]


def test_an_outcome_survives_being_written_down():
    one = outcome("paper", 1, deny="planarity:flat")
    assert from_json(to_json(one)) == one
    odd = CueResult("colour", Physics.LIGHT, Verdict.NEUTRAL, "", {"gain": nan})
    values = to_json(outcome("paper"))
    values["votes"] = [{**values["votes"][0], "numbers": {"gain": None}}]
    assert isnan(from_json(values).votes[0].numbers["gain"])
    assert odd.numbers.keys() == from_json(values).votes[0].numbers.keys()
