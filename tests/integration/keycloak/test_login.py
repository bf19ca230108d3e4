"""A person logs in at a real Keycloak, with the real doors of the service behind it."""

from __future__ import annotations

import pytest

from tests.fakes.live_door import query

pytestmark = pytest.mark.servers


def test_a_client_that_asks_for_nothing_gets_the_face_step_and_reads_amr_and_acr(house):
    person = house.new_person()
    ceremony = house.door.arrive(person.log_in_to_the_step())
    claims = person.tokens(person.visit(house.door.pass_check(ceremony, possession="otp")))
    assert claims["sub"] == person.id
    assert set(claims["amr"]) == {"face", "otp"}
    assert claims["acr"] == "facestep"


def test_the_asked_class_is_in_the_token_and_a_passkey_is_named(house):
    person = house.new_person()
    ceremony = house.door.arrive(person.log_in_to_the_step(acr="facestep"))
    claims = person.tokens(person.visit(house.door.pass_check(ceremony, possession="hwk")))
    assert claims["acr"] == "facestep"
    assert set(claims["amr"]) == {"face", "hwk"}


def test_single_sign_on_keeps_amr_and_acr_of_the_session(house):
    person = house.new_person()
    person.visit(house.door.pass_check(house.door.arrive(person.log_in_to_the_step())))
    claims = person.tokens(person.open_login(acr="facestep"))
    assert set(claims["amr"]) == {"face", "otp"}
    assert claims["acr"] == "facestep"


def test_a_forced_login_asks_for_the_face_again(house):
    person = house.new_person()
    person.visit(house.door.pass_check(house.door.arrive(person.log_in_to_the_step())))
    assert person.log_in_to_the_step(prompt="login").startswith(house.door.url)


def test_the_request_says_who_and_where_and_tells_nothing_of_the_application(house):
    person = house.new_person()
    address = person.log_in_to_the_step()
    assert set(query(address)) == {"client_id", "request"}
    house.door.arrive(address)
    begun = house.door.audited("ceremony_begun")[-1]
    assert (begun.issuer, begun.subject) == (house.issuer, person.id)
    assert "client_data" not in address


def test_a_person_without_a_face_enrols_in_the_login_and_is_then_in(house):
    person = house.new_person(enrolled=False)
    ceremony = house.door.arrive(person.log_in_to_the_step())
    assert house.door.audited("ceremony_begun")[-1].details["purpose"] == "enrol"
    claims = person.tokens(person.visit(house.door.pass_check(ceremony)))
    assert set(claims["amr"]) == {"face", "otp"}
    assert len(house.face_credentials(person)) == 1
    assert house.login_errors(person, "UPDATE_CREDENTIAL")[0]["details"]["credential_type"] == "facestep"


def test_who_does_not_finish_the_enrolment_is_not_in(house):
    person = house.new_person(enrolled=False)
    ceremony = house.door.arrive(person.log_in_to_the_step())
    assert person.visit(house.door.refuse_check(ceremony, code="cancelled")) == ""
    assert "facestep-try-again" in person.page
    assert house.face_credentials(person) == []
    assert person.submit({}).startswith(house.door.url), "try again leads back to the service"


def test_keycloak_never_stores_more_than_an_opaque_name(house):
    person = house.new_person(enrolled=False)
    person.visit(house.door.pass_check(house.door.arrive(person.log_in_to_the_step())))
    stored = house.face_credentials(person)[0]
    assert stored["credentialData"] == "{}"
    assert "secretData" not in stored
