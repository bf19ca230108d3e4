"""Agents who want more than they may, and people who talk them into it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import update

from plugin.errors import ServiceError
from plugin.helpdesk import suspension
from plugin.helpdesk.policy import Rule
from plugin.helpdesk.types import AGENT_ROLE, APPROVER_ROLE, Action, CaseState
from plugin.store.helpdesk_tables import HelpdeskCase
from vault.interface import WrongMac


def test_an_agent_cannot_reset_himself(office):
    with pytest.raises(ServiceError, match="own_case"):
        office.opens("ada")
    assert office.refusals() == ["own_case"]


def test_an_approver_cannot_decide_about_himself(office, world):
    case = office.asked("bob")
    with pytest.raises(ServiceError, match="own_case"):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)
    assert office.desk.queue(office.agent("bob"), now=world.now) == []


def test_an_agent_cannot_reset_another_account_of_his_own(office, world):
    """Ada's administrator account has her mailbox: whatever was sent there would come to her."""
    office.people.add("ada-admin", addresses=["Ada@Example.org"])
    with pytest.raises(ServiceError, match="own_case"):
        office.opens("ada-admin")
    assert (office.refusals(), office.alarms()) == (["own_case"], ["own_case"])


@pytest.mark.parametrize("agree", [True, False])
def test_an_approver_cannot_decide_about_another_account_of_his_own(office, world, agree):
    office.people.add("bob-private", addresses=["bob@example.org", "bob@home.example"])
    case = office.asked("bob-private")
    sent = list(office.letters.sent)
    with pytest.raises(ServiceError, match="own_case"):
        office.desk.decide(office.agent("bob"), case.id, agree=agree, now=world.now)
    assert office.letters.sent == sent
    assert office.alarms() == ["own_case"]


def test_an_address_that_becomes_shared_meanwhile_counts(office, world):
    """What the directory says now decides, not what it said when the case was opened."""
    case = office.opens()
    office.people.change("alice", addresses=("alice@example.org", "ADA@example.org"))
    with pytest.raises(ServiceError, match="own_case"):
        office.desk.note(office.agent(), case.id, "call_back", now=world.now)


def test_who_asked_does_not_approve(office, world):
    office.people.change("ada", roles=frozenset({AGENT_ROLE, APPROVER_ROLE}))
    case = office.asked()
    with pytest.raises(ServiceError, match="same_person"):
        office.desk.decide(office.agent("ada"), case.id, agree=True, now=world.now)


def test_who_noted_a_proof_does_not_approve(office, world):
    """Else one agent could do everything but open the case, which a program may do as well."""
    world.person().has_face()
    office.people.change("bob", roles=frozenset({AGENT_ROLE, APPROVER_ROLE}))
    case = office.opens()
    office.desk.note(office.agent("bob"), case.id, "call_back", now=world.now)
    office.checks_face(case)
    office.desk.ask(office.agent("ada"), case.id, now=world.now)
    with pytest.raises(ServiceError, match="same_person"):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)


@pytest.mark.parametrize("edit", [{"action": None}, {"target": "app"}, {"noted_by": None}, {"noted_by": []}])
def test_what_was_asked_for_cannot_be_changed_in_the_database(office, world, edit):
    case = office.asked()
    world.run(update(HelpdeskCase).values(**edit))
    with pytest.raises(WrongMac):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)


def test_two_accounts_of_one_agent_do_not_make_four_eyes(office, world):
    office.people.add("ada-admin", roles=[APPROVER_ROLE], addresses=["Ada@Example.org"])
    case = office.asked()
    sent = list(office.letters.sent)
    with pytest.raises(ServiceError, match="same_person"):
        office.desk.decide(office.agent("ada-admin"), case.id, agree=True, now=world.now)
    assert office.letters.sent == sent


def test_the_same_place_does_not_approve_where_policy_says_so(office, world, monkeypatch):
    monkeypatch.setattr(office.desk, "_policy", type(office.desk._policy)(apart="address"))
    case = office.asked()
    with pytest.raises(ServiceError, match="same_place"):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)
    elsewhere = office.agent("bob", address="192.0.2.77")
    assert office.desk.decide(elsewhere, case.id, agree=True, now=world.now).state is CaseState.ISSUED


@pytest.mark.parametrize(
    ("first", "second"),
    [("2001:db8::1", "2001:db8::2"), ("192.0.2.1", "::ffff:192.0.2.1"), ("192.0.2.1", ""), ("", "192.0.2.1")],
)
def test_a_place_is_a_network_not_an_address(office, world, first, second):
    """An IPv6 connection has 2^64 addresses; what is no address is nowhere else."""
    office.allows(apart="address")
    case = office.proves(with_face(office, world))
    case = office.desk.ask(office.agent(address=first), case.id, now=world.now)
    with pytest.raises(ServiceError, match="same_place"):
        office.desk.decide(office.agent("bob", address=second), case.id, agree=True, now=world.now)


def test_the_place_where_a_proof_was_noted_does_not_approve_either(office, world):
    office.people.add("eve", roles=[AGENT_ROLE])
    office.allows(apart="address")
    case = with_face(office, world)
    office.desk.note(office.agent("eve", address="2001:db8::1"), case.id, "call_back", now=world.now)
    office.desk.ask(office.agent(), office.proves(of_now(office, case)).id, now=world.now)
    with pytest.raises(ServiceError, match="same_place"):
        office.desk.decide(office.agent("bob", address="2001:db8::2"), case.id, agree=True, now=world.now)
    elsewhere = office.agent("bob", address="2001:db8:0:1::2")
    assert office.desk.decide(elsewhere, case.id, agree=True, now=world.now).state is CaseState.ISSUED


def with_face(office, world):
    """Open a case about Alice, whose face is on record."""
    world.person().has_face()
    return office.opens()


def test_an_approval_works_once(office, world):
    case = office.asked()
    office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)
    sent = len(office.letters.sent)
    with pytest.raises(ServiceError, match="case_moved"):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)
    assert len(office.letters.sent) == sent


def test_of_parallel_approvals_exactly_one_counts(office, world):
    """One pass, one set of letters; the other approver is told that the case has moved."""
    office.people.add("eve", roles=[APPROVER_ROLE])
    case = office.asked()
    outcomes: list[str] = []

    def decide(name: str) -> None:
        try:
            outcomes.append(office.desk.decide(office.agent(name), case.id, agree=True, now=world.now).state.value)
        except ServiceError as exc:
            outcomes.append(exc.code)

    threads = [threading.Thread(target=decide, args=(name,)) for name in ("bob", "eve", "bob", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["case_moved"] * 3 + ["issued"]
    assert len(world.audited("pass_issued")) == 1
    assert sum("Your pass" in subject for _, subject, _ in office.letters.sent) == 1


def test_an_agent_who_was_demoted_in_the_middle_can_do_nothing_more(office, world):
    case = office.opens()
    office.people.change("ada", roles=frozenset())
    for act in (
        lambda: office.desk.note(office.agent(), case.id, "call_back", now=world.now),
        lambda: office.desk.ask(office.agent(), case.id, now=world.now),
        lambda: office.desk.close(office.agent(), case.id, now=world.now),
        office.opens,
    ):
        with pytest.raises(ServiceError, match="helpdesk_role"):
            act()


def test_what_a_demoted_agent_asked_for_is_not_approved(office, world):
    case = office.asked()
    office.people.change("ada", enabled=False)
    with pytest.raises(ServiceError, match="asker_gone"):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)


def test_what_a_suspended_agent_asked_for_is_not_approved(office, world):
    case = office.asked()
    suspend(office, world, "ada")
    with pytest.raises(ServiceError, match="asker_gone"):
        office.agrees(case)
    assert not any("Your pass" in subject for _, subject, _ in office.letters.sent)


GONE = [
    {"enabled": False},
    {"roles": frozenset()},
    {"roles": frozenset({APPROVER_ROLE})},
    "suspended",
    "deleted",
]


@pytest.mark.parametrize("how", GONE, ids=str)
def test_a_proof_that_a_dismissed_agent_noted_does_not_count(office, world, how):
    office.people.add("eve", roles=[AGENT_ROLE])
    case = with_face(office, world)
    office.desk.note(office.agent("eve"), case.id, "call_back", now=world.now)
    case = office.desk.ask(office.agent(), office.proves(of_now(office, case)).id, now=world.now)
    goes(office, world, "eve", how)
    with pytest.raises(ServiceError, match="noter_gone"):
        office.agrees(case)
    assert not any("Your pass" in subject for _, subject, _ in office.letters.sent)


def test_nor_is_anything_asked_for_with_it_where_one_agent_is_enough(office, world):
    office.allows(default=Rule(frozenset({"call_back"}), four_eyes=False))
    office.people.add("eve", roles=[AGENT_ROLE])
    world.person().has_face()
    world.passes(seconds=8 * 86400)
    case = office.opens()
    office.desk.note(office.agent("eve"), case.id, "call_back", now=world.now)
    goes(office, world, "eve", "suspended")
    with pytest.raises(ServiceError, match="noter_gone"):
        office.desk.ask(office.agent(), case.id, now=world.now)
    assert office.refusals() == ["noter_gone"]
    done = office.desk.ask(office.agent(), case.id, action=Action.SUSPEND, now=world.now)
    assert done.state is CaseState.DONE, "what needs no proof needs nobody's word"


@pytest.mark.parametrize(
    ("how", "counts"), [({"roles": frozenset()}, True), ({"enabled": False}, False), ("suspended", False)], ids=str
)
def test_the_word_of_a_manager_counts_while_they_can_sign_in(office, world, how, counts):
    """They need no role of the helpdesk, but an account that is theirs still."""
    office.allows(default=Rule(frozenset({"manager"}), four_eyes=True))
    case = office.proves(with_face(office, world))
    case = office.desk.ask(office.agent(), case.id, now=world.now)
    goes(office, world, "mia", how)
    if counts:
        assert office.agrees(case).state is CaseState.ISSUED
        return
    with pytest.raises(ServiceError, match="noter_gone"):
        office.agrees(case)


def of_now(office, case):
    return office.desk.case(office.agent(), case.id, now=office.world.now)


def goes(office, world, name, how):
    """Let somebody go: the directory's changes, a suspension, or the account is deleted."""
    if how == "deleted":
        del office.people.people[f"{name}-id"]
    elif how == "suspended":
        suspend(office, world, name)
    else:
        office.people.change(name, **how)


def suspend(office, world, name):
    with world.database.transaction() as session:
        suspension.suspend(
            office.people.find(name).owner, audit=world.audit, session=session, now=world.now, reason="test"
        )


def test_an_agent_without_the_role_does_not_approve(office, world):
    office.people.add("eve", roles=[AGENT_ROLE])
    case = office.asked()
    with pytest.raises(ServiceError, match="helpdesk_role"):
        office.desk.decide(office.agent("eve"), case.id, agree=True, now=world.now)


def test_no_pass_before_everything_is_proven(office, world):
    case = office.opens()
    with pytest.raises(ServiceError, match="proofs_missing"):
        office.desk.ask(office.agent(), case.id, now=world.now)


def test_no_pass_for_somebody_whose_face_nothing_can_be_compared_with(office, world):
    """The button is off, and a form sent by hand does not do better."""
    case = office.opens()
    for proof in case.missing:
        office.desk.note(office.agent(), case.id, proof, now=world.now)
    with pytest.raises(ServiceError, match="no_usable_face"):
        office.desk.ask(office.agent(), case.id, now=world.now)
    assert office.refusals() == ["no_usable_face"]


def test_no_pass_where_the_face_is_past_its_time(office, world):
    world.person().has_face()
    world.passes(seconds=world.settings.reference_ttl_days * 86400)
    case = office.opens()
    for proof in case.missing:
        office.desk.note(office.agent(), case.id, proof, now=world.now)
    with pytest.raises(ServiceError, match="no_usable_face"):
        office.desk.ask(office.agent(), case.id, now=world.now)


def test_a_proof_written_into_the_database_is_not_believed(office, world):
    case = office.opens()
    world.run(update(HelpdeskCase).values(proofs=["call_back"]))
    with pytest.raises(WrongMac):
        office.desk.ask(office.agent(), case.id, now=world.now)


def test_a_state_written_into_the_database_is_not_believed(office, world):
    case = office.opens()
    world.run(update(HelpdeskCase).values(state="waiting", asked_by="ada-id"))
    with pytest.raises(WrongMac):
        office.desk.decide(office.agent("bob"), case.id, agree=True, now=world.now)


def test_staff_needs_every_proof_and_four_eyes_whatever_the_default(office, monkeypatch):
    policy = type(office.desk._policy)
    rule = type(office.desk._policy.default)
    lax = policy(
        default=rule(frozenset({"call_back"}), four_eyes=False),
        groups=(("/administrators", rule(frozenset({"document"}), four_eyes=False)),),
    )
    monkeypatch.setattr(office.desk, "_policy", lax)
    assert office.opens("alice").demanded == ("call_back",)
    case = office.opens("bob")
    assert (case.demanded, case.four_eyes, case.risks) == (("call_back", "document"), True, ("staff", "privileged"))


@pytest.mark.parametrize(
    ("group", "strict"),
    [
        ("/administrators", True),
        ("/administrators/emea", True),
        ("/administrators/emea/vienna", True),
        ("/administrators-alumni", False),
        ("/others/administrators", False),
    ],
)
def test_who_is_in_a_group_below_is_in_the_group(office, group, strict):
    """Keycloak names the groups that somebody joined themselves; the rule of the one above would be escaped."""
    office.allows(
        groups=(("/administrators", Rule(frozenset({"call_back", "document"}), four_eyes=True)),),
        default=Rule(frozenset({"call_back"}), four_eyes=False),
    )
    office.people.change("alice", groups=(group,))
    case = office.opens()
    assert case.four_eyes is strict
    assert ("document" in case.demanded) is strict
    assert ("privileged" in case.risks) is strict


def test_looking_up_many_people_ends_and_is_loud(office, world):
    for _ in range(30):
        with pytest.raises(ServiceError, match="person_unknown"):
            office.opens("nobody")
    with pytest.raises(ServiceError, match="too_many_lookups"):
        office.opens("alice")
    assert office.alarms() == ["many_lookups"]
    assert len(world.audited("helpdesk_looked_up")) == 31
    world.passes(seconds=3601)
    office.opens("alice")


def test_who_was_looked_for_is_written_down_without_the_name(office, world):
    """An agent tries names until one is there: the log tells the same name from another, and shows neither."""
    for name in ("Nobody", "nobody", "mallory"):
        with pytest.raises(ServiceError, match="person_unknown"):
            office.opens(name)
    one, again, other = (entry["looked_for"] for entry in world.audited("helpdesk_looked_up"))
    assert one == again != other
    assert "nobody" not in str(world.audit.entries(limit=1000)).casefold()


def test_a_refused_look_at_one_s_approver_names_whom(office, world):
    office.agrees(office.asked())
    with pytest.raises(ServiceError, match="approvers_case"):
        office.opens("bob")
    assert world.audited("helpdesk_refused")[-1]["person"] == "bob-id"


def test_reading_a_case_is_written_down_long_after_its_end_too(office, world):
    case = office.opens()
    office.desk.look(office.agent(), case.id, now=world.now)
    assert world.audited("helpdesk_case_seen") == []  # who opened it is in the log already
    office.desk.close(office.agent(), case.id, now=world.now)
    world.passes(seconds=80 * 86_400)
    office.people.add("eve", roles=[AGENT_ROLE])
    for _ in range(3):
        office.desk.look(office.agent("eve"), case.id, now=world.now)
    office.desk.look(office.agent(), case.id, now=world.now)
    seen = [(one["agent"], one["case"]) for one in world.audited("helpdesk_case_seen")]
    assert seen == [("eve-id", case.id), ("ada-id", case.id)]
    world.passes(seconds=901)
    office.desk.look(office.agent("eve"), case.id, now=world.now)
    assert len(world.audited("helpdesk_case_seen")) == 3


def test_a_fourth_case_about_one_person_on_a_day_is_loud(office):
    for _ in range(3):
        office.opens()
    with pytest.raises(ServiceError, match="too_many_cases"):
        office.opens()
    assert office.alarms() == ["many_cases"]
