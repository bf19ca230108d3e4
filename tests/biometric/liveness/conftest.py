"""A simulated person, and one finished login of theirs, shared by the tests that need pictures and models."""

from __future__ import annotations

import pytest

from biometric.liveness.challenge import parse_steps
from tests.biometric.liveness.rig import play_login
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Subject


@pytest.fixture(scope="session")
def subject():
    return Subject(load_picture("person_b_1"))


@pytest.fixture(scope="session")
def reference(pipeline):
    """Another picture of the same person, taken years apart from the one that is simulated."""
    return pipeline.still(load_picture("person_b_2")).embeddings


@pytest.fixture(scope="session")
def stranger(pipeline):
    return pipeline.still(load_picture("impostor_1")).embeddings


@pytest.fixture(scope="session")
def genuine(subject, pipeline):
    """A login that a simulated person has finished."""
    return play_login(Person(subject, seed=11), parse_steps("turn_left blink:2 smile"), pipeline=pipeline)
