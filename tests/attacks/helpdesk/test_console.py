"""Attacks on the helpdesk's pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, select, update

from plugin.ceremonies.types import Purpose
from plugin.factors.face import MAX_CHALLENGES
from plugin.store.helpdesk_tables import HelpdeskCase
from tests.plugin.api.web import Browser, make_app
from tests.plugin.factors import scripted
from tests.plugin.helpdesk.console import open_console


@pytest.fixture
def ada(office, world):
    world.person().has_face()
    console = open_console(office)
    console.signs_in("ada")
    return console


def test_a_form_of_another_site_does_nothing(ada, world):
    path = ada.opens()
    for origin in ("https://evil.example", "null"):
        assert ada.post(f"{path}/ask", origin=origin).status_code == 400
    assert world.audited("helpdesk_approval_asked") == []


def test_html_in_a_name_or_reason_is_text(ada, office):
    office.people.add('<img src=x onerror="alert(1)">')
    page = ada.get(ada.opens('<img src=x onerror="alert(1)">', reason="<script>alert(1)</script>"))
    assert "<img src=x" not in page.text
    assert "<script>alert" not in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_control_characters_are_refused(ada):
    assert ada.post("/cases", name="alice", ticket="T\u202e1", reason="x").status_code == 400


def test_a_demoted_agent_is_out_at_the_next_click(ada, office):
    path = ada.opens()
    office.people.change("ada", roles=frozenset())
    assert ada.post(f"{path}/proofs", proof="call_back").status_code == 403
    assert ada.get().status_code == 403


def test_a_sign_in_that_began_in_another_browser_is_refused(ada, office, world):
    victim = open_console(office, app=ada.app)
    victim.get("/login")
    assert victim.get("/callback?state=AAAAAAAA&code=stolen").status_code == 403
    assert victim.get().status_code == 401


def test_a_made_up_session_is_none(ada, office):
    stranger = open_console(office, app=ada.app)
    stranger.client.set_cookie("facestep_desk", "A" * 43)
    assert stranger.get().status_code == 401


def test_a_session_that_was_planted_before_is_not_the_one_that_is_signed_in(ada, office):
    """Session fixation: what the browser held before the sign-in is worth nothing after it."""
    planted = ada.client.get_cookie("facestep_desk").value
    victim = open_console(office, app=ada.app)
    victim.client.set_cookie("facestep_desk", planted)
    assert victim.signs_in("bob").status_code == 303
    assert victim.client.get_cookie("facestep_desk").value != planted
    assert ada.get().status_code == 401


def test_a_sign_in_that_is_refused_ends_the_planted_session_too(ada, office):
    victim = open_console(office, app=ada.app)
    victim.client.set_cookie("facestep_desk", ada.client.get_cookie("facestep_desk").value)
    assert victim.signs_in("alice").status_code == 403
    assert ada.get().status_code == 401


def test_the_cookies_are_bound_to_this_very_host(office, world):
    """A neighbour host of the domain cannot plant a session or a begun sign-in, as it can with a cookie of a path."""
    world.settings = replace(world.settings, issuer="https://facestep.example")
    world.person().has_face()
    console = open_console(office)
    given = [console.get("/login"), console.signs_in("ada")]
    assert console.get().status_code == 200
    token = office.asks_manager(office.opens())
    given.append(console.get(f"/confirm/{token}/login"))
    cookies = [one for answer in given for one in answer.headers.getlist("Set-Cookie")]
    names = {one.partition("=")[0].removeprefix("__Host-facestep_desk") for one in cookies}
    assert names == {"", "_begun", "_asked"}
    assert all("; Secure; HttpOnly; Path=/; SameSite=Lax" in one and "Domain" not in one for one in cookies)
    stranger = open_console(office, app=console.app)
    stranger.client.set_cookie(
        "facestep_desk", console.client.get_cookie("__Host-facestep_desk", "facestep.example").value
    )
    assert stranger.get().status_code == 401


def test_a_case_that_is_over_tells_nothing_of_the_person_s_factors(ada, office, world):
    """Its address would be a way to watch somebody's factors and failures for as long as cases are kept."""
    path = ada.opens()
    assert "Failed tries in the last day" in ada.get(path).text
    ada.post(f"{path}/close")
    closed = ada.get(path)
    assert closed.status_code == 200
    assert "Factors of this person" not in closed.text
    assert "Failed tries" not in closed.text
    other = ada.opens()
    world.passes(seconds=8 * 3600)
    ada.signs_in("ada")
    assert "Factors of this person" not in ada.get(other).text


def test_looking_at_the_link_changes_nothing_and_pressing_stops(ada, office, world):
    """Mail programs fetch links to look for malware."""
    office.issued()
    link = f"/stop/{office.letters.link()}"
    owner = open_console(office, app=ada.app)
    assert owner.get(link).status_code == 200
    assert world.audited("recovery_frozen") == []
    assert owner.post(link, origin="https://evil.example").status_code == 400
    assert owner.post(link).status_code == 200
    assert len(world.audited("recovery_frozen")) == 1
    assert owner.get(link).status_code == 410
    assert owner.get("/stop/" + "A" * 43).status_code == 410


def test_the_impostor_s_face_ends_in_a_refusal_and_an_alarm(ada, office, world):
    code = office.issued()
    app = make_app(world)
    app.extensions["facestep"].face = world.face
    mallory = world.person()
    mallory.comes_to(Purpose.LOGIN)
    browser = Browser(app, mallory)
    assert browser.call("recovery/pass", {"code": code}).status_code == 200
    for _ in range(MAX_CHALLENGES):
        browser.starts_face()
        world.passes(seconds=5)
        answer = browser.sends_frames([one.jpeg for one in scripted.shows("go", "done:mallory")]).get_json()
    assert (answer["state"], answer["may_retry"]) == ("refused", False)
    assert office.alarms() == ["recovery_face_refused"]
    assert world.audited("recovery_bound") == []


def test_an_edited_case_keeps_nobody_from_the_others_and_opening_it_is_written_down(ada, world, caplog):
    edited, other = ada.opens(reason="phone lost"), ada.opens(reason="key lost")
    case_id = edited.rpartition("/")[2]
    world.run(update(HelpdeskCase).where(HelpdeskCase.id == case_id).values(reason="the boss said so"))
    answer = ada.get()
    assert answer.status_code == 200
    assert other in answer.text
    assert case_id not in answer.text
    assert f"the case {case_id[:8]} is not as it was written" in caplog.text
    assert ada.get(edited).status_code == 500
    assert world.audited("request_failed") == [{"code": "vault_wrong_mac", "call": "helpdesk.show_case"}]


def test_a_case_put_back_is_written_down(ada, world, office):
    path = ada.opens()
    ada.proves(path)
    with world.database.reading() as session:
        row = dict(session.execute(select(HelpdeskCase.__table__)).mappings().one())
    assert ada.post(f"{path}/ask").status_code == 303
    world.run(delete(HelpdeskCase))
    world.run(insert(HelpdeskCase).values(**row))
    assert ada.post(f"{path}/ask").status_code == 500
    assert world.audited("request_failed") == [{"code": "vault_wrong_mac", "call": "helpdesk.ask"}]
    assert len(world.audited("helpdesk_approval_asked")) == 1
