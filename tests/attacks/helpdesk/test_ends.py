"""A suspension, a stop and a recovery end all that a person has under way, sign-ins to our own pages too."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from plugin.ceremonies.types import Purpose, Subject
from plugin.errors import CeremonyRefused, ClientRefused, FactorRejected, ServiceError
from plugin.helpdesk.sessions import PEOPLE, Sessions
from plugin.helpdesk.suspension import lift, suspend
from plugin.helpdesk.types import AGENT_ROLE, Action
from tests.plugin.factors.world import REALM, Person
from tests.plugin.pages.own_page import open_own_page


@pytest.fixture
def alice(world, office):
    """An enrolled person who is an agent too, an hour after the enrolment."""
    office.people.change("alice", roles=frozenset({AGENT_ROLE}))
    person = world.person().has_face()
    world.passes(seconds=3600)
    return person


def has_all_under_way(office, world, alice) -> SimpleNamespace:
    """A login at the camera, a result nobody has redeemed, and a sign-in to each of our pages."""
    open_own_page(world)
    login = Person(world, alice.owner, totp_secret=alice.totp_secret)
    done = alice.shows("alice", alice.proves_totp())
    world.passes(seconds=60)
    at_the_camera = login.proves_totp()
    result = world.ceremonies.issue_code(done, now=world.now)
    console = office.parts.sessions.begin(alice.owner, name="alice", now=world.now)
    signed_in = SimpleNamespace(owner=alice.owner, name="alice", seen_at=world.now)
    page = world.me.begin(signed_in, now=world.now)
    assert world.me.visitor(page, now=world.now).owner == alice.owner
    assert office.parts.agent(console, address="", now=world.now).id == alice.owner.subject
    return SimpleNamespace(login=login, at_the_camera=at_the_camera, result=result, console=console, page=page)


def assert_all_over(office, world, had) -> None:
    with pytest.raises(ServiceError, match="helpdesk_login"):
        office.parts.agent(had.console, address="", now=world.now)
    with pytest.raises(ServiceError, match="me_login"):
        world.me.visitor(had.page, now=world.now)
    with pytest.raises(ClientRefused):
        world.redeem(had.result)
    with pytest.raises(CeremonyRefused):
        had.login.shows("alice", had.at_the_camera)


def not_me(office, world, alice):
    office.parts.aftermath.stopping.stop(alice.owner, since=world.now, reason="not_me", now=world.now)


def link_of_a_letter(office, world, alice):
    link = office.parts.aftermath.stopping.new_link(alice.owner, now=world.now)
    office.parts.aftermath.freeze(link, now=world.now)


def link_of_a_case(office, world, alice):
    office.issued()
    office.parts.aftermath.freeze(office.letters.link(), now=world.now)


def suspension(office, world, alice):
    with world.database.transaction() as session:
        suspend(alice.owner, audit=world.audit, session=session, now=world.now, reason="helpdesk")


def action(office, world, alice):
    office.does(Action.RESET_FACTOR, "app")


@pytest.mark.parametrize("ends", [not_me, link_of_a_letter, link_of_a_case, suspension, action])
def test_nothing_that_was_under_way_goes_on(office, world, alice, ends):
    had = has_all_under_way(office, world, alice)
    ends(office, world, alice)
    assert_all_over(office, world, had)


def test_a_recovery_ends_all_but_itself(office, world, alice):
    recovering = Person(world, alice.owner)
    code = office.issued()
    view = office.parts.passes.redeem(recovering.comes_to(Purpose.LOGIN), code, now=world.now)[0]
    view = recovering.shows("alice", view)
    had = has_all_under_way(office, world, alice)
    view = recovering.sets_up_totp(view)
    assert_all_over(office, world, had)
    shown = world.recovery_codes.show(view, now=world.now)
    done = world.recovery_codes.acknowledge(shown.view, now=world.now)
    assert world.redeem(world.ceremonies.issue_code(done, now=world.now)).subject == alice.owner.subject


def test_a_second_pass_does_not_outlive_a_recovery(office, world, alice):
    view = office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), office.issued(), now=world.now)[0]
    view = alice.shows("alice", view)
    office.letters.sent.clear()
    second = office.issued()
    alice.sets_up_totp(view)
    with pytest.raises(FactorRejected):
        office.parts.passes.redeem(alice.comes_to(Purpose.LOGIN), second, now=world.now)


@pytest.mark.parametrize("table", ["console", "page"])
def test_who_is_suspended_is_nobody_at_our_pages(office, world, alice, table):
    """Nor does a sign-in that is finished beside the suspension count, once that is lifted."""
    stored = {"database": world.database, "sealer": world.sealer, "audit": world.audit}
    sessions, more = (Sessions(PEOPLE, **stored), {"seen_ms": 0}) if table == "page" else (Sessions(**stored), {})
    owner = Subject(REALM, "alice-id")
    old = sessions.begin(owner, name="alice", now=world.now, **more)
    begun = len(world.audited("me_login" if table == "page" else "helpdesk_login"))
    with world.database.transaction() as session:  # the entry alone: what ends sessions is not what is tried here
        world.audit.append("account_suspended", at=world.now, issuer=REALM, subject="alice-id", session=session)
    assert sessions.find(old, now=world.now) is None
    with pytest.raises(ServiceError, match="suspended"):
        sessions.begin(owner, name="alice", now=world.now, **more)
    with world.database.transaction() as session:
        lift(owner, audit=world.audit, session=session, now=world.now)
    assert sessions.count(owner, now=world.now) == begun
