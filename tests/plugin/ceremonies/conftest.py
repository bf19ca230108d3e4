from tests.plugin.factors.worlds import pytest_generate_tests, world

__all__ = ["pytest_generate_tests", "world"]
