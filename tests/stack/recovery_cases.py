"""The story of a lost phone: caller, agent, approver and a mail box; and the same story with an impostor.

Each case returns what was seen, as those of cases.py do.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from tests.stack.stack import ACR, REALM
from tests.stack.visitor import TRIES
from tests.stack.world import ENTRY_S, OWNER, STRANGER, World, living

if TYPE_CHECKING:
    from tests.stack.visitor import Account, Visitor

AGENT, APPROVER = "facestep-helpdesk", "facestep-helpdesk-approver"
AGENT_FACE, APPROVER_FACE = "person_a_1", "impostor_1"
PASS = re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b")
CHECK_LINK = re.compile(r"http\S+/check/\S+")
TOLD = ("opened a way back", "a pass was issued", "has used the pass", "a new second factor was set up")
LIVE_FACE = "Live face"
ENROL = "facestep-enrol"


def staff_signs_in(world: World) -> str:
    """An agent and an approver sign in at the helpdesk, for the first time in their lives: they enrol on the way."""
    world.agent = _hire(world, "ada", AGENT, AGENT_FACE, 31)
    world.approver = _hire(world, "bob", APPROVER, APPROVER_FACE, 32)
    opens = "Open a case" in world.agent.said()
    decides = "Waiting for your decision" in world.approver.said()
    return f"{'agent in' if opens else 'no agent'}, {'approver in' if decides else 'no approver'}"


def lost_phone(world: World) -> str:
    """Case, call back, live face by link, four eyes, pass, the way back in, letters, cool-down."""
    agent, approver, caller = world.agent, world.approver, world.passkey_owner
    assert agent is not None, "no agent has signed in"
    assert approver is not None, "no approver has signed in"
    case = _open_case(agent, caller, ticket="T-100")
    with world.visitor(living(OWNER, 33)) as phone:
        shown = _show_face_by_link(world, agent, phone, case)
    _ask_for_a_pass(agent)
    early = _has_pass(world)
    approver.page.goto(case)
    approver.page.get_by_role("button", name="Agree", exact=True).click()
    approver.page.get_by_text("The pass is on its way").wait_for()
    with world.visitor(living(OWNER, 34)) as visitor:
        back = _back_in(world, visitor, caller)
        told = _letters(world, TOLD)
        cooling = _changes_factors_again(world, visitor)
    return f"{shown}, {'a pass before four eyes' if early else 'four eyes'}, {back}, {told}, {cooling}"


def impostor_calls(world: World) -> str:
    """Somebody with another person's password and mail box talks to the agent; only the face is their own."""
    agent, victim = world.agent, world.totp_owner
    assert agent is not None, "no agent has signed in"
    mark, letters = world.mark(), len(world.stack.mailbox.letters)
    case = _open_case(agent, victim, ticket="T-101")
    with world.visitor(living(STRANGER, 35)) as phone:
        shown = _show_face_by_link(world, agent, phone, case, since=letters)
    offered = agent.page.locator("input[name=action][value=pass]:enabled").count()
    alarm = world.found(mark, "helpdesk_alarm", case=case.rsplit("/", maxsplit=1)[1])
    return f"{shown}, {'a pass is offered' if offered else 'refused'}, {alarm}"


def _hire(world: World, username: str, role: str, face: str, seed: int) -> Visitor:
    account = world.new_account(username)
    world.stack.people.give_role(REALM, account.subject, role)
    visitor = world.new_visitor(living(face, seed))
    visitor.page.goto(f"{world.stack.service.url}/helpdesk")
    visitor.page.click("a[href$='/helpdesk/login']")
    visitor.give_password(account)
    visitor.enrol(account, world.stack.invite(account.subject), way="totp")
    visitor.page.get_by_role("button", name="Sign out").wait_for()
    return visitor


def _open_case(agent: Visitor, caller: Account, *, ticket: str) -> str:
    """Open a case, note that the caller was called back; return its address."""
    page = agent.page
    page.get_by_role("link", name="All cases").or_(page.locator("#name")).first.wait_for()
    if not page.locator("#name").count():
        page.get_by_role("link", name="All cases").click()
    page.fill("#name", caller.username)
    page.fill("#ticket", ticket)
    page.fill("#reason", "phone lost on the train")
    page.get_by_role("button", name="Open the case").click()
    page.get_by_role("button", name="I did this: Called back").click()
    return page.url.split("?", maxsplit=1)[0]


def _show_face_by_link(world: World, agent: Visitor, phone: Visitor, case: str, *, since: int = 0) -> str:
    """Let the agent send a link and whoever reads the mail look into the camera; return what the agent is told."""
    agent.page.get_by_role("button", name="Send a link").first.click()
    agent.page.get_by_role("link", name="Look again").wait_for()
    link = _found(CHECK_LINK, world, since=since)
    phone.page.goto(link)
    phone.page.get_by_role("button", name="I called them myself").click()
    phone.page.wait_for_selector("#face-start")
    over = phone.page.get_by_role("heading", name="The check is over")
    for _ in range(TRIES):
        phone.show_face()
        over.or_(phone.page.locator("#face-start:visible:enabled")).first.wait_for()
        if over.is_visible():
            break
    agent.page.goto(case)
    if agent.page.locator("li.done", has_text=LIVE_FACE).count():
        return "matched"
    return "not matched" if "Not matched" in agent.said() else agent.page.locator("ul.proofs").first.inner_text()


def _ask_for_a_pass(agent: Visitor) -> None:
    agent.page.check("input[name=action][value=pass]")
    agent.page.get_by_role("button", name="Ask for it").click()
    agent.page.get_by_text("A second person must agree").wait_for()


def _back_in(world: World, visitor: Visitor, caller: Account) -> str:
    """Log in with password, pass and face, set up an app in place of what was lost."""
    before = world.stack.people.sessions(REALM, caller.subject)
    visitor.open_login(caller, acr=ACR)
    visitor.enter_pass(_found(PASS, world))
    visitor.pass_camera()
    visitor.set_up_factor(caller, way="totp")
    visitor.page.get_by_role("heading", name="All done").wait_for()
    visitor.page.click("form[data-post=finish] button")
    claims = visitor.tokens()
    left = world.stack.people.sessions(REALM, caller.subject)
    ended = "old sessions ended" if left <= 1 else f"{before} sessions before, {left} after"
    return f"back in at {claims.get('acr')}, {ended}"


def _changes_factors_again(world: World, visitor: Visitor) -> str:
    mark = world.mark()
    visitor.page.goto(world.app.begin(action=ENROL).url)
    refused = visitor.page.get_by_text("Your factors were replaced a short time ago").count()
    audited = world.found(mark, "request_refused", code="cooling_down")
    return f"{'cooling down' if refused else f'at {visitor.page.url}'}, {audited}"


def _letters(world: World, wanted: tuple[str, ...]) -> str:
    written = " ".join(world.stack.mailbox.letters).lower()
    missing = [words for words in wanted if words.lower() not in written]
    return f"not told: {missing}" if missing else "told"


def _has_pass(world: World) -> bool:
    return any(PASS.search(letter) for letter in world.stack.mailbox.letters)


def _found(pattern: re.Pattern[str], world: World, *, since: int = 0) -> str:
    """Return what the newest letter that fits says; a letter has some seconds to come."""
    deadline = time.monotonic() + ENTRY_S
    while time.monotonic() < deadline:
        for letter in reversed(world.stack.mailbox.letters[since:]):
            if match := pattern.search(letter):
                return match[0]
        time.sleep(0.2)
    raise AssertionError(f"no letter with {pattern.pattern}")
