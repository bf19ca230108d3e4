"""The texture cue on evidence written by hand."""

import numpy as np
import pytest

from biometric.liveness.cues import texture
from biometric.liveness.cues.result import Verdict
from tests.biometric.liveness.rows import Script

SURE, UNSURE, LIVE = 0.9999, 0.6, 0.02


def evidence_of(looks, extra=()):
    """Eleven frames between two looks, as in a login."""
    script = Script()
    for number in range(max(len(looks), len(extra))):
        values = {"texture": looks[number]} if number < len(looks) else {}
        values |= {"texture_extra": extra[number]} if number < len(extra) else {}
        script = script.rest(1, **values).rest(10)
    return script.rest(5).evidence()


def vote(looks, extra=()):
    result = texture.evaluate(evidence_of(looks, extra))
    return result.verdict, result.why


def test_a_net_that_is_sure_again_and_again_denies():
    assert vote([SURE] * 4) == (Verdict.DENY, "texture")


@pytest.mark.parametrize("looks", [[LIVE] * 5, [UNSURE] * 5, [SURE, LIVE, LIVE, SURE, LIVE], [SURE, SURE, LIVE, LIVE]])
def test_doubt_is_neutral_and_never_confirms(looks):
    assert vote(looks) == (Verdict.NEUTRAL, "")


def test_two_looks_are_too_few():
    assert vote([SURE, SURE]) == (Verdict.NEUTRAL, "not_measured")


def test_nothing_measured_is_neutral():
    assert vote([]) == (Verdict.NEUTRAL, "not_measured")


def test_an_added_net_denies_where_ours_has_doubts():
    assert vote([LIVE] * 4, extra=[0.7] * 4) == (Verdict.DENY, "texture_extra")
    assert vote([LIVE] * 4, extra=[0.4] * 4) == (Verdict.NEUTRAL, "")


def test_the_threshold_is_the_one_training_chose():
    assert 0.9 <= texture.shipped_threshold() < 1
    at = np.nextafter(np.float32(texture.shipped_threshold()), np.float32(1))
    assert vote([at] * 3) == (Verdict.DENY, "texture")
    assert vote([at - np.float32(1e-5)] * 3)[0] is Verdict.NEUTRAL
