"""What every Rotator must do. Run against the embedded keyring and against a real transit, with the rotator's token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.stack.keyring import fresh_keyring
from tests.stack.real_vault import real_vault
from vault.interface import Ciphertext, Context, KeyTooOld, KeyVersions, Purpose, ToOpen, ToSeal, WrongContext

ALICE = Context("https://idp.example/realms/a", "alice", Purpose.REFERENCE)
SECRET, BOUND = b"the-marked-secret-of-alice", b"record 1"


@pytest.fixture(params=["keyring", pytest.param("transit", marks=pytest.mark.servers)])
def pair(request, tmp_path):
    """A rotator, and the sealer of a running service; they hold different tokens."""
    if request.param == "keyring":
        sealer = fresh_keyring(tmp_path)
        yield sealer, sealer
        return
    with real_vault(request.getfixturevalue("vault_server")) as vault:
        yield vault.rotator(), vault.sealer()


@pytest.fixture
def rotator(pair):
    return pair[0]


@pytest.fixture
def sealer(pair):
    return pair[1]


def sealed_by(sealer, *, context=ALICE, bound=BOUND):
    return ToOpen(sealer.seal(SECRET, context=context, associated_data=bound), context, bound)


def opens(sealer, item):
    return sealer.open(item.sealed, context=item.context, associated_data=item.associated_data) == SECRET


def test_versions_move_on_step_by_step(rotator, sealer):
    """One test for the life of a key, since each step builds on the one before."""
    old = sealed_by(sealer)
    assert rotator.versions(Purpose.REFERENCE) == KeyVersions(newest=1, oldest=1)
    assert rotator.add_version(Purpose.REFERENCE) == KeyVersions(newest=2, oldest=1)
    assert sealed_by(sealer).sealed.startswith(rotator.mark(2))  # a running service seals with it at once
    assert opens(sealer, old)
    new = replace(old, sealed=rotator.rewrap_many([old])[0])
    assert new.sealed.startswith(rotator.mark(2))
    assert opens(sealer, new)
    rotator.forget_older(Purpose.REFERENCE, than=2)
    assert rotator.versions(Purpose.REFERENCE) == KeyVersions(newest=2, oldest=2)
    assert opens(sealer, new)
    with pytest.raises(KeyTooOld):
        opens(sealer, old)
    with pytest.raises(KeyTooOld):
        sealer.open_many([old])
    assert isinstance(rotator.rewrap_many([old])[0], KeyTooOld)
    rotator.forget_older(Purpose.REFERENCE, than=1)  # never lowers it
    assert rotator.versions(Purpose.REFERENCE).oldest == 2


def test_each_value_is_rewrapped_for_itself_and_one_that_does_not_open_stops_no_other(rotator, sealer):
    contexts = [replace(ALICE, subject=f"person {number}") for number in range(5)]
    items = [sealed_by(sealer, context=context, bound=context.subject.encode()) for context in contexts]
    rotator.add_version(Purpose.REFERENCE)
    damaged = [
        items[0],
        replace(items[1], context=contexts[2]),
        replace(items[2], associated_data=b"another record"),
        replace(items[3], sealed=Ciphertext("nonsense\n")),
        items[4],
    ]
    made = rotator.rewrap_many(damaged)
    assert [isinstance(each, WrongContext) for each in made] == [False, True, True, True, False]
    for place in (0, 4):
        assert opens(sealer, replace(items[place], sealed=made[place]))


def test_values_of_several_purposes_are_rewrapped_in_one_go(rotator, sealer):
    purposes = [Purpose.REFERENCE, Purpose.FACTOR_SECRET, Purpose.SIGNING_KEY]
    items = [sealed_by(sealer, context=replace(ALICE, purpose=purpose)) for purpose in purposes * 3]
    for purpose in purposes:
        if rotator.versions(purpose).newest == 1:
            rotator.add_version(purpose)
    made = rotator.rewrap_many(items)
    assert all(opens(sealer, replace(item, sealed=sealed)) for item, sealed in zip(items, made, strict=True))


def test_many_more_than_one_call_takes(rotator, sealer):
    items = [ToOpen(made, ALICE, BOUND) for made in sealer.seal_many([ToSeal(SECRET, ALICE, BOUND)] * 1001)]
    rotator.add_version(Purpose.REFERENCE)
    made = rotator.rewrap_many(items)
    assert len(made) == 1001
    assert sealer.open_many([replace(items[0], sealed=each) for each in made]) == [SECRET] * 1001
