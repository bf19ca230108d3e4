"""Break glass at its pages and at the API: who sends a form or a call that should not be heard."""

from __future__ import annotations

import pytest

from plugin.errors import ServiceError
from plugin.helpdesk.types import API_ROLE, BREAK_GLASS_ROLE, Action
from tests.plugin.api.web import error_of, make_app
from tests.plugin.helpdesk.breaking import asked, staffed
from tests.plugin.helpdesk.console import open_console
from tests.plugin.helpdesk.program import Program


@pytest.fixture
def alice(office, world):
    staffed(office)
    return world.person().has_face()


def test_no_program_breaks_glass(office, alice, world):
    tickets = Program(make_app(world), office)
    office.people.change(f"service-account-{tickets.name}", roles=frozenset({API_ROLE, BREAK_GLASS_ROLE}))
    path, wish = tickets.opens(), {"action": "break_glass", "target": ""}
    assert error_of(tickets.calls(f"{path}/ask", wish)) == (403, "not_for_programs")
    assert error_of(tickets.calls(path.replace("cases", "break-glass"), {})) == (404, "not_found")
    program = office.parts.programs.program(tickets.name, address="", now=world.now)
    case = asked(office)
    with pytest.raises(ServiceError, match="helpdesk_role"):
        office.desk.open(program, "alice", ticket="T", reason="r", only=Action.BREAK_GLASS, now=world.now)
    for act in (
        lambda: office.desk.decide(program, case.id, agree=True, now=world.now),
        lambda: office.desk.stop(program, case.id, now=world.now),
    ):
        with pytest.raises(ServiceError, match=r"helpdesk_role|case_unknown"):
            act()
    assert world.audited("pass_issued") == []


@pytest.fixture
def grace(office, alice, world):
    console = open_console(office)
    assert console.signs_in("grace").status_code == 303
    return console


GLASS = {"name": "alice", "ticket": "T-1", "reason": "mail is down"}


@pytest.mark.parametrize("fields", [{}, {"confirm": ""}, {"confirm": "no"}, {"confirm": "on"}])
def test_a_form_without_the_ticked_sentence_breaks_nothing(office, grace, world, fields):
    assert grace.post("/break-glass", **GLASS, **fields).status_code == 400
    path = f"/cases/{office.opens().id}"
    assert grace.post(f"{path}/break-glass", **fields).status_code == 400
    assert grace.post(f"{path}/ask", action="break_glass", confirm="yes").status_code == 400
    assert world.audited("helpdesk_break_glass") == []


def test_a_form_of_another_site_breaks_no_glass(office, grace, world):
    path = f"/cases/{office.opens().id}"
    for at, fields in (("/break-glass", GLASS), (f"{path}/break-glass", {}), (f"{path}/stop", {})):
        assert grace.post(at, **fields, confirm="yes", origin="https://evil.example").status_code == 400
    assert world.audited("helpdesk_break_glass") == []
    assert grace.post("/break-glass", **GLASS, confirm="yes").status_code == 303


def test_agents_and_approvers_see_no_button_and_their_forms_are_refused(office, alice, world):
    path = f"/cases/{office.opens().id}"
    for name in ("ada", "bob"):
        console = open_console(office)
        console.signs_in(name)
        assert "break-glass" not in console.get().text
        assert "break-glass" not in console.get(path).text
        assert console.post(f"{path}/break-glass", confirm="yes").status_code == 403
        assert console.post("/break-glass", **GLASS, confirm="yes").status_code == 403


def test_what_was_typed_is_text_on_the_red_banner(office, grace, world):
    sent = grace.post("/break-glass", **{**GLASS, "reason": "<script>alert(1)</script>"}, confirm="yes")
    assert sent.status_code == 303
    for page in (grace.get(), grace.get(sent.headers["Location"].removeprefix("/helpdesk"))):
        assert "<script>alert(1)" not in page.text
        assert "Break glass" in page.text
