"""A face that is deleted in Keycloak is erased at the service, at once or as soon as the service is back."""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.servers


def wait_until(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.2)
    return condition()


def erased(house, person):
    return (house.issuer, person.id) in house.door.erased


def pending(house):
    return [key for key in house.admin.representation()["attributes"] if key.startswith("facestep.erase.")]


def delete_by_admin(house, person):
    credential = house.face_credentials(person)[0]
    house.admin.delete(f"/users/{person.id}/credentials/{credential['id']}")


def test_deletion_by_an_admin_erases(house):
    person = house.new_person()
    delete_by_admin(house, person)
    assert wait_until(lambda: erased(house, person))
    assert pending(house) == []


def test_deletion_by_the_owner_in_the_account_console_erases(house):
    person = house.new_person()
    person.visit(house.door.pass_check(house.door.arrive(person.log_in_to_the_step())))
    credential = house.face_credentials(person)[0]["id"]
    assert person.open_login(more=f"&kc_action=delete_credential:{credential}") == ""
    assert "kc_action_status=success" in person.submit({"accept": ""})
    assert house.face_credentials(person) == []
    assert wait_until(lambda: erased(house, person))


def test_deletion_of_the_whole_account_erases(house):
    person = house.new_person()
    house.admin.delete(f"/users/{person.id}")
    assert wait_until(lambda: erased(house, person))


def test_deletion_of_another_credential_erases_nothing(house):
    person = house.new_person()
    password = next(one for one in house.admin.get(f"/users/{person.id}/credentials") if one["type"] == "password")
    house.admin.delete(f"/users/{person.id}/credentials/{password['id']}")
    assert not erased(house, person)
    assert pending(house) == []


def test_an_erasure_waits_for_the_service_and_is_then_done(house):
    person = house.new_person()
    house.door.stop()
    delete_by_admin(house, person)
    assert pending(house) == [f"facestep.erase.{person.id}"]
    assert house.face_credentials(person) == [], "the person is not kept waiting"
    house.door.start()
    assert wait_until(lambda: erased(house, person))
    assert wait_until(lambda: pending(house) == [])


def test_a_waiting_erasure_spares_a_person_who_has_enrolled_again(house):
    person = house.new_person()
    house.door.stop()
    house.admin.set_attribute(
        f"facestep.erase.{person.id}", f'{{"issuer": "{house.issuer}", "service": "{house.door.url}"}}'
    )
    house.door.start()
    assert wait_until(lambda: pending(house) == [])
    assert not erased(house, person)
