"""Forms of the helpdesk in a real browser, by keyboard: what a browser says of its own forms is what we believe."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import watched_context
from tests.browser.site import running_site
from tests.browser.staffed import Staffed, signs_in
from tests.plugin.factors.world import hash_cheaply

pytestmark = pytest.mark.browser

ACCESSIBLE = (Path(__file__).parent / "accessible.js").read_text(encoding="utf-8")


@pytest.fixture
def site(tmp_path, monkeypatch):
    hash_cheaply(monkeypatch)
    world = Staffed(tmp_path)
    with running_site(world) as running:
        world.person().has_face()
        yield running
    world.database.close()


def looked_at(page, width):
    """Return what is wrong with a page."""
    wrong = page.evaluate(ACCESSIBLE)
    return wrong + (["wider than the screen"] if page.evaluate("document.documentElement.scrollWidth") > width else [])


def presses(page, name):
    """Come to a button by keyboard alone, and press it."""
    button = page.get_by_role("button", name=name).first
    for _ in range(40):
        if button.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("width", [390, 1280])
def test_agent_caller_and_manager_use_their_pages_by_keyboard(site, chromium, width):
    office, size, found = site.world.office, {"width": width, "height": 844}, {}
    with watched_context(chromium, viewport=size) as desk, watched_context(chromium, viewport=size) as home:
        signs_in(site, desk, "ada")
        case, agents, callers = office.opens(), desk.new_page(), home.new_page()
        agents.goto(f"{site.url}/helpdesk/cases/{case.id}")
        found["case"] = looked_at(agents, width)
        presses(agents, "Send a link for the face check")
        expect(agents.get_by_text("Link sent")).to_be_visible()
        callers.goto(f"{site.url}/helpdesk/check/{office.letters.token('check')}")
        found["check"] = looked_at(callers, width)
        presses(callers, "I called them myself")
        expect(callers.get_by_role("button", name="Start the camera")).to_be_enabled()
        callers.get_by_role("button", name="Stop the check").click()
        expect(callers.get_by_role("heading", name="The check is over")).to_be_visible()
        found["over"] = looked_at(callers, width)
        agents.get_by_text("Not sure? Prove more").click()
        presses(agents, "Ask the manager")
        expect(agents.get_by_text("Confirmed by the manager").first).to_be_visible()
        signs_in(site, home, "mia")
        callers.goto(f"{site.url}/helpdesk/confirm/{office.letters.token('confirm')}")
        found["confirm"] = looked_at(callers, width)
        presses(callers, "I talked to them")
        expect(callers.get_by_role("heading", name="Thank you")).to_be_visible()
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert office.desk.case(office.agent(), case.id, now=site.world.now).proofs == ("manager",)
