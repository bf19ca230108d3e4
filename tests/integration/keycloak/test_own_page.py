"""People's own page at a real Keycloak: the client that install makes, sign-in with the face step, and asking anew."""

from __future__ import annotations

import pytest
import requests

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def door(house):
    house.door.stop()
    house.door.open_own_page()
    house.door.start()
    return house.door


def begins(browser: requests.Session, house, **query: str) -> str:
    """Return where the page sends the browser; several realms are registered, so one is named."""
    where = {"params": {"realm": house.issuer, **query}, "allow_redirects": False, "timeout": 30}
    return browser.get(f"{house.door.url}/me/login", **where).headers["Location"]


def shows_the_face(door, person) -> str:
    """Give the password and pass the face step; return where the realm sends the browser."""
    return person.visit(door.pass_check(door.arrive(person.give_password())))


@pytest.fixture
def browser():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_somebody_sees_their_own_page_after_the_face_step_and_a_fresh_one_is_asked_anew(house, door, browser):
    person = house.new_person()
    assert person.visit(begins(browser, house)) == ""
    page = browser.get(shows_the_face(door, person), timeout=30)
    assert page.status_code == 200, page.text
    assert person.username in page.text
    assert "What you sign in with" in page.text
    assert person.visit(begins(browser, house)) != ""  # the realm remembers
    assert person.visit(begins(browser, house, anew="1")) == ""  # and asks again where it matters
    assert browser.get(shows_the_face(door, person), timeout=30).status_code == 200


def test_a_code_of_another_browser_signs_nobody_in(house, door, browser):
    eve = house.new_person()
    assert eve.visit(begins(browser, house)) == ""
    back = shows_the_face(door, eve)
    with requests.Session() as victim:
        victim.trust_env = False
        begins(victim, house)
        assert victim.get(back, timeout=30).status_code == 403
        assert victim.get(f"{door.url}/me", timeout=30).status_code == 401
