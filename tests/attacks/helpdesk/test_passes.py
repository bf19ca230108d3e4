"""A pass in the wrong hands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select, update

from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, FactorRejected, LockedOut
from plugin.factors import lookup_secrets
from plugin.factors.face_answers import FaceRefused
from plugin.helpdesk.bounds import Bounds
from plugin.helpdesk.passes import Passes
from plugin.store.helpdesk_tables import HelpdeskPass
from tests.plugin.factors.world import REALM
from tests.plugin.helpdesk.own_way import OwnWay
from vault.interface import WrongMac


def tries(office, person, code, **asked):
    return office.parts.passes.redeem(person.comes_to(Purpose.LOGIN, **asked), code, now=office.world.now)[0]


@pytest.fixture
def alice(world):
    return world.person().has_face()


def test_an_impostor_with_password_and_pass_changes_nothing_and_is_loud(office, world, alice):
    """The pass is gone after it; the owner's phone still works."""
    view = tries(office, alice, office.issued())
    for attempt in range(3):
        with pytest.raises(FaceRefused) as refused:
            alice.shows("mallory", view)
        view = alice.view() if attempt < 2 else view
    assert not refused.value.may_retry
    assert world.audited("recovery_bound") == []
    world.passes(seconds=3600)
    alice.proves_totp()


def test_an_expired_pass_opens_nothing(office, world, alice):
    code = office.issued()
    world.passes(seconds=3600)
    with pytest.raises(FactorRejected):
        tries(office, alice, code)
    assert world.audited("factor_refused")[-1]["check"] == "pass_expired"


def test_a_pass_for_another_person_opens_nothing(office, world, alice):
    code = office.issued()
    office.people.add("carol")
    with pytest.raises(FactorRejected):
        tries(office, world.person("carol-id"), code)


def test_a_pass_is_good_once(office, world, alice):
    code = office.issued()
    tries(office, alice, code)
    with pytest.raises(FactorRejected):
        tries(office, alice, code)
    assert world.audited("factor_refused")[-1]["check"] == "pass_used"


def test_a_worker_that_dies_when_a_pass_was_used_loses_neither_letter_nor_alarm(office, world, alice, monkeypatch):
    """Killing it at the right moment would else let a stolen pass be used in silence."""

    class Died(BaseException):
        pass

    def dies(*_, **__):
        raise Died

    office.allows(bounds=Bounds(recovered_per_day_network=1))
    before = {"case": "another", "network": "198.51.100.7"}
    world.audit.append("pass_accepted", at=world.now, issuer=REALM, subject="carol-id", details=before)
    code = office.issued()
    office.letters.sent.clear()
    with monkeypatch.context() as patched:
        patched.setattr(type(office.parts.aftermath), "send_what_waits", dies)
        with pytest.raises(Died):
            office.parts.redeem(alice.comes_to(Purpose.LOGIN), code, address="198.51.100.7", now=world.now)
    assert office.alarms() == ["one_network"]
    office.parts.chores.run(now=world.now)
    assert [subject for _, subject, _ in office.letters.sent] == ["The pass for your account was used"] * 2


def test_a_pass_that_was_not_taken_is_told_to_nobody(office, world, alice):
    office.issued()
    office.letters.sent.clear()
    with pytest.raises(FactorRejected):
        office.parts.redeem(alice.comes_to(Purpose.LOGIN), "0" * 16, address="198.51.100.7", now=world.now)
    office.parts.chores.run(now=world.now)
    assert office.letters.sent == []


def worker(world, database):
    """Another process: nothing but the database and the keys is shared."""
    audit = type(world.audit)(database)
    parts = {"database": database, "sealer": world.sealer, "audit": audit}
    ceremonies = type(world.ceremonies)(**parts, settings=world.settings)
    return Passes(ceremonies=ceremonies, attempts=type(world.attempts)(database), **parts)


def outcome(world, view, code) -> str:
    """Redeem at a worker of one's own; say how it ended."""
    with closing(world.open_database()) as database:
        try:
            worker(world, database).redeem(view, code, now=world.now)
        except (FactorRejected, LockedOut) as exc:
            return exc.code
    return "won"


def test_of_parallel_uses_exactly_one_wins(office, world, alice):
    code = office.issued()
    views = [world.person().comes_to(Purpose.LOGIN) for _ in range(4)]
    with ThreadPoolExecutor(4) as workers:
        outcomes = sorted(workers.map(lambda view: outcome(world, view, code), views))
    assert outcomes == ["factor_rejected"] * 3 + ["won"]


def test_forty_guesses_at_many_workers_at_once_are_five(office, world, alice):
    """Each worker has its own handle to the database; the pass itself then has to wait too."""
    code = office.issued()
    views = [world.person().comes_to(Purpose.LOGIN) for _ in range(40)]
    with ThreadPoolExecutor(8) as workers:
        outcomes = list(workers.map(lambda view: outcome(world, view, lookup_secrets.draw(16)), views))
    assert (outcomes.count("factor_rejected"), outcomes.count("locked_for_now")) == (5, 35)
    assert outcome(world, alice.comes_to(Purpose.LOGIN), code) == "locked_for_now"
    world.passes(seconds=30)
    assert outcome(world, alice.comes_to(Purpose.LOGIN), code) == "won"


def test_there_is_one_pass_at_a_time(office, world, alice):
    """A second case brings a second pass, and the first opens nothing any more."""
    first = office.issued()
    office.letters.sent.clear()
    second = office.issued()
    assert first != second
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(HelpdeskPass)) == 1
    with pytest.raises(FactorRejected):
        tries(office, alice, first)
    assert tries(office, alice, second).purpose is Purpose.RECOVER


def test_guessing_ends_and_a_restart_does_not_help(office, world, alice):
    office.issued()
    for _ in range(5):
        with pytest.raises(FactorRejected):
            tries(office, alice, lookup_secrets.draw(16))
    world.database.close()
    world.open()
    with pytest.raises(LockedOut):
        worker(world, world.database).redeem(alice.comes_to(Purpose.LOGIN), lookup_secrets.draw(16), now=world.now)


def test_a_pass_written_into_the_database_opens_nothing(office, world, alice):
    office.issued()
    world.run(update(HelpdeskPass).values(code_hash=lookup_secrets.hashed("0" * 16)))
    with pytest.raises(WrongMac):
        tries(office, alice, "0" * 16)


def test_a_used_pass_put_back_opens_nothing(office, world, alice):
    code = office.issued()
    tries(office, alice, code)
    world.run(update(HelpdeskPass).values(used_ms=None))
    with pytest.raises(WrongMac):
        tries(office, alice, code)


def test_a_pass_does_not_open_an_enrolment(office, world, alice):
    code = office.issued()
    with pytest.raises(CeremonyRefused):
        office.parts.passes.redeem(alice.comes_to(Purpose.ENROL), code, now=world.now)


def test_a_miss_costs_an_argon_run_whether_there_is_a_pass_or_not(office, world, alice, monkeypatch):
    """No pass, a wrong pass: from outside the same answer after the same work."""
    runs: list[str | None] = []
    fits = lookup_secrets.fits
    monkeypatch.setattr(lookup_secrets, "fits", lambda code, stored: runs.append(stored) or fits(code, stored))
    answers = []
    for prepare in (lambda: None, office.issued):
        prepare()
        with pytest.raises(FactorRejected) as refused:
            tries(office, alice, "Z" * 16)
        answers.append(refused.value.code)
    assert answers == ["factor_rejected"] * 2
    assert [stored is None for stored in runs] == [True, False]


def test_after_a_recovery_factors_and_level_cannot_be_changed_for_a_day(office, world, alice):
    """By the account console, by a required action or by a request of one's own: all come in as a signed request."""
    view = alice.shows("alice", tries(office, alice, office.issued()))
    alice.sets_up_totp(view)
    for purpose, changes in ((Purpose.ENROL, {}), (Purpose.LOGIN, {"acr": "facestep-light"})):
        with pytest.raises(CeremonyRefused, match="cooling_down"):
            alice.comes_to(purpose, **changes)
    alice.proves_totp()
    world.passes(seconds=24 * 3600)
    assert alice.comes_to(Purpose.ENROL).stage is Stage.POSSESSION


def test_somebody_who_vouches_anew_ends_the_cool_down(office, world, alice):
    """An erased person is enrolled with an invitation, whatever happened before."""
    alice.sets_up_totp(alice.shows("alice", tries(office, alice, office.issued())))
    world.enrolment.erase(alice.owner, now=world.now)
    assert alice.comes_to(Purpose.ENROL).stage is Stage.INVITATION


def test_a_face_that_was_never_seen_binds_nothing(office, world, alice):
    """A recovery that skips the camera is no move of the table."""
    view = tries(office, alice, office.issued())
    with pytest.raises(CeremonyRefused):
        world.totp.begin_setup(view, now=world.now)
    with pytest.raises(CeremonyRefused):
        world.ceremonies.advance(view, to=Stage.POSSESSION_SETUP, now=world.now)
    with pytest.raises(CeremonyRefused):
        world.totp.begin_setup(replace(view, stage=Stage.FACE), now=world.now)


def test_a_pass_is_no_way_to_a_higher_level(office, world, alice):
    """In a login that steps up: refused before the pass is compared, and it opens the next plain login."""
    code = office.issued()
    way = OwnWay(office, alice)
    way.logs_in(acr="facestep-light")
    refused = way.browser.call("recovery/pass", {"code": code})
    assert (refused.status_code, refused.get_json()["error"]) == (403, "recovery_not_here")
    with pytest.raises(CeremonyRefused, match="recovery_not_here"):  # nor by any other door to it
        tries(office, alice, code, acr="facestep-light")
    way.logs_in()
    assert way.browser.call("recovery/pass", {"code": code}).status_code == 200
    assert way.view().purpose is Purpose.RECOVER


def recovered(office, person):
    """Use a pass, show the face, bind a new phone; another browser may have begun something before."""
    return person.sets_up_totp(person.shows("alice", tries(office, person, office.issued())))


def test_a_step_up_that_began_before_the_recovery_does_not_outlive_it(office, world, alice):
    """The impostor begins the login that asks for more first, and finishes it with the phone that the pass bound."""
    other = world.person()
    waiting = other.comes_to(Purpose.LOGIN, acr="facestep-light")
    recovered(office, alice)
    with pytest.raises(CeremonyRefused):
        world.totp.verify(waiting, alice.code(), now=world.now)
    assert world.totp.verify(alice.comes_to(Purpose.LOGIN), alice.code(), now=world.now).stage is Stage.FACE


def test_an_enrolment_that_began_before_the_recovery_binds_nothing(office, world, alice):
    other = world.person()
    waiting = other.comes_to(Purpose.ENROL)
    recovered(office, alice)
    with pytest.raises(CeremonyRefused):
        world.totp.verify(waiting, alice.code(), now=world.now)
    assert len(world.audited("consent_given")) == 1


def test_a_login_that_was_at_its_end_brings_no_higher_level_after_the_recovery(office, world, alice):
    other = replace(alice)
    done = other.shows(
        "alice", world.totp.verify(other.comes_to(Purpose.LOGIN, acr="facestep-light"), alice.code(), now=world.now)
    )
    recovered(office, alice)
    with pytest.raises(CeremonyRefused):
        world.ceremonies.issue_code(done, now=world.now)


@pytest.fixture
def racing(world, alice, monkeypatch):
    """Let a recovery of another ceremony bind something right before the next entry of this event is written."""

    def race(event: str) -> None:
        append = world.audit.append

        def slower(written, **said):
            if written == event:
                about = {"issuer": alice.owner.issuer, "subject": alice.owner.subject, "ceremony_id": "other"}
                append("recovery_bound", at=world.now, **about, details={"factor": "totp"}, session=said["session"])
            return append(written, **said)

        monkeypatch.setattr(world.audit, "append", slower)

    return race


def test_what_begins_beside_a_recovery_sees_it(world, alice, racing):
    """Asked in the transaction, after its entry: a recovery that was bound since the request came counts too."""
    racing("ceremony_begun")
    for purpose, asked in ((Purpose.ENROL, {}), (Purpose.LOGIN, {"acr": "facestep-light"})):
        with pytest.raises(CeremonyRefused, match="cooling_down"):
            alice.comes_to(purpose, **asked)
    assert [one["code"] for one in world.audited("request_refused")] == ["cooling_down"] * 2


def test_a_step_beside_a_recovery_sees_it(world, alice, racing):
    """Factor, face and result: each is written, and undone."""
    view = alice.comes_to(Purpose.LOGIN, acr="facestep-light")
    racing("factor_accepted")
    with pytest.raises(CeremonyRefused, match="cooling_down"):
        world.totp.verify(view, alice.code(), now=world.now)
    assert alice.view().stage is Stage.POSSESSION


def test_a_result_beside_a_recovery_sees_it(world, alice, racing):
    world.passes(seconds=60)
    done = alice.shows("alice", alice.proves_totp())
    racing("result_issued")
    with pytest.raises(CeremonyRefused, match="cooling_down"):
        world.ceremonies.issue_code(done, now=world.now)
    assert alice.view().stage is Stage.DONE


def test_a_recovery_is_over_when_the_pass_would_have_been(office, world, alice):
    """Begun in the last minute of a pass, it has that minute; begun early, its own quarter of an hour."""
    code = office.issued()
    world.passes(seconds=3540)
    view = tries(office, alice, code)
    assert (view.expires_at - world.now).total_seconds() == 60
    world.passes(seconds=60)
    with pytest.raises(CeremonyRefused):
        alice.view()
    with pytest.raises(CeremonyRefused):
        world.ceremonies.advance(view, to=Stage.POSSESSION_SETUP, now=world.now, proven="face")
    office.letters.sent.clear()
    assert (tries(office, alice, office.issued()).expires_at - world.now).total_seconds() == 900


def test_a_pass_alone_yields_no_session(office, world, alice):
    """At no stage before the end is there a result; the end names the enrolled face and a factor bound since."""
    way = OwnWay(office, alice)
    way.logs_in()
    assert way.browser.call("recovery/pass", {"code": office.issued()}).status_code == 200

    def asks_for_a_result() -> int:
        return way.browser.call("finish").status_code

    assert (way.view().stage, asks_for_a_result()) == (Stage.FACE, 410)
    way.shows("alice")
    assert (way.view().stage, asks_for_a_result()) == (Stage.POSSESSION_SETUP, 410)
    way.binds_a_phone()
    assert (way.view().stage, asks_for_a_result()) == (Stage.RECOVERY_CODES, 410)
    assert [one["purpose"] for one in world.audited("result_issued")] == ["enrol"]
    way.takes_codes()
    answer = way.browser.call("finish").get_json()
    result = world.redeem(parse_qs(urlsplit(answer["redirect"]).query)["code"][0])
    assert (result.acr, set(result.amr)) == ("facestep", {"face", "otp"})
