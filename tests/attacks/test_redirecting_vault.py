"""Threat: somebody between us and the vault (a captured proxy, a spoofed name) sends us elsewhere, or answers himself.

What he wants: our token, a secret id, or that we store what he gave us.
"""

from __future__ import annotations

import pytest

from tests.fakes.vault_answers import answering
from vault.interface import Ciphertext, Context, Purpose, VaultDenied, VaultError
from vault.transit import TransitSealer
from vault.transit_auth import AppRole, FixedToken, Kubernetes
from vault.transit_client import VaultClient
from vault.transit_http import VaultServer
from vault.transit_rotator import TransitRotator

TOKEN = "s.marked-token"
ALICE = Context("https://idp.example", "alice", Purpose.REFERENCE)
CALLS = {
    "seal": lambda client: TransitSealer.on(client).seal(b"x", context=ALICE, associated_data=b""),
    "open": lambda client: TransitSealer.on(client).open(
        Ciphertext("vault:v1:AAAA"), context=ALICE, associated_data=b""
    ),
    "derive": lambda client: TransitSealer.on(client).derive(b"x", label="a"),
    "sign": lambda client: TransitSealer.on(client).sign(b"x", label="a"),
    "public keys": lambda client: TransitSealer.on(client).public_keys(),
    "install": lambda client: TransitSealer.on(client).install(),
    "versions": lambda client: TransitRotator(client).versions(Purpose.REFERENCE),
    "new version": lambda client: TransitRotator(client).add_version(Purpose.REFERENCE),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
FORGED = {
    "data": {
        "ciphertext": "vault:v1:AAAA",
        "plaintext": "eA==",
        "hmac": "vault:v1:" + "A" * 43 + "=",
        "keys": {},
        "latest_version": 1,
        "min_decryption_version": 1,
    }
}


@every_call
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_stays_and_the_answer_of_a_redirect_is_not_believed(call, status):
    with (
        answering(lambda _: (200, FORGED, {})) as (elsewhere, asked_elsewhere),
        answering(lambda _: (status, FORGED, {"Location": f"{elsewhere}/v1/steal"})) as (url, asked),
    ):
        client = VaultClient.connect(VaultServer(url), FixedToken(TOKEN))
        with pytest.raises(VaultError, match="vault_url"):
            call(client)
    assert asked_elsewhere == []
    assert len(asked) == 1


@pytest.mark.parametrize("method", ["approle", "kubernetes"])
def test_a_login_is_not_sent_elsewhere_either(method, tmp_path):
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text("marked-secret")
    login = AppRole("role", path) if method == "approle" else Kubernetes("role", path)
    with (
        answering(lambda _: (200, {"auth": {"client_token": TOKEN, "lease_duration": 1, "renewable": False}}, {})) as (
            elsewhere,
            asked_elsewhere,
        ),
        answering(lambda _: (307, {}, {"Location": f"{elsewhere}/v1/auth/{method}/login"})) as (url, _),
        pytest.raises(VaultDenied),
    ):
        CALLS["seal"](VaultClient.connect(VaultServer(url), login))
    assert asked_elsewhere == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
def test_no_proxy_of_the_environment_is_used(variable, monkeypatch):
    with answering(lambda _: (200, FORGED, {})) as (proxy, asked_proxy), answering(lambda _: (403, {}, {})) as (url, _):
        monkeypatch.setenv(variable, proxy)
        with pytest.raises(VaultDenied):
            CALLS["seal"](VaultClient.connect(VaultServer(url), FixedToken(TOKEN)))
    assert asked_proxy == []


@pytest.mark.parametrize(
    "ciphertext", ["", "plain text", "vault:v0:AAAA", "vault:v1:AAAA\n", "keyring:v1:AAAA", None, 7, ["vault:v1:AAAA"]]
)
def test_what_is_no_ciphertext_is_never_stored(ciphertext):
    """A false vault that gives back the plaintext, or anything else, as the sealed value."""
    with answering(lambda _: (200, {"data": {"ciphertext": ciphertext}}, {})) as (url, _):
        client = VaultClient.connect(VaultServer(url), FixedToken(TOKEN))
        with pytest.raises(VaultError):
            CALLS["seal"](client)


def test_a_false_vault_that_answers_fewer_or_more_values_than_asked_mixes_up_no_rows():
    from vault.interface import ToOpen  # noqa: PLC0415  (beside its only use)

    item = ToOpen(Ciphertext("vault:v1:AAAA"), ALICE, b"")
    for count in (0, 1, 3):
        results = {"data": {"batch_results": [{"ciphertext": "vault:v2:AAAA"}] * count}}
        with answering(lambda _, results=results: (200, results, {})) as (url, _):
            rotator = TransitRotator(VaultClient.connect(VaultServer(url), FixedToken(TOKEN)))
            with pytest.raises(VaultError, match="not understood"):
                rotator.rewrap_many([item, item])
