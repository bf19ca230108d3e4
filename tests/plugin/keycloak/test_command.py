"""`facestep keycloak` without a Keycloak: what it prints, and how it fails."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from plugin.cli import main
from plugin.keycloak.findings import Finding
from plugin.keycloak.realm import Change, RealmSetup

WHERE = ("--server", "http://localhost:9", "--realm", "staff", "--facestep-url", "https://face.example")
RIGHT = Finding("TLS", right=True, seen="required: external")
WRONG = Finding("erasures", right=False, seen="2 waiting", mend="start the service")


def run(*arguments, **environ):
    return CliRunner().invoke(main, ["keycloak", *arguments], env={"KEYCLOAK_ADMIN_PASSWORD": "x", **environ})


@pytest.fixture
def found(monkeypatch):
    findings = [RIGHT]
    monkeypatch.setattr(RealmSetup, "check", lambda _: findings)
    return findings


def test_check_of_a_good_realm_ends_with_0(found):
    done = run("check", *WHERE)
    assert done.exit_code == 0
    assert "everything is right" in done.output


def test_check_of_a_wrong_realm_ends_with_1_and_says_how_to_mend(found):
    found.append(WRONG)
    done = run("check", *WHERE)
    assert done.exit_code == 1
    assert "WRONG  erasures  2 waiting" in done.output
    assert "mend: start the service" in done.output


def test_check_as_json_has_the_same_shape_either_way(found):
    assert json.loads(run("check", *WHERE, "--json").output) == {
        "realm": "staff",
        "right": True,
        "items": [{"name": "TLS", "right": True, "seen": "required: external", "mend": ""}],
    }
    found.append(WRONG)
    done = run("check", *WHERE, "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["right"] is False


def test_install_that_changed_nothing_says_so(monkeypatch):
    monkeypatch.setattr(RealmSetup, "install", lambda _: iter([Change("TLS", changed=False, seen="good")]))
    assert run("install", *WHERE).output.strip() == "nothing to change"
    assert json.loads(run("install", *WHERE, "--json").output)["changed"] is False


def test_install_says_what_it_changed(monkeypatch):
    changes = [Change("TLS", changed=False, seen="good"), Change("flow", changed=True, seen="missing -> there")]
    monkeypatch.setattr(RealmSetup, "install", lambda _: iter(changes))
    assert "changed    flow: missing -> there\n1 of 2 things were right already" in run("install", *WHERE).output


def test_a_keycloak_that_is_away_is_one_line_and_status_2():
    done = run("check", *WHERE)
    assert done.exit_code == 2
    assert done.output.startswith("facestep: keycloak_unavailable: Keycloak at http://localhost:9 does not answer")
    assert len(done.output.splitlines()) == 1


def test_a_password_in_the_arguments_is_refused():
    done = run("check", *WHERE, "--admin-password", "secret-word")
    assert done.exit_code == 2
    assert "can be read by every user" in done.output
    assert "secret-word" not in done.output


def test_no_password_at_all_is_one_line():
    done = run("check", *WHERE, KEYCLOAK_ADMIN_PASSWORD="")
    assert done.exit_code == 2
    assert done.output.startswith("facestep: keycloak_denied: no password for admin")


def test_the_password_may_come_from_a_file(found, tmp_path):
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert run("check", *WHERE, "--admin-password-file", str(file), KEYCLOAK_ADMIN_PASSWORD="").exit_code == 0


# addresses

SETTINGS = {
    "issuer": "https://face.example",
    "database_url": "sqlite:////nowhere/x.db",
    "vault_url": "https://vault.example:8200",
    "vault_token_file": "/nowhere/token",
    "keycloak_url": "https://sso.example",
}


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What was asked of which addresses; the working folder holds no settings yet."""
    calls = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        RealmSetup,
        "__init__",
        lambda _, admin, *, facestep_url, clients, helpdesk, groups: calls.append((admin.server, facestep_url)),
    )
    monkeypatch.setattr(RealmSetup, "check", lambda _: [RIGHT])
    monkeypatch.setattr(RealmSetup, "install", lambda _: iter([]))
    return calls


def write_settings(folder, **without):
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in SETTINGS.items() if name not in without)
    (folder / "facestep.toml").write_text(text)


@pytest.mark.parametrize("command", ["install", "check"])
def test_the_realm_is_enough_when_the_settings_say_the_rest(asked, tmp_path, command):
    write_settings(tmp_path)
    assert run(command, "--realm", "staff").exit_code == 0
    assert asked == [("https://sso.example", "https://face.example")]


@pytest.mark.parametrize("command", ["install", "check"])
def test_the_realm_is_enough_when_the_environment_says_the_rest(asked, command):
    environ = {"FACESTEP_KEYCLOAK_URL": "https://sso.example", "FACESTEP_ISSUER": "https://face.example"}
    assert run(command, "--realm", "staff", **environ).exit_code == 0
    assert asked == [("https://sso.example", "https://face.example")]


def test_the_command_line_goes_before_the_settings(asked, tmp_path):
    write_settings(tmp_path)
    run("check", "--realm", "staff", "--server", "https://other.example")
    run("check", "--realm", "staff", "--facestep-url", "https://my.example")
    assert asked == [("https://other.example", "https://face.example"), ("https://sso.example", "https://my.example")]


def test_the_groups_of_the_policy_are_asked_about(monkeypatch, tmp_path):
    """Named on the command line, or by the settings of the service that this realm's helpdesk is at."""
    groups = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(RealmSetup, "__init__", lambda *_, **given: groups.append(given["groups"]))
    monkeypatch.setattr(RealmSetup, "check", lambda _: [RIGHT])
    policy = tmp_path / "policy.toml"
    policy.write_text('[[group]]\nname = "/administrators"\nproofs = ["document"]\nfour_eyes = true\n')
    run("check", *WHERE, "--helpdesk-policy", str(policy))
    helpdesk = {
        "helpdesk_issuer": "https://sso.example/realms/staff",
        "helpdesk_policy_file": str(policy),
        "mail_server": "smtp://127.0.0.1:25",
        "mail_from": "desk@example.org",
    }
    monkeypatch.setitem(globals(), "SETTINGS", {**SETTINGS, **helpdesk})
    write_settings(tmp_path)
    for realm in ("staff", "guests"):
        run("check", "--realm", realm)
    assert groups == [["/administrators"], ["/administrators"], []]


def one_line(done):
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    return line


def test_an_address_that_nobody_says_is_one_line_with_what_to_do(asked, tmp_path):
    line = one_line(run("check", "--realm", "staff"))
    assert line.startswith("facestep: settings_invalid: --server is not given and the settings do not tell: issuer")
    line = one_line(run("check", "--realm", "staff", "--server", "https://sso.example"))
    assert line.startswith("facestep: settings_invalid: --facestep-url is not given")
    write_settings(tmp_path, keycloak_url=None)
    line = one_line(run("install", "--realm", "staff"))
    assert "Give --server, or set keycloak_url (FACESTEP_KEYCLOAK_URL)" in line
    assert asked == []
