from __future__ import annotations

import hashlib
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from plugin.audit.chain import COLUMNS, ChainBroken, Head, hash_of
from plugin.audit.events import AuditMisuse
from plugin.audit.log import AuditLog
from plugin.errors import ServiceError
from plugin.store.tables import Client
from tests.stack.database import fresh_database
from vault.encoding import canonical

NOW = datetime(2026, 1, 1, 12, 0, 0, 123000, tzinfo=UTC)


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
    monkeypatch.setattr("plugin.audit.verify.PAGE", 3)
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
def test_an_edited_entry_is_found_and_named(tmp_path, change):
    """SQLite keeps a value of any type in any column; each is one that we never write."""
    with fresh_database(tmp_path) as database:
        fill(AuditLog(database), 5)
        edit(database, f"UPDATE audit_entries SET {change} WHERE seq = 3")  # noqa: S608  (the cases above)
        with pytest.raises(ChainBroken, match="entry 3: was edited"):
            AuditLog(database).verify()


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


def test_a_locked_database_refuses_the_entry_and_so_what_it_reports(store, log):
    with store.locked(), pytest.raises(ServiceError) as refused:
        log.append("factor_accepted", at=NOW)
    assert refused.value.code == "store_busy"
    assert log.entries() == []


def test_entries_written_by_many_at_once_make_one_chain(store):
    with closing(store.open(busy_timeout_s=20)) as database:
        log = AuditLog(database)
        workers = [threading.Thread(target=fill_some, args=(log, number)) for number in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert log.verify().head.seq == 40
        assert len({entry.subject for entry in log.entries()}) == 40


def fill_some(log, worker):
    for number in range(10):
        log.append("factor_refused", at=NOW, subject=f"{worker}-{number}", details={"factor": "totp"})


@pytest.mark.parametrize("value", ["", "a", "\x00", "\ud800", "\U0001f600" * 80, "x" * 512])
def test_the_quick_hash_is_that_of_the_one_encoding(value):
    """What was written by the first version must verify for ever."""
    entry = dict.fromkeys(COLUMNS, value) | {"seq": 2**40, "at_ms": -1, "previous_hash": bytes(32)}
    columns = {name: entry[name] for name in COLUMNS if name != "entry_hash"}
    assert hash_of(entry) == hashlib.sha256(canonical("facestep audit 1", columns)).digest()


@pytest.mark.parametrize("value", [True, 1.0, None, [], memoryview(b"x")])
def test_a_value_that_we_never_write_has_no_hash(value):
    assert hash_of(dict.fromkeys(COLUMNS, "") | {"subject": value}) is None
