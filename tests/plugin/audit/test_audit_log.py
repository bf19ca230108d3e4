from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from plugin.audit.events import AuditMisuse
from plugin.audit.log import AuditLog, ChainBroken, Head, _columns, _hash
from plugin.errors import ServiceError
from plugin.store.tables import AuditEntry, Client
from tests.stack.database import fresh_database

NOW = datetime(2026, 1, 1, 12, 0, 0, 123000, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    with fresh_database(tmp_path) as database:
        yield database


@pytest.fixture
def log(database):
    return AuditLog(database)


def fill(log, count):
    for number in range(count):
        subject, at = f"person-{number}", NOW + timedelta(seconds=number)
        log.append("factor_refused", at=at, issuer="https://idp.example", subject=subject, details={"factor": "totp"})
    return log.verify().head


def edit(database, statement, **values):
    with database.transaction() as session:
        session.execute(text(statement), values)


def test_an_entry_reads_back_as_it_was_written(log):
    details = {"factor": "face", "fused_score": 1.25, "denied_by": ["planarity"], "backed_up": False}
    log.append("face_refused", at=NOW, issuer="i", subject="s", ceremony_id="c", details=details)
    (read,) = log.entries()
    assert (read.stream, read.event, read.issuer, read.subject, read.ceremony_id) == (
        "service",
        "face_refused",
        "i",
        "s",
        "c",
    )
    assert (read.seq, read.at, dict(read.details)) == (1, NOW, details)
    assert read.as_json()["at"] == "2026-01-01T12:00:00.123+00:00"


def test_entries_come_in_pages_oldest_first_or_the_latest(log):
    fill(log, 5)
    assert [entry.seq for entry in log.entries(limit=2, after=1)] == [2, 3]
    assert [entry.seq for entry in log.latest(limit=2)] == [4, 5]
    assert [entry.seq for entry in log.latest(limit=99)] == [1, 2, 3, 4, 5]


def test_the_log_as_written_verifies_over_several_pages(log, monkeypatch):
    monkeypatch.setattr("plugin.audit.log._PAGE", 3)
    head = fill(log, 7)
    assert head.seq == 7
    assert log.verify(expected_head=head).head == head


def test_an_empty_log_verifies(log):
    assert log.verify().head.seq == 0


def test_streams_are_chained_apart(database, log):
    other = AuditLog(database, stream="helpdesk")
    fill(log, 2)
    other.append("erased", at=NOW)
    assert [entry.seq for entry in other.entries()] == [1]
    edit(database, "UPDATE audit_entries SET event = 'enrolled' WHERE stream = 'helpdesk'")
    log.verify()
    with pytest.raises(ChainBroken):
        other.verify()


@pytest.mark.parametrize(
    "change",
    [
        "at_ms = at_ms + 1",
        "event = 'factor_accepted'",
        "issuer = 'https://idp.examplf'",
        "subject = 'mallory'",
        "ceremony_id = 'x'",
        "details = '{}'",
        "details = x'7b7d'",
        "at_ms = 1.5",
        "subject = CAST(x'ff' AS TEXT)",
        "at_ms = 'soon'",
        "entry_hash = zeroblob(32)",
        "entry_hash = 'text'",
    ],
)
def test_3_an_edited_entry_is_found_and_named(database, log, change):
    fill(log, 5)
    edit(database, f"UPDATE audit_entries SET {change} WHERE seq = 3")  # noqa: S608  (the cases above)
    with pytest.raises(ChainBroken, match="entry 3: was edited"):
        log.verify()


def test_2_an_entry_edited_with_its_hash_breaks_the_next_one(database, log):
    head = fill(log, 5)
    edit(database, "UPDATE audit_entries SET subject = 'mallory' WHERE seq = 3")
    rehash(database, 3)
    with pytest.raises(ChainBroken, match="entry 4: does not follow"):
        log.verify(expected_head=head)


def rehash(database, seq):
    """What an attacker does who read our code."""
    with database.transaction() as session:
        entry = session.get_one(AuditEntry, ("service", seq))
        before = session.get(AuditEntry, ("service", seq - 1))
        entry.previous_hash = before.entry_hash if before else bytes(32)
        entry.entry_hash = _hash(_columns(entry))


def test_1_a_removed_entry_is_found_and_named(database, log):
    fill(log, 5)
    edit(database, "DELETE FROM audit_entries WHERE seq = 3")
    with pytest.raises(ChainBroken, match="entry 3: missing"):
        log.verify()


def test_1_a_removed_entry_whose_gap_was_closed_is_found(database, log):
    fill(log, 5)
    edit(database, "DELETE FROM audit_entries WHERE seq = 3")
    edit(database, "UPDATE audit_entries SET seq = 3 WHERE seq = 4")
    edit(database, "UPDATE audit_entries SET seq = 4 WHERE seq = 5")
    with pytest.raises(ChainBroken, match="entry 3: does not follow"):
        log.verify()


def test_2_two_entries_that_changed_places_are_found(database, log):
    fill(log, 5)
    for old, new in ((3, 99), (4, 3), (99, 4)):
        edit(database, "UPDATE audit_entries SET seq = :new WHERE seq = :old", old=old, new=new)
    with pytest.raises(ChainBroken, match="entry 3"):
        log.verify()


def test_2_an_inserted_entry_is_found(database, log):
    fill(log, 5)
    for seq in (5, 4, 3):
        edit(database, "UPDATE audit_entries SET seq = seq + 1 WHERE seq = :seq", seq=seq)
    edit(
        database,
        "INSERT INTO audit_entries SELECT stream, 3, at_ms, 'enrolled', issuer, subject, ceremony_id, details,"
        " previous_hash, entry_hash FROM audit_entries WHERE seq = 2",
    )
    rehash(database, 3)
    with pytest.raises(ChainBroken, match="entry 4: does not follow"):
        log.verify()


def test_4_a_cut_off_end_is_found_with_a_head_noted_before(database, log):
    head = fill(log, 5)
    edit(database, "DELETE FROM audit_entries WHERE seq > 3")
    log.verify()  # the chain alone cannot know
    with pytest.raises(ChainBroken, match="entry 4: missing; the end of the log was cut off"):
        log.verify(expected_head=head)


def test_4_a_log_written_anew_is_found_with_a_head_noted_before(database, log):
    head = fill(log, 5)
    edit(database, "UPDATE audit_entries SET subject = 'mallory' WHERE seq = 3")
    for seq in (3, 4, 5):
        rehash(database, seq)
    log.verify()
    with pytest.raises(ChainBroken, match="entry 5: is not the entry that was noted"):
        log.verify(expected_head=head)
    with pytest.raises(ChainBroken):
        log.verify(expected_head=replace(head, entry_hash=bytes(32)))


def test_a_noted_head_in_the_middle_may_have_followers(log):
    head = fill(log, 3)
    fill(log, 3)
    assert log.verify(expected_head=head).head.seq == 6
    assert isinstance(head, Head)


def test_an_entry_commits_with_what_it_reports(database, log):
    def fail():
        with database.transaction() as session:
            session.add(Client(issuer="a", jwks_uri="", redirect_prefix="", created_ms=1))
            log.append("client_added", at=NOW, session=session)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert log.entries() == []
    with database.transaction() as session:
        log.append("client_added", at=NOW, session=session)
        log.append("client_removed", at=NOW, session=session)
    assert [entry.event for entry in log.entries()] == ["client_added", "client_removed"]
    log.verify()


def test_an_entry_cannot_be_appended_outside_of_an_open_transaction_by_mistake(database, log):
    with database.transaction(), pytest.raises(RuntimeError, match="caller's session"):
        log.append("client_added", at=NOW)


def test_a_locked_database_refuses_the_entry_and_so_what_it_reports(tmp_path, database, log):
    with closing(sqlite3.connect(tmp_path / "facestep.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServiceError) as refused:
            log.append("factor_accepted", at=NOW)
    assert refused.value.code == "store_busy"
    assert log.entries() == []


def test_an_unreadable_entry_is_named_when_listing(database, log):
    fill(log, 2)
    edit(database, "UPDATE audit_entries SET details = '{' WHERE seq = 2")
    with pytest.raises(ChainBroken, match="entry 2"):
        log.entries()


def test_a_naive_time_is_a_mistake(log):
    with pytest.raises(TypeError):
        log.append("erased", at=NOW.replace(tzinfo=None))


def test_an_unknown_event_is_a_mistake_and_writes_nothing(log):
    with pytest.raises(AuditMisuse, match="something_else"):
        log.append("something_else", at=NOW)
    assert log.entries() == []
