from __future__ import annotations

from math import log2

import pytest
from sqlalchemy import select

from plugin.ceremonies.types import Purpose, Stage, Subject
from plugin.errors import CeremonyRefused, FactorRejected, LockedOut
from plugin.factors import invitation, lookup_secrets, spending
from plugin.store.tables import Invitation


def refused(world, *args) -> str:
    with pytest.raises(FactorRejected):
        world.invitations.redeem(*args, now=world.now)
    return world.audited("factor_refused")[-1]["check"]


def invited(world, person):
    code = world.invitations.issue(person.owner, now=world.now).code
    return person.comes_to(Purpose.ENROL), code


def test_code_has_more_than_40_bits_and_is_stored_hashed(world):
    issued = world.invitations.issue(Subject("i", "s"), now=world.now)
    assert len(issued.code.replace("-", "")) * log2(len(lookup_secrets.ALPHABET)) >= 40
    assert issued.code not in repr(issued)
    with world.database.reading() as session:
        assert session.scalar(select(Invitation.code_hash)).startswith("$argon2id$")
    assert world.audited("invitation_issued") == [{"expires_ms": invitation.to_ms(issued.expires_at)}]


def test_code_opens_the_enrolment_of_its_subject(world):
    view, code = invited(world, world.person())
    assert view.stage is Stage.INVITATION
    view = world.invitations.redeem(view, code.lower().replace("-", ""), now=world.now)
    assert view.stage is Stage.CONSENT
    assert view.amr == ()
    assert world.audited("invitation_used") == [{"factor": "invitation"}]


def test_code_of_another_subject_is_refused(world):
    alice, _ = invited(world, world.person())
    _, bobs = invited(world, world.person("bob-id"))
    assert refused(world, alice, bobs) == "invitation_wrong"


def test_code_of_the_same_user_id_at_another_issuer_is_refused(world):
    alice = world.person().comes_to(Purpose.ENROL)
    _, code = invited(world, world.person(issuer="https://other.example"))
    assert refused(world, alice, code) == "invitation_wrong"


def test_code_works_once(world):
    person = world.person()
    view, code = invited(world, person)
    world.invitations.redeem(view, code, now=world.now)
    assert refused(world, person.comes_to(Purpose.ENROL), code) == "invitation_used"


def test_of_two_uses_that_race_one_wins(world, monkeypatch):
    first, code = invited(world, world.person())
    second = world.person().comes_to(Purpose.ENROL)
    mac_of = spending.mac_of

    def overtaken(*args, **kwargs):
        monkeypatch.setattr(spending, "mac_of", mac_of)
        world.invitations.redeem(second, code, now=world.now)
        return mac_of(*args, **kwargs)

    monkeypatch.setattr(spending, "mac_of", overtaken)
    assert refused(world, first, code) == "invitation_used"


def test_code_expires(world):
    person = world.person()
    _, code = invited(world, person)
    world.passes(seconds=world.settings.invitation_ttl_s)
    assert refused(world, person.comes_to(Purpose.ENROL), code) == "invitation_expired"


def test_newer_code_replaces_the_older(world):
    person = world.person()
    _, old = invited(world, person)
    view, new = invited(world, person)
    assert refused(world, view, old) == "invitation_wrong"
    assert world.invitations.redeem(view, new, now=world.now).stage is Stage.CONSENT


def test_what_cannot_be_a_code_does_not_cost_an_attempt(world):
    person = world.person()
    view, code = invited(world, person)
    for _ in range(7):
        assert refused(world, view, "short") == "invitation_malformed"
    assert world.invitations.redeem(view, code, now=world.now)


def test_guesses_are_counted_and_a_new_invitation_starts_again(world):
    person = world.person()
    view, _ = invited(world, person)
    for _ in range(5):
        assert refused(world, view, "0" * 12) == "invitation_wrong"
    with pytest.raises(LockedOut):
        world.invitations.redeem(view, "0" * 12, now=world.now)
    view, code = invited(world, person)
    assert world.invitations.redeem(view, code, now=world.now).stage is Stage.CONSENT


def test_person_without_invitation_is_refused_after_as_much_work(world):
    assert refused(world, world.person().comes_to(Purpose.ENROL), "0" * 12) == "invitation_wrong"


def test_invitation_is_no_login(world):
    person = world.person()
    _, code = invited(world, person)
    with pytest.raises(CeremonyRefused):
        world.invitations.redeem(person.comes_to(Purpose.LOGIN), code, now=world.now)
