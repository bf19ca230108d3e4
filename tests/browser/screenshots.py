"""Take pictures of the real pages for README and docs: `python -m tests.browser.screenshots FOLDER`.

The pages, styles and scripts are the real ones on a real service; on the face page the camera shows a drawing, since no
picture of a person belongs into the repository, and the steps are played from a list.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from plugin.ceremonies.types import Purpose, Stage
from plugin.helpdesk.types import AGENT_ROLE, BREAK_GLASS_ROLE, Action
from tests.browser.site import Site, reminder_page, running_site
from tests.browser.staffed import Staffed, signs_in
from tests.browser.test_browser_face import START, step
from tests.plugin.helpdesk.breaking import staffed
from tests.stack.chromium import launch_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
LOOKS = {
    "phone": {"viewport": PHONE, "color_scheme": "light", "device_scale_factor": 2},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark", "device_scale_factor": 2},
    "desk": {"viewport": DESK, "color_scheme": "light"},
    "desk-dark": {"viewport": DESK, "color_scheme": "dark"},
}
ENROL = {
    "invitation": (Stage.INVITATION, ""),
    "consent": (Stage.CONSENT, ""),
    "possession": (Stage.POSSESSION_SETUP, ""),
    "passkey": (Stage.POSSESSION_SETUP, "?way=passkey"),
    "app": (Stage.POSSESSION_SETUP, "?way=totp"),
    "recovery-codes": (Stage.RECOVERY_CODES, ""),
    "face": (Stage.FACE, ""),
    "without-camera": (Stage.FACE, "?way=other"),
}
FACE_STEPS = {
    "face-turn": step(0, "turn_left", state="go_on"),
    "face-blink": step(1, "blink", 2, state="go_on"),
    "face-closer": step(3, "closer", state="go_on"),
    "face-flash": step(4, "flash", state="next_step", colours=[[255, 93, 93]] * 7, hold_ms=500),
    "face-hint": step(0, "turn_left", state="go_on", hint="turn_slower"),
    "face-refused": {"state": "refused", "message": "That did not work. Try again.", "may_retry": True},
}
CAMERA = Path(__file__).with_name("drawn_camera.js")


def pages(site: Site, context: BrowserContext, look: str) -> Iterator[tuple[str, Page]]:
    """Open every page once, each with a new person."""
    for name, (stage, query) in ENROL.items():
        person = site.person(f"enrols-{name}-{look}")
        person.enrols_up_to(stage)
        yield f"enrol-{name}", site.opens(context, person, query)
    person = site.person(f"with-key-{look}").has_key()
    person.comes_to(Purpose.LOGIN)
    yield "login-passkey", site.opens(context, person)
    person = site.person(f"with-app-{look}").has_totp()
    person.comes_to(Purpose.LOGIN)
    yield "login-app", site.opens(context, person)
    yield "login-recovery", site.opens(context, person, "?way=recovery")
    for name, answer in FACE_STEPS.items():
        person = site.person(f"shows-{name}-{look}").has_totp()
        person.proves_totp()
        yield name, _face_page(site.opens(context, person), answer)
    yield "reminder", reminder_page(site, context, f"renews-{look}")
    yield "retention", _visited(site, context, "/retention")
    yield from _helpdesk_pages(site, context, look)
    person.ceremony_id = "A" * 43
    yield "error", site.opens(context, person)


def _helpdesk_pages(site: Site, context: BrowserContext, look: str) -> Iterator[tuple[str, Page]]:
    """The helpdesk from the agent's first look to the second person's, and what the caller sees."""
    office, name = site.world.office, f"caller-{look}"
    office.people.add(name, addresses=[f"{name}@example.org"])
    site.world.person(f"{name}-id").has_face(name)
    signs_in(site, context, "ada")
    yield "helpdesk-home", _visited(site, context, "/helpdesk")
    case = office.opens(name, reason="Phone lost on the train")
    office.prove(case, "call_back")
    yield "helpdesk-case", _visited(site, context, f"/helpdesk/cases/{case.id}")
    office.parts.face_checks.ask(office.agent(), case.id, now=site.world.now)
    yield "helpdesk-link-sent", _visited(site, context, f"/helpdesk/cases/{case.id}")
    yield "helpdesk-check", _visited(site, context, f"/helpdesk/check/{office.letters.token('check')}")
    other = f"second-{look}"
    office.people.add(other, addresses=[f"{other}@example.org"])
    waiting = office.asked(other)
    signs_in(site, context, "bob")
    yield "helpdesk-decide", _visited(site, context, f"/helpdesk/cases/{waiting.id}")
    yield from _break_glass_pages(site, context, other)
    for guide in ("for-callers", "for-staff"):
        yield f"helpdesk-{guide}", _visited(site, context, f"/helpdesk/{guide}")


def _break_glass_pages(site: Site, context: BrowserContext, about: str) -> Iterator[tuple[str, Page]]:
    """Break glass: the way in, opened; what everybody sees of it then; the pass."""
    office, now = staffed(site.world.office), site.world.now
    office.people.change("grace", roles=frozenset({AGENT_ROLE, BREAK_GLASS_ROLE}))
    usual = office.desk.open(office.agent("grace"), about, ticket="T-2", reason="Mail is down", now=now)
    signs_in(site, context, "grace")
    page = _visited(site, context, f"/helpdesk/cases/{usual.id}")
    page.click("details.glass summary")
    yield "helpdesk-break-glass", page
    asked = office.desk.ask(office.agent("grace"), usual.id, action=Action.BREAK_GLASS, now=now)
    case = office.agrees(asked, by="heidi")
    yield "helpdesk-break-glass-home", _visited(site, context, "/helpdesk")
    page = _visited(site, context, f"/helpdesk/cases/{case.id}")
    page.click("form[action$='/show'] button")
    yield "helpdesk-break-glass-shown", page


def _visited(site: Site, context: BrowserContext, path: str) -> Page:
    page = context.new_page()
    page.goto(f"{site.url}{path}")
    return page


def _face_page(page: Page, answer: dict[str, Any]) -> Page:
    page.route("**/face/start", lambda route: route.fulfill(json=START))
    page.route("**/face/frames", lambda route: route.fulfill(json=answer))
    page.click("#face-start")
    page.wait_for_selector("#face-hint:not(:empty)" if answer.get("hint") else f"#face-step{_shown(answer)}")
    return page


def _shown(answer: dict[str, Any]) -> str:
    return f"[data-action={answer['step']['action']}]" if "step" in answer else "[data-state=refused]"


def take(browser: Browser, site: Site, look: str, folder: Path) -> None:
    """Write one PNG for each page."""
    context = browser.new_context(**LOOKS[look], reduced_motion="reduce")
    context.add_init_script(path=CAMERA)
    for name, page in pages(site, context, look):
        page.wait_for_timeout(300)
        page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)
        page.close()
    context.close()


def main(folder: Path) -> None:
    """Take every page in every look, on a new service for each look: a day has only so many broken glasses."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        for look in LOOKS:
            with tempfile.TemporaryDirectory() as temporary, running_site(Staffed(Path(temporary))) as site:
                take(browser, site, look, folder)
                site.world.database.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
