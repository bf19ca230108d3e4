"""A page that sends few frames a second: the person is let in at the first try, and nothing else is (simulated)."""

import pytest

from biometric.liveness.challenge import parse_steps
from biometric.liveness.evidence import Mode
from biometric.liveness.session import FaceSession
from tests.biometric.liveness.rig import Page
from tests.fixtures_cache import load_picture
from tests.simulator import Person, attacks
from tests.simulator.timeline import Habits

pytestmark = pytest.mark.models

FPS = 5
STEPS = "smile turn_left blink:1"
PAUSES = (300, 900, 500)


@pytest.fixture
def login(pipeline, reference):
    """Play a login at FPS and return its page and report."""

    def play(actor, steps=STEPS):
        session = FaceSession.begin(parse_steps(steps), mode=Mode.LOGIN, pauses_ms=PAUSES)
        page = Page(actor, session, pipeline, frame_ms=1000 / FPS)
        page.play()
        return page, page.session.report(reference=reference, calibration=pipeline.calibration)

    return play


@pytest.mark.parametrize("steps", ["turn_left blink:2 smile", "blink:1 smile turn_right"])
def test_a_person_is_let_in(login, subject, steps):
    page, report = login(Person(subject, seed=5), steps)
    assert report.accepted
    assert page.session.evidence.last_ms < 15_000


@pytest.mark.parametrize("turn_ms", [(350.0, 500.0), (650.0, 900.0)])
def test_a_person_who_turns_quickly_is_let_in(login, subject, turn_ms):
    _, report = login(Person(subject, seed=5, habits=Habits(turn_ms=turn_ms)))
    assert report.accepted


@pytest.mark.parametrize("bend_radius_m", [None, 0.07, 0.10])
def test_a_print_is_refused(login, bend_radius_m):
    sheet = attacks.PrintedPhoto(load_picture("person_b_1"), seed=1, bend_radius_m=bend_radius_m)
    _, report = login(sheet, "turn_left blink:1 smile")
    assert not report.accepted
    assert "planarity" not in report.confirmed_by


def test_a_batch_is_sent_before_it_is_full(login, subject):
    page, _ = login(Person(subject, seed=5))
    assert page.log[0][0] == 400
