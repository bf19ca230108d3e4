"""Subjects are built once a session: half a second each."""

from __future__ import annotations

import pytest

from biometric.models import ModelStore
from tests.fixtures_cache import cache_folder, load_picture
from tests.simulator import Subject


@pytest.fixture(scope="session")
def models() -> ModelStore:
    return ModelStore(cache_folder() / "models")


@pytest.fixture(scope="session", params=["person_a_2", "person_b_1"])
def subject(request: pytest.FixtureRequest) -> Subject:
    return Subject(load_picture(request.param))


@pytest.fixture(scope="session")
def person_b() -> Subject:
    return Subject(load_picture("person_b_1"))
