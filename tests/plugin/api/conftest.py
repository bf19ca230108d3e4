import pytest

from tests.plugin.api.web import Browser, make_app
from tests.plugin.factors.world import world

__all__ = ["world"]


@pytest.fixture
def browser(world):
    """Alice at her browser; no ceremony yet."""
    return Browser(make_app(world), world.person())
