"""`facestep vault`, as a person at a shell sees it."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.stack.openbao import OpenBao
from vault.keyring import KeyringSealer
from vault.policies import Role, policy_name
from vault.transit import POLICY

pytestmark = pytest.mark.filterwarnings("ignore::vault.warning.UnsafeDevelopmentWarning")


def rules_of(policy):
    """Return the capabilities by path."""
    found = re.findall(r'^path "([^"]+)" \{\n  capabilities = (\[[^\]]*\])', policy, flags=re.MULTILINE)
    return {path: json.loads(capabilities) for path, capabilities in found}


def test_the_keyring_is_made_once_and_then_left_alone(shell, tmp_path):
    missing = shell("vault", "check")
    assert missing.exit_code == 2
    assert "facestep vault install" in missing.stderr
    made = shell("vault", "install")
    assert made.exit_code == 0
    assert "made key file" in made.stdout
    before = (tmp_path / "keyring.json").read_bytes()
    assert shell("vault", "install").stdout == "the vault is set up\n"
    assert (tmp_path / "keyring.json").read_bytes() == before
    assert shell("vault", "check").exit_code == 0


@pytest.mark.servers
def test_a_real_vault_is_set_up_with_an_admin_token_and_used_with_a_lesser_one(shell, tmp_path, monkeypatch):
    admin, service = tmp_path / "admin", tmp_path / "service"
    with OpenBao.start(tmp_path / "openbao") as bao:
        settings = {"BACKEND": "transit", "URL": bao.url, "TOKEN_FILE": str(service)}
        for name, value in settings.items():
            monkeypatch.setenv(f"FACESTEP_VAULT_{name}", value)
        for path, token in ((admin, bao.root_token), (service, bao.token_for(POLICY))):
            path.touch(mode=0o600)
            path.write_text(token)
        denied = shell("vault", "install")
        made = shell("vault", "install", "--token-file", str(admin))
        again = shell("vault", "install", "--token-file", str(admin))
        works = shell("vault", "check")
        bao.seal()
        sealed = shell("vault", "check")
    assert denied.stderr.startswith("facestep: vault_denied: ")
    assert made.stdout.count("made key ") == 6
    assert again.stdout == "the vault is set up\n"
    assert works.exit_code == 0
    assert (sealed.exit_code, sealed.stderr.split(": ")[1]) == (2, "vault_unavailable")
    for said in (denied, made, again, works, sealed):
        assert bao.root_token not in said.output


def test_the_policy_names_only_what_the_service_does(shell):
    granted = rules_of(shell("vault", "policy").stdout)
    assert granted.pop("transit/keys/facestep-audit") == ["read"]  # answers public keys only
    assert "transit/decrypt/facestep-reference" in granted
    assert all(capabilities == ["update"] for capabilities in granted.values())
    assert not [path for path in granted if "*" in path or "export" in path or "/keys/" in path]


def test_help_has_examples(shell):
    told = shell("vault", "--help")
    assert told.exit_code == 0
    assert "facestep vault " in told.stdout.partition("Examples:")[2]


@pytest.fixture(scope="module")
def bao(tmp_path_factory):
    with OpenBao.start(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture
def transit(shell, bao, tmp_path, monkeypatch):
    """The same shell on a vault that is set up; tokens of every role lie in files of their names."""

    def token_file(name, token):
        path = tmp_path / name
        path.touch(mode=0o600)
        path.write_text(token)
        return str(path)

    token_file("admin", bao.root_token)
    settings = {"BACKEND": "transit", "URL": bao.url, "TOKEN_FILE": str(tmp_path / "service")}
    for name, value in settings.items():
        monkeypatch.setenv(f"FACESTEP_VAULT_{name}", value)
    assert shell("vault", "install", "--token-file", str(tmp_path / "admin")).exit_code == 0
    for role in Role:
        token_file(role.value, bao.token_for(policy_name(role)))
    return shell


@pytest.mark.servers
def test_installing_proves_what_each_role_may_not_do(transit, tmp_path):
    told = json.loads(transit("vault", "install", "--token-file", str(tmp_path / "admin"), "--json").stdout)
    assert told["made"] == []
    assert set(told["proven"]) == {role.value for role in Role}
    assert min(told["proven"].values()) > 50


@pytest.mark.servers
@pytest.mark.parametrize("role", Role)
def test_a_token_of_the_shipped_policy_is_right_for_its_role(transit, tmp_path, role):
    checked = transit("vault", "check", "--as", role.value, "--token-file", str(tmp_path / role.value))
    assert checked.exit_code == 0, checked.output
    assert ", 0 wrong" in checked.stdout


@pytest.mark.servers
def test_a_root_token_is_no_service_token(transit, tmp_path):
    refused = transit("vault", "check", "--token-file", str(tmp_path / "admin"))
    assert refused.exit_code == 2
    assert "root token" in refused.stderr


@pytest.mark.servers
def test_an_approle_is_made_and_logs_in(transit, tmp_path, monkeypatch):
    secret_id = tmp_path / "secret-id"
    arguments = ("--token-file", str(tmp_path / "admin"), "--approle", "service", "--secret-id-file", str(secret_id))
    made = transit("vault", "install", *arguments)
    assert made.exit_code == 0, made.output
    assert secret_id.stat().st_mode & 0o777 == 0o600
    assert secret_id.read_text() not in made.output
    assert transit("vault", "install", *arguments).exit_code == 2  # never over a file that is there
    settings = {"AUTH": "approle", "ROLE": re.search('vault_role = "(.+)"', made.stdout).group(1)}
    for name, value in {**settings, "SECRET_ID_FILE": str(secret_id)}.items():
        monkeypatch.setenv(f"FACESTEP_VAULT_{name}", value)
    assert transit("vault", "check").exit_code == 0


@pytest.mark.servers
def test_rotating_takes_the_rotators_token_and_says_what_it_did(transit, tmp_path):
    transit("database", "migrate")
    denied = transit("vault", "rotate", "--settle-s", "0")
    assert denied.exit_code == 2
    assert "facestep: vault_denied: " in denied.stderr
    done = transit("vault", "rotate", "--settle-s", "0", "--token-file", str(tmp_path / "rotator"), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["finished"]
    assert {key["purpose"] for key in told["keys"]} == {"reference", "factor-secret", "signing-key", "ceremony"}
    listed = transit("audit", "list", "--json").stdout.splitlines()
    assert [json.loads(line)["event"] for line in listed] == ["key_rotated"] * 4


def test_rotating_the_keyring_in_words(shell):
    shell("vault", "install")
    shell("database", "migrate")
    done = shell("vault", "rotate", "--settle-s", "0")
    assert done.exit_code == 0, done.output
    assert "reference: new version 2, 0 rows re-wrapped, older versions refused" in done.stdout


def test_rotating_waits_for_requests_under_way(shell):
    shell("vault", "install")
    shell("database", "migrate")
    began = time.monotonic()
    done = shell("vault", "rotate", "--settle-s", "1.2")
    assert time.monotonic() - began > 1.1
    assert "seconds for requests under way" in done.stderr


def test_a_rotation_that_is_interrupted_says_how_to_go_on(shell, monkeypatch):
    shell("vault", "install")
    shell("database", "migrate")

    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(KeyringSealer, "forget_older", pressed)
    stopped = shell("vault", "rotate", "--settle-s", "0")
    assert stopped.exit_code == 130
    assert "Run it again" in stopped.stderr


@pytest.mark.servers
def test_the_helpdesk_invites_with_a_token_that_opens_nothing(transit, tmp_path, monkeypatch):
    transit("database", "migrate")
    registered = ("--issuer", "http://localhost:8080/realms/demo")
    assert transit("clients", "add", *registered).exit_code == 0
    monkeypatch.setenv("FACESTEP_VAULT_TOKEN_FILE", str(tmp_path / "helpdesk"))
    invited = transit("invite", *registered, "--subject", "alice")
    assert invited.exit_code == 0, invited.output
