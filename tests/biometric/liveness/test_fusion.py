import pytest

from biometric.errors import CannotTell
from biometric.liveness import fusion
from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.evidence import Pose
from tests.biometric.liveness.rows import TURN, Script, embeddings, sample
from tests.biometric.liveness.test_cues import CALIBRATION

ME = embeddings(1)


@pytest.fixture
def evidence():
    found = Script().rest().turn().evidence(TURN, done=True)
    found.poses = [sample(Pose.FRONT, ME), sample(Pose.TURN, ME, at_ms=100)]
    return found


def says(verdict, physics, name="cue"):
    return lambda _: CueResult(name, physics, verdict, "because")


GEOMETRY = says(Verdict.CONFIRM, Physics.GEOMETRY, "planarity")
BEHAVIOUR = says(Verdict.CONFIRM, Physics.BEHAVIOUR, "challenge")


COMPARED = {"identity": fusion.COMPARING["identity"]}  # the rows of these tests hold no second looks


def judged(evidence, **cues):
    return fusion.judge(evidence, reference=ME, calibration=CALIBRATION, cues=cues, comparing=COMPARED)


def test_two_confirmations_of_different_physics_and_no_denial_accept(evidence):
    report = judged(evidence, planarity=GEOMETRY, challenge=BEHAVIOUR)
    assert report.accepted
    assert report.confirmed_by == ("planarity", "challenge")
    assert report.denied_by == ()


def test_1_one_denial_rejects_whatever_the_others_say(evidence):
    report = judged(evidence, planarity=GEOMETRY, challenge=BEHAVIOUR, other=says(Verdict.DENY, Physics.LIGHT, "other"))
    assert not report.accepted
    assert report.denied_by == ("other",)
    assert report.reasons == ("other:because",)


@pytest.mark.parametrize(
    "cues",
    [
        {},
        {"planarity": GEOMETRY},
        {"challenge": BEHAVIOUR},
        {"planarity": GEOMETRY, "also": says(Verdict.CONFIRM, Physics.GEOMETRY)},
        {"challenge": BEHAVIOUR, "also": says(Verdict.CONFIRM, Physics.INTEGRITY)},
        {"challenge": BEHAVIOUR, "also": says(Verdict.CONFIRM, Physics.IDENTITY)},
    ],
)
def test_2_too_few_kinds_of_confirmation_reject(evidence, cues):
    report = judged(evidence, **cues)
    assert not report.accepted
    assert report.denied_by == (fusion.UNCONFIRMED,)


@pytest.mark.parametrize("error", [CannotTell("no model"), ValueError(), IndexError(), ZeroDivisionError(), KeyError()])
def test_3_a_cue_that_fails_is_a_denial(evidence, error):
    def broken(_):
        raise error

    report = judged(evidence, planarity=GEOMETRY, challenge=BEHAVIOUR, broken=broken)
    assert report.denied_by == ("broken",)


@pytest.mark.parametrize(
    ("says_it", "denied_by"),
    [(Verdict.NEUTRAL, ("colour",)), (Verdict.CONFIRM, ()), (Verdict.DENY, ("colour",)), (None, ("colour",))],
)
def test_a_demanded_cue_must_be_there_and_confirm(evidence, says_it, denied_by):
    cues = {"planarity": GEOMETRY, "challenge": BEHAVIOUR}
    if says_it is not None:
        cues["colour"] = says(says_it, Physics.LIGHT, "colour")
    demanded = frozenset({"colour"})
    report = fusion.judge(
        evidence, reference=ME, calibration=CALIBRATION, demanded=demanded, cues=cues, comparing=COMPARED
    )
    assert report.denied_by == denied_by
    assert report.accepted is not bool(denied_by)


def test_identity_is_always_asked(evidence):
    evidence.poses = []
    assert judged(evidence, planarity=GEOMETRY, challenge=BEHAVIOUR).denied_by == ("identity",)


def test_every_cue_of_the_package_is_asked(evidence):
    names = {result.name for result in fusion.judge(evidence, reference=ME, calibration=CALIBRATION).results}
    integrity = {"stream", "alone", "continuity", "repetition", "identity", "agreement"}
    hints = {"pulse", "stillness"}
    assert names == integrity | hints | {"challenge", "planarity", "perspective", "colour", "surface", "texture"}
