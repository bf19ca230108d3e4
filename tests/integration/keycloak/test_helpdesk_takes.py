"""What the helpdesk takes away, as the realm sees it: a face that is enrolled anew, and everything."""

from __future__ import annotations

import re

import pytest

from plugin.ceremonies.types import Subject
from plugin.store.tables import Reference
from tests.integration.keycloak.test_erasure import wait_until
from tests.integration.keycloak.test_helpdesk import AGENT, APPROVER, link_in, mailbox, staff

__all__ = ["mailbox", "staff"]
pytestmark = pytest.mark.servers


@pytest.fixture
def alice(house, mailbox):
    """Somebody with face and app, and a session of the realm."""
    person = house.new_person()
    person.visit(house.door.pass_check(house.door.arrive(person.log_in_to_the_step())))
    house.door.has_factors(Subject(house.issuer, person.id))
    assert house.admin.get(f"/users/{person.id}/sessions") != []
    return person


def is_taken(house, mailbox, staff, person, *, action: str) -> None:
    """Let two people of the helpdesk do it, with every proof that the shipped policy demands."""
    ada, bob = staff(AGENT), staff(APPROVER)
    opened = ada.post("/cases", name=person.username, ticket="T-1", reason="asked for it in person")
    case = re.search(r"/helpdesk(/cases/[\w-]+)$", opened.url)[1]
    for proof in ("call_back", "in_person", "document"):
        ada.post(f"{case}/proofs", proof=proof)
    assert "Link sent" in ada.post(f"{case}/face-check").text
    house.door.pass_helpdesk_check(link_in(mailbox, "check"))
    asked = ada.post(f"{case}/ask", action=action)
    assert "Waits for a second person" in asked.text, asked.text
    assert bob.post(f"{case}/decide", answer="agree").status_code == 200


def begins_anew(house, person) -> dict[str, str]:
    """Log in up to the service; return how that ceremony has begun."""
    assert person.open_login(prompt="login") == ""
    ceremony = house.door.arrive(person.give_password())
    (begun,) = (one for one in house.door.audited("ceremony_begun") if one.ceremony_id == ceremony)
    return begun.details


def faces_of(house, person) -> int:
    with house.door.services.database.reading() as session:
        return session.query(Reference).filter_by(issuer=house.issuer, subject=person.id).count()


def test_a_removed_face_is_enrolled_anew_with_the_old_possession_factor(house, mailbox, staff, alice):
    is_taken(house, mailbox, staff, alice, action="reenrol_face")
    assert faces_of(house, alice) == 0
    assert house.admin.get(f"/users/{alice.id}/sessions") == []
    assert len(house.face_credentials(alice)) == 1
    assert begins_anew(house, alice) == {"purpose": "login", "stage": "possession"}


def test_who_was_erased_has_nothing_left_at_the_realm_and_needs_an_invitation(house, mailbox, staff, alice):
    is_taken(house, mailbox, staff, alice, action="erase")
    assert faces_of(house, alice) == 0
    assert wait_until(lambda: house.face_credentials(alice) == [])
    assert house.admin.get(f"/users/{alice.id}/sessions") == []
    assert begins_anew(house, alice) == {"purpose": "enrol", "stage": "invitation"}
