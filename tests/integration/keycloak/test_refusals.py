"""What must not log anybody in, at a real Keycloak. Each case leaves an event without biometric values."""

from __future__ import annotations

import base64
import json
import time

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.fakes.live_door import query

pytestmark = pytest.mark.servers


def refused(house, person, reason):
    """The page is ours, nobody is in, the event says why."""
    assert "facestep-try-again" in person.page
    last = house.login_errors(person)[0]
    assert last["details"]["reason"] == reason
    assert last["details"]["credential_type"] == "facestep"
    return last


def at_the_step(house, person):
    return house.door.arrive(person.log_in_to_the_step())


def test_a_refused_face_is_refused_and_can_be_tried_again(house):
    person = house.new_person()
    assert person.visit(house.door.refuse_check(at_the_step(house, person))) == ""
    refused(house, person, "face_rejected")
    again = house.door.arrive(person.submit({"try-again": ""}))
    assert person.tokens(person.visit(house.door.pass_check(again)))["sub"] == person.id


@pytest.mark.parametrize(
    ("reason", "forged"),
    [
        ("result_wrong_subject", {"sub": "somebody-else"}),
        ("result_wrong_nonce", {"nonce": "nonce-of-another-login"}),
        ("result_wrong_audience", {"aud": "http://localhost/realms/other"}),
        ("result_wrong_issuer", {"iss": "http://localhost:1"}),
        ("result_wrong_purpose", {"purpose": "enrol"}),
        ("result_wrong_acr", {"acr": "password"}),
        ("result_wrong_amr", {"amr": ["face"]}),
        ("result_wrong_amr", {"amr": ["otp"]}),
        ("result_expired", {"iat": 1_700_000_000, "exp": 1_700_000_060}),
        ("result_not_fresh", {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3660}),
    ],
)
def test_a_result_that_is_wrong_in_one_claim_is_refused(house, reason, forged):
    person = house.new_person()
    ceremony = at_the_step(house, person)
    house.door.forge(lambda claims, sign: sign({**claims, **forged}))
    assert person.visit(house.door.pass_check(ceremony)) == ""
    refused(house, person, reason)


def _with_own_key(claims, _sign):
    return jwt.encode(
        {"alg": "ES256", "kid": "k"}, claims, ECKey.generate_key("P-256", private=True), algorithms=["ES256"]
    )


def _with_own_key_under_the_real_name(claims, sign):
    kid = _kid(sign(claims))
    return jwt.encode(
        {"alg": "ES256", "kid": kid}, claims, ECKey.generate_key("P-256", private=True), algorithms=["ES256"]
    )


def _kid(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


def _unsigned(claims, sign):
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    return f"{head}.{sign(claims).split('.')[1]}."


@pytest.mark.parametrize(
    ("reason", "forgery"),
    [
        ("result_wrong_key", _with_own_key),
        ("result_wrong_signature", _with_own_key_under_the_real_name),
        ("result_wrong_algorithm", _unsigned),
        ("result_unreadable", lambda _claims, _sign: "not.a.token"),
    ],
)
def test_a_result_that_the_service_did_not_sign_is_refused(house, reason, forgery):
    person = house.new_person()
    ceremony = at_the_step(house, person)
    house.door.forge(forgery)
    assert person.visit(house.door.pass_check(ceremony)) == ""
    refused(house, person, reason)


def test_yesterdays_result_of_the_same_person_is_refused(house):
    person, kept = house.new_person(), []
    first = at_the_step(house, person)
    house.door.forge(lambda claims, sign: kept.append(sign(claims)) or kept[0])
    person.visit(house.door.pass_check(first))
    second = house.door.arrive(person.log_in_to_the_step(prompt="login"))
    assert person.visit(house.door.pass_check(second)) == ""
    refused(house, person, "result_wrong_nonce")


def test_a_code_of_another_login_is_refused_spent_and_written_down(house):
    alice, mallory = house.new_person(), house.new_person()
    stolen = house.door.pass_check(at_the_step(house, alice))
    mallorys = house.door.refuse_check(at_the_step(house, mallory))
    brought = f"{mallorys.split('&error=')[0]}&code={query(stolen)['code']}&state={query(mallorys)['state']}"
    before = len(house.door.audited("result_refused"))
    assert mallory.visit(brought) == ""
    refused(house, mallory, "code_refused")
    assert len(house.door.audited("result_refused")) == before + 1
    assert alice.visit(stolen) == "", "the code is spent, for its owner too"


def test_a_code_with_a_wrong_state_is_refused_and_spent(house):
    person = house.new_person()
    good = house.door.pass_check(at_the_step(house, person))
    assert person.visit(good.replace(f"state={query(good)['state']}", "state=another")) == ""
    refused(house, person, "wrong_state")
    assert house.door.audited("result_redeemed")[-1].subject == person.id


def test_an_answer_brought_twice_logs_in_once(house):
    person = house.new_person()
    good = house.door.pass_check(at_the_step(house, person))
    assert "code=" in person.visit(good)
    again = person.visit(good)
    assert not again or again.startswith((house.door.url, "http://localhost:9/callback?error")), again


def test_an_answer_in_another_browser_is_refused(house):
    alice, mallory = house.new_person(), house.new_person()
    good = house.door.pass_check(at_the_step(house, alice))
    assert mallory.visit(good) == ""
    assert mallory.status >= 400


def test_both_error_and_code_is_an_error(house):
    person = house.new_person()
    good = house.door.pass_check(at_the_step(house, person))
    assert person.visit(good + "&error=access_denied&error_description=face_rejected") == ""
    refused(house, person, "face_rejected")


def test_when_the_service_is_away_nobody_is_in_and_nobody_is_blamed(house):
    person = house.new_person()
    house.door.stop()
    assert person.log_in_to_the_step() == ""
    assert person.status == 503
    refused(house, person, "service_unavailable")
    assert house.failures(person) == 0
    house.door.start()
    assert person.submit({"try-again": ""}).startswith(house.door.url)


def test_when_the_service_goes_away_in_between_nobody_is_in(house):
    person = house.new_person()
    good = house.door.pass_check(at_the_step(house, person))
    house.door.stop()
    assert person.visit(good) == ""
    refused(house, person, "service_unavailable")


def test_stripping_the_asked_class_does_not_skip_the_step(house):
    person = house.new_person()
    assert person.log_in_to_the_step(acr=None).startswith(house.door.url)
    assert house.new_person().log_in_to_the_step(acr="0").startswith(house.door.url)


def test_the_password_grant_is_denied(house):
    person = house.new_person()
    form = {
        "grant_type": "password",
        "client_id": "admin-cli",
        "username": person.username,
        "password": "correct horse",
    }
    answer = requests.post(f"{house.issuer}/protocol/openid-connect/token", data=form, timeout=10)
    assert answer.status_code in {400, 401}
    assert "access_token" not in answer.text


def test_events_hold_no_biometric_value(house):
    person = house.new_person()
    person.visit(house.door.refuse_check(at_the_step(house, person)))
    details = refused(house, person, "face_rejected")["details"]
    assert set(details) <= {
        "auth_method",
        "auth_type",
        "credential_type",
        "reason",
        "redirect_uri",
        "code_id",
        "username",
    }
