import base64
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from plugin.doors.keys import MAX_JWKS_BYTES, HttpJwksFetcher, KeyCache, parse_jwks
from plugin.errors import ClientRefused, ServiceError
from tests.fakes.realm import NOW, FakeJwks, Realm, ec_key, ed_key, rsa_key

URI = "https://sso.example/realms/staff/protocol/openid-connect/certs"


def jwk(key, kid="k", **more):
    return {**key.as_dict(private=False), "kid": kid, "use": "sig", **more}


def document(*keys):
    return json.dumps({"keys": list(keys)}).encode()


# --- what is taken from a JWKS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (rsa_key("a"), {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        (ec_key("a"), {"ES256"}),
        (ec_key("a", "P-384"), {"ES384"}),
        (ec_key("a", "P-521"), {"ES512"}),
        (ed_key("a"), {"EdDSA", "Ed25519"}),
    ],
)
def test_a_signature_key_brings_the_algorithms_of_its_kind(key, algorithms):
    assert parse_jwks(document(jwk(key)))["k"].algorithms == algorithms


def test_a_published_algorithm_is_the_only_one():
    assert parse_jwks(document(jwk(rsa_key("a"), alg="RS512")))["k"].algorithms == {"RS512"}


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "k", "use": "sig", "alg": "HS256"},
        jwk(rsa_key("a"), use="enc"),
        jwk(rsa_key("a"), alg="RSA-OAEP"),
        jwk(rsa_key("a"), alg="HS256"),
        {**jwk(rsa_key("a")), "n": base64.urlsafe_b64encode(b"\x80" + bytes(127)).decode()},
        jwk(rsa_key("a"), kid=""),
        jwk(rsa_key("a"), kid=7),
        {**rsa_key("a").as_dict(private=True), "kid": "k"},
        {**jwk(ec_key("a")), "crv": "secp256k1"},
        {**jwk(ec_key("a")), "x": "AAAA"},
        {"kty": "RSA", "kid": "k"},
        {"kty": "RSA", "kid": "k", "n": 5, "e": []},
        "key",
        None,
    ],
    ids=[
        "oct",
        "enc",
        "oaep",
        "hs",
        "weak",
        "no-kid",
        "kid-7",
        "private",
        "curve",
        "point",
        "empty",
        "types",
        "str",
        "null",
    ],
)
def test_anything_else_is_left_out(key):
    assert set(parse_jwks(document(key, jwk(ec_key("b"), kid="good")))) == {"good"}


def test_a_key_id_that_occurs_twice_names_no_key():
    keys = parse_jwks(document(jwk(rsa_key("a")), jwk(rsa_key("b")), jwk(ec_key("c"), kid="good")))
    assert set(keys) == {"good"}


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"keys": {}}', b"<html>", b"\xff", b'{"keys": [' + b"{}," * 50 + b"{}]}"]
)
def test_what_is_no_jwks_is_an_error(text):
    with pytest.raises(ServiceError, match="keys_unavailable"):
        parse_jwks(text)


# --- how often it is fetched -----------------------------------------------------------------------------------------


@pytest.fixture
def jwks():
    fake = FakeJwks()
    fake.documents[URI] = document(jwk(rsa_key("a"), kid="first"))
    return fake


def test_keys_are_kept_for_five_minutes(jwks):
    cache = KeyCache(jwks)
    for seconds in (0, 1, 299):
        cache.key(URI, "first", now=NOW + timedelta(seconds=seconds))
    assert len(jwks.calls) == 1
    cache.key(URI, "first", now=NOW + timedelta(seconds=300))
    assert len(jwks.calls) == 2


def test_a_new_key_is_found_by_one_refetch(jwks):
    cache = KeyCache(jwks)
    cache.key(URI, "first", now=NOW)
    jwks.documents[URI] = document(jwk(rsa_key("a"), kid="first"), jwk(rsa_key("b"), kid="second"))
    assert cache.key(URI, "second", now=NOW + timedelta(seconds=10))
    assert len(jwks.calls) == 2


def test_a_stranger_cannot_make_us_hammer_the_provider(jwks):
    cache = KeyCache(jwks)
    for number in range(100):
        with pytest.raises(ClientRefused):
            cache.key(URI, f"made-up-{number}", now=NOW + timedelta(seconds=number / 10))
    assert len(jwks.calls) == 1


def test_a_withdrawn_key_is_forgotten(jwks):
    cache = KeyCache(jwks)
    cache.key(URI, "first", now=NOW)
    jwks.documents[URI] = document(jwk(rsa_key("b"), kid="second"))
    with pytest.raises(ClientRefused):
        cache.key(URI, "first", now=NOW + timedelta(minutes=5))


def test_old_keys_are_not_kept_alive_when_the_provider_is_away(jwks):
    cache = KeyCache(jwks)
    cache.key(URI, "first", now=NOW)
    del jwks.documents[URI]
    with pytest.raises(ServiceError, match="keys_unavailable"):
        cache.key(URI, "first", now=NOW + timedelta(minutes=5))


def test_after_a_failed_fetch_the_provider_is_left_alone_for_a_moment():
    jwks = FakeJwks()
    cache = KeyCache(jwks)
    for seconds in (0, 0.5, 1.9, 2.0):
        with pytest.raises(ServiceError, match="keys_unavailable"):
            cache.key(URI, "first", now=NOW + timedelta(seconds=seconds))
    assert len(jwks.calls) == 2


def test_a_failed_refetch_for_an_unknown_key_fails_closed_and_recovers(jwks):
    cache = KeyCache(jwks)
    cache.key(URI, "first", now=NOW)
    good = jwks.documents.pop(URI)
    with pytest.raises(ServiceError, match="keys_unavailable"):
        cache.key(URI, "other", now=NOW + timedelta(seconds=11))
    jwks.documents[URI] = good
    assert cache.key(URI, "first", now=NOW + timedelta(seconds=14))


# --- over HTTP -------------------------------------------------------------------------------------------------------


@pytest.fixture
def web(tmp_path):
    """A real HTTP server on loopback that answers what a test puts in."""
    answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = answers[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield answers, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_document_is_fetched(web):
    answers, address = web
    answers["/certs"] = (200, {}, b"hello")
    assert HttpJwksFetcher().fetch(f"{address}/certs") == b"hello"


@pytest.mark.parametrize(
    "answer",
    [
        (302, {"Location": "/good"}, b""),
        (404, {}, b""),
        (500, {}, b""),
        (204, {}, b""),
        (200, {}, b"x" * (MAX_JWKS_BYTES + 1)),
        (200, {"Content-Encoding": "gzip"}, b"not gzip"),
        (200, {"Content-Length": "100"}, b"short"),
    ],
    ids=["redirect", "404", "500", "204", "huge", "broken", "truncated"],
)
def test_anything_but_a_plain_small_answer_is_an_error(web, answer):
    answers, address = web
    answers["/certs"], answers["/good"] = answer, (200, {}, b"{}")
    with pytest.raises(ServiceError, match="keys_unavailable"):
        HttpJwksFetcher().fetch(f"{address}/certs")


def test_nobody_there_is_an_error():
    with pytest.raises(ServiceError, match="keys_unavailable"):
        HttpJwksFetcher().fetch("http://127.0.0.1:9/certs")


def test_a_realm_publishes_what_we_read(jwks):
    realm = Realm("https://sso.example/realms/staff", lambda: NOW)
    realm.publish(jwks)
    assert KeyCache(jwks).key(realm.jwks_uri, realm.kid, now=NOW).algorithms == {"RS256"}
