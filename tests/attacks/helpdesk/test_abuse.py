"""Agents and strangers who go on until it works, and what would hide them."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plugin.audit.log import AuditLog
from plugin.audit.outbox import EntrySource, Outbox
from plugin.audit.receivers import ReceiverAway
from plugin.errors import ServiceError
from plugin.helpdesk import letters
from plugin.helpdesk.bounds import Bounds
from plugin.helpdesk.limits import Tally, tally
from plugin.helpdesk.types import Action, CaseState
from plugin.helpdesk.watch import LOOKED_UP, OPENED, Watch
from plugin.store.letters import HelpdeskLetter
from tests.plugin.helpdesk.console import open_console
from vault.interface import WrongContext


def another_worker(office, database):
    return Watch(database=database, audit=AuditLog(database), policy=office.desk._policy)


def test_a_limit_holds_for_all_workers_at_once_and_after_a_restart(office, world):
    office.allows(lookups_per_hour=5)
    ada, outcomes = office.agent(), []

    def works() -> None:
        with closing(world.open_database()) as database:
            watch = another_worker(office, database)
            for _ in range(3):
                try:
                    watch.allow(LOOKED_UP, ada, ada.person.owner, now=world.now)
                    outcomes.append("allowed")
                except ServiceError as exc:
                    outcomes.append(exc.code)

    workers = [threading.Thread(target=works) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(outcomes) == ["allowed"] * 5 + ["too_many_lookups"] * 7
    with closing(world.open_database()) as database, pytest.raises(ServiceError, match="too_many_lookups"):
        another_worker(office, database).allow(LOOKED_UP, ada, ada.person.owner, now=world.now)
    assert office.alarms() == ["many_lookups"]


def test_beyond_the_limit_a_look_up_tells_nothing_by_text_or_time(office, monkeypatch):
    """The directory is not asked any more, so there is nothing to measure."""
    office.allows(lookups_per_hour=1)
    office.opens("alice")
    asked = []
    monkeypatch.setattr(office.people, "find", asked.append)
    told = set()
    for name in ("alice", "nobody", "ada"):
        with pytest.raises(ServiceError) as refused:
            office.opens(name)
        told.add((refused.value.code, refused.value.detail))
    assert (told, asked) == ({("too_many_lookups", "")}, [])


def test_a_forged_forwarded_header_is_no_other_network(office, world):
    console = open_console(office)
    console.signs_in("ada")
    for forged in ("203.0.113.1", "203.0.113.2"):
        console.client.environ_base["HTTP_X_FORWARDED_FOR"] = forged
        console.opens()
    assert {one["network"] for one in world.audited("helpdesk_case_opened")} == {"127.0.0.1"}


def test_behind_one_proxy_the_header_s_own_part_counts_for_nothing(office, world):
    """A client may send the header, too; only what the proxy added counts."""
    world.settings = replace(world.settings, trusted_proxies=1)
    console = open_console(office)
    console.signs_in("ada")
    console.client.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.1, 198.51.100.9"
    console.opens()
    assert [one["network"] for one in world.audited("helpdesk_case_opened")] == ["198.51.100.9"]


def test_metrics_name_nobody(office, world, tmp_path):
    world.person().has_face()
    code = office.issued()
    token = tmp_path / "metrics-token"
    token.write_text("0123456789abcdef0123456789abcdef")
    token.chmod(0o600)
    world.settings = replace(world.settings, metrics_token_file=token)
    console = open_console(office)
    answer = console.client.get("/metrics", headers={"Authorization": f"Bearer {token.read_text()}"})
    assert 'event="pass_issued"} 1.0' in answer.text
    case = office.desk.mine(office.agent(), now=world.now)[0]
    for secret in (code, case.id, "alice", "ada", "bob", "T-1", "phone lost", "192.0.2.1", world.settings.issuer):
        assert secret not in answer.text


@pytest.fixture
def waiting(office, world):
    """A letter with a link that the mail server has not taken."""
    office.letters.broken = True
    letter = letters.issued(link="https://facestep.example/helpdesk/stop/THE-LINK")
    office.parts.aftermath.inform(world.person().owner, letter, now=world.now)
    office.letters.broken = False
    world.passes(seconds=360)


@pytest.mark.parametrize(
    "edit",
    [
        {"subject": "mallory-id"},
        {"kind": "used"},
        {"sealed_letter": ""},
        {"failures": 0},
        {"next_try_ms": 0},
        {"expires_ms": 10**15},
    ],
)
def test_a_letter_that_was_edited_is_not_sent_and_is_loud(office, world, waiting, edit):
    world.run(update(HelpdeskLetter).values(**edit))
    office.parts.chores.run(now=world.now)
    assert office.letters.sent == []
    assert office.alarms() == ["letter_edited"]


def test_the_words_of_one_letter_do_not_open_in_another(office, world, waiting):
    """Whoever can write rows and make MACs of letters still cannot move what is sealed."""
    box = office.parts.aftermath._letterbox
    other = box.sealed(world.person("carol-id").owner, letters.used(), ["carol@example.org"], now=world.now)
    with world.database.reading() as session:
        row = session.scalar(select(HelpdeskLetter))
    row.sealed_letter = other.sealed_letter
    with pytest.raises(WrongContext):
        box._content(row)


def test_no_link_and_no_address_lies_in_the_database(office, world, waiting):
    with world.database.reading() as session:
        rows = session.execute(select(HelpdeskLetter.__table__)).all()
    assert rows
    for word in ("THE-LINK", "alice@example.org", "second factor"):
        assert word not in str(rows)
        assert word not in str(world.audit.entries(limit=1000))


def test_an_alarm_reaches_the_receiver_that_was_away(office, world):
    """Whoever keeps the receiver from answering gains time, and no silence."""

    class Receiver:
        name, away, got = "siem", True, ()

        def send(self, records):
            if self.away:
                raise ReceiverAway("no route")
            self.got = (*self.got, *(record.event for record in records))

    receiver = Receiver()
    outbox = Outbox(
        world.database,
        sealer=world.sealer,
        sources=[EntrySource(world.audit, "https://facestep.example")],
        receivers=[receiver],
        audit=world.audit,
        clock=lambda: world.now,
    )
    with pytest.raises(ServiceError, match="own_case"):
        office.opens("ada")
    assert outbox.run_once().away
    assert office.alarms() == ["own_case"]
    receiver.away = False
    world.passes(seconds=360)
    outbox.run_once()
    assert "helpdesk_alarm" in receiver.got


def test_an_alarm_that_was_given_before_hides_no_other(office, world):
    """The pause between alarms is for the same reason about the same agent alone."""
    office.allows(lookups_per_hour=1)
    with pytest.raises(ServiceError, match="own_case"):
        office.opens("ada")
    with pytest.raises(ServiceError, match="too_many_lookups"):
        office.opens("alice")
    office.people.change("bob", roles=office.agent().person.roles)
    with pytest.raises(ServiceError, match="own_case"):
        office.opens("bob", by="bob")
    assert office.alarms() == ["own_case", "many_lookups", "own_case"]


@pytest.mark.parametrize("typed", ['"agent":"eve-id"', '\\","agent":"eve-id","', "%", "_"])
def test_nothing_that_an_agent_types_counts_as_somebody_else_s_deed(office, world, typed):
    """Deeds are counted by the words of the log's entries, and agents type some of those."""
    office.people.add("eve", roles=office.agent().person.roles)
    office.allows(cases_per_day=100, bounds=Bounds(cases_per_day_agent=2))
    for _ in range(2):
        office.opens(reason=typed)
    with pytest.raises(ServiceError, match="too_many_cases"):
        office.opens(reason=typed)
    assert office.opens(by="eve").opened_by == "eve-id"


@pytest.mark.parametrize("alike", ["ad_-id", "a%", "ADA-ID"])
def test_an_agent_whose_id_looks_like_a_pattern_is_counted_alone(office, world, alike):
    office.allows(cases_per_day=100, bounds=Bounds(cases_per_day_agent=1))
    office.opens()
    with world.database.reading() as session:
        said = {"agent": alike, "network": "192.0.2._", "person": world.person("carol-id").owner}
        found = tally(session, OPENED, **said, within=timedelta(days=1), now=world.now)
    assert found == Tally(agent=0, network=0, person=0)


@pytest.mark.parametrize("bound", ["asks_per_day_agent", "asks_per_day_person", "asks_per_day_network"])
def test_flooding_the_helpdesk_keeps_nobody_from_suspending(office, world, bound):
    """An attacker who has all requests used up must not be safe from the one action that stops him."""
    world.person().has_face()
    office.allows(cases_per_day=100, bounds=Bounds(**{bound: 1}))
    office.asks(Action.UNLOCK)
    with pytest.raises(ServiceError, match="too_many_asks"):
        office.asks(Action.UNLOCK)
    assert office.asks(Action.SUSPEND).state is CaseState.DONE
    assert office.alarms() == ["many_asks"]


def test_suspending_many_is_counted_and_loud(office):
    office.allows(bounds=Bounds(asks_per_day_agent=2))
    for number in range(3):
        office.people.add(f"person-{number}")
        assert office.asks(Action.SUSPEND, about=f"person-{number}").state is CaseState.DONE
    assert office.alarms() == ["many_asks"]
    office.people.add("carol")
    with pytest.raises(ServiceError, match="too_many_asks"):
        office.asks(Action.UNLOCK, about="carol")
