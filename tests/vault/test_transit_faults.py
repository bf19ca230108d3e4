"""The vault sealed, slow, away, denying, not set up, or somebody else: one error of ours each, and never our token."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.stack.openbao import OpenBao
from tests.stack.real_vault import real_vault
from vault.interface import Ciphertext, Context, Purpose, VaultDenied, VaultError, VaultUnavailable, WrongContext
from vault.policies import Role
from vault.transit import TransitSealer

TOKEN = "s.marked-token-that-must-not-be-seen"
ALICE = Context("https://idp.example", "alice", Purpose.REFERENCE)
SEALED = Ciphertext("vault:v1:AAAA")
CALLS = {
    "seal": lambda sealer: sealer.seal(b"x", context=ALICE, associated_data=b""),
    "open": lambda sealer: sealer.open(SEALED, context=ALICE, associated_data=b""),
    "mac": lambda sealer: sealer.mac(b"x", label="row:a"),
    "verify_mac": lambda sealer: sealer.verify_mac(b"x", bytes(32), label="row:a"),
    "derive": lambda sealer: sealer.derive(b"x", label="a"),
    "sign": lambda sealer: sealer.sign(b"x", label="a"),
    "public_keys": lambda sealer: sealer.public_keys(),
    "check": lambda sealer: sealer.check(),
    "install": lambda sealer: sealer.install(),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@contextmanager
def answering(status, body=b"", headers=()):
    """A server that gives every request the same answer and remembers what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            asked.append((self.path, dict(self.headers)))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_LIST = answer  # noqa: N815  (the names that http.server looks for)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@every_call
def test_a_vault_that_never_answers_costs_no_more_than_the_timeout(call):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sealer = TransitSealer(f"http://127.0.0.1:{silent.getsockname()[1]}", TOKEN, timeout_s=0.1)
        began = time.monotonic()
        with pytest.raises(VaultUnavailable, match="no answer"):
            call(sealer)
        assert time.monotonic() - began < 2


@every_call
def test_a_vault_that_is_away_is_unavailable(call):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(VaultUnavailable, match="no answer"):
        call(TransitSealer(f"http://127.0.0.1:{port}", TOKEN))


@every_call
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (403, VaultDenied),
        (401, VaultDenied),
        (503, VaultUnavailable),
        (501, VaultUnavailable),
        (500, VaultUnavailable),
        (502, VaultUnavailable),
        (429, VaultUnavailable),
        (404, VaultError),
        (400, VaultError),
        (418, VaultError),
    ],
)
def test_each_refusal_has_one_error(call, status, expected):
    with answering(status, b'{"errors": ["said by the server"]}') as (url, _), pytest.raises(VaultError) as refused:
        call(TransitSealer(url, TOKEN))
    assert isinstance(refused.value, expected)
    assert TOKEN not in str(refused.value)


@every_call
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b'{"data": null}', b'{"data": {"plaintext": "?"}}'])
def test_an_answer_that_is_none_is_an_error(call, body):
    with answering(200, body) as (url, _), pytest.raises(VaultError):
        call(TransitSealer(url, TOKEN))


@every_call
def test_the_token_does_not_follow_a_redirect(call):
    with (
        answering(200, b"{}") as (elsewhere, asked_elsewhere),
        answering(307, b"", [("Location", f"{elsewhere}/v1/steal")]) as (url, _),
        pytest.raises(VaultError),
    ):
        call(TransitSealer(url, TOKEN))
    assert asked_elsewhere == []


def test_no_proxy_of_the_environment_sees_the_token(monkeypatch):
    with answering(200, b"{}") as (proxy, asked_proxy), answering(403, b"{}") as (url, asked):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        with pytest.raises(VaultDenied):
            CALLS["seal"](TransitSealer(url, TOKEN))
    assert asked_proxy == []
    assert asked[0][1]["X-Vault-Token"] == TOKEN


@pytest.mark.parametrize("status", [200, 403, 503])
def test_the_token_is_in_no_log_and_no_repr(status, caplog):
    caplog.set_level(logging.DEBUG)
    with answering(status, b"{}") as (url, _):
        sealer = TransitSealer(url, TOKEN)
        with pytest.raises(VaultError) as refused:
            CALLS["seal"](sealer)
    assert TOKEN not in caplog.text + repr(sealer) + repr(refused.value) + repr(refused.value.__cause__)


def test_there_is_no_sealer_without_a_token():
    with pytest.raises(VaultDenied):
        TransitSealer("http://127.0.0.1:1", "")


def test_a_vault_that_ignores_associated_data_is_found_out():
    """Older servers overlook fields they do not know, and would open a value under any binding."""
    body = b'{"data": {"ciphertext": "vault:v1:AAAA", "plaintext": "ZmFjZXN0ZXA6Y2hlY2s="}}'
    with answering(200, body) as (url, _), pytest.raises(VaultError, match="does not bind"):
        TransitSealer(url, TOKEN).check()


@pytest.mark.parametrize(
    ("call", "data"),
    [
        ("check", b'{"ciphertext": "vault:v1:AAAA", "plaintext": "b3RoZXI="}'),
        ("derive", b'{"hmac": "vault:v1:AAAA"}'),
        ("mac", b'{"hmac": ""}'),
    ],
)
def test_an_answer_to_another_question_is_not_used(call, data):
    with answering(200, b'{"data": ' + data + b"}") as (url, _), pytest.raises(VaultError):
        CALLS[call](TransitSealer(url, TOKEN))


@pytest.fixture
def vault(vault_server):
    """A real vault, not set up yet."""
    with real_vault(vault_server, installed=False) as server:
        yield server


@pytest.mark.servers
def test_a_real_vault_before_and_after_installation(vault):
    admin = TransitSealer.on(vault.admin)
    with pytest.raises(VaultError, match="facestep vault install"):
        admin.check()
    made = admin.install()
    assert made[0] == f"mount {vault.mount}"
    assert len(made) == len(Purpose) + 6  # mount, MAC key, audit key, three policies
    assert admin.install() == []
    admin.check()
    sealer = vault.sealer()
    sealer.check()
    with pytest.raises(VaultDenied):
        sealer.install()
    with pytest.raises(VaultDenied):
        vault.sealer(Role.ROTATOR).check()


@pytest.mark.servers
def test_keys_that_are_missing_or_of_another_shape_are_told_apart_from_changed_rows(vault):
    """Else an admin would be told that rows were changed, when it is the keys that are not right."""
    admin = TransitSealer.on(vault.admin)
    vault.call("POST", f"sys/mounts/{vault.mount}", {"type": "transit"})
    with pytest.raises(VaultError, match="facestep vault install") as refused:
        CALLS["open"](admin)
    assert not isinstance(refused.value, WrongContext)
    admin.client.call("POST", f"{vault.mount}/keys/facestep-reference", {"exportable": True}, action="test")
    with pytest.raises(VaultError, match="exists with another exportable, derived"):
        admin.install()


@pytest.mark.servers
def test_a_token_that_may_do_nothing_is_denied(vault):
    vault.write_policy("facestep-test-nothing", 'path "sys/health" { capabilities = ["read"] }')
    denied = TransitSealer.on(vault.client(vault.token_for("facestep-test-nothing")))
    for name in ("seal", "open", "mac", "derive", "sign", "public_keys", "check"):
        with pytest.raises(VaultDenied):
            CALLS[name](denied)


@pytest.mark.servers
def test_a_sealed_vault_is_unavailable_and_works_again_when_unsealed(tmp_path):
    """Always our own OpenBao: nobody else's vault is sealed for a test."""
    with OpenBao.start(tmp_path) as openbao:
        admin = TransitSealer(openbao.url, openbao.root_token)
        admin.install()
        secret = admin.seal(b"x", context=ALICE, associated_data=b"")
        openbao.seal()
        try:
            for call in CALLS.values():
                with pytest.raises(VaultUnavailable, match="cannot serve now"):
                    call(TransitSealer(openbao.url, openbao.root_token))
        finally:
            openbao.unseal()
        assert admin.open(secret, context=ALICE, associated_data=b"") == b"x"
