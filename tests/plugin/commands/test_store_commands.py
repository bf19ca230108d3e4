"""`facestep database` and `facestep audit`, as a person at a shell sees them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from plugin.audit.log import AuditLog
from plugin.store.database import Database
from tests.fakes.receivers import HttpListener

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.filterwarnings("ignore::vault.warning.UnsafeDevelopmentWarning")


@pytest.fixture
def log(shell, tmp_path):
    shell("database", "migrate")
    shell("vault", "install")
    with closing(Database(f"sqlite:///{tmp_path}/facestep.db")) as database:
        log = AuditLog(database)
        for subject in ("alice", "bob", "carol"):
            log.append(
                "factor_refused", at=NOW, issuer="https://idp.example", subject=subject, details={"factor": "totp"}
            )
        yield log


def edit(folder, statement):
    with closing(sqlite3.connect(folder / "facestep.db")) as other, other:
        other.execute(statement)


def test_a_database_is_checked_migrated_and_checked_again(shell):
    missing = shell("database", "check")
    assert missing.exit_code == 2
    assert missing.stderr.startswith("facestep: settings_invalid: the database is at revision none")
    assert "facestep database migrate" in missing.stderr
    assert missing.stderr.count("\n") == 1
    assert shell("database", "migrate").exit_code == 0
    assert shell("database", "migrate").exit_code == 0
    assert shell("database", "check").exit_code == 0


def test_a_locked_database_is_one_line(shell, tmp_path, monkeypatch):
    shell("database", "migrate")
    monkeypatch.setattr(Database.__init__, "__kwdefaults__", {"busy_timeout_s": 0.1})
    with closing(sqlite3.connect(tmp_path / "facestep.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        locked = shell("database", "migrate")
    assert locked.exit_code == 2
    assert locked.stderr.startswith("facestep: store_busy: ")


def test_a_log_as_written_verifies_and_prints_its_head(shell, log):
    verified = shell("audit", "verify", "--json")
    assert verified.exit_code == 0
    answer = json.loads(verified.stdout)
    assert (answer["intact"], answer["entries"]) == (True, 3)
    assert shell("audit", "verify", "--expected-head", answer["head"]).exit_code == 0


def test_a_broken_log_says_where(shell, log, tmp_path):
    edit(tmp_path, "UPDATE audit_entries SET subject = 'mallory' WHERE seq = 2")
    broken = shell("audit", "verify", "--json")
    assert broken.exit_code == 1
    told = {"intact": False, "found": "edited", "first": 2, "last": 2, "why": "was edited"}
    assert json.loads(broken.stdout) == told
    assert shell("audit", "verify").stdout == "the log is broken: entry 2: was edited\n"


def test_a_log_whose_end_was_cut_off_shows_against_a_noted_head(shell, log, tmp_path):
    head = json.loads(shell("audit", "verify", "--json").stdout)["head"]
    edit(tmp_path, "DELETE FROM audit_entries WHERE seq = 3")
    assert shell("audit", "verify").exit_code == 0
    assert shell("audit", "verify", "--expected-head", head).exit_code == 1


@pytest.mark.parametrize("head", ["", "3", "3:", "3:zz", "x:00", "0:" + "00" * 32, "3:0011"])
def test_a_head_that_is_none_is_refused_not_ignored(shell, log, head):
    refused = shell("audit", "verify", f"--expected-head={head}")
    assert refused.exit_code == 2
    assert "NUMBER:HASH" in refused.stderr


def test_verify_cannot_tell_without_a_database(shell):
    assert shell("audit", "verify").exit_code == 2


def test_a_chain_can_be_checked_without_the_vault(shell, log, tmp_path):
    (tmp_path / "keyring.json").unlink()
    assert shell("audit", "verify").exit_code == 2
    assert shell("audit", "verify", "--without-checkpoints").exit_code == 0
    head = f"3:{'00' * 32}"
    assert shell("audit", "verify", "--without-checkpoints", "--expected-head", head).exit_code == 1


def test_a_checkpoint_that_was_kept_shows_an_older_log(shell, log, tmp_path):
    overdue = shell("audit", "verify")
    assert "no checkpoint covers the entries after number 0" in overdue.stderr
    made = shell("audit", "checkpoint", "--json")
    (tmp_path / "kept.json").write_text(made.stdout)
    assert json.loads(made.stdout)["seq"] == 3
    assert shell("audit", "checkpoint").stdout.startswith("checkpoint 1 of ")
    verified = shell("audit", "verify", "--noted", "kept.json", "--json")
    assert verified.stderr == ""
    answer = json.loads(verified.stdout)
    assert (answer["checkpoints"], answer["signed"], answer["overdue"]) == (1, 3, False)
    edit(tmp_path, "DELETE FROM audit_entries WHERE seq = 3")
    assert shell("audit", "verify").stdout == "the log is broken: entry 3: missing; the end of the log was cut off\n"
    edit(tmp_path, "DELETE FROM audit_checkpoints")
    assert shell("audit", "verify").exit_code == 0
    assert shell("audit", "verify", "--noted", "kept.json").exit_code == 1


def test_a_changed_log_is_not_signed(shell, log, tmp_path):
    edit(tmp_path, "UPDATE audit_entries SET subject = 'mallory' WHERE seq = 2")
    refused = shell("audit", "checkpoint")
    assert refused.exit_code == 1
    assert refused.stdout == "nothing was signed; the log is broken: entry 2: was edited\n"


def test_the_public_keys_are_printed(shell, log):
    (key,) = json.loads(shell("audit", "keys").stdout).values()
    assert len(bytes.fromhex(key)) == 32


@pytest.mark.parametrize("form", ["jsonl", "cef"])
def test_the_log_is_exported_and_gone_on_with(shell, log, tmp_path, form):
    told = shell("audit", "export", "--format", form)
    assert told.stderr == "3 entries exported, the last is number 3\n"
    assert shell("audit", "export", "--format", form, "--after", "2").stdout == told.stdout.splitlines(True)[2]
    assert shell("audit", "export", "--format", form, "--to", "out").exit_code == 0
    assert "add --resume" in shell("audit", "export", "--format", form, "--to", "out").stderr
    log.append("erased", at=NOW)
    assert shell("audit", "export", "--format", form, "--to", "out", "--resume").stderr.startswith("1 entries exported")
    lines = (tmp_path / "out").read_text().splitlines(keepends=True)
    assert ("".join(lines[:3]), len(lines)) == (told.stdout, 4)
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
    assert shell("audit", "export", "--resume").exit_code == 2


def test_waiting_records_are_sent_now(shell, log, monkeypatch):
    assert "names no receiver" in shell("audit", "forward").stderr
    with closing(HttpListener()) as listener:
        monkeypatch.setenv("FACESTEP_AUDIT_FORWARD_TO", listener.url)
        listener.status = 503
        away = shell("audit", "forward")
        assert (away.exit_code, "HTTP 503; it is tried again" in away.stderr) == (1, True)
        told = shell("audit", "receivers")
        assert f"{listener.url} has service up to number 0, away 1 times" in told.stdout
        listener.status = 200
        assert shell("audit", "forward").stdout == "3 records sent\n"
        assert len(listener.lines) == 3
        listed = [json.loads(line) for line in shell("audit", "receivers", "--json").stdout.splitlines()]
        assert [(place["source"], place["sent"]) for place in listed] == [("service", 3), ("checkpoints:service", 0)]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("TO", "syslog+tcp://logs.example"), ("FORMAT", "xml"), ("CA_FILE", "nowhere.pem")],
)
def test_a_receiver_that_is_not_understood_is_one_line(shell, log, monkeypatch, setting, value):
    monkeypatch.setenv("FACESTEP_AUDIT_FORWARD_TO", "https://logs.example/in")
    monkeypatch.setenv(f"FACESTEP_AUDIT_FORWARD_{setting}", value)
    told = shell("audit", "forward")
    assert (told.exit_code, told.stderr.count("\n")) == (2, 1)
    assert f"audit_forward_{setting.lower()}" in told.stderr


def test_entries_are_listed_for_people_and_for_programs(shell, log):
    lines = shell("audit", "list", "--limit", "2").stdout.splitlines()
    assert len(lines) == 2
    assert "factor_refused" in lines[0]
    assert "bob at https://idp.example" in lines[0]
    entries = [json.loads(line) for line in shell("audit", "list", "--after", "0", "--json").stdout.splitlines()]
    assert [entry["subject"] for entry in entries] == ["alice", "bob", "carol"]
    assert entries[0]["details"] == {"factor": "totp"}


@pytest.mark.parametrize("group", ["database", "audit"])
def test_help_has_examples(shell, group):
    told = shell(group, "--help")
    assert told.exit_code == 0
    assert f"facestep {group} " in told.stdout.partition("Examples:")[2]
