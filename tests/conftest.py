"""What all tests share: one Playwright a run, since its synchronous API cannot be started twice in a thread."""

from __future__ import annotations

import pytest

from tests.stack.chromium import launch_options
from tests.stack.process import end_cleanly_when_told


def pytest_configure() -> None:
    """A test run that is told to stop ends the servers it started."""
    end_cleanly_when_told()


@pytest.fixture(scope="session")
def playwright():
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (only browser tests need it)

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright):
    """The distribution's Chromium; contexts of it are the browser profiles of people."""
    browser = playwright.chromium.launch(**launch_options())
    yield browser
    browser.close()
