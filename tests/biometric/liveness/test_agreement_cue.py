"""The cue that denies pictures made for the recognisers."""

from __future__ import annotations

import pytest

from biometric.errors import CalibrationMismatch, CannotTell
from biometric.liveness.cues import agreement
from biometric.liveness.cues.result import Verdict
from biometric.liveness.evidence import Pose, PoseSample
from biometric.types import FaceEmbeddings
from tests.biometric.agreements import calibration, detector, face, look
from tests.biometric.liveness.rows import Script


def seen(*frames):
    """Evidence of frames: (pose, milliseconds, face, loss of its second look or None)."""
    found = Script().rest(3).evidence()
    for pose, at_ms, plain, loss in frames:
        found.poses.append(PoseSample(pose, at_ms, 0.0, plain))
        if loss is not None:
            again = FaceEmbeddings(look(plain, loss=loss).again, plain.sface)
            found.poses.append(PoseSample(Pose.AGAIN, at_ms, 0.0, again))
    return found


def vote(evidence, reference):
    return agreement.evaluate(evidence, reference=reference, calibration=calibration(), agreement=detector())


def test_a_face_on_which_both_agree_is_let_through():
    found = vote(seen((Pose.FRONT, 0.0, face(1), 0.02), (Pose.BLINK, 900.0, face(1), 0.02)), face(1))
    assert found.verdict is Verdict.NEUTRAL
    assert found.numbers["log_odds"] < found.numbers["threshold"]


def test_a_face_that_only_one_model_sees_is_denied():
    found = vote(seen((Pose.FRONT, 0.0, face(1, sface_of=2), 0.5)), face(1))
    assert (found.verdict, found.why) == (Verdict.DENY, "disagreement")


def test_a_likeness_that_the_second_look_does_not_see_is_denied():
    assert vote(seen((Pose.FRONT, 0.0, face(1), 0.8)), face(1)).verdict is Verdict.DENY


def test_a_pose_without_a_second_look_is_not_judged_but_one_must_have_it():
    calm = seen((Pose.FRONT, 0.0, face(1), 0.02), (Pose.TURN, 500.0, face(1, sface_of=2), None))
    assert vote(calm, face(1)).verdict is Verdict.NEUTRAL
    assert vote(seen((Pose.FRONT, 0.0, face(1), None)), face(1)).why == "not_measured"
    with pytest.raises(CannotTell, match="twice"):
        vote(seen((Pose.FRONT, 0.0, face(1), 0.02), (Pose.BLINK, 900.0, face(1), None)), face(1))


def test_an_enrolment_compares_with_its_other_poses():
    frames = [(Pose.FRONT, 0.0, face(1), 0.02), (Pose.TURN, 500.0, face(1), None)]
    assert vote(seen(*frames), None).verdict is Verdict.NEUTRAL
    assert vote(seen((Pose.FRONT, 0.0, face(1, sface_of=2), 0.5), frames[1]), None).verdict is Verdict.DENY
    with pytest.raises(CannotTell, match="enrolment"):
        vote(seen(frames[0]), None)


def test_a_detector_of_other_models_is_an_error_and_so_a_no(monkeypatch):
    monkeypatch.setattr("biometric.agreement._shipped", detector)
    evidence = seen((Pose.FRONT, 0.0, face(1), 0.02))
    with pytest.raises(CalibrationMismatch):
        agreement.evaluate(evidence, reference=face(1), calibration=calibration(sface="other"))
    same = agreement.evaluate(evidence, reference=face(1), calibration=calibration())
    assert same.verdict is Verdict.NEUTRAL
