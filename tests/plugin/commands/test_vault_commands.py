"""`facestep vault`, as a person at a shell sees it."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from plugin.cli import main
from tests.stack.openbao import OpenBao
from vault.transit import POLICY

pytestmark = pytest.mark.filterwarnings("ignore::vault.warning.UnsafeDevelopmentWarning")


def rules_of(policy):
    """Return the capabilities by path."""
    found = re.findall(r'^path "([^"]+)" \{\n  capabilities = (\[[^\]]*\])', policy, flags=re.MULTILINE)
    return {path: json.loads(capabilities) for path, capabilities in found}


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Run one command with the settings of a development machine."""
    settings = {
        "ISSUER": "http://localhost:8100",
        "DATABASE_URL": f"sqlite:///{tmp_path}/facestep.db",
        "ENVIRONMENT": "development",
        "VAULT_BACKEND": "keyring",
        "KEYRING_FILE": str(tmp_path / "keyring.json"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"FACESTEP_{name}", value)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(main, arguments, prog_name="facestep")

    return run


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
