from tests.plugin.factors.world import world
from tests.plugin.helpdesk.conftest import office

__all__ = ["office", "world"]
