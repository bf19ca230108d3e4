from tests.plugin.factors.world import world

__all__ = ["world"]
