"""What the log is asked about one person costs the same however much it holds about others.

Counted are the steps of SQLite's virtual machine, which are the same in every run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from plugin.audit.log import AuditLog
from plugin.audit.story import story_of
from plugin.ceremonies.types import Purpose
from plugin.helpdesk.last_word import is_issued
from plugin.store.cooling import BOUND, is_cooling
from plugin.store.helpdesk_tables import HelpdeskPass
from plugin.store.history import history_of
from plugin.store.overtaken import overtaken_by
from plugin.store.stopped import STOPPED, is_stopped
from plugin.store.suspended import LIFTED, SUSPENDED, is_suspended
from tests.plugin.factors.world import World, hash_cheaply
from tests.stack.database import fresh_database

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ALICE = {"issuer": "https://idp.example", "subject": "alice"}
MANY = 500
ASKED = {
    "suspended": lambda session: is_suspended(session, **ALICE),
    "stopped": lambda session: is_stopped(session, **ALICE, now=NOW),
    "cooling": lambda session: is_cooling(session, **ALICE, hours=24, now=NOW),
    "overtaken": lambda session: overtaken_by(session, **ALICE, ceremony_id="hers"),
    "pass": lambda session: is_issued(session, HelpdeskPass(**ALICE, case_id="hers")),
    "history": lambda session: history_of(session, **ALICE),
}


@pytest.fixture
def database(tmp_path):
    with fresh_database(tmp_path) as opened:
        yield opened


def others_log_in(database):
    log = AuditLog(database)
    with database.transaction() as session:
        for number in range(MANY):
            subject = f"other-{number}"
            log.append("ceremony_begun", at=NOW, issuer=ALICE["issuer"], subject=subject, session=session)


class Steps:
    """Counts the steps of every connection of a database, which a thread that works alone has one of for each kind."""

    def __init__(self, database) -> None:
        self.count = 0
        for opened in (database.transaction, partial(database.transaction, lasting=False), database.reading):
            with opened() as session:
                session.connection().connection.driver_connection.set_progress_handler(self._one, 1)

    def _one(self):
        self.count += 1
        return 0  # go on

    def of(self, work) -> int:
        before = self.count
        work()
        return self.count - before


def asked(database, question):
    with database.reading() as session:
        question(session)


@pytest.mark.parametrize("question", ASKED)
def test_question_about_one_person_does_not_read_what_the_log_holds_about_others(database, question):
    steps = Steps(database)
    alone = steps.of(lambda: asked(database, ASKED[question]))
    others_log_in(database)
    assert steps.of(lambda: asked(database, ASKED[question])) == alone > 0


def test_page_of_a_persons_story_does_not_either(database):
    steps = Steps(database)
    alone = steps.of(lambda: story_of(**ALICE, database=database))
    others_log_in(database)
    assert steps.of(lambda: story_of(**ALICE, database=database)) == alone > 0


def test_login_costs_the_same_beside_a_long_log(tmp_path, monkeypatch):
    hash_cheaply(monkeypatch)
    world = World(tmp_path)
    person = world.person().has_totp()
    steps = Steps(world.database)

    def logs_in():
        world.passes(seconds=60)
        world.totp.verify(person.comes_to(Purpose.LOGIN), person.code(), now=world.now)

    logs_in()
    alone = steps.of(logs_in)
    others_log_in(world.database)
    assert steps.of(logs_in) <= 1.1 * alone
    world.database.close()


def test_entry_of_another_stream_says_nothing_about_a_person(database):
    AuditLog(database, stream="other").append(SUSPENDED, at=NOW, **ALICE)
    AuditLog(database, stream="other").append(STOPPED, at=NOW, **ALICE)
    with database.reading() as session:
        assert not is_suspended(session, **ALICE)
        assert not is_stopped(session, **ALICE, now=NOW)


@pytest.mark.parametrize(("last", "suspended"), [(SUSPENDED, True), (LIFTED, False)])
def test_newest_of_several_events_counts(database, last, suspended):
    log = AuditLog(database)
    for event in (SUSPENDED, LIFTED, SUSPENDED, last, BOUND):
        log.append(event, at=NOW, **ALICE)
    others_log_in(database)
    with database.reading() as session:
        assert is_suspended(session, **ALICE) is suspended
