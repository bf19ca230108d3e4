import pytest

from plugin.errors import ClientRefused, ServiceError
from tests.fakes.realm import NOW

ISSUER = "https://sso.example/realms/new"


def test_the_defaults_are_those_of_a_keycloak_realm(door):
    client = door.services.registry.add(ISSUER, now=NOW)
    assert client.jwks_uri == f"{ISSUER}/protocol/openid-connect/certs"
    assert client.redirect_prefix == f"{ISSUER}/login-actions/"
    assert door.services.registry.get(ISSUER) == client


def test_adding_again_changes_the_addresses(door):
    registry = door.services.registry
    registry.add(ISSUER, now=NOW)
    registry.add(ISSUER, jwks_uri="https://keys.example/certs", now=NOW)
    assert [c.jwks_uri for c in registry.list() if c.issuer == ISSUER] == ["https://keys.example/certs"]


def test_loopback_may_be_plain_http(door):
    assert door.services.registry.add("http://localhost:8080/realms/demo", now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "http://sso.example/realms/x"},
        {"issuer": "https://sso.example/realms/x/"},
        {"issuer": "https://user@sso.example/realms/x"},
        {"issuer": "https://sso.example/realms/x#y"},
        {"issuer": "https://sso.example:port/realms/x"},
        {"issuer": "ftp://sso.example/realms/x"},
        {"issuer": "https:///realms/x"},
        {"issuer": "https://sso.example/realms/x\n"},
        {"issuer": ""},
        {"jwks_uri": "http://sso.example/certs"},
        {"jwks_uri": "file:///etc/passwd"},
        {"redirect_prefix": "https://sso.example/login-actions"},
        {"redirect_prefix": "https://sso.example/a/../b/"},
        {"redirect_prefix": "https://sso.example/a/?x=/"},
        {"redirect_prefix": "http://sso.example/a/"},
        {"redirect_prefix": "https://localhost@evil.example/"},
    ],
    ids=str,
)
def test_a_senseless_address_is_refused_and_nothing_is_kept(door, changes):
    before = door.services.registry.list()
    values = {"issuer": ISSUER, **changes}
    with pytest.raises(ServiceError, match="client_invalid"):
        door.services.registry.add(values.pop("issuer"), **values, now=NOW)
    assert door.services.registry.list() == before


def test_a_removed_provider_is_unknown(door):
    registry = door.services.registry
    registry.remove(door.realm.issuer, now=NOW)
    with pytest.raises(ClientRefused, match="client_unknown"):
        registry.get(door.realm.issuer)
    assert door.authorize().status_code == 401


def test_removing_what_is_not_there_is_an_error(door):
    with pytest.raises(ServiceError, match="client_invalid"):
        door.services.registry.remove("https://stranger.example", now=NOW)
    assert door.audited("client_removed") == []


def test_changes_are_written_down(door):
    door.services.registry.add(ISSUER, now=NOW)
    door.services.registry.remove(ISSUER, now=NOW)
    added = door.audited("client_added")[-1]
    assert (added.issuer, added.details["redirect_prefix"]) == (ISSUER, f"{ISSUER}/login-actions/")
    assert door.audited("client_removed")[-1].issuer == ISSUER


@pytest.mark.parametrize(
    ("method", "value", "allowed"),
    [
        ("check_response_type", "code", True),
        ("check_response_type", "id_token", False),
        ("check_grant_type", "authorization_code", True),
        ("check_grant_type", "refresh_token", False),
        ("check_redirect_uri", "https://sso.example/realms/staff/login-actions/x", True),
        ("check_redirect_uri", "https://evil.example/", False),
        ("get_allowed_scope", "openid", "openid"),
        ("get_allowed_scope", "openid email", None),
    ],
)
def test_a_client_may_do_one_thing_only(door, method, value, allowed):
    client = door.services.registry.get(door.realm.issuer)
    assert getattr(client, method)(value) == allowed


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_a_client_authenticates_by_its_key_only(door, method):
    client = door.services.registry.get(door.realm.issuer)
    assert client.check_endpoint_auth_method("private_key_jwt", "token")
    assert not client.check_endpoint_auth_method(method, "token")
