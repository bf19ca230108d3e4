"""Other ways to a session lead through the face step too, at a real Keycloak."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from urllib.parse import quote

import pytest
import requests

from tests.fakes.live_door import query
from tests.fakes.mailbox import Mailbox

pytestmark = pytest.mark.servers


def purpose_of_last_ceremony(house):
    return house.door.audited("ceremony_begun")[-1].details["purpose"]


def test_a_forgotten_password_leads_through_the_face_step(house):
    person = house.new_person()
    with Mailbox() as mailbox:
        smtp = {"host": "127.0.0.1", "port": str(mailbox.port), "from": "sso@example.org"}
        house.admin.update({"resetPasswordAllowed": True, "smtpServer": smtp})
        person.open_login()
        person.visit(person.link("login-actions/reset-credentials"))
        assert person.submit({"username": person.username}) == ""
        link = re.search(r"http://\S+", mailbox.letters[0]).group()
    address = person.visit(link) or person.visit(person.link("login-actions/action-token"))
    ceremony = house.door.arrive(address)
    assert purpose_of_last_ceremony(house) == "login"
    assert person.visit(house.door.refuse_check(ceremony)) == ""
    assert "facestep-try-again" in person.page, "the letter alone opens nothing"
    again = house.door.arrive(person.submit({"try-again": ""}))
    assert person.visit(house.door.pass_check(again)) == ""
    assert 'name="password-new"' in person.page


def test_who_has_a_face_shows_it_before_a_new_one_is_enrolled(house):
    person = house.new_person()
    assert person.open_login(more="&kc_action=facestep-enrol") == ""
    login = house.door.arrive(person.give_password())
    assert purpose_of_last_ceremony(house) == "login"
    enrolment = house.door.arrive(person.visit(house.door.pass_check(login)))
    assert purpose_of_last_ceremony(house) == "enrol"
    assert "kc_action_status=success" in person.visit(house.door.pass_check(enrolment))
    assert len(house.face_credentials(person)) == 1, "the new one takes the place of the old"
    assert (house.issuer, person.id) not in house.door.erased


def test_enrolment_from_the_account_console_can_be_cancelled(house):
    person = house.new_person()
    person.open_login(more="&kc_action=facestep-enrol")
    login = house.door.arrive(person.give_password())
    enrolment = house.door.arrive(person.visit(house.door.pass_check(login)))
    assert person.visit(house.door.refuse_check(enrolment, code="cancelled")) == ""
    assert "kc_action_status=cancelled" in person.submit({"cancel-aia": "true"})


def test_a_login_answer_does_not_finish_an_enrolment(house):
    enrolled, new = house.new_person(), house.new_person(enrolled=False)
    login = house.door.pass_check(house.door.arrive(enrolled.log_in_to_the_step()))
    enrolment = house.door.refuse_check(house.door.arrive(new.log_in_to_the_step()))
    brought = f"{enrolment.split('&error=')[0]}&code={query(login)['code']}&state={query(enrolment)['state']}"
    assert new.visit(brought) == ""
    assert house.face_credentials(new) == []
    assert house.login_errors(new, "UPDATE_CREDENTIAL_ERROR")[0]["details"]["reason"] == "code_refused"


def test_the_account_console_knows_the_face(house):
    person = house.new_person()
    token = person.access_token(person.visit(house.door.pass_check(house.door.arrive(person.log_in_to_the_step()))))
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    shown = requests.get(f"{house.issuer}/account/credentials", headers=headers, timeout=10).json()
    face = next(one for one in shown if one["type"] == "facestep")
    assert face["category"] == "two-factor"
    assert face["createAction"] == "facestep-enrol"
    assert face["removeable"] is True
    assert len(face["userCredentialMetadatas"]) == 1
    assert "reference-0" not in json.dumps(shown)


@contextmanager
def flow_with_another_way(house):
    """Password, then Facestep or a one-time code of Keycloak's own, whichever the person takes."""
    admin, alias, client = (
        house.admin,
        "two ways",
        next(one for one in house.admin.get("/clients") if one["clientId"] == "application"),
    )
    flow = admin.post(
        "/authentication/flows", {"alias": alias, "providerId": "basic-flow", "topLevel": True, "builtIn": False}
    )
    path = f"/authentication/flows/{quote(alias)}/executions"
    admin.post(f"{path}/execution", {"provider": "auth-username-password-form"})
    admin.post(f"{path}/flow", {"alias": "second factor", "type": "basic-flow", "provider": "", "description": ""})
    inner = f"/authentication/flows/{quote('second factor')}/executions"
    face = admin.post(f"{inner}/execution", {"provider": "facestep-authenticator"})
    admin.post(f"{inner}/execution", {"provider": "auth-otp-form"})
    for one in admin.get(path):
        admin.put(path, {**one, "requirement": "REQUIRED" if one["level"] == 0 else "ALTERNATIVE"})
    body = {"alias": "two ways face", "config": {"facestep.url": house.door.url}}
    admin.post(f"/authentication/executions/{face}/config", body)
    admin.put(f"/clients/{client['id']}", {**client, "authenticationFlowBindingOverrides": {"browser": flow}})
    yield
    admin.put(f"/clients/{client['id']}", {**client, "authenticationFlowBindingOverrides": {"browser": ""}})
    admin.delete(f"/authentication/flows/{flow}")


def test_where_the_flow_has_another_way_the_page_offers_it(house):
    with flow_with_another_way(house):
        person = house.new_person(otp=True)
        ceremony = house.door.arrive(person.log_in_to_the_step())
        assert person.visit(house.door.refuse_check(ceremony, code="cancelled")) == ""
        assert 'id="try-another-way"' in person.page
        assert person.submit({"tryAnotherWay": "on"}) == ""
        assert "Face check" in person.page
        assert "Authenticator Application" in person.page
