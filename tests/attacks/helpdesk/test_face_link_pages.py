"""The link of a live face check in the wrong hands, and a check that somebody wants to be more than a check."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, ServiceError
from plugin.factors.face_answers import FaceRefused
from plugin.helpdesk.links import LinkState
from plugin.helpdesk.types import CaseState
from plugin.store.link_tables import HelpdeskLink
from plugin.store.tables import Attempts
from tests.plugin.api.web import error_of, make_app
from tests.plugin.factors import scripted
from tests.plugin.factors.world import ALICE
from tests.plugin.helpdesk.console import open_console
from vault.interface import WrongMac


@pytest.fixture
def app(office, world):
    world.person().has_face()
    made = make_app(world)
    made.extensions["facestep"].face = world.face
    return made


@pytest.fixture
def ada(office, app):
    console = open_console(office, app=app)
    console.signs_in("ada")
    return console


@pytest.fixture
def asked(office, ada):
    """Return the path of a case, and the token of the check that was asked for there."""
    path = ada.opens()
    assert ada.post(f"{path}/face-check").status_code == 303
    return path, office.letters.token("check")


def shows(browser, *words):
    """Draw a challenge and send these frames."""
    assert browser.starts_face().status_code == 200
    browser.person.world.passes(seconds=5)
    return browser.sends_frames([one.jpeg for one in scripted.shows(*words)]).get_json()


def test_a_mail_scanner_uses_nothing_up(office, ada, app, asked):
    scanner = open_console(office, app=app)
    for _ in range(3):
        assert scanner.get(f"/check/{asked[1]}").status_code == 200
    caller = open_console(office, app=app)
    assert shows(caller.begins_check(asked[1]), "go", "done:alice")["state"] == "finished"
    assert "Live face is the enrolled one" in ada.get(asked[0]).text


def test_a_second_browser_gets_nothing_from_the_same_link(office, app, asked):
    browser = open_console(office, app=app).begins_check(asked[1])
    thief = open_console(office, app=app)
    assert thief.get(f"/check/{asked[1]}").status_code == 410
    assert thief.post(f"/check/{asked[1]}", answer="begin").status_code == 410
    page = thief.client.get(f"/ceremony/{browser.person.ceremony_id}", base_url=thief.url)
    assert page.status_code == 410


def test_of_two_browsers_that_press_at_the_same_moment_one_wins(office, world, asked):
    checks = office.parts.face_checks
    stale = checks.find(asked[1], now=world.now)
    checks.begin(asked[1], now=world.now)
    with pytest.raises(ServiceError, match="link_over"), world.database.transaction() as session:
        office.parts.links.change(stale, to=LinkState.OPENED, session=session)


def test_an_old_link_and_one_of_nobody_open_nothing(office, world, app, asked):
    caller = open_console(office, app=app)
    assert caller.post("/check/" + "A" * 43, answer="begin").status_code == 410
    world.passes(seconds=15 * 60)
    assert caller.get(f"/check/{asked[1]}").status_code == 410
    assert caller.post(f"/check/{asked[1]}", answer="begin").status_code == 410


def test_a_check_counts_for_its_own_case_alone(office, world, ada, app, asked):
    other = ada.opens()
    shows(open_console(office, app=app).begins_check(asked[1]), "go", "done:alice")
    cases = [office.desk.case(office.agent(), path.rpartition("/")[2], now=world.now) for path in (asked[0], other)]
    assert [case.proofs for case in cases] == [("live_face",), ()]


def test_the_agent_s_own_face_does_not_match_and_is_loud(office, ada, app, asked):
    browser = open_console(office, app=app).begins_check(asked[1])
    answer = shows(browser, "go", "done:ada")
    assert (answer["state"], answer["may_retry"]) == ("refused", False)
    assert answer["redirect"].endswith("/helpdesk/checked")
    assert office.alarms() == ["check_not_matched"]
    page = ada.get(asked[0]).text
    assert "Not matched" in page
    assert not {"similar", "score", "0."} & set(page.split())
    assert error_of(browser.call("face/start"))[1] == "ceremony_refused"


def test_a_mask_of_a_stranger_ends_as_not_matched_at_the_last_try(office, world, app, asked):
    browser = open_console(office, app=app).begins_check(asked[1])
    for _ in range(2):
        assert shows(browser, "go", "done:alice:planarity/flat")["may_retry"]
    assert not shows(browser, "go", "done:mallory")["may_retry"]
    assert office.alarms() == ["check_not_matched"]


@pytest.mark.parametrize("stopped", ["frozen", "closed"])
def test_a_case_that_is_over_stops_its_link(office, world, ada, asked, stopped):
    case = office.desk.case(office.agent(), asked[0].rpartition("/")[2], now=world.now)
    if stopped == "frozen":
        office.parts.aftermath.stop(case, now=world.now)
    else:
        ada.post(f"{asked[0]}/close")
    caller = open_console(office, app=ada.app)
    assert caller.get(f"/check/{asked[1]}").status_code == 410
    assert caller.post(f"/check/{asked[1]}", answer="begin").status_code == 410


def test_a_case_that_is_frozen_while_the_camera_runs_takes_no_proof(office, world, app, asked):
    browser = open_console(office, app=app).begins_check(asked[1])
    browser.starts_face()
    case = office.desk.case(office.agent(), asked[0].rpartition("/")[2], now=world.now)
    office.parts.aftermath.stop(case, now=world.now)
    sent = browser.sends_frames([one.jpeg for one in scripted.shows("go", "done:alice")])
    assert error_of(sent) == (410, "ceremony_refused")
    assert world.audited("helpdesk_proof_noted") == []


def test_a_case_that_is_closed_while_the_camera_runs_takes_no_proof(office, world, ada, app, asked):
    browser = open_console(office, app=app).begins_check(asked[1])
    browser.starts_face()
    ada.post(f"{asked[0]}/close")
    browser.sends_frames([one.jpeg for one in scripted.shows("go", "done:alice")])
    assert world.audited("helpdesk_proof_noted") == []
    assert office.desk.case(office.agent(), asked[0].rpartition("/")[2], now=world.now).state is CaseState.CLOSED


def test_who_did_not_call_stops_the_case_from_the_link(office, world, app, asked):
    owner = open_console(office, app=app)
    assert owner.post(f"/check/{asked[1]}", answer="stop", origin="https://evil.example").status_code == 400
    assert "Stopped" in owner.post(f"/check/{asked[1]}", answer="stop").text
    assert office.alarms() == ["frozen_by_owner"]
    assert office.desk.case(office.agent(), asked[0].rpartition("/")[2], now=world.now).state is CaseState.FROZEN


def test_another_site_cannot_press_the_button(office, world, app, asked):
    caller = open_console(office, app=app)
    assert caller.post(f"/check/{asked[1]}", answer="begin", origin="https://evil.example").status_code == 400
    assert world.audited("helpdesk_link_opened") == []


def test_a_check_never_becomes_a_login(office, world, app, asked):
    browser = open_console(office, app=app).begins_check(asked[1])
    for call, body in (("finish", {}), ("totp/verify", {"code": "123456"}), ("recovery/pass", {"code": "A" * 16})):
        assert browser.call(call, body).status_code in {403, 410}, call
    view = browser.person.shows("alice", browser.person.view())
    assert (view.stage, view.amr) == (Stage.DONE, ("face",))
    assert error_of(browser.call("finish")) == (410, "ceremony_refused")
    with pytest.raises(CeremonyRefused, match="no_code_at_done_of_check"):
        world.ceremonies.issue_code(view, now=world.now)
    assert world.audited("result_issued")[1:] == []  # the first is alice's enrolment


def test_a_check_that_was_stopped_does_not_lead_to_the_identity_provider(office, app, asked):
    browser = open_console(office, app=app).begins_check(asked[1])
    assert browser.call("cancel").get_json() == {"redirect": f"{browser.issuer}/helpdesk/checked"}


def test_frames_of_a_login_are_no_check(office, world, app, asked):
    """Frames are known by what they look like, whatever they were for."""
    seen = scripted.shows("go", "done:alice")
    login = world.person("bob-id").has_totp()
    view = login.proves_totp()
    world.face.start(view, now=world.now)
    with pytest.raises(FaceRefused):
        world.face.push(login.view(), seen, now=world.now)
    browser = open_console(office, app=app).begins_check(asked[1])
    browser.starts_face()
    assert browser.sends_frames([one.jpeg for one in seen]).get_json()["state"] == "refused"
    assert "frames_seen_before" in world.audited("face_refused")[-1]["denied_by"]
    assert world.audited("helpdesk_proof_noted") == []


@pytest.mark.parametrize("proof", ["live_face", "manager"])
def test_an_agent_cannot_note_what_the_service_notes(office, world, ada, asked, proof):
    assert ada.post(f"{asked[0]}/proofs", proof=proof).status_code == 403
    assert office.refusals() == ["proof_not_noted"]
    assert office.desk.case(office.agent(), asked[0].rpartition("/")[2], now=world.now).proofs == ()


def test_an_answer_written_into_the_database_is_not_believed(office, world, asked):
    world.run(update(HelpdeskLink).values(state="matched"))
    with pytest.raises(WrongMac):
        office.parts.links.of(asked[0].rpartition("/")[2])


def test_a_check_written_for_another_case_is_not_believed(office, world, ada, asked):
    other = ada.opens().rpartition("/")[2]
    world.run(update(HelpdeskLink).values(case_id=other))
    with pytest.raises(WrongMac):
        office.parts.face_checks.begin(asked[1], now=world.now)


def test_a_login_is_no_answer_to_a_check(office, world, asked):
    """Only a ceremony of this purpose names a link."""
    view = world.person().comes_to(Purpose.LOGIN, state=office.parts.face_checks.find(asked[1], now=world.now).id)
    with pytest.raises(ServiceError, match="no_check"):
        office.parts.face_checks.matched(view, now=world.now)


def test_failed_checks_count_as_failed_logins_do(office, world, app, asked):
    shows(open_console(office, app=app).begins_check(asked[1]), "go", "done:mallory")
    with world.database.reading() as session:
        assert session.get_one(Attempts, (ALICE.issuer, ALICE.subject, "face")).consecutive == 1


def test_closing_the_page_after_a_picture_was_refused_hides_nothing(office, world, app, asked):
    """An impostor who sees that it does not work goes before the last try."""
    browser = open_console(office, app=app).begins_check(asked[1])
    assert shows(browser, "go", "done:alice:planarity/flat")["may_retry"]
    world.passes(seconds=world.settings.ceremony_ttl_s)
    office.parts.chores.run(now=world.now)
    assert office.alarms() == ["check_not_live"]


def test_pressing_stop_after_a_picture_was_refused_hides_nothing(office, world, app, asked):
    browser = open_console(office, app=app).begins_check(asked[1])
    assert shows(browser, "go", "done:alice:planarity/flat")["may_retry"]
    assert browser.call("cancel").status_code == 200
    world.passes(seconds=world.settings.ceremony_ttl_s)
    office.parts.chores.run(now=world.now)
    assert office.alarms() == ["check_not_live"]
