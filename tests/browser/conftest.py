from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.site import running_site
from tests.plugin.factors.world import world

__all__ = ["world"]
PATIENCE_MS = 60_000  # a busy machine is slow, not wrong
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def site(world):
    with running_site(world) as running:
        yield running


@pytest.fixture
def tab(chromium):
    """A browser profile of its own; the test fails if any page of it complains on the console."""
    with watched_context(chromium) as context:
        yield context


@contextmanager
def watched_context(chromium, **options):
    context = chromium.new_context(**({"viewport": {"width": 390, "height": 844}} | options))
    context.set_default_timeout(PATIENCE_MS)
    complaints = []
    context.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert complaints == []


def is_complaint(message):
    """A refused call is the server's right and Chromium notes it; everything else is a fault of the page."""
    return message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource")
