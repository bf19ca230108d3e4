"""Somebody who has one of password, phone, paper and mailbox too few, or wants too much."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, LockedOut
from plugin.factors import lookup_secrets
from plugin.factors.mailed_codes import MailedCodes
from plugin.helpdesk.types import AGENT_ROLE
from tests.plugin.factors import scripted
from tests.plugin.helpdesk.own_way import OwnWay


@pytest.fixture
def alice(office, world):
    person = world.person().has_face()
    world.passes(seconds=3600)
    return OwnWay(office, person)


def at_the_mail(alice) -> str:
    """Come as far as phone and mailbox reach; return the code."""
    alice.logs_in()
    alice.begins_new_face()
    alice.gives_phone()
    return alice.gets_mail()


def guess(alice, code: str) -> int:
    return alice.browser.call("recovery/mailed", {"code": code}).status_code


def test_the_phone_without_the_mailbox_replaces_no_face(alice, world):
    at_the_mail(alice)
    assert guess(alice, "0000-0000-0000") == 403
    assert alice.browser.call("consent", {"agree": True, "text_version": "2026-3"}).status_code == 410
    assert alice.browser.starts_face().status_code == 403
    with pytest.raises(CeremonyRefused):
        world.ceremonies.advance(alice.view(), to=Stage.FACE, now=world.now)
    assert world.audited("face_replaced") == []


def test_the_mailbox_without_a_factor_does_not_even_get_a_letter(alice, office):
    alice.logs_in()
    alice.begins_new_face()
    assert alice.browser.call("recovery/mail").status_code == 410
    assert alice.browser.call("recovery/mailed", {"code": "0000-0000-0000"}).status_code == 410
    assert office.letters.sent == []


def test_a_mailed_code_is_good_once_and_in_its_own_ceremony(alice, world):
    first = at_the_mail(alice)
    world.passes(seconds=60)
    second = at_the_mail(alice)
    assert guess(alice, first) == 403
    assert guess(alice, second) == 200
    assert guess(alice, second) == 410
    world.passes(seconds=60)
    alice.logs_in()
    alice.begins_new_face()
    alice.gives_phone()
    assert guess(alice, second) == 403


def test_a_mailed_code_of_another_person_opens_nothing(alice, office, world):
    code = at_the_mail(alice)
    office.people.add("carol")
    carol = OwnWay(office, world.person("carol-id").has_face("carol"))
    at_the_mail(carol)
    assert guess(carol, code) == 403


def test_an_older_scratch_put_back_does_not_bring_its_code_back(alice, world):
    """A newer letter takes the older code's place; the ceremony's version is bound to its memory."""
    first = at_the_mail(alice)
    alice.browser.call("recovery/mail")
    assert guess(alice, first) == 403
    assert guess(alice, alice.mailed()) == 200


def test_guessing_ends_and_a_restart_does_not_help(alice, world):
    at_the_mail(alice)
    for _ in range(5):
        assert guess(alice, lookup_secrets.draw(12)) == 403
    assert guess(alice, alice.mailed()) == 429
    world.database.close()
    world.open()
    codes = MailedCodes(ceremonies=world.ceremonies, sealer=world.sealer, attempts=world.attempts, audit=world.audit)
    with pytest.raises(LockedOut):
        codes.redeem(alice.view(), lookup_secrets.draw(12), now=world.now)


def test_letters_are_bounded_a_day(alice, office):
    at_the_mail(alice)
    assert alice.browser.call("recovery/mail").status_code == 200
    assert alice.browser.call("recovery/mail").status_code == 200
    assert alice.browser.call("recovery/mail").status_code == 429
    office.world.passes(seconds=60)
    alice.logs_in()
    alice.begins_new_face()
    alice.gives_phone()
    assert alice.browser.call("recovery/mail").status_code == 429


def test_a_face_is_replaced_once_a_year(alice, world):
    alice.replaces_face("somebody-else")
    world.passes(seconds=30 * 86400)
    alice.logs_in()
    alice.begins_new_face()
    alice.gives_phone()
    assert alice.browser.call("recovery/mail").get_json()["error"] == "new_faces_used_up"


def test_right_after_a_recovery_nothing_can_be_changed(alice, world):
    """Re-enrol, then change at once what is left: by a new recovery, an enrolment, or a higher level."""
    alice.replaces_face("mallory")
    world.passes(seconds=60)
    for purpose, changes in ((Purpose.ENROL, {}), (Purpose.LOGIN, {"acr": "facestep-light"})):
        with pytest.raises(CeremonyRefused, match="cooling_down"):
            alice.person.comes_to(purpose, **changes)
    alice.logs_in()
    assert alice.browser.call("recovery/new-face").status_code == 403
    assert alice.browser.call("recovery/lost", {"code": alice.person.codes[0]}).status_code == 403
    assert alice.view().purpose is Purpose.LOGIN


def test_a_recovery_is_no_way_to_a_higher_level(alice):
    alice.logs_in(acr="facestep-light")
    assert alice.browser.call("recovery/new-face").get_json()["error"] == "recovery_not_here"
    assert alice.browser.call("recovery/lost", {"code": alice.person.codes[0]}).status_code == 403


@pytest.mark.parametrize("delicate", [{"roles": frozenset({AGENT_ROLE})}, {"addresses": ()}, {"enabled": False}])
def test_staff_and_people_who_cannot_be_written_to_must_call(alice, office, delicate):
    office.people.change("alice", **delicate)
    alice.logs_in()
    alice.begins_new_face()
    alice.gives_phone()
    assert alice.browser.call("recovery/mail").status_code == 403
    assert office.letters.sent == []


@pytest.mark.parametrize("group", ["/administrators", "/administrators/emea"])
def test_people_of_a_group_that_the_policy_names_or_of_one_below_must_call(alice, office, group):
    own = office.parts.own_recovery
    own._policy = replace(own._policy, groups=(("/administrators", own._policy.default),))
    office.people.change("alice", groups=(group,))
    alice.logs_in()
    alice.begins_new_face()
    alice.gives_phone()
    assert alice.browser.call("recovery/mail").get_json()["error"] == "helpdesk_only"


def test_a_stolen_code_without_the_face_replaces_no_phone(alice, office, world):
    """Password and paper are stolen: the enrolled face is asked for before anything changes, and it is loud."""
    alice.logs_in().call("recovery/lost", {"code": alice.person.codes[0]})
    for _ in range(3):
        alice.shows("mallory")
    assert alice.last["may_retry"] is False
    assert office.alarms() == ["recovery_face_refused"]
    assert world.audited("recovery_bound") == []
    world.passes(seconds=60)
    alice.person.proves_totp()


def test_the_link_of_any_letter_stops_and_takes_the_new_face_away(alice, office, world):
    alice.replaces_face("mallory")
    links = re.findall(r"/helpdesk/stop/(\S+)", "\n".join(text for *_, text in office.letters.sent))
    office.parts.aftermath.freeze(links[0], now=world.now)
    with pytest.raises(CeremonyRefused):
        alice.view()
    world.passes(seconds=60)
    assert alice.person.comes_to(Purpose.ENROL).stage is Stage.INVITATION
    assert not office.parts.aftermath.can_freeze(links[-1], now=world.now)


def test_a_recovery_under_way_ends_when_the_owner_stops_it(alice, office, world):
    at_the_mail(alice)
    link = re.findall(r"/helpdesk/stop/(\S+)", "\n".join(text for *_, text in office.letters.sent))[-1]
    office.parts.aftermath.freeze(link, now=world.now)
    with pytest.raises(CeremonyRefused):
        alice.view()


def test_an_enrolment_cannot_be_turned_into_a_recovery(alice, world):
    """Nor can a login whose factor was already shown, or a recovery into another one."""
    alice.person.comes_to(Purpose.ENROL)
    assert alice.browser.call("recovery/new-face").status_code == 410
    assert alice.browser.call("recovery/lost", {"code": alice.person.codes[0]}).status_code == 410
    alice.logs_in()
    alice.gives_phone_at_login()
    assert alice.browser.call("recovery/new-face").status_code == 410


def test_of_two_parallel_ways_to_a_new_face_one_replaces_it(alice, office, world):
    """Both were counted before either had replaced anything: the year's bound holds all the same."""
    other = OwnWay(office, replace(alice.person))
    for way in (alice, other):
        at_the_mail(way)
        way.gives_mailed_code()
        way.consents()
        world.passes(seconds=60)
    assert other.browser.starts_face().status_code == 200
    alice.shows("mallory")
    refused = other.browser.sends_frames([one.jpeg for one in scripted.shows("go", "done:eve")])
    assert refused.status_code in {403, 410}
    assert len(world.audited("face_replaced")) == 1


def stopped(alice, office, world) -> None:
    """Somebody came as far as the mail; the owner presses the link of the letter."""
    at_the_mail(alice)
    links = re.findall(r"/helpdesk/stop/(\S+)", "\n".join(text for *_, text in office.letters.sent))
    office.parts.aftermath.freeze(links[-1], now=world.now)
    world.passes(seconds=60)


def test_what_was_stopped_does_not_begin_again_at_once(alice, office, world):
    """Whoever has phone and mailbox still has them: for a week the helpdesk alone can help."""
    stopped(alice, office, world)
    for days in (0, 6.9):
        world.passes(seconds=days * 86400)
        alice.logs_in()
        refused = alice.browser.call("recovery/new-face")
        assert (refused.status_code, refused.get_json()["error"]) == (403, "recovery_stopped")
        assert alice.browser.call("recovery/lost", {"code": alice.person.codes[0]}).status_code == 403
    world.passes(seconds=0.2 * 86400)
    alice.logs_in()
    alice.begins_new_face()


def test_after_a_stop_a_pass_still_helps(alice, office, world):
    stopped(alice, office, world)
    alice.logs_in()
    assert alice.browser.call("recovery/pass", {"code": office.issued()}).status_code == 200
    assert alice.view().purpose is Purpose.RECOVER


def test_a_recovery_that_turns_beside_a_stop_is_over(alice, office, world, monkeypatch):
    """The stop is written between the question and the turn; the turn's own transaction sees it."""
    alice.logs_in()
    append = world.audit.append

    def slower(event, **said):
        if event == "recovery_begun":
            about = {"issuer": alice.person.owner.issuer, "subject": alice.person.owner.subject}
            append("recovery_frozen", at=world.now, **about, details={}, session=said["session"])
        return append(event, **said)

    monkeypatch.setattr(world.audit, "append", slower)
    assert alice.browser.call("recovery/new-face").get_json()["error"] == "recovery_stopped"
    assert alice.view().purpose is Purpose.LOGIN


def uses_a_code(alice) -> None:
    """Log in with a code from the paper, up to the offer of a new set."""
    assert alice.logs_in().call("recovery/verify", {"code": alice.person.codes[0]}).status_code == 200
    alice.shows("alice")
    assert alice.view().stage is Stage.DONE


def test_no_new_codes_are_made_that_no_page_has_shown(alice, world):
    uses_a_code(alice)
    assert alice.browser.call("recovery/acknowledge").status_code == 403
    assert len(world.audited("recovery_codes_issued")) == 1  # at the enrolment
    assert alice.browser.call("finish").status_code == 200


def test_codes_that_were_shown_before_a_recovery_do_not_replace_its_own(alice, office, world):
    """Or whoever sat at the end of a login could put their paper in the place of the owner's."""
    uses_a_code(alice)
    assert alice.browser.page().status_code == 200
    about = {"issuer": alice.person.owner.issuer, "subject": alice.person.owner.subject, "ceremony_id": "other"}
    world.audit.append("recovery_bound", at=world.now, **about, details={"factor": "totp"})
    assert alice.browser.call("recovery/acknowledge").get_json()["error"] == "cooling_down"
    assert len(world.audited("recovery_codes_issued")) == 1
    assert world.audited("result_issued")[1:] == []


def test_while_cooling_down_no_new_codes_are_offered(alice, world):
    about = {"issuer": alice.person.owner.issuer, "subject": alice.person.owner.subject, "ceremony_id": "other"}
    world.audit.append("recovery_bound", at=world.now, **about, details={"factor": "totp"})
    alice.logs_in().call("recovery/verify", {"code": alice.person.codes[0]})
    alice.shows("alice")
    assert "redirect" in alice.last


def test_the_letter_about_a_used_code_stops_the_login_that_used_it(alice, office, world):
    """The paper was stolen: the owner presses the link while the thief stands before the camera."""
    alice.logs_in().call("recovery/verify", {"code": alice.person.codes[0]})
    links = re.findall(r"/helpdesk/stop/(\S+)", "\n".join(text for *_, text in office.letters.sent))
    office.parts.aftermath.freeze(links[-1], now=world.now)
    assert office.people.ended == ["alice-id"]
    with pytest.raises(CeremonyRefused):
        alice.person.shows("alice", alice.view())
    assert [one["purpose"] for one in world.audited("result_issued")] == ["enrol"]
