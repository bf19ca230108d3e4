"""The audit log says which thresholds and which model files decided about a face, whatever the decision was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugin.audit.events import encode_details
from plugin.factors.face_answers import FaceRefused
from plugin.factors.face_verdict import versions
from tests.plugin.factors.scripted import calibration


def test_every_decision_about_a_face_names_thresholds_and_models(world):
    alice = world.person().has_face()
    world.ceremonies.issue_code(alice.shows("alice", alice.proves_totp()), now=world.now)
    world.passes(seconds=60)
    with pytest.raises(FaceRefused):
        alice.shows("mallory", alice.proves_totp())
    decided = [*world.audited("enrolled"), *world.audited("face_refused")]
    decided += [entry for entry in world.audited("factor_accepted") if entry["factor"] == "face"]
    assert len(decided) == 3
    for entry in decided:
        assert {"calibration": entry["calibration"], "models": entry["models"]} == versions(calibration())


def test_other_model_files_are_told_apart():
    one = replace(calibration(), models={"facenet": "a" * 64, "sface": "b" * 64})
    other = replace(one, models={"facenet": "a" * 64, "sface": "c" * 64})
    assert versions(one)["models"] == ["facenet:" + "a" * 16, "sface:" + "b" * 16]
    assert versions(one)["models"] != versions(other)["models"]
    assert encode_details(versions(one))
