"""A rigid mask is round, blinks only through holes, never smiles; light made by a computer is the page's, but late."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fixtures_cache import load_picture
from tests.simulator import Person, Pose, Subject
from tests.simulator.attacks import Injected, Relit, RigidMask, Shape
from tests.simulator.camera import encode
from tests.simulator_tests.measures import measure

pytestmark = pytest.mark.models

RED, BLUE = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)
CHEEKS, WALL = np.s_[250:300, 260:380], np.s_[10:60, 10:60]


@pytest.fixture(scope="module")
def wearer():
    return Subject(load_picture("impostor_2"))


def _shut_ms(actor):
    actor.show("blink", 1, 0.0)
    return max(np.arange(0.0, 1200.0, 10.0), key=lambda at_ms: actor.pose(at_ms).blink)


def test_a_mask_turns_like_a_head(person_b, wearer):
    mask = RigidMask(person_b, wearer, seed=1)
    mask.show("turn_left", 1, 0.0)
    assert measure(mask.frame(1600.0)).yaw > 18


def test_a_mask_does_not_smile(person_b, wearer):
    mask = RigidMask(person_b, wearer, seed=2)
    rest = measure(mask.frame(0.0)).mouth
    mask.show("smile", 1, 0.0)
    assert max(measure(mask.frame(at_ms)).mouth for at_ms in (1000.0, 1500.0, 2000.0)) < 1.05 * rest
    person = Person(person_b, seed=2)
    person.show("smile", 1, 0.0)
    assert measure(person.frame(1500.0)).mouth > 1.1 * measure(Person(person_b, seed=2).frame(0.0)).mouth


def test_eyes_blink_behind_holes_and_painted_ones_do_not(person_b, wearer):
    def change(holes):
        mask = RigidMask(person_b, wearer, seed=3, holes=holes)
        shut = _shut_ms(mask)
        opened, closed = mask.frame(shut - 250.0).astype(int), mask.frame(shut).astype(int)
        eyes = [
            wearer.camera.project(wearer.where(wearer.eyes[None] + (side, 0, 0), Pose()))[0] for side in (-0.03, 0.03)
        ]
        x, y = np.mean(eyes, axis=0).astype(int)
        return np.abs(opened - closed)[y - 10 : y + 12, x - 45 : x + 45].mean()

    assert change(holes=True) > 1.5 * change(holes=False)


def test_a_mask_stands_in_the_light(person_b, wearer):
    mask = RigidMask(person_b, wearer, seed=4)
    dark = mask.frame(0.0).astype(float)
    mask.light(RED, 0.0)
    more = (mask.frame(200.0) - dark)[CHEEKS].mean(axis=(0, 1))
    assert more[2] > 2
    assert abs(more[0]) < 0.5


@pytest.mark.parametrize("shape", Shape)
def test_relit_frames_take_on_the_colour_after_the_delay(person_b, shape):
    film = Injected([encode(person_b.render(Pose()))])
    relit = Relit(film, delay_ms=150.0, shape=shape)
    relit.show("flash", 1, 0.0)
    plain = film.frame(0.0).astype(float)

    def added(at_ms, place):
        return (relit.frame(at_ms) - plain)[place].mean(axis=(0, 1))

    relit.light(RED, 1000.0)
    relit.light(BLUE, 1500.0)
    assert not added(1140.0, CHEEKS).any()
    assert added(1160.0, CHEEKS)[2] > 3
    assert added(1640.0, CHEEKS)[0] == 0
    blue = added(1660.0, CHEEKS)
    assert blue[0] > 3
    assert blue[2] == 0
    assert (added(1660.0, WALL)[0] > 2) == (shape is Shape.UNIFORM)
