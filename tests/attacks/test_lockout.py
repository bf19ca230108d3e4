"""Guessing: many tries, many browsers, many threads, many workers, much patience."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from plugin.ceremonies.attempts import LIMITS, SPACING, Attempts, Counted
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import FactorRejected, LockedOut
from plugin.store.tables import Attempts as AttemptsRow
from tests.plugin.factors.world import ALICE


def locked(call, *args, **kwargs) -> LockedOut:
    with pytest.raises(LockedOut) as caught:
        call(*args, **kwargs)
    return caught.value


def wrong(world, person) -> None:
    """Enter a wrong code, each time in a new browser session."""
    right = person.code()
    guess = "000000" if right != "000000" else "111111"
    with pytest.raises(FactorRejected):
        world.totp.verify(person.comes_to(Purpose.LOGIN), guess, now=world.now)


def test_limits_are_those_of_nist():
    assert (LIMITS[Counted.FACE].consecutive, LIMITS[Counted.FACE].total) == (10, 100)
    for factor in (Counted.TOTP, Counted.RECOVERY, Counted.INVITATION, Counted.WEBAUTHN):
        assert (LIMITS[factor].consecutive, LIMITS[factor].total) == (5, 50)
    assert SPACING.total_seconds() >= 30


def test_right_code_after_five_wrong_ones_in_new_browsers_has_to_wait(world):
    person = world.person().has_totp()
    for _ in range(5):
        wrong(world, person)
    refused = locked(world.totp.verify, person.comes_to(Purpose.LOGIN), person.code(), now=world.now)
    assert (refused.code, refused.retry_after_s) == ("locked_for_now", 30)
    assert world.audited("locked_out") == [
        {"factor": "totp", "code": "locked_for_now", "factor_off": False, "retry_after_s": 30}
    ]
    world.passes(seconds=30)
    assert world.totp.verify(person.comes_to(Purpose.LOGIN), person.code(), now=world.now).stage is Stage.FACE


def test_every_further_try_has_to_wait_again(world):
    person = world.person().has_totp()
    for _ in range(5):
        wrong(world, person)
    for _ in range(3):
        world.passes(seconds=29.9)
        assert locked(world.attempts.take, person.owner, Counted.TOTP, now=world.now).retry_after_s == 1
        world.passes(seconds=0.1)
        wrong(world, person)


def test_restart_and_second_worker_do_not_forget(world):
    for _ in range(5):
        world.attempts.take(ALICE, Counted.TOTP, now=world.now)
    world.database.close()
    world.open()
    locked(world.attempts.take, ALICE, Counted.TOTP, now=world.now)


def test_forty_tries_at_once_are_five(world):
    def guess(attempts: Attempts) -> bool:
        try:
            attempts.take(ALICE, Counted.TOTP, now=world.now)
        except LockedOut:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(guess, [Attempts(world.database)] * 40))
    assert sum(taken) == 5


def test_attempt_counts_even_if_the_worker_dies_during_the_comparison(world, monkeypatch):
    person = world.person().has_totp()
    view = person.comes_to(Purpose.LOGIN)

    def dies(*_args: object, **_kwargs: object) -> bytes:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(world.sealer, "open", dies)
        for _ in range(5):
            with pytest.raises(MemoryError):
                world.totp.verify(view, "123456", now=world.now)
    locked(world.totp.verify, view, person.code(), now=world.now)


def test_fifty_failures_in_all_switch_the_factor_off_even_between_successes(world):
    for _ in range(49):
        world.attempts.take(ALICE, Counted.TOTP, now=world.now)
        world.attempts.take(ALICE, Counted.TOTP, now=world.now)
        with world.database.transaction() as session:  # the second of the two was right
            world.attempts.succeed(ALICE, Counted.TOTP, session=session)
    world.attempts.take(ALICE, Counted.TOTP, now=world.now)
    world.passes(seconds=86_400 * 365)
    refused = locked(world.attempts.take, ALICE, Counted.TOTP, now=world.now)
    assert (refused.code, refused.retry_after_s) == ("factor_off", None)


def test_success_alone_never_wears_a_factor_out(world):
    for _ in range(120):
        world.attempts.take(ALICE, Counted.TOTP, now=world.now)
        with world.database.transaction() as session:
            world.attempts.succeed(ALICE, Counted.TOTP, session=session)
    world.attempts.take(ALICE, Counted.TOTP, now=world.now)


def test_factor_that_is_off_refuses_the_right_code(world):
    person = world.person().has_totp()
    wrong(world, person)
    world.run(update(AttemptsRow).values(total=50))
    world.passes(seconds=3600)
    refused = locked(world.totp.verify, person.comes_to(Purpose.LOGIN), person.code(), now=world.now)
    assert refused.code == "factor_off"
    assert world.audited("locked_out")[-1]["factor_off"] is True


def test_guesses_at_one_person_do_not_lock_another(world):
    alice, bob = world.person().has_totp(), world.person("bob-id").has_totp()
    for _ in range(5):
        wrong(world, alice)
    assert bob.proves_totp().stage is Stage.FACE


def test_guesses_at_an_issuer_do_not_lock_the_same_id_at_another(world):
    here, there = world.person(), world.person(issuer="https://other.example")
    here.has_totp()
    there.has_totp()
    for _ in range(5):
        wrong(world, here)
    assert there.proves_totp().stage is Stage.FACE


def test_one_factor_that_is_locked_leaves_another_way(world):
    person = world.person().has_totp()
    for _ in range(5):
        wrong(world, person)
    view = world.recovery_codes.verify(person.comes_to(Purpose.LOGIN), person.codes[0], now=world.now)
    assert view.stage is Stage.FACE


@pytest.mark.parametrize("factor", ["recovery_codes", "invitations"])
def test_guesses_at_codes_on_paper_are_counted_too(world, factor):
    person = world.person()
    if factor == "recovery_codes":
        person.has_totp()
        call, purpose, guess = world.recovery_codes.verify, Purpose.LOGIN, "0" * 16
    else:
        call, purpose, guess = world.invitations.redeem, Purpose.ENROL, "0" * 12
    for _ in range(5):
        with pytest.raises(FactorRejected):
            call(person.comes_to(purpose), guess, now=world.now)
    locked(call, person.comes_to(purpose), guess, now=world.now)


def test_passkey_tries_are_counted(world):
    person = world.person().has_key()
    for _ in range(5):
        options = world.webauthn.authentication_options(person.comes_to(Purpose.LOGIN), now=world.now)
        with pytest.raises(FactorRejected):
            world.webauthn.authenticate(options.view, {}, now=world.now)
    options = world.webauthn.authentication_options(person.comes_to(Purpose.LOGIN), now=world.now)
    locked(world.webauthn.authenticate, options.view, person.key.get(options.json), now=world.now)
