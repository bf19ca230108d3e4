"""Keycloak's own counter rises with refused faces, exactly once each, and locks the account."""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.servers


@pytest.fixture
def three_tries(house):
    before = house.admin.representation()["failureFactor"]
    house.admin.update({"failureFactor": 3})
    yield
    house.admin.update({"failureFactor": before})


def wait_for_failures(house, person, number):
    """Keycloak counts in its own time."""
    deadline = time.monotonic() + 10
    while house.failures(person) < number and time.monotonic() < deadline:
        time.sleep(0.1)
    return house.failures(person)


def refuse(house, person):
    person.visit(house.door.refuse_check(house.door.arrive(person.log_in_to_the_step())))


def test_three_refused_faces_lock_the_account(house, three_tries):
    person = house.new_person()
    for number in (1, 2, 3):
        refuse(house, person)
        assert wait_for_failures(house, person, number) == number
    assert house.admin.get(f"/attack-detection/brute-force/users/{person.id}")["disabled"] is True
    assert person.open_login() == ""
    assert person.give_password() == "", "the right password does not lead to the step"


def test_a_locked_account_gets_no_answer_judged(house, three_tries):
    person = house.new_person()
    good = house.door.pass_check(house.door.arrive(person.log_in_to_the_step()))
    other = type(person)(issuer=house.issuer, username=person.username, password="wrong")
    for number in (1, 2, 3):
        other.open_login()
        other.give_password()
        assert wait_for_failures(house, person, number) == number
    assert person.visit(good) == "", "an answer to an earlier step does not get around the lock"
    assert house.login_errors(person)[0]["error"] == "user_temporarily_disabled"


def test_a_person_who_only_left_is_not_blamed(house):
    person = house.new_person()
    person.visit(house.door.refuse_check(house.door.arrive(person.log_in_to_the_step()), code="cancelled"))
    assert "facestep-try-again" in person.page
    time.sleep(0.5)
    assert house.failures(person) == 0


def test_a_good_login_forgives_earlier_misses(house):
    person = house.new_person()
    refuse(house, person)
    assert wait_for_failures(house, person, 1) == 1
    person.visit(house.door.pass_check(house.door.arrive(person.log_in_to_the_step())))
    deadline = time.monotonic() + 10
    while house.failures(person) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert house.failures(person) == 0
