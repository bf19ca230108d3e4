"""Letters wait for the mail server, and nothing that is over stays."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from plugin.errors import ServiceError
from plugin.helpdesk import letters
from plugin.store.helpdesk_tables import HelpdeskCase, HelpdeskPass, HelpdeskSession
from plugin.store.letters import HelpdeskLetter

MANY_MINUTES = 6 * 60


@pytest.fixture
def chores(office, world):
    """What a worker does beside the requests."""
    return lambda: office.parts.chores.run(now=world.now)


def waiting(world):
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(HelpdeskLetter))


def tells(office, world):
    office.parts.aftermath.inform(world.person().owner, letters.used(), now=world.now)


def test_a_letter_that_cannot_be_sent_arrives_when_the_mail_server_is_back(office, world, chores):
    office.letters.broken = True
    tells(office, world)
    assert (waiting(world), office.letters.sent) == (1, [])
    assert [one["code"] for one in world.audited("helpdesk_mail_failed")] == ["mail_failed"]
    for _ in range(3):
        world.passes(seconds=MANY_MINUTES)
        chores()
    office.letters.broken = False
    world.passes(seconds=MANY_MINUTES)
    chores()
    assert {address for address, *_ in office.letters.sent} == {"alice@example.org", "alice@home.example"}
    assert (waiting(world), world.audited("recovery_notified")) == (0, [{"sent": 2}])
    assert len(world.audited("helpdesk_mail_failed")) == 1


def test_it_is_not_tried_before_its_pause_is_over(office, world, chores):
    office.letters.broken = True
    tells(office, world)
    office.letters.broken = False
    chores()
    assert office.letters.sent == []
    world.passes(seconds=2)
    chores()
    assert len(office.letters.sent) == 2


def test_who_has_it_does_not_get_it_again(office, world, chores, monkeypatch):
    send = office.letters.send

    def full(addresses, **letter):
        if "alice@home.example" in addresses:
            raise ServiceError("mail_failed", "mailbox full")
        send(addresses, **letter)

    monkeypatch.setattr(office.letters, "send", full)
    tells(office, world)
    monkeypatch.setattr(office.letters, "send", send)
    world.passes(seconds=MANY_MINUTES)
    chores()
    assert [address for address, *_ in office.letters.sent] == ["alice@example.org", "alice@home.example"]


def test_a_letter_goes_to_the_addresses_of_the_first_try(office, world, chores):
    """Whoever gets in while the mail server is away cannot send the warning to a mailbox of their own."""
    office.letters.broken = True
    tells(office, world)
    office.people.change("alice", addresses=("mallory@evil.example",))
    office.letters.broken = False
    world.passes(seconds=MANY_MINUTES)
    chores()
    assert {address for address, *_ in office.letters.sent} == {"alice@example.org", "alice@home.example"}


def test_after_a_day_a_letter_is_dropped_and_that_is_loud(office, world, chores):
    office.letters.broken = True
    tells(office, world)
    world.passes(seconds=86_400)
    chores()
    assert (waiting(world), office.alarms()) == (0, ["letter_dropped"])


def test_what_tells_of_a_pass_survives_a_process_that_dies(office, world, chores, monkeypatch):
    """The transaction that issues a pass holds the letter that tells of it; nobody but the caller can be left out."""
    world.person().has_face()
    case = office.asked()
    monkeypatch.setattr(type(office.parts.aftermath._letterbox), "send", dies)
    with pytest.raises(KeyboardInterrupt):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)
    assert world.audited("pass_issued")
    chores()
    assert "/helpdesk/stop/" in office.letters.to("alice@home.example")[0]


def dies(*_, **__):
    raise KeyboardInterrupt


def test_a_pass_that_cannot_be_told_of_leaves_no_letter(office, world, chores):
    world.person().has_face()
    case = office.asked()
    office.letters.broken = True
    with pytest.raises(ServiceError, match="mail_failed"):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)
    assert waiting(world) == 0
    assert world.audited("pass_withdrawn")


def test_two_workers_send_a_letter_once(office, world):
    office.letters.broken = True
    tells(office, world)
    office.letters.broken = False
    world.passes(seconds=MANY_MINUTES)
    box = office.parts.aftermath._letterbox
    with world.database.reading() as session:
        read_by_both = session.scalars(select(HelpdeskLetter)).all()
    for row in read_by_both * 2:
        box._try(row, now=world.now)
    assert len(office.letters.sent) == 2


def test_cases_passes_and_sessions_go_when_they_are_over_and_the_log_stays(office, world, chores):
    world.person().has_face()
    office.issued()
    office.parts.sessions.begin(office.agent().person.owner, name="ada", now=world.now)
    entries = len(world.audit.entries(limit=1000))

    def left():
        with world.database.reading() as session:
            tables = (HelpdeskCase, HelpdeskPass, HelpdeskSession)
            return [session.scalar(select(func.count()).select_from(table)) for table in tables]

    chores()
    assert left() == [1, 1, 1]
    world.passes(seconds=2 * 86_400)
    chores()
    assert left() == [1, 0, 0]
    world.passes(seconds=88 * 86_400 + 1)
    chores()
    assert left() == [0, 0, 0]
    assert len(world.audit.entries(limit=1000)) == entries
