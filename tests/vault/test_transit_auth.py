"""Logging in and staying logged in: AppRole and Kubernetes at a real vault, leases by a clock of our own."""

from __future__ import annotations

import logging
import os
import threading
import time

import pytest

from tests.fakes.vault_answers import answering
from tests.stack.certificates import Authority
from tests.stack.real_vault import ADDRESS
from tests.stack.token_review import ACCOUNT, NAMESPACE, token_reviews
from vault.interface import VaultDenied, VaultUnavailable
from vault.policies import Role, policy_name
from vault.transit import TransitSealer
from vault.transit_auth import RELOGIN_S, AppRole, FixedToken, Kubernetes, Lease, Token, TokenFile
from vault.transit_client import VaultClient
from vault.transit_http import VaultHttp, VaultServer
from vault.transit_install import install_approle, write_secret_id


def secret_file(folder, text, name="secret"):
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(text)
    return path


@pytest.fixture
def approle(vault, tmp_path):
    """An AppRole as `facestep vault install --approle service` makes it."""
    mount = f"{vault.mount}-approle"
    role_id, _ = install_approle(vault.admin, Role.SERVICE, auth_mount=mount)
    path = tmp_path / "secret-id"
    write_secret_id(vault.admin, Role.SERVICE, path, auth_mount=mount)
    yield AppRole(role_id, path, mount=mount)
    vault.call("DELETE", f"sys/auth/{mount}")


def sealer_of(vault, login):
    return TransitSealer.on(VaultClient.connect(vault.server, login, mount=vault.mount))


@pytest.mark.servers
def test_an_approle_logs_in_and_seals(vault, approle):
    sealer_of(vault, approle).check()


@pytest.mark.servers
def test_a_wrong_secret_id_is_refused_without_being_printed(vault, approle, tmp_path):
    wrong = AppRole(approle.role_id, secret_file(tmp_path, "marked-wrong-secret"), mount=approle.mount)
    with pytest.raises(VaultDenied, match="AppRole") as refused:
        sealer_of(vault, wrong).check()
    assert "marked" not in str(refused.value) + repr(refused.value.__cause__)


@pytest.mark.servers
def test_who_loses_his_token_logs_in_again(vault, approle):
    sealer = sealer_of(vault, approle)
    sealer.check()
    vault.call("POST", "auth/token/revoke", {"token": sealer.client.lease.current()})
    sealer.check()


@pytest.fixture
def kubernetes(vault, tmp_path):
    if ADDRESS in os.environ:
        pytest.skip("a named vault does not reach a TokenReview server on this machine's loopback")
    mount = f"{vault.mount}-kubernetes"
    vault.call("POST", f"sys/auth/{mount}", {"type": "kubernetes"})
    with token_reviews() as reviews:
        config = {
            "kubernetes_host": reviews.url,
            "kubernetes_ca_cert": Authority(tmp_path).certificate.read_text(),
            "token_reviewer_jwt": reviews.token("vault"),
            "disable_local_ca_jwt": True,
        }
        vault.call("POST", f"auth/{mount}/config", config)
        role = {
            "bound_service_account_names": [ACCOUNT],
            "bound_service_account_namespaces": [NAMESPACE],
            "token_policies": [policy_name(Role.SERVICE, vault.mount)],
            "token_no_default_policy": True,
            "token_ttl": "1h",
        }
        vault.call("POST", f"auth/{mount}/role/facestep", role)
        yield reviews, mount
    vault.call("DELETE", f"sys/auth/{mount}")


@pytest.mark.servers
def test_a_kubernetes_service_account_logs_in_and_seals(vault, kubernetes, tmp_path):
    reviews, mount = kubernetes
    path = secret_file(tmp_path, reviews.token())
    path.chmod(0o644)  # as Kubernetes writes it
    sealer_of(vault, Kubernetes("facestep", path, mount=mount)).check()


@pytest.mark.servers
def test_another_service_account_and_an_invented_token_are_refused(vault, kubernetes, tmp_path):
    reviews, mount = kubernetes
    for number, token in enumerate((reviews.token("somebody-else"), reviews.token() + "x")):
        login = Kubernetes("facestep", secret_file(tmp_path, token, f"token-{number}"), mount=mount)
        with pytest.raises(VaultDenied, match="Kubernetes"):
            sealer_of(vault, login).check()


@pytest.mark.servers
def test_the_thread_keeps_a_short_lived_token_of_a_file_alive(vault, tmp_path):
    """Three seconds long; without renewal it would be dead when it is used last."""
    token = vault.token_for(policy_name(Role.SERVICE, vault.mount), ttl="3s", period="3s")
    client = VaultClient.connect(vault.server, TokenFile(secret_file(tmp_path, token)), mount=vault.mount)
    client.lease.keep()
    try:
        time.sleep(5)
        TransitSealer.on(client).check()
    finally:
        client.lease.close()


@pytest.mark.servers
def test_a_token_that_an_agent_replaced_is_read_when_the_old_one_is_refused(vault, tmp_path):
    path = secret_file(tmp_path, vault.token_for(policy_name(Role.SERVICE, vault.mount)))
    sealer = sealer_of(vault, TokenFile(path))
    sealer.check()
    vault.call("POST", "auth/token/revoke", {"token": path.read_text()})
    path.write_text(vault.token_for(policy_name(Role.SERVICE, vault.mount)))
    sealer.check()


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Scripted:
    """A vault that gives tokens for an hour, renews them, and can be told not to."""

    def __init__(self):
        self.logins, self.renewals, self.lease_s, self.fault = 0, 0, 3600, None

    def __call__(self, asked):
        if self.fault:
            return self.fault, {"errors": ["no"]}, {}
        if asked.path.endswith("/login"):
            self.logins += 1
            return 200, self._auth(f"token-{self.logins}"), {}
        assert asked.path == "/v1/auth/token/renew-self"
        self.renewals += 1
        return 200, self._auth(asked.token), {}

    def _auth(self, token):
        return {"auth": {"client_token": token, "lease_duration": self.lease_s, "renewable": True}}


@pytest.fixture
def scripted():
    script = Scripted()
    with answering(script) as (url, _):
        script.url = url
        yield script


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lease(scripted, clock, tmp_path):
    http = VaultHttp(VaultServer(scripted.url, timeout_s=2))
    return Lease(http, AppRole("role", secret_file(tmp_path, "secret-id")), clock=clock)


def test_one_login_serves_many_threads(lease, scripted):
    threads = [threading.Thread(target=lease.current) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scripted.logins == 1


def test_it_is_renewed_when_a_third_of_its_life_is_left_and_not_before(lease, scripted, clock):
    lease.current()
    clock.now += 2100  # at most a tenth before two thirds of an hour
    lease.current()
    assert scripted.renewals == 0
    clock.now += 301
    assert lease.current() == "token-1"
    assert (scripted.renewals, scripted.logins) == (1, 1)


def test_a_vault_that_is_away_does_not_take_away_a_token_that_still_lives(lease, scripted, clock, caplog):
    lease.current()
    clock.now += 2500
    scripted.fault = 503
    assert lease.current() == "token-1"
    assert "could not be renewed" in caplog.text
    scripted.fault = None
    clock.now += 6
    lease.current()
    assert scripted.renewals == 1


def test_a_token_that_cannot_be_renewed_for_as_long_is_replaced_by_a_new_login(lease, scripted, clock):
    lease.current()
    clock.now += 2500
    scripted.lease_s = 600  # its last minutes, says the renewal
    assert lease.current() == "token-2"
    assert scripted.logins == 2


def test_a_refused_token_causes_one_login_and_no_flood(lease, scripted, clock):
    assert lease.current() == "token-1"
    assert lease.after_refusal("token-1") == "token-2"
    assert lease.after_refusal("token-1") == "token-2"  # another thread, with the token of before
    assert lease.after_refusal("token-2") is None
    clock.now += RELOGIN_S
    assert lease.after_refusal("token-2") == "token-3"
    assert scripted.logins == 3


def test_nobody_there_at_the_first_login_is_unavailable(lease, scripted):
    scripted.fault = 503
    with pytest.raises(VaultUnavailable):
        lease.current()


@pytest.mark.parametrize("client_token", ["", "with space", "with\nline", None, 7])
def test_a_login_that_answers_no_token_is_refused(client_token, tmp_path):
    said = {"auth": {"client_token": client_token, "lease_duration": 60, "renewable": True}}
    with answering(lambda _: (200, said, {})) as (url, _), pytest.raises(VaultDenied):
        Lease(VaultHttp(VaultServer(url)), AppRole("role", secret_file(tmp_path, "x"))).current()


def test_nothing_that_holds_a_token_prints_it(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    path = secret_file(tmp_path, "marked")
    held = [
        Token("marked", 60, renewable=True),
        FixedToken("marked"),
        TokenFile(path),
        AppRole("role", path),
        Kubernetes("role", path),
        Lease(VaultHttp(VaultServer("http://127.0.0.1:1")), FixedToken("marked")),
        VaultClient.connect(VaultServer("http://127.0.0.1:1"), FixedToken("marked")),
    ]
    assert "marked" not in repr(held) + str(held)
