import pytest

from tests.plugin.encrypted.parties import Parties
from tests.stack.database import fresh_database


@pytest.fixture
def parties(tmp_path):
    with fresh_database(tmp_path) as database:
        yield Parties(database)
