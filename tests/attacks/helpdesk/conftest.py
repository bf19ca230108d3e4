from tests.plugin.helpdesk.conftest import office, pytest_generate_tests, world

__all__ = ["office", "pytest_generate_tests", "world"]
