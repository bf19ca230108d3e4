import json

import pytest
from click.testing import CliRunner

from plugin.cli import main

ISSUER = "https://sso.example/realms/staff"


@pytest.fixture
def facestep(tmp_path, monkeypatch):
    """Run `facestep ARGS` in a folder of its own with the embedded keyring."""
    values = {
        "issuer": "http://localhost:8100",
        "database_url": f"sqlite:///{tmp_path / 'facestep.db'}",
        "environment": "development",
        "vault_backend": "keyring",
        "keyring_file": str(tmp_path / "keyring.json"),
    }
    config = tmp_path / "facestep.toml"
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    monkeypatch.setenv("FACESTEP_CONFIG", str(config))
    return lambda *args: CliRunner().invoke(main, args)


@pytest.fixture
def ready(facestep):
    assert facestep("database", "migrate").exit_code == 0
    return facestep


def test_without_a_database_every_command_says_what_to_do(facestep):
    result = facestep("clients", "list")
    assert result.exit_code == 2
    assert result.stderr.endswith("run `facestep database migrate`\n")


def test_add_list_and_remove(ready):
    added = ready("clients", "add", "--issuer", ISSUER, "--json")
    expected = {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/protocol/openid-connect/certs",
        "redirect_prefix": f"{ISSUER}/login-actions/",
    }
    assert json.loads(added.stdout) == [expected]
    assert json.loads(ready("clients", "list", "--json").stdout) == [expected]
    assert ISSUER in ready("clients", "list").stdout
    assert json.loads(ready("clients", "remove", "--issuer", ISSUER, "--json").stdout) == {"removed": ISSUER}
    assert json.loads(ready("clients", "list", "--json").stdout) == []


def test_a_senseless_issuer_is_one_line(ready):
    result = ready("clients", "add", "--issuer", "http://sso.example")
    assert result.exit_code == 2
    assert result.stderr.startswith("facestep: client_invalid: issuer 'http://sso.example' must be an https URL")


def test_removing_a_stranger_is_one_line(ready):
    result = ready("clients", "remove", "--issuer", ISSUER)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


@pytest.mark.filterwarnings("ignore::vault.warning.UnsafeDevelopmentWarning")
def test_an_invitation_is_printed_once_and_stored_hashed(ready, tmp_path):
    ready("vault", "install")
    ready("clients", "add", "--issuer", ISSUER)
    result = ready("invite", "--issuer", ISSUER, "--subject", "user-1", "--json")
    code = json.loads(result.stdout)["code"]
    assert len(code) >= 12
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("facestep.db*"))
    assert code.encode() not in stored
    assert code.replace("-", "").encode() not in stored
    again = json.loads(ready("invite", "--issuer", ISSUER, "--subject", "user-1", "--json").stdout)["code"]
    assert again != code


def test_an_invitation_for_an_unknown_provider_is_refused(ready):
    result = ready("invite", "--issuer", ISSUER, "--subject", "user-1")
    assert result.exit_code == 2
    assert "is not registered; see `facestep clients list`" in result.stderr


@pytest.mark.filterwarnings("ignore::vault.warning.UnsafeDevelopmentWarning")
@pytest.mark.parametrize("subject", ["", "x" * 256, "a\nb"])
def test_a_senseless_subject_is_refused(ready, subject):
    ready("vault", "install")
    ready("clients", "add", "--issuer", ISSUER)
    result = ready("invite", "--issuer", ISSUER, "--subject", subject)
    assert result.exit_code == 2
    assert "subject" in result.stderr
