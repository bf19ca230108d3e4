"""Which detector goes with which calibration: found beside it, made out to it, and never taken for another."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from biometric.agreement import Agreement
from biometric.agreement_file import agreement_path
from biometric.calibration import Calibration
from biometric.errors import CalibrationMismatch
from biometric.evaluation.corpus import CorpusUnusable, LabelledPicture
from biometric.training.agreement_parts import FITTING, LEAST_PEOPLE, MAPPING, SETTING, chosen_pictures, split
from tests.biometric.agreements import calibration, detector


@pytest.fixture
def own(tmp_path):
    """A calibration file of somebody's own, as it was loaded."""
    made = calibration()
    return replace(made, id=made.digest(), source=tmp_path / "staff.json")


@pytest.fixture
def put(own):
    def beside(made):
        agreement_path(own.source).write_text(made.to_json())
        return made

    return beside


def test_the_detector_beside_a_calibration_is_the_one_that_serves(own, put):
    made = put(detector(threshold=3.0).bound_to(own))
    assert agreement_path(own.source).name == "staff.agreement.json"
    found = Agreement.load(own)
    assert (found.id, found.calibration, found.threshold) == (made.id, own.id, 3.0)


def test_without_one_the_shipped_one_must_know_the_models(own):
    with pytest.raises(CalibrationMismatch, match="other model files") as refused:
        Agreement.load(own)
    assert f"facestep train agreement --images FACES --calibration {own.source}" in str(refused.value)


def test_one_of_another_calibration_is_refused(own, put):
    other = replace(own, fused_threshold=9.0)
    put(detector().bound_to(replace(other, id=other.digest())))
    with pytest.raises(CalibrationMismatch, match=f"not {own.id}; make one"):
        Agreement.load(own)


def test_one_that_was_there_before_the_calibration_was_made_anew_is_refused(own, put):
    put(detector().bound_to(own))
    anew = replace(own, evidence={"data": "more people"})
    with pytest.raises(CalibrationMismatch, match="was made for calibration"):
        Agreement.load(replace(anew, id=anew.digest()))


def test_one_that_names_no_calibration_does_not_lie_beside_one(own, put):
    put(detector())
    with pytest.raises(CalibrationMismatch, match=r"calibration \(none\)"):
        Agreement.load(own)


def test_one_of_other_nets_is_refused_though_it_names_the_calibration(own, put):
    put(replace(detector(), models={"facenet": "of another"}).bound_to(own))
    with pytest.raises(CalibrationMismatch, match="other model files"):
        Agreement.load(own)


def test_a_link_to_nowhere_does_not_bring_the_shipped_one_back(own):
    agreement_path(own.source).symlink_to("nowhere.json")
    with pytest.raises(CalibrationMismatch, match="cannot be read"):
        Agreement.load(own)


def test_made_out_to_one_calibration_it_is_refused_with_the_shipped_one(own, tmp_path):
    path = tmp_path / "agreement.json"
    path.write_text(detector().bound_to(own).to_json())
    with pytest.raises(CalibrationMismatch, match="was made for calibration"):
        Agreement.load(calibration(), path)


def test_making_it_out_to_another_calibration_by_hand_is_noticed(own, put):
    put(detector().bound_to(replace(own, id="0" * 16)))
    path = agreement_path(own.source)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"calibration": own.id}))
    with pytest.raises(CalibrationMismatch, match="was edited"):
        Agreement.load(own)


def test_a_service_keeps_the_detector_that_it_started_with(own, put):
    serving = replace(own, agreement=put(detector().bound_to(own)))
    agreement_path(own.source).write_text("{}")
    assert Agreement.load(serving) is serving.agreement
    with pytest.raises(CalibrationMismatch):
        Agreement.load(replace(serving, id="another"))


def test_a_calibration_file_says_nothing_of_where_it_lies(own, put):
    serving = replace(own, agreement=put(detector().bound_to(own)))
    assert serving.to_json() == replace(own, source=None).to_json()
    assert serving.digest() == own.id
    assert serving == own
    assert Calibration.from_json(serving.to_json()) == own


def test_the_shipped_detector_says_nothing_of_a_calibration():
    assert "calibration" not in json.loads(detector().to_json())


def forged(**changes):
    """A file whose digest fits, made by somebody who knows how digests are made."""
    made = replace(detector(), **changes)
    return replace(made, id=made.digest()).to_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": float("nan")},
        {"threshold": float("inf")},
        {"threshold": "high"},
        {"hidden": np.zeros((3, 2), np.float32)},
        {"output": np.zeros(9, np.float32)},
        {"map": np.zeros((512, 64), np.float32)},
        {"moments": {"facenet": (0.0, 1.0)}},
        {"moments": dict.fromkeys(("facenet", "sface", "promised", "recalled"), (0.0, 0.0))},
    ],
    ids=["not a number", "endless", "a word", "hidden", "output", "map", "moments", "no deviation"],
)
def test_what_could_never_deny_is_refused_at_the_start(tmp_path, changes):
    path = tmp_path / "agreement.json"
    path.write_text(forged(**changes))
    with pytest.raises(CalibrationMismatch, match="cannot be read"):
        Agreement.load(calibration(), path)


def filed(people, pictures, tmp_path):
    """Chosen pictures of so many people of the choosing half."""
    found = []
    for number in range(4 * people):
        one = [LabelledPicture(f"person {number}", tmp_path / f"{number}-{n}.jpg") for n in range(pictures)]
        found += chosen_pictures(one)
        if len(found) == people * pictures:
            return found
    raise AssertionError("too few fall into the choosing half")


def test_people_with_one_picture_make_the_map_and_the_others_the_rest(tmp_path):
    alone, several = filed(30, 1, tmp_path), filed(120, 2, tmp_path)
    several = [picture for picture in several if picture.person not in {one.person for one in alone}]
    parts = split([*alone, *several], tmp_path)
    assert {parts[one.person] for one in alone} == {MAPPING}
    assert {parts[one.person] for one in several} == {FITTING, SETTING}


def test_where_everybody_has_several_pictures_a_third_makes_the_map(tmp_path):
    parts = list(split(filed(150, 3, tmp_path), tmp_path).values())
    assert all(parts.count(part) >= LEAST_PEOPLE for part in (MAPPING, FITTING, SETTING))
    assert parts.count(MAPPING) == pytest.approx(50, abs=15)


def test_too_few_people_are_told_before_any_picture_is_opened(tmp_path):
    with pytest.raises(CorpusUnusable, match="makes parts of 30, 0 and 0"):
        split(filed(30, 1, tmp_path), tmp_path)
