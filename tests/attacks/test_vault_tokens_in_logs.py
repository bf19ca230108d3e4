"""Threat: whoever reads logs, error pages or traces finds a token there and becomes us.

Everything that speaks to the vault runs with all loggers at DEBUG, against servers that are good, that refuse, and that
give back what they were sent; then the whole log, and every error with its causes, is searched for the secrets.
"""

from __future__ import annotations

import logging
import traceback

import pytest

from tests.fakes.vault_answers import answering
from tests.stack.real_vault import real_vault
from vault.interface import Ciphertext, Context, Purpose, ToOpen, VaultError
from vault.policies import Role, policy_name
from vault.transit import TransitSealer
from vault.transit_auth import AppRole, FixedToken, Kubernetes, TokenFile
from vault.transit_client import VaultClient
from vault.transit_http import VaultServer
from vault.transit_install import install_approle, write_secret_id
from vault.transit_proof import prove
from vault.transit_rotator import TransitRotator

ALICE = Context("https://idp.example", "alice", Purpose.REFERENCE)
ITEM = ToOpen(Ciphertext("vault:v1:AAAA"), ALICE, b"")
PLAIN = b"marked-plaintext"  # by a name: a traceback prints the lines of this file
CALLS = [
    lambda client: TransitSealer.on(client).seal(PLAIN, context=ALICE, associated_data=b""),
    lambda client: TransitSealer.on(client).open_many([ITEM]),
    lambda client: TransitSealer.on(client).sign(b"x", label="a"),
    lambda client: TransitRotator(client).rewrap_many([ITEM]),
    lambda client: client.lease._renew(client.lease._token),
]
SECRETS = ("marked-file-token", "marked-fixed-token", "marked-secret-id", "marked-jwt", "marked-new-token")
MARKED = (*SECRETS, "marked-plaintext", "bWFya2VkLXBsYWludGV4d")  # and as base64


def secret_file(folder, name):
    path = folder / f"file-{name[-3:]}"
    path.touch(mode=0o600)
    path.write_text(name)
    return path


@pytest.fixture
def logins(tmp_path):
    return [
        FixedToken("marked-fixed-token"),
        TokenFile(secret_file(tmp_path, "marked-file-token")),
        AppRole("role", secret_file(tmp_path, "marked-secret-id")),
        Kubernetes("role", secret_file(tmp_path, "marked-jwt")),
    ]


def everything_is_logged(caplog):
    """At DEBUG, libraries too: whoever configured our own logging in this process before has made them silent."""
    for name in ("", "hvac", "requests", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name or None)


def good(asked):
    auth = {"client_token": "marked-new-token", "lease_duration": 100, "renewable": True}
    data = {"ciphertext": "vault:v1:AAAA", "plaintext": "eA==", "latest_version": 1, "min_decryption_version": 1}
    return 200, {"auth": auth, "data": data}, {}


def echo(status):
    """A server that puts all it was sent into its error, as careless proxies do."""
    return lambda asked: (status, {"errors": [str(asked.body), str(asked.token), str(asked.headers)]}, {})


SERVERS = {"good": good, "garbage": lambda _: (200, b"\xff<html>", {}), "redirect": lambda _: (307, b"", {})}
SERVERS |= {f"echo {status}": echo(status) for status in (400, 401, 403, 404, 418, 500, 503)}


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
def test_no_secret_is_in_any_log_or_error(server, logins, caplog, capfd):
    everything_is_logged(caplog)
    told = []
    with answering(server) as (url, _):
        for login in logins:
            client = VaultClient.connect(VaultServer(url, timeout_s=1), login)
            for call in CALLS:
                try:
                    call(client)
                except VaultError as error:
                    logging.getLogger("test").exception("the vault said no")
                    told += traceback.format_exception(error)
                except AttributeError:
                    assert client.lease._token is None  # nothing to renew
            told += [repr(client), repr(client.lease), repr(client.http), repr(login)]
    searched = "".join(told) + caplog.text + "".join(capfd.readouterr())
    assert "urllib3" in caplog.text  # DEBUG was on
    for secret in MARKED:
        assert secret not in searched


@pytest.mark.servers
def test_no_secret_of_a_real_login_is_in_any_log(vault_server, tmp_path, caplog, capfd):
    everything_is_logged(caplog)
    with real_vault(vault_server) as vault:
        mount = f"{vault.mount}-approle"
        role_id, _ = install_approle(vault.admin, Role.SERVICE, auth_mount=mount)
        write_secret_id(vault.admin, Role.SERVICE, tmp_path / "secret-id", auth_mount=mount)
        client = VaultClient.connect(
            vault.server, AppRole(role_id, tmp_path / "secret-id", mount=mount), mount=vault.mount
        )
        TransitSealer.on(client).check()
        prove(client, Role.SERVICE)
        first = client.lease.current()
        client.lease._renew(client.lease._token)
        vault.call("POST", "auth/token/revoke", {"token": first})
        client = VaultClient(client.http, AppRole(role_id, tmp_path / "secret-id", mount=mount), mount=vault.mount)
        TransitSealer.on(client).check()
        vault.write_policy(policy_name(Role.SERVICE, vault.mount), 'path "sys/health" { capabilities = ["read"] }')
        with pytest.raises(VaultError):
            TransitSealer.on(client).check()
        tokens = {first, client.lease.current(), vault.root_token, (tmp_path / "secret-id").read_text()}
        vault.call("DELETE", f"sys/auth/{mount}")
    searched = caplog.text + "".join(capfd.readouterr())
    assert len(tokens) == 4
    assert "/v1/auth/" in searched
    assert [token for token in tokens if token in searched] == []


@pytest.mark.parametrize("content", ["marked token", "marked\ntoken", "marked\x00token", "marked\u00e9"])
def test_a_file_that_holds_no_token_is_not_printed(content, tmp_path):
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text(content)
    client = VaultClient.connect(VaultServer("http://127.0.0.1:1"), TokenFile(path))
    with pytest.raises(VaultError) as refused:
        TransitSealer.on(client).check()
    assert "marked" not in "".join(traceback.format_exception(refused.value))
