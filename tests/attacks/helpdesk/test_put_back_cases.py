"""Somebody who can write to the database puts back a whole row as it was once: genuine, and over."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select

from plugin.ceremonies.types import Purpose
from plugin.helpdesk.last_word import PutBack
from plugin.helpdesk.types import APPROVER_ROLE, Action, CaseState
from plugin.store.helpdesk_tables import HelpdeskCase, HelpdeskPass
from tests.plugin.helpdesk.office import open_office


@pytest.fixture
def alice(world):
    person = world.person().has_face()
    world.passes(seconds=3600)
    return person


@pytest.fixture
def office(world, alice):
    made = open_office(world)
    made.people.add("eve", roles=[APPROVER_ROLE])
    return made


def copy_of(world, table):
    with world.database.reading() as session:
        return dict(session.execute(select(table.__table__)).mappings().one())


def put_back(world, table, row):
    world.run(delete(table))
    world.run(insert(table).values(**row))


def redeems(office, world, alice, code):
    return office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), code, now=world.now)[0]


def test_a_used_pass_put_back_opens_nothing(office, world, alice):
    code = office.issued()
    row = copy_of(world, HelpdeskPass)
    assert redeems(office, world, alice, code).purpose is Purpose.RECOVER
    put_back(world, HelpdeskPass, row)
    with pytest.raises(PutBack):
        redeems(office, world, alice, code)
    assert world.audited("integrity_failed") == [{"table": "helpdesk_passes", "check": "not_the_newest"}]
    assert len(world.audited("pass_accepted")) == 1


def test_a_pass_that_its_owner_stopped_put_back_opens_nothing(office, world, alice):
    code = office.issued()
    row = copy_of(world, HelpdeskPass)
    office.parts.aftermath.freeze(office.letters.link(), now=world.now)
    put_back(world, HelpdeskPass, row)
    with pytest.raises(PutBack):
        redeems(office, world, alice, code)
    assert world.audited("pass_accepted") == []


def test_a_refused_case_put_back_is_not_agreed_to(office, world):
    case = office.asked()
    row = copy_of(world, HelpdeskCase)
    office.desk.decide(office.agent("bob"), case.id, agree=False, now=world.now)
    put_back(world, HelpdeskCase, row)
    with pytest.raises(PutBack):
        office.agrees(case, by="eve")
    assert world.audited("pass_issued") == []


def test_an_approved_case_put_back_is_not_approved_again(office, world):
    case = office.asked()
    row = copy_of(world, HelpdeskCase)
    assert office.agrees(case).state is CaseState.ISSUED
    put_back(world, HelpdeskCase, row)
    with pytest.raises(PutBack):
        office.agrees(case, by="eve")
    assert len(world.audited("pass_issued")) == 1


def test_a_case_put_back_to_before_the_question_asks_for_nothing_else(office, world):
    """What was asked for stands: not even a row of ours turns it into another request."""
    case = office.proves(office.opens())
    row = copy_of(world, HelpdeskCase)
    office.desk.ask(office.agent(), case.id, now=world.now)
    put_back(world, HelpdeskCase, row)
    with pytest.raises(PutBack):
        office.desk.ask(office.agent(), case.id, action=Action.UNLOCK, now=world.now)
    assert [one["action"] for one in world.audited("helpdesk_approval_asked")] == ["pass"]
