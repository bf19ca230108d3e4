"""The vault's settings refuse to start on nonsense, and build the login that they name."""

from __future__ import annotations

import pytest

from plugin.errors import SettingsError
from plugin.sealing import open_client
from plugin.settings import Settings, VaultAuth
from vault.transit_auth import AppRole, Kubernetes, TokenFile

BASE = {
    "FACESTEP_ISSUER": "https://face.example",
    "FACESTEP_DATABASE_URL": "sqlite:////var/lib/facestep/facestep.db",
    "FACESTEP_VAULT_URL": "https://vault.example:8200",
}
TOKEN = {"token_file": "/run/token"}
APPROLE = {"auth": "approle", "role": "role-id", "secret_id_file": "/run/secret-id"}
KUBERNETES = {"auth": "kubernetes", "role": "facestep"}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(*changes, **more):
    merged = {}
    for each in (*changes, more):
        merged |= {f"FACESTEP_VAULT_{name.upper()}": str(value) for name, value in each.items()}
    return Settings.load(BASE | merged)


@pytest.mark.parametrize(
    ("changes", "login"), [(TOKEN, TokenFile), (APPROLE, AppRole), (KUBERNETES, Kubernetes)], ids=list(VaultAuth)
)
def test_each_way_to_log_in_is_built(changes, login):
    assert isinstance(open_client(load(changes)).lease._login, login)


def test_an_auth_method_may_be_mounted_elsewhere():
    assert open_client(load(APPROLE)).lease._login.mount == "approle"
    assert open_client(load(APPROLE, auth_mount="team/approle")).lease._login.mount == "team/approle"
    assert open_client(load(KUBERNETES, auth_mount="cluster-2")).lease._login.mount == "cluster-2"


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({}, "vault_token_file"),
        (APPROLE | {"role": ""}, "vault_role"),
        ({"auth": "approle", "role": "role-id"}, "vault_secret_id_file"),
        (KUBERNETES | {"role": ""}, "vault_role"),
        (TOKEN | {"url": ""}, "vault_url"),
    ],
)
def test_what_a_way_needs_must_be_set(changes, missing):
    with pytest.raises(SettingsError, match=f"{missing} is not set"):
        load(changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"auth": "userpass"}, "vault_auth='userpass' is not understood"),
        ({"url": "http://vault.example:8200"}, "must be https"),
        ({"url": "https://user:secret@vault.example"}, "scheme, host and port only"),
        ({"url": "https://vault.example/?namespace=a"}, "scheme, host and port only"),
        ({"timeout_s": "0"}, "vault_timeout_s must be above 0"),
        ({"timeout_s": "31"}, "vault_timeout_s must be above 0"),
        ({"ca_file": "/nowhere/ca.pem"}, "vault_ca_file: the file /nowhere/ca.pem does not exist"),
        ({"client_cert_file": "/nowhere/cert.pem"}, "belong together"),
        ({"client_key_file": "/nowhere/cert.key"}, "belong together"),
    ],
)
def test_nonsense_is_one_line(changes, why):
    with pytest.raises(SettingsError, match=why) as refused:
        load(TOKEN, changes)
    assert "secret@" not in str(refused.value)


def test_certificates_and_the_namespace_reach_the_client(tmp_path):
    for name in ("ca.pem", "cert.pem", "cert.key"):
        (tmp_path / name).touch()
    files = {"ca_file": "ca.pem", "client_cert_file": "cert.pem", "client_key_file": "cert.key"}
    paths = {name: tmp_path / path for name, path in files.items()}
    server = open_client(load(TOKEN, paths, namespace="team-a", timeout_s=2.5)).http.server
    assert (server.namespace, server.timeout_s) == ("team-a", 2.5)
    assert server.ca_file == tmp_path / "ca.pem"
    assert server.client_cert == (tmp_path / "cert.pem", tmp_path / "cert.key")
