from tests.plugin.api.conftest import browser, world

__all__ = ["browser", "world"]
