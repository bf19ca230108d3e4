"""The policy file means what it says, or the service does not start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin.errors import SettingsError
from plugin.helpdesk.hours import UNDECIDED
from plugin.helpdesk.policy import Policy, Rule, parse
from plugin.helpdesk.types import Action


def test_the_shipped_policy_calls_back_wants_the_live_face_and_four_eyes():
    assert Policy.load(None).default == Rule(frozenset({"call_back", "live_face"}), four_eyes=True)


def test_a_file_is_read_whole(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(
        'pass_minutes = 30\napart = "address"\n[default]\nproofs = ["in_person"]\nfour_eyes = false\n'
        '[[group]]\nname = "/admins"\nproofs = ["document"]\nfour_eyes = true\n'
    )
    policy = Policy.load(file)
    assert (policy.pass_minutes, policy.apart) == (30, "address")
    assert policy.groups == (("/admins", Rule(frozenset({"document"}), four_eyes=True)),)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"group": [{"name": "/admins/", "proofs": ["document"], "four_eyes": True}]}, "ends without a slash"),
        ({"pass_minutes": 9}, "pass_minutes must be a whole number from 10 to 480"),
        ({"pass_minutes": 481}, "pass_minutes"),
        ({"pass_minutes": True}, "pass_minutes"),
        ({"check_minutes": 4}, "check_minutes must be a whole number from 5 to 60"),
        ({"manager_minutes": 481}, "manager_minutes"),
        ({"pass_minuts": 60}, "unknown key 'pass_minuts'"),
        ({"apart": "never"}, "apart must be"),
        ({"default": {"proofs": [], "four_eyes": True}}, "at least one"),
        ({"default": {"proofs": ["mothers_name"], "four_eyes": True}}, "proofs must be a list of"),
        ({"default": {"proofs": ["call_back"]}}, "four_eyes must be true or false"),
        ({"default": {"proofs": ["call_back"], "four_eyes": "false"}}, "four_eyes must be true or false"),
        ({"default": {"proofs": ["call_back"], "four_eyes": True, "eyes": 4}}, "unknown key 'eyes'"),
        ({"group": [{"proofs": ["call_back"], "four_eyes": True}]}, "group 1 needs a name"),
        ({"group": [{"name": "admins", "proofs": ["call_back"], "four_eyes": True}]}, "begins with a slash"),
        ({"group": [{"name": "/a", "proofs": ["document"], "four_eyes": True}] * 2}, "named twice"),
        ({"group": {"name": "/a"}}, r"\[\[group\]\]"),
        ({"action": {"reset_everything": {"proofs": [], "four_eyes": True}}}, "action: unknown key"),
        ({"action": {"pass": {"proofs": ["mothers_name"], "four_eyes": True}}}, "action pass: proofs"),
        ({"action": ["pass"]}, r"\[action.NAME\]"),
    ],
)
def test_what_makes_no_sense_stops_the_start(table, said):
    with pytest.raises(SettingsError, match=said):
        parse(table)


def test_a_file_that_is_not_there_stops_the_start(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        Policy.load(tmp_path / "none.toml")


def test_groups_only_add(office):
    policy = parse({"group": [{"name": "/a", "proofs": ["document"], "four_eyes": False}]})
    person = office.people.add("carol", groups=["/a"])
    demands = policy.demands(person, risks=(), has_face=True)
    assert (demands.proofs, demands.four_eyes) == (("call_back", "document", "live_face"), True)


def case_of(office, **changes):
    return replace(office.opens(), **changes)


def test_actions_only_add(office):
    policy = parse({"action": {"pass": {"proofs": ["document"], "four_eyes": False}}})
    demands = policy.for_action(Action.PASS, case_of(office), has_face=True)
    assert (demands.proofs, demands.four_eyes) == (("call_back", "in_person", "document"), True)


@pytest.mark.parametrize("usable", [True, False])
def test_who_has_no_usable_face_is_seen_in_person_instead(office, usable):
    policy = parse({"default": {"proofs": ["live_face", "manager"], "four_eyes": True}})
    demands = policy.demands(office.people.person("alice-id"), risks=(), has_face=usable)
    assert demands.proofs == (("live_face", "manager") if usable else ("in_person", "manager"))


def test_a_face_that_has_changed_is_not_asked_to_speak_for_itself(office):
    case = case_of(office, demanded=("call_back", "live_face"))
    assert "live_face" in Policy().for_action(Action.RESET_FACTOR, case, has_face=True).proofs
    assert Policy().for_action(Action.REENROL_FACE, case, has_face=True).proofs == (
        "call_back",
        "in_person",
        "document",
    )


def test_the_privileged_need_four_eyes_whatever_the_rules_say(office):
    policy = parse({"default": {"proofs": ["call_back"], "four_eyes": False}})
    assert not policy.for_action(Action.PASS, case_of(office, four_eyes=False), has_face=True).four_eyes
    delicate = case_of(office, four_eyes=False, risks=("privileged",))
    assert policy.for_action(Action.PASS, delicate, has_face=True).four_eyes


def test_a_group_that_needs_four_eyes_is_privileged(office):
    policy = parse({"group": [{"name": "/a", "proofs": ["document"], "four_eyes": True}]})
    people = [office.people.add(name, groups=groups) for name, groups in (("carol", ["/a"]), ("dora", ["/b"]))]
    assert [policy.is_privileged(one) for one in people] == [True, False]


@pytest.mark.parametrize(
    ("abuse", "notices"),
    [
        ({}, 1),
        ({"resets_per_day": 3}, 1),
        ({"hours": "any"}, 0),
        ({"hours": "08:00-18:00", "time_zone": "Europe/Vienna"}, 0),
    ],
)
def test_who_has_not_decided_about_working_hours_is_told(abuse, notices):
    said = parse({"abuse": abuse}).notices()
    assert len(said) == notices
    assert all("outside_hours is off" in one and 'hours = "any"' in one for one in said)


def test_the_shipped_policy_leaves_working_hours_to_the_organisation():
    assert Policy.load(None).notices() == (UNDECIDED,)
