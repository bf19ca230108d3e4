"""Somebody puts back what was genuine once, or takes away what is: rows of ours, at the wrong time."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import FactorRejected
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.factors.face_answers import FaceRefused
from plugin.factors.references import NotTheNewest
from plugin.store.instants import to_ms
from plugin.store.tables import AuditEntry, Consent, Reference, WebauthnCredential
from vault.interface import WrongMac

DAY_S = 86_400


def copy_of(world, table=Reference, subject="alice-id"):
    """Return a row as a backup holds it, MAC and all."""
    with world.database.reading() as session:
        columns = table.__table__
        return dict(session.execute(select(columns).where(columns.c.subject == subject)).mappings().one())


def put_back(world, row, table=Reference):
    world.run(delete(table).where(table.subject == row["subject"]))
    world.run(insert(table).values(**row))


def begins_renewal(world, person):
    """Come back with the phone, up to the camera of an enrolment."""
    world.passes(seconds=60)
    view = world.totp.verify(person.comes_to(Purpose.ENROL), person.code(), now=world.now)
    view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
    view = world.enrolment.keep_possession(view, now=world.now)
    shown = world.recovery_codes.show(view, now=world.now)
    return world.recovery_codes.acknowledge(shown.view, now=world.now)


def renews(world, person, face="alice"):
    view = person.shows(face, begins_renewal(world, person))
    world.ceremonies.issue_code(view, now=world.now)
    world.passes(seconds=60)


def logs_in(world, person, face="alice"):
    world.passes(seconds=60)
    return person.shows(face, person.proves_totp()).stage is Stage.DONE


def test_the_newest_row_is_believed(world):
    person = world.person().has_face()
    renews(world, person)
    put_back(world, copy_of(world))
    assert logs_in(world, person)


def test_an_older_row_put_back_is_noticed(world):
    person = world.person().has_face()
    older = copy_of(world)
    renews(world, person)
    put_back(world, older)
    with pytest.raises(NotTheNewest):
        logs_in(world, person)
    assert world.audited("integrity_failed")[-1] == {"table": "face_references", "check": "not_the_newest"}


def test_an_erased_face_put_back_is_noticed(world):
    person = world.person().has_face()
    older = copy_of(world)
    world.enrolment.erase(person.owner, now=world.now)
    again = world.person().has_totp()
    world.run(insert(Reference).values(**older))
    with pytest.raises(NotTheNewest):
        logs_in(world, again)


def test_a_face_taken_away_is_not_simply_enrolled_anew(world):
    """Delete the victim's row, then come with his password and phone: there would be nothing to compare with."""
    person = world.person().has_face()
    world.run(delete(Reference))
    view = begins_renewal(world, person)
    with pytest.raises(NotTheNewest):
        person.shows("mallory", view)
    assert world.audited("integrity_failed")[-1]["check"] == "missing"


def test_a_face_taken_away_lets_nobody_in_and_is_noticed(world):
    person = world.person().has_face()
    world.run(delete(Reference))
    with pytest.raises(NotTheNewest):
        logs_in(world, person)


def test_changing_the_log_so_that_an_older_row_fits_breaks_its_chain(world):
    """What remains: the login cannot tell. `facestep audit verify` can, and says which entry."""
    person = world.person().has_face()
    older = copy_of(world)
    renews(world, person)
    put_back(world, older)
    newest = select(AuditEntry.seq).where(AuditEntry.event == "enrolled").order_by(AuditEntry.seq.desc()).limit(1)
    world.run(update(AuditEntry).where(AuditEntry.seq.in_(newest.scalar_subquery())).values(event="face_refused"))
    assert logs_in(world, person)
    with pytest.raises(Exception, match="was edited"):
        world.audit.verify()


def test_a_face_past_its_time_is_still_compared_when_it_is_renewed(world):
    """Wait until the victim's face has expired, then come with password and phone and another face."""
    person = world.person().has_face()
    world.passes(seconds=(world.settings.reference_ttl_days + 1) * DAY_S)
    with pytest.raises(FaceRefused):
        person.shows("mallory", begins_renewal(world, person))
    assert world.audited("face_refused")[-1]["denied_by"] == ["not_the_enrolled_person"]
    renews(world, person)
    assert logs_in(world, person)


def test_a_face_past_its_time_opens_no_login(world):
    person = world.person().has_face()
    world.passes(seconds=(world.settings.reference_ttl_days + 1) * DAY_S)
    with pytest.raises(FaceRefused):
        logs_in(world, person)


def test_after_its_face_was_deleted_for_age_an_account_asks_for_an_invitation(world):
    """Wait still longer: the face is gone, and password and phone alone must not put another one in its place."""
    person = world.person().has_face()
    late = world.settings.reference_ttl_days + world.settings.reference_grace_days + 1
    world.passes(seconds=late * DAY_S)
    assert world.lifecycle.expire(now=world.now) == 1
    assert person.comes_to(Purpose.ENROL).stage is Stage.INVITATION
    assert world.person("bob-id").has_face("bob").comes_to(Purpose.ENROL).stage is Stage.POSSESSION
    again = world.person().has_face()
    assert logs_in(world, again)
    assert again.comes_to(Purpose.ENROL).stage is Stage.POSSESSION


def test_a_face_does_not_walk_away_in_small_steps(world):
    """Each renewal may differ a little from the one before; many in a row need somebody who vouches anew."""
    person = world.person().has_face()
    for _ in range(world.settings.renewals_max):
        renews(world, person)
    with pytest.raises(FactorRejected, match="renewals_used_up"):
        world.face.start(begins_renewal(world, person), now=world.now)
    assert logs_in(world, person)
    world.enrolment.erase(person.owner, now=world.now)
    vouched = world.person().has_face()
    renews(world, vouched)


def test_a_login_never_changes_the_stored_face(world):
    person = world.person().has_face()
    before = copy_of(world)
    assert logs_in(world, person)
    assert copy_of(world) == before


def test_a_consent_written_into_the_database_opens_no_camera(world):
    person = world.person()
    view = person.enrols_up_to(Stage.CONSENT)
    forged = {"issuer": view.issuer, "subject": view.subject, "text_version": CONSENT_TEXT_VERSION, "locale": "en"}
    world.run(insert(Consent).values(id="forged", given_ms=to_ms(world.now), withdrawn_ms=None, mac=None, **forged))
    view = world.ceremonies.advance(view, to=Stage.POSSESSION_SETUP, now=world.now)
    view = person.sets_up_totp(view)
    shown = world.recovery_codes.show(view, now=world.now)
    view = world.recovery_codes.acknowledge(shown.view, now=world.now)
    with pytest.raises(WrongMac):
        world.face.start(view, now=world.now)
    assert world.audited("integrity_failed")[-1] == {"table": "consents"}


def test_a_consent_moved_to_another_person_or_text_is_noticed(world):
    view = world.person().enrols_up_to(Stage.FACE)
    world.run(update(Consent).values(locale="de"))
    with pytest.raises(WrongMac):
        world.face.start(view, now=world.now)


def test_what_this_does_not_cover_is_said(world):
    """An older passkey row put back is believed: the authenticator's own counter is what notices a clone."""
    person = world.person().has_key()
    older = copy_of(world, WebauthnCredential)
    options = world.webauthn.authentication_options(person.comes_to(Purpose.LOGIN), now=world.now)
    world.webauthn.authenticate(options.view, person.key.get(options.json), now=world.now)
    put_back(world, older, WebauthnCredential)
    options = world.webauthn.authentication_options(person.comes_to(Purpose.LOGIN), now=world.now)
    assert world.webauthn.authenticate(options.view, person.key.get(options.json), now=world.now).stage is Stage.FACE
