from tests.plugin.helpdesk.conftest import office, world

__all__ = ["office", "world"]
