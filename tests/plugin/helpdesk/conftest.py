import pytest

from tests.plugin.factors import worlds
from tests.plugin.factors.worlds import world
from tests.plugin.helpdesk.office import open_office

__all__ = ["office", "pytest_generate_tests", "world"]


def pytest_generate_tests(metafunc):
    """Both databases for what the helpdesk stores and decides; not for its pages, nor for who may do what."""
    if metafunc.module.__name__.endswith(("_console", "_pages", "_people")):
        if "world" in metafunc.fixturenames:
            metafunc.parametrize("world", ["sqlite"], indirect=True)
        return
    worlds.pytest_generate_tests(metafunc)


@pytest.fixture
def office(world):
    return open_office(world)
