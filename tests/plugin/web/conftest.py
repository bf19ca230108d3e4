import pytest

from tests.fakes.door import open_door


@pytest.fixture
def door(tmp_path):
    return open_door(tmp_path)
