"""A result code is stolen, used twice, brought to another login or by another client."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from tests.fakes.door import ASSERTION_TYPE, open_door
from tests.fakes.realm import SERVICE, rsa_key, sign_raw


@pytest.fixture
def door(tmp_path):
    return open_door(tmp_path)


def assert_no_token(response, error, status=400):
    assert (response.status_code, response.json["error"]) == (status, error)
    assert response.json.keys() <= {"error", "error_description"}
    assert response.headers["Cache-Control"] == "no-store"


def read_id_token(door, response):
    """Verify as the extension does: with the key of our JWKS."""
    (key,) = door.http.get("/jwks").json["keys"]
    token = jws.deserialize_compact(response.json["id_token"], ECKey.import_key(key), algorithms=["ES256"])
    assert token.headers() == {"alg": "ES256", "kid": key["kid"], "typ": "JWT"}
    return json.loads(token.payload)


def test_a_code_becomes_an_id_token_about_the_asked_person(door):
    response = door.redeem(door.code())
    assert response.status_code == 200
    assert response.json.keys() == {"id_token", "access_token", "token_type", "expires_in", "scope"}
    claims = read_id_token(door, response)
    assert claims.pop("jti")
    now = int(door.clock().timestamp())
    assert claims == {
        "iss": SERVICE,
        "aud": door.realm.issuer,
        "sub": "user-1",
        "nonce": "n" * 22,
        "purpose": "login",
        "amr": ["otp", "face"],
        "acr": "facestep",
        "auth_time": now,
        "iat": now,
        "exp": now + 60,
    }
    assert len(door.audited("result_redeemed")) == 1


def test_a_code_used_twice_is_refused_the_second_time(door):
    code = door.code()
    assert door.redeem(code).status_code == 200
    assert_no_token(door.redeem(code), "invalid_grant")
    assert door.last_refusal("result_refused") == ("code_used", door.realm.issuer)


def test_two_requests_at_once_get_one_token(door):
    code = door.code()
    app = door.http.application
    forms = [
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": door.realm.redirect_uri,
            "code_verifier": "v" * 43,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": door.realm.assertion(),
        }
        for _ in range(8)
    ]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda form: app.test_client().post("/token", data=form).status_code, forms))
    assert sorted(statuses) == [200] + [400] * 7


def test_a_code_waits_for_a_minute_only(door):
    code = door.code()
    door.clock.pass_seconds(60)
    assert_no_token(door.redeem(code), "invalid_grant")
    assert door.last_refusal("result_refused")[0] == "code_expired"


def test_a_code_is_useless_without_the_verifier_of_its_login(door):
    code = door.code()
    assert_no_token(door.redeem(code, code_verifier="w" * 43), "invalid_grant")
    assert door.last_refusal("result_refused")[0] == "code_verifier_wrong"
    assert_no_token(door.redeem(code), "invalid_grant")  # whoever brought it has burnt it


def test_another_realm_cannot_redeem_the_code(door):
    other = door.new_realm("https://sso.example/realms/other")
    assert_no_token(door.redeem(door.code(), realm=other), "invalid_grant")
    assert door.last_refusal("result_refused") == ("code_of_other_client", other.issuer)


def test_a_code_is_bound_to_its_redirect_address(door):
    response = door.redeem(door.code(), redirect_uri=door.realm.redirect_uri + "&x=1")
    assert_no_token(response, "invalid_grant")
    assert door.last_refusal("result_refused")[0] == "code_for_other_redirect"


@pytest.mark.parametrize("code", ["x", "ü", "a" * 43, "' OR 1=1 --"])
def test_a_guessed_code_is_refused(door, code):
    assert_no_token(door.redeem(code), "invalid_grant")
    assert door.last_refusal("result_refused")[0] == "code_unknown"


@pytest.mark.parametrize("missing", ["redirect_uri", "code_verifier", "code"])
def test_a_missing_parameter_is_an_invalid_request_and_burns_nothing(door, missing):
    code = door.code()
    assert_no_token(door.redeem(code, **{missing: ""}), "invalid_request")
    assert door.last_refusal() == ("invalid_request", door.realm.issuer)
    assert door.redeem(code).status_code == 200


@pytest.mark.parametrize("grant", ["", "refresh_token", "client_credentials", "password", "implicit"])
def test_there_is_one_grant(door, grant):
    response = door.redeem(door.code(), grant_type=grant)
    assert_no_token(response, "unsupported_grant_type")
    assert door.last_refusal()[0] == "unsupported_grant_type"


# --- the client ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"aud": "https://evil.example"}, "aud"),
        ({"aud": [SERVICE, "https://evil.example"]}, "aud"),
        ({"sub": "https://sso.example/realms/other"}, "sub"),
        ({"sub": None}, "sub"),
        ({"iss": "https://stranger.example"}, "client_unknown"),
        ({"iss": None}, "client_unknown"),
        ({"iss": ["x"]}, "client_unknown"),
        ({"jti": None}, "jti"),
        ({"exp": None}, "exp"),
        ({"azp": "x"}, "unknown_claim"),
    ],
    ids=str,
)
def test_one_wrong_claim_refuses_the_assertion(door, changes, check):
    code = door.code()
    response = door.redeem(code, client_assertion=door.realm.assertion(**changes))
    assert_no_token(response, "invalid_client", 401)
    assert door.last_refusal()[0] == check
    assert door.redeem(code).status_code == 200  # a stranger cannot burn a code


@pytest.mark.parametrize(
    ("issued", "expires", "check"), [(0, 61, "iat"), (None, 200, "exp_too_far"), (-200, -31, "exp")]
)
def test_an_assertion_is_good_for_a_minute_only(door, issued, expires, check):
    iat = None if issued is None else door.realm.seconds(issued)
    assertion = door.realm.assertion(iat=iat, exp=door.realm.seconds(expires))
    assert_no_token(door.redeem(door.code(), client_assertion=assertion), "invalid_client", 401)
    assert door.last_refusal()[0] == check


def test_an_assertion_works_once(door):
    assertion = door.realm.assertion()
    assert door.redeem(door.code(), client_assertion=assertion).status_code == 200
    code = door.code(state="t" * 22)
    assert_no_token(door.redeem(code, client_assertion=assertion), "invalid_client", 401)
    assert door.last_refusal()[0] == "jti_reused"


def test_a_request_cannot_be_replayed_as_an_assertion_under_its_id(door):
    claims = door.realm.request_claims()
    door.authorize(door.realm.sign(claims, typ="oauth-authz-req+jwt"))
    assertion = door.realm.assertion(jti=claims["jti"])
    assert_no_token(door.redeem("x", client_assertion=assertion), "invalid_client", 401)
    assert door.last_refusal()[0] == "jti_reused"


def test_an_assertion_under_a_key_of_ones_own_is_refused(door):
    header = {"alg": "RS256", "kid": door.realm.kid, "typ": "client-authentication+jwt"}
    forged = sign_raw(json.dumps(door.realm.assertion_claims()).encode(), header, rsa_key("attacker"))
    assert_no_token(door.redeem(door.code(), client_assertion=forged), "invalid_client", 401)
    assert door.last_refusal()[0] == "signature"


def test_the_named_client_must_be_the_one_that_signed(door):
    response = door.redeem(door.code(), client_id="https://sso.example/realms/other")
    assert_no_token(response, "invalid_client", 401)
    assert door.last_refusal()[0] == "client_id"


@pytest.mark.parametrize(
    "changes",
    [{"client_assertion": ""}, {"client_assertion_type": ""}, {"client_assertion_type": "urn:x", "client_secret": "y"}],
    ids=str,
)
def test_there_is_no_other_way_to_authenticate(door, changes):
    code = door.code()
    assert_no_token(door.redeem(code, client_id=door.realm.issuer, **changes), "invalid_client", 401)
    assert door.last_refusal()[0] == "no_client_assertion"
    assert door.redeem(code).status_code == 200


def test_basic_authentication_is_ignored(door):
    response = door.http.post(
        "/token",
        data={"grant_type": "authorization_code", "code": door.code()},
        auth=(door.realm.issuer, "secret"),
    )
    assert_no_token(response, "invalid_client", 401)


@pytest.mark.parametrize("twice", ["code", "code_verifier", "client_assertion", "redirect_uri", "grant_type"])
def test_a_parameter_that_occurs_twice_is_refused(door, twice):
    code = door.code()
    form = {
        "grant_type": ["authorization_code"],
        "code": [code],
        "redirect_uri": [door.realm.redirect_uri],
        "code_verifier": ["v" * 43],
        "client_assertion_type": [ASSERTION_TYPE],
        "client_assertion": [door.realm.assertion()],
    }
    form[twice] *= 2
    assert_no_token(door.http.post("/token", data=form), "invalid_request")
    assert door.last_refusal()[0] == "parameter_twice"


def test_nothing_is_taken_from_the_query_string(door):
    response = door.http.post(f"/token?code={door.code()}", data={"grant_type": "authorization_code"})
    assert_no_token(response, "invalid_request")
    assert door.last_refusal()[0] == "query_string"


def test_a_code_is_not_redeemed_by_get(door):
    assert door.http.get("/token").status_code == 405


def test_an_oversized_form_is_refused(door):
    response = door.redeem(door.code(), padding="x" * 70_000)
    assert response.status_code == 413
    assert response.json["error"] == "too_large"
