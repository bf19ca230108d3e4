"""TLS to a real OpenBao: whom we trust, whom it trusts, and which namespace is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.stack.certificates import Authority
from tests.stack.openbao import OpenBao
from tests.stack.process import free_port
from vault.interface import VaultDenied, VaultUnavailable
from vault.policies import Role, policy_name
from vault.transit import TransitSealer
from vault.transit_auth import FixedToken
from vault.transit_client import VaultClient
from vault.transit_http import VaultServer

pytestmark = pytest.mark.servers
LISTENER = """
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_cert_file = "{server.certificate}"
  tls_key_file = "{server.key}"
  tls_client_ca_file = "{authority.certificate}"
  tls_require_and_verify_client_cert = true
}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder)


@pytest.fixture(scope="module")
def bao(folder, authority):
    """OpenBao with a second listener, which speaks TLS and asks for a certificate; `tls_url` is its address."""
    port = free_port()
    config = folder / "listener.hcl"
    config.write_text(LISTENER.format(port=port, server=authority.pair("server"), authority=authority))
    with OpenBao.start(folder / "openbao", config=config) as server:
        server.tls_url = f"https://127.0.0.1:{port}"
        yield server


@pytest.fixture
def server(bao, authority, folder):
    pair = authority.pair("client")
    return VaultServer(bao.tls_url, ca_file=authority.certificate, client_cert=(pair.certificate, pair.key))


def sealer(server, bao, **more):
    return TransitSealer.on(VaultClient.connect(server, FixedToken(bao.root_token), **more))


def test_with_the_authority_and_a_certificate_it_works(server, bao):
    sealer(server, bao).install()
    sealer(server, bao).check()


def test_a_server_that_the_system_does_not_know_gets_no_token(server, bao):
    with pytest.raises(VaultUnavailable, match="vault_ca_file"):
        sealer(replace(server, ca_file=None), bao).check()


def test_a_server_of_another_authority_gets_no_token(server, bao, folder):
    other = Authority(folder, "another authority")
    with pytest.raises(VaultUnavailable, match="vault_ca_file"):
        sealer(replace(server, ca_file=other.certificate), bao).check()


@pytest.mark.parametrize("whose", ["nobody's", "of another authority"])
def test_without_the_right_certificate_the_server_does_not_talk_to_us(server, bao, folder, whose):
    pair = Authority(folder, "another authority").pair("stranger")
    cert = None if whose == "nobody's" else (pair.certificate, pair.key)
    with pytest.raises(VaultUnavailable):
        sealer(replace(server, client_cert=cert), bao).check()


def test_a_namespace_is_a_vault_of_its_own(bao):
    """What one namespace seals does not open in another, and a token of one is nothing in the other."""
    root = TransitSealer(bao.url, bao.root_token)
    for name in ("one", "two"):
        root.client.call("POST", f"sys/namespaces/{name}", {}, action="test")
    one, two = (sealer(VaultServer(bao.url, namespace=name), bao) for name in ("one", "two"))
    for each in (one, two):
        assert "mount transit" in each.install()
    made = one.client.call(
        "POST", "auth/token/create", {"policies": [policy_name(Role.SERVICE)]}, action="test", once=True
    )
    token = made["auth"]["client_token"]
    TransitSealer.on(one.client.with_token(token)).check()
    with pytest.raises(VaultDenied):
        TransitSealer.on(two.client.with_token(token)).check()
