"""Somebody has the password, perhaps the phone too, and wants to make the account his own by enrolling himself."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.factors.face_answers import FaceRefused
from plugin.store.tables import Reference


def test_password_alone_does_not_enrol_a_first_face(world):
    thief = world.person()
    view = thief.comes_to(Purpose.ENROL)
    assert view.stage is Stage.INVITATION
    for call in (world.totp.begin_setup, world.webauthn.registration_options, world.recovery_codes.show):
        with pytest.raises(CeremonyRefused):
            call(view, now=world.now)
    with pytest.raises(FactorRejected):
        world.invitations.redeem(view, "0000-0000-0000", now=world.now)


def test_password_alone_does_not_replace_the_factors_of_an_enrolled_person(world):
    world.person().has_face()
    thief = world.person()
    view = thief.comes_to(Purpose.ENROL)
    assert view.stage is Stage.POSSESSION
    for call in (world.totp.begin_setup, world.webauthn.registration_options, world.recovery_codes.show):
        with pytest.raises(CeremonyRefused):
            call(view, now=world.now)
    with pytest.raises(CeremonyRefused):
        world.enrolment.keep_possession(view, now=world.now)


def test_invitation_does_not_get_around_the_factors_of_an_enrolled_person(world):
    person = world.person().has_face()
    issued = world.invitations.issue(person.owner, now=world.now)
    with pytest.raises(CeremonyRefused):
        world.invitations.redeem(person.comes_to(Purpose.ENROL), issued.code, now=world.now)


def test_password_and_phone_do_not_put_another_face_in_place(world):
    person = world.person().has_face()
    world.passes(seconds=60)
    thief = world.person()
    thief.totp_secret = person.totp_secret
    view = world.totp.verify(thief.comes_to(Purpose.ENROL), thief.code(), now=world.now)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    view = world.enrolment.keep_possession(view, now=world.now)
    shown = world.recovery_codes.show(view, now=world.now)
    view = world.recovery_codes.acknowledge(shown.view, now=world.now)
    with pytest.raises(FaceRefused):
        thief.shows("mallory", view)
    assert world.audited("face_refused")[-1]["denied_by"] == ["not_the_enrolled_person"]
    world.passes(seconds=60)
    assert person.shows("alice", person.proves_totp()).stage is Stage.DONE
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Reference)) == 1


def test_code_of_a_login_is_no_enrolment(world):
    person = world.person().has_face()
    result = world.redeem(world.ceremonies.issue_code(person.shows("alice", person.proves_totp()), now=world.now))
    assert result.purpose is Purpose.LOGIN
    assert result.reference_id is None


def test_link_to_a_ceremony_is_nothing_without_its_browser(world):
    victim = world.person().has_face()
    victim.proves_totp()
    thief = world.person()
    thief.comes_to(Purpose.LOGIN)
    with pytest.raises(CeremonyRefused):
        world.ceremonies.load(victim.ceremony_id, thief.cookie, now=world.now)
