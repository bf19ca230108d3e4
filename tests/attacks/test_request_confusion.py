"""Something that a realm signed is passed off as a request or an assertion, or a request is bent on its way."""

import json

import pytest

from tests.fakes.door import open_door
from tests.fakes.realm import SERVICE, hmac_signed, rsa_key, sign_raw, unsigned

OTHER_REALM = "https://sso.example/realms/other"


@pytest.fixture
def door(tmp_path):
    return open_door(tmp_path)


def assert_refused(door, response, check, *, issuer=None, status=401):
    assert response.status_code == status
    assert "Location" not in response.headers
    assert "Set-Cookie" not in response.headers
    assert door.audited("ceremony_begun") == []
    assert door.last_refusal() == (check, door.realm.issuer if issuer is None else issuer)


def test_a_good_request_begins_a_ceremony(door):
    response = door.authorize()
    assert response.status_code == 303
    assert len(door.audited("ceremony_begun")) == 1
    assert door.audited("request_refused") == []


# --- 1 form ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message", ["x", "a.b", "a.b.c.d", "." * 2, "é.é.é", "a" * 6001, "null.null.null", "W10.W10.W10"]
)
def test_what_is_no_jws_is_refused(door, message):
    response = door.authorize(message)
    assert response.status_code == 401
    assert door.last_refusal()[0] in {"jws_form", "jws_header"}


def test_an_oversized_request_is_refused_before_it_is_parsed(door):
    assert_refused(door, door.authorize(door.realm.request(preferred_username="x" * 9000)), "jws_form")


# --- 2 header, 3 type ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"jwk": rsa_key("attacker").as_dict(private=False)},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"b64": False},
        {"kid": None},
        {"cty": "JWT"},
    ],
    ids=lambda header: next(iter(header)),
)
def test_a_header_that_brings_anything_of_its_own_is_refused(door, header):
    token = door.realm.sign(door.realm.request_claims(), typ="oauth-authz-req+jwt", **header)
    assert_refused(door, door.authorize(token), "jws_header")


@pytest.mark.parametrize(
    "typ", ["JWT", "at+jwt", "ID", "logout+jwt", "client-authentication+jwt", "OAUTH-AUTHZ-REQ+JWT"]
)
def test_a_token_of_the_realm_is_not_a_request(door, typ):
    assert_refused(door, door.authorize(door.realm.sign(door.realm.request_claims(), typ=typ)), "typ")


def test_a_token_without_a_type_is_not_a_request(door):
    assert_refused(door, door.authorize(door.realm.sign(door.realm.request_claims(), typ=None)), "jws_header")


def test_an_id_token_as_keycloak_issues_it_is_not_a_request(door):
    claims = {**door.realm.request_claims(), "azp": "account", "sid": "x", "typ": "ID", "at_hash": "y"}
    assert_refused(door, door.authorize(door.realm.sign(claims, typ="JWT")), "typ")


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "oauth-authz-req+jwt"])
def test_a_token_of_the_realm_is_not_a_client_assertion(door, typ):
    assertion = door.realm.sign(door.realm.assertion_claims(), typ=typ)
    response = door.redeem(door.code(), client_assertion=assertion)
    assert (response.status_code, response.json["error"]) == (401, "invalid_client")
    assert door.last_refusal()[0] == "typ"


# --- 4 algorithm, 5 key, 6 signature ---------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
def test_an_unsigned_request_is_refused(door, alg):
    header = {"alg": alg, "kid": door.realm.kid, "typ": "oauth-authz-req+jwt"}
    token = unsigned(json.dumps(door.realm.request_claims()).encode(), header)
    assert_refused(door, door.authorize(token), "alg")


@pytest.mark.parametrize("alg", ["HS256", "HS512"])
@pytest.mark.parametrize("form", ["pem", "jwk"])
def test_the_public_key_is_no_shared_secret(door, alg, form):
    public = door.realm.key.as_pem(private=False) if form == "pem" else json.dumps(door.realm.jwk()).encode()
    header = {"alg": alg, "kid": door.realm.kid, "typ": "oauth-authz-req+jwt"}
    token = hmac_signed(json.dumps(door.realm.request_claims()).encode(), header, public)
    assert_refused(door, door.authorize(token), "alg")


def test_a_key_is_used_only_with_the_algorithm_it_was_published_for(door):
    token = door.realm.sign(door.realm.request_claims(), typ="oauth-authz-req+jwt", alg="PS256")
    assert_refused(door, door.authorize(token), "alg_of_key")


def test_an_unknown_key_is_refused(door):
    token = door.realm.sign(door.realm.request_claims(), typ="oauth-authz-req+jwt", kid="another")
    assert_refused(door, door.authorize(token), "kid_unknown")


@pytest.mark.parametrize("kid", ["", "k" * 201])
def test_a_senseless_key_id_is_refused_without_asking_the_provider(door, kid):
    token = door.realm.sign(door.realm.request_claims(), typ="oauth-authz-req+jwt", kid=kid)
    assert_refused(door, door.authorize(token), "kid")
    assert door.jwks.calls == []


def test_a_request_signed_with_a_key_of_ones_own_is_refused(door):
    header = {"alg": "RS256", "kid": door.realm.kid, "typ": "oauth-authz-req+jwt"}
    token = sign_raw(json.dumps(door.realm.request_claims()).encode(), header, rsa_key("attacker"))
    assert_refused(door, door.authorize(token), "signature")


def test_a_changed_claim_breaks_the_signature(door):
    head, _, signature = door.realm.request().split(".")
    body = unsigned(json.dumps(door.realm.request_claims(sub="victim")).encode(), {}).split(".")[1]
    assert_refused(door, door.authorize(f"{head}.{body}.{signature}"), "signature")


def test_a_request_signed_by_another_realm_is_refused(door):
    other = door.new_realm(OTHER_REALM, kid="other-key")
    forged = other.sign(door.realm.request_claims(), typ="oauth-authz-req+jwt")
    assert_refused(door, door.authorize(forged), "kid_unknown")


def test_a_request_signed_by_another_realm_under_the_same_key_id_is_refused(door):
    other = door.new_realm(OTHER_REALM)
    forged = other.sign(door.realm.request_claims(), typ="oauth-authz-req+jwt")
    assert_refused(door, door.authorize(forged), "signature")


def test_a_realm_cannot_ask_in_the_name_of_another(door):
    other = door.new_realm(OTHER_REALM)
    forged = other.sign(door.realm.request_claims(), typ="oauth-authz-req+jwt")
    assert_refused(door, door.authorize(forged, client_id=other.issuer), "iss", issuer=other.issuer)


# --- 7 to 9: issuer, audience, age -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"iss": OTHER_REALM}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "https://evil.example"}, "aud"),
        ({"aud": SERVICE + "/"}, "aud"),
        ({"aud": [SERVICE, "https://evil.example"]}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"client_id": OTHER_REALM}, "client_id"),
        ({"client_id": None}, "client_id"),
        ({"jti": None}, "jti"),
        ({"jti": "short"}, "jti"),
        ({"jti": 12345678}, "jti"),
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"nbf": 2**32}, "nbf"),
        ({"state": None}, "state"),
        ({"state": "short"}, "state"),
        ({"state": "s" * 1025}, "state"),
        ({"state": "s" * 20 + "\r\nSet-Cookie: a=b"}, "state"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "n" * 15}, "nonce"),
        ({"code_challenge": None}, "code_challenge"),
        ({"code_challenge": "x" * 42}, "code_challenge"),
        ({"code_challenge_method": "plain"}, "code_challenge_method"),
        ({"code_challenge_method": None}, "code_challenge_method"),
        ({"response_type": "code id_token"}, "response_type"),
        ({"response_type": "token"}, "response_type"),
        ({"scope": "openid profile"}, "scope"),
        ({"scope": None}, "scope"),
        ({"purpose": "recover"}, "purpose"),
        ({"purpose": None}, "purpose"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": ["user-1"]}, "sub"),
        ({"sub": "user\x00-1"}, "sub"),
        ({"preferred_username": "\u202eada"}, "preferred_username"),
        ({"preferred_username": None}, "preferred_username"),
        ({"acr_values": None}, "acr_values"),
        ({"acr_values": " "}, "acr_values"),
        ({"ui_locales": "<script>"}, "ui_locales"),
        ({"request": "x"}, "unknown_claim"),
        ({"request_uri": "https://evil.example"}, "unknown_claim"),
        ({"prompt": "none"}, "unknown_claim"),
        ({"claims": {}}, "unknown_claim"),
    ],
    ids=str,
)
def test_one_wrong_claim_refuses_the_request(door, changes, check):
    assert_refused(door, door.authorize(door.realm.request(**changes)), check)


@pytest.mark.parametrize(
    ("issued", "expires", "check"),
    [(-400, -31, "exp"), (-10, 300, "iat"), (31, 60, "iat"), (0, 301, "iat"), (-500, 100, "iat")],
)
def test_a_request_is_good_for_minutes_only(door, issued, expires, check):
    seconds = door.realm.seconds
    assert_refused(door, door.authorize(door.realm.request(iat=seconds(issued), exp=seconds(expires))), check)


def test_a_name_that_occurs_twice_in_the_payload_is_refused(door):
    payload = json.dumps(door.realm.request_claims()).replace('"sub"', '"sub": "victim", "sub"', 1).encode()
    header = {"alg": "RS256", "kid": door.realm.kid, "typ": "oauth-authz-req+jwt"}
    assert_refused(door, door.authorize(sign_raw(payload, header, door.realm.key)), "jws_payload")


def test_a_request_works_once(door):
    request = door.realm.request()
    assert door.authorize(request).status_code == 303
    again = door.authorize(request)
    assert again.status_code == 401
    assert "Location" not in again.headers
    assert door.last_refusal() == ("jti_reused", door.realm.issuer)
    assert len(door.audited("ceremony_begun")) == 1


def test_a_refused_request_does_not_use_up_its_id(door):
    claims = door.realm.request_claims()
    bad = door.realm.sign({**claims, "scope": "email"}, typ="oauth-authz-req+jwt")
    assert door.authorize(bad).status_code == 401
    assert door.authorize(door.realm.sign(claims, typ="oauth-authz-req+jwt")).status_code == 303


def test_an_id_stays_used_until_the_request_has_expired(door):
    request = door.realm.request()
    assert door.authorize(request).status_code == 303
    door.clock.pass_seconds(149)
    assert door.authorize(request).status_code == 401
    assert door.last_refusal()[0] == "jti_reused"
    door.clock.pass_seconds(2)
    assert door.authorize(request).status_code == 401
    assert door.last_refusal()[0] == "exp"


# --- redirect address ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/realms/staff/login-actions/",
        "http://sso.example/realms/staff/login-actions/x",
        "https://sso.example:8443/realms/staff/login-actions/x",
        "https://sso.example:443/realms/staff/login-actions/x",
        "https://SSO.example/realms/staff/login-actions/x",
        "https://sso.example@evil.example/realms/staff/login-actions/x",
        "https://user:pw@sso.example/realms/staff/login-actions/x",
        "https://sso.example.evil.example/realms/staff/login-actions/x",
        "https://sso.example/realms/staff/login-actions",
        "https://sso.example/realms/staff/login-actionsevil/x",
        "https://sso.example/realms/other/login-actions/x",
        "https://sso.example/realms/staff/login-actions/../../other/login-actions/x",
        "https://sso.example/realms/staff/login-actions/..",
        "https://sso.example/realms/staff/login-actions/%2e%2e/x",
        "https://sso.example/realms/staff/login-actions/%2E%2E%2Fx",
        "https://sso.example/realms/staff/login-actions/..;/x",
        "https://sso.example/realms/staff/login-actions//evil.example",
        "https://sso.example/realms/staff/login-actions/x#fragment",
        "https://sso.example/realms/staff/login-actions/x#",
        "https://sso.example/realms/staff/login-actions/x\\y",
        "https://sso.example/realms/staff/login-actions/x y",
        "https://sso.example/realms/staff/login-actions/x\ty",
        "https://sso.example\\@evil.example/realms/staff/login-actions/x",
        "https://sso.example/realms/staff/login-actions/x?code=mine",
        "https://sso.example/realms/staff/login-actions/x?state=mine",
        "https://sso.example/realms/staff/login-actions/x?a=1&%63ode=mine",
        "https://sso.example/realms/staff/login-actions/ü",
        "https://sso.example/realms/staff/login-actions/" + "x" * 2048,
        "javascript:alert(1)//https://sso.example/realms/staff/login-actions/",
        "//sso.example/realms/staff/login-actions/x",
        "",
    ],
)
def test_a_result_goes_only_below_the_registered_prefix(door, uri):
    response = door.authorize(door.realm.request(redirect_uri=uri))
    assert response.status_code == 401
    assert "Location" not in response.headers
    assert door.last_refusal()[0].startswith("redirect_uri")
    assert door.audited("ceremony_begun") == []


# --- parameters beside the request object ----------------------------------------------------------------------------


def test_plain_parameters_beside_the_request_object_change_nothing(door):
    response = door.authorize(
        redirect_uri="https://evil.example/", sub="victim", state="z" * 20, nonce="z" * 20, scope="x", response_type="y"
    )
    assert response.status_code == 303
    ceremony_id = response.headers["Location"].rpartition("/")[2]
    token = door.http.get_cookie(f"facestep_{ceremony_id[:8]}").value
    view = door.services.ceremonies.load(ceremony_id, token, now=door.clock())
    assert (view.redirect_uri, view.subject, view.state) == (door.realm.redirect_uri, "user-1", "s" * 22)


@pytest.mark.parametrize("twice", ["client_id", "request"])
def test_a_parameter_that_occurs_twice_is_refused(door, twice):
    values = {"client_id": door.realm.issuer, "request": door.realm.request()}
    response = door.http.get("/authorize", query_string=[*values.items(), (twice, values[twice])])
    assert_refused(door, response, "parameter_twice")


@pytest.mark.parametrize("missing", ["client_id", "request"])
def test_a_missing_parameter_is_refused(door, missing):
    values = {"client_id": door.realm.issuer, "request": door.realm.request()}
    del values[missing]
    issuer = "" if missing == "client_id" else None
    assert_refused(door, door.http.get("/authorize", query_string=values), f"no_{missing}", issuer=issuer)


def test_a_request_by_reference_is_refused_and_not_fetched(door):
    assert_refused(door, door.authorize(request_uri="https://evil.example/request"), "request_uri")
    assert door.jwks.calls == []


def test_a_provider_that_nobody_registered_is_refused_and_not_written_down(door):
    response = door.authorize(client_id="https://stranger.example")
    assert_refused(door, response, "client_unknown", issuer="")


def test_plain_oauth_without_a_request_object_is_refused(door):
    query = {"client_id": door.realm.issuer, "response_type": "code", "redirect_uri": door.realm.redirect_uri}
    assert_refused(door, door.http.get("/authorize", query_string=query), "no_request")


def test_every_refusal_looks_the_same_from_outside(door):
    pages = {
        door.authorize(client_id="https://stranger.example").data,
        door.authorize("x").data,
        door.authorize(door.realm.request(aud="x")).data,
        door.authorize(door.realm.request(redirect_uri="https://evil.example/")).data,
    }
    assert len(pages) == 1
