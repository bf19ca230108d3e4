from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Boolean, Integer, LargeBinary, func, select
from sqlalchemy.types import JSON

from plugin.audit.erasure import erase_subject
from plugin.audit.log import AuditLog
from plugin.store.tables import (
    Attempts,
    AuditCheckpoint,
    AuditEntry,
    AuditPosition,
    Base,
    Client,
    Consent,
    Reference,
    SeenFrame,
    SeenJti,
    SigningKey,
    SubjectColumns,
)
from tests.stack.database import fresh_database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = {Attempts, Consent}
SUBJECT_TABLES = [mapper.class_ for mapper in Base.registry.mappers if issubclass(mapper.class_, SubjectColumns)]
ALICE = ("https://idp.example/realms/a", "alice")
OTHERS = [("https://idp.example/realms/a", "bob"), ("https://idp.example/realms/b", "alice")]


@pytest.fixture
def database(tmp_path):
    with fresh_database(tmp_path) as database:
        for issuer, subject in (ALICE, *OTHERS):
            with database.transaction() as session:
                session.add_all(some_row(table, issuer, subject) for table in SUBJECT_TABLES)
        yield database


def some_row(table, issuer, subject):
    """A row with any value in each column; new columns and tables are covered without a change here."""
    row = table()
    for column in table.__table__.columns:
        kind, unique = column.type, f"{table.__tablename__}-{issuer[-1]}-{subject}"
        values = {Boolean: True, JSON: [], LargeBinary: unique.encode(), Integer: 1}
        value = next((values[known] for known in values if isinstance(kind, known)), unique[:36])
        setattr(row, column.key, None if column.nullable else value)
    row.issuer, row.subject = issuer, subject
    return row


def count(database, table, whom):
    with database.reading() as session:
        query = select(func.count()).select_from(table).where(table.issuer == whom[0], table.subject == whom[1])
        return session.scalar(query)


def erase(database):
    with database.transaction() as session:
        return erase_subject(session, audit=AuditLog(database), issuer=ALICE[0], subject=ALICE[1], now=NOW)


def test_nothing_that_identifies_the_person_is_left(database):
    erased = erase(database)
    assert erased.anything
    for table in set(SUBJECT_TABLES) - KEPT:
        assert count(database, table, ALICE) == 0, table


def test_every_table_is_either_erased_kept_for_a_reason_or_without_a_person():
    tables = {mapper.class_ for mapper in Base.registry.mappers}
    without_a_person = {AuditCheckpoint, AuditEntry, AuditPosition, Client, SeenFrame, SeenJti, SigningKey}
    assert tables - set(SUBJECT_TABLES) <= without_a_person


def test_nobody_else_is_touched(database):
    erase(database)
    for table in SUBJECT_TABLES:
        for whom in OTHERS:
            assert count(database, table, whom) == 1, table


def test_failure_counters_stay_so_that_nobody_gets_fresh_attempts(database):
    erase(database)
    assert count(database, Attempts, ALICE) == 1


def test_consents_stay_as_proof_but_withdrawn(database):
    erase(database)
    with database.reading() as session:
        withdrawn = {(row.issuer, row.subject): row.withdrawn_ms for row in session.scalars(select(Consent))}
    assert withdrawn == {ALICE: int(NOW.timestamp() * 1000), OTHERS[0]: None, OTHERS[1]: None}


def test_the_log_says_what_went(database):
    erase(database)
    (entry,) = AuditLog(database).entries()
    assert (entry.event, entry.issuer, entry.subject, entry.at) == ("erased", *ALICE, NOW)
    assert entry.details["references"] == 1
    assert entry.details["ceremonies"] == 1


def test_erasing_again_is_harmless_and_says_that_there_was_nothing(database):
    erase(database)
    again = erase(database)
    assert not again.anything
    assert len(AuditLog(database).entries()) == 1


def test_rows_and_entry_go_together_or_not_at_all(database, monkeypatch):
    def refuse(*_, **__):
        raise InterruptedError

    monkeypatch.setattr(AuditLog, "append", refuse)
    with pytest.raises(InterruptedError):
        erase(database)
    assert count(database, Reference, ALICE) == 1
