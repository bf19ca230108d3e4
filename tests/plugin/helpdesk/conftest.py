import pytest

from tests.plugin.factors.world import world
from tests.plugin.helpdesk.office import open_office

__all__ = ["office", "world"]


@pytest.fixture
def office(world):
    return open_office(world)
