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
