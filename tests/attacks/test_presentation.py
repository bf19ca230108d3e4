"""Attack: something that is not the living owner is held before the camera. All species here are simulated.

These challenges end without coming closer and without the colours, as if both had been left out: what the movements
alone stop. The light is tried in test_light.py; what remains is in docs/threat-model.md.
"""

import pytest

from biometric.liveness.challenge import parse_steps
from biometric.liveness.cues import planarity
from biometric.liveness.cues.result import Verdict
from tests.biometric.conftest import models_dir, pipeline
from tests.biometric.liveness.rig import play_login
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Subject, attacks
from tests.simulator.attacks import screens

pytestmark = pytest.mark.models
__all__ = ["models_dir", "pipeline"]

PHOTO = "person_b_1"
TURN_FIRST = parse_steps("turn_left smile blink:2")
TURN_ALONE = parse_steps("turn_right")


@pytest.fixture(scope="module")
def reference(pipeline):
    """The very photo that the attacker shows: the best case for the attacker."""
    return pipeline.still(load_picture(PHOTO)).embeddings


@pytest.fixture(scope="module")
def owner():
    return Subject(load_picture(PHOTO))


@pytest.fixture(scope="module")
def attacker():
    return Subject(load_picture("impostor_1"))


@pytest.fixture
def login(pipeline, reference):
    """Play a login and return its report and evidence."""

    def play(actor, steps=TURN_FIRST):
        page = play_login(actor, steps, pipeline=pipeline, frames=132)
        report = page.session.report(reference=reference, calibration=pipeline.calibration)
        return report, page.session.evidence

    return play


def test_a_flat_print_moved_and_tilted_is_refused(login):
    report, evidence = login(attacks.PrintedPhoto(load_picture(PHOTO), seed=3))
    assert not report.accepted
    assert "challenge" in report.denied_by
    assert planarity.evaluate(evidence).verdict is not Verdict.CONFIRM


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_flat_print_that_only_has_to_turn_is_refused_for_being_flat(login, seed):
    """Nothing to blink or smile at: the geometry of the turn denies it, whatever else does."""
    report, evidence = login(attacks.PrintedPhoto(load_picture(PHOTO), seed=seed), TURN_ALONE)
    assert not report.accepted
    vote = planarity.evaluate(evidence)
    assert (vote.verdict, vote.why) == (Verdict.DENY, "flat")


@pytest.mark.parametrize("radius_m", [0.07, 0.10])
@pytest.mark.parametrize("steps", [TURN_FIRST, TURN_ALONE], ids=["challenge", "turn alone"])
def test_a_bent_print_is_refused_even_where_it_passes_for_a_turned_head(login, radius_m, steps):
    report, evidence = login(attacks.PrintedPhoto(load_picture(PHOTO), seed=1, bend_radius_m=radius_m), steps)
    assert not report.accepted
    assert planarity.evaluate(evidence).verdict is not Verdict.CONFIRM


def test_a_still_on_a_screen_is_refused(login):
    report, evidence = login(attacks.StillOnScreen(load_picture(PHOTO), seed=2))
    assert not report.accepted
    assert planarity.evaluate(evidence).verdict is not Verdict.CONFIRM


def test_a_print_with_cut_out_eyes_can_blink_and_is_refused(login, attacker):
    mask = attacks.CutOutEyes(load_picture(PHOTO), attacker, seed=2)
    report, evidence = login(mask, parse_steps("blink:2 turn_left"))
    assert not report.accepted
    assert planarity.evaluate(evidence).verdict is not Verdict.CONFIRM


def test_another_living_person_is_refused(login, attacker):
    report, _ = login(Person(attacker, seed=1))
    assert report.confirmed_by == ("challenge", "planarity")
    assert report.denied_by == ("identity",)


def test_the_owner_for_the_opening_and_another_person_for_the_turn_is_refused(login, owner, attacker):
    relay = attacks.Relay(
        Person(owner, seed=1), Person(attacker, seed=2), takes_over=lambda action: action.startswith("turn")
    )
    report, _ = login(relay)
    assert not report.accepted
    assert {"identity", "continuity"} & set(report.denied_by)


def test_a_print_for_the_opening_and_the_attackers_own_face_for_the_actions_is_refused(login, attacker):
    relay = attacks.Relay(
        attacks.PrintedPhoto(load_picture(PHOTO), seed=1),
        Person(attacker, seed=2),
        takes_over=lambda action: action != "centre",
    )
    report, _ = login(relay)
    assert not report.accepted


@pytest.mark.parametrize("device", [screens.TABLET, screens.PHONE], ids=["tablet", "phone"])
def test_a_film_of_an_earlier_login_with_another_challenge_is_refused(login, owner, pipeline, device):
    earlier = play_login(Person(owner, seed=8), parse_steps("blink:1 smile turn_right"), pipeline=pipeline)
    film = [attacks.Injected([frame.jpeg]).frame(0) for frame in earlier.sent]
    report, _ = login(attacks.FilmOnScreen(film, seed=4, device=device))
    assert not report.accepted
    assert "challenge" in report.denied_by


def test_the_living_owner_is_let_in(login, owner):
    report, _ = login(Person(owner, seed=1))
    assert report.accepted
