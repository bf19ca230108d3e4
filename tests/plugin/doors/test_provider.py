import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from tests.fakes.door import open_door
from tests.fakes.realm import SERVICE, ec_key, ed_key
from tests.fakes.realm import rsa_key as rsa

HTTP_SERVICE = "http://localhost:8100"


def test_the_metadata_is_valid_and_honest(door):
    response = door.http.get("/.well-known/openid-configuration")
    metadata = response.json
    AuthorizationServerMetadata(metadata).validate()
    assert metadata["issuer"] == SERVICE
    routes = {rule.rule for rule in door.http.application.url_map.iter_rules()}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert metadata[name].removeprefix(SERVICE) in routes
    algorithms = {alg for name, algs in metadata.items() if "alg_values" in name for alg in algs}
    assert not [alg for alg in algorithms if alg.startswith(("HS", "none"))]
    assert response.headers["Cache-Control"] == "public, max-age=300"


def test_authorize_sends_the_person_to_the_ceremony(door):
    response = door.authorize()
    assert response.status_code == 303
    path = response.headers["Location"]
    assert path.startswith("/ceremony/")
    cookie = response.headers["Set-Cookie"]
    ceremony_id = path.removeprefix("/ceremony/")
    assert cookie.startswith(f"facestep_{ceremony_id[:8]}=")
    for attribute in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=300"):
        assert attribute in cookie
    assert response.headers["Cache-Control"] == "no-store"


def test_on_loopback_http_the_cookie_is_not_secure(tmp_path):
    door = open_door(tmp_path, issuer=HTTP_SERVICE)
    response = door.authorize(door.realm.request(aud=HTTP_SERVICE))
    assert response.status_code == 303
    assert "Secure" not in response.headers["Set-Cookie"]


def test_the_host_header_decides_nothing(door):
    response = door.http.get(
        "/authorize",
        query_string={"client_id": door.realm.issuer, "request": door.realm.request()},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"},
    )
    assert response.status_code == 303
    assert "evil" not in str(response.headers)
    assert (
        door.http.get("/.well-known/openid-configuration", headers={"Host": "evil.example"}).json["issuer"] == SERVICE
    )


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        *[(alg, rsa("many")) for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")],
        ("ES256", ec_key("many")),
        ("ES384", ec_key("many", "P-384")),
        ("ES512", ec_key("many", "P-521")),
        ("EdDSA", ed_key("many")),
        ("Ed25519", ed_key("many")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_realm_may_use_any_asymmetric_algorithm(door, alg, key):
    realm = door.new_realm("https://sso.example/realms/any", alg=alg, key=key)
    assert door.authorize(realm.request(), client_id=realm.issuer).status_code == 303


def test_a_rotated_realm_key_is_picked_up(door):
    assert door.authorize().status_code == 303
    door.realm.kid, door.realm.key = "new", rsa("new")
    door.realm.publish(door.jwks)
    door.clock.pass_seconds(10)
    assert door.authorize().status_code == 303


def test_the_audience_as_a_list_of_one_is_fine(door):
    assert door.authorize(door.realm.request(aud=[SERVICE])).status_code == 303


def test_optional_claims_are_optional(door):
    assert door.authorize(door.realm.request(ui_locales="de en", nbf=door.realm.seconds())).status_code == 303


def test_the_provider_being_away_is_not_the_persons_fault(door):
    door.jwks.documents.clear()
    response = door.authorize()
    assert response.status_code == 503
    assert "Location" not in response.headers
    assert door.audited("ceremony_begun") == []


def test_expired_ceremonies_are_swept_on_the_way(door):
    door.authorize()
    door.clock.pass_seconds(2 * 86_400)
    assert door.services.ceremonies.purge(now=door.clock()) == 1
    door.authorize()
    door.clock.pass_seconds(2 * 86_400)
    door.authorize()
    assert door.services.ceremonies.purge(now=door.clock()) == 0
