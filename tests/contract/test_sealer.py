"""What every Sealer must do. Run against the embedded keyring and against a real OpenBao, or a Vault that is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.stack.keyring import fresh_keyring
from vault import signatures
from vault.interface import (
    Ciphertext,
    Context,
    Purpose,
    Signature,
    ToOpen,
    ToSeal,
    WrongContext,
    WrongMac,
    WrongSignature,
)

ALICE = Context("https://idp.example/realms/a", "alice", Purpose.REFERENCE)
SECRET = b"the-marked-secret-of-alice"
BOUND = b"record 1"


@pytest.fixture(params=["keyring", pytest.param("transit", marks=pytest.mark.servers)])
def sealer(request, tmp_path):
    return fresh_keyring(tmp_path) if request.param == "keyring" else request.getfixturevalue("vault").sealer()


@pytest.fixture
def sealed(sealer):
    return sealer.seal(SECRET, context=ALICE, associated_data=BOUND)


@pytest.mark.parametrize("plaintext", [b"", b"\x00\xff", SECRET, bytes(4096)])
def test_what_was_sealed_opens(sealer, plaintext):
    sealed = sealer.seal(plaintext, context=ALICE, associated_data=BOUND)
    assert sealer.open(sealed, context=ALICE, associated_data=BOUND) == plaintext


def test_many_are_sealed_and_opened_in_order_and_of_several_purposes(sealer):
    items = [ToSeal(b"%d" % number, replace(ALICE, purpose=list(Purpose)[number % 4]), BOUND) for number in range(9)]
    sealed = [
        ToOpen(made, item.context, item.associated_data)
        for made, item in zip(sealer.seal_many(items), items, strict=True)
    ]
    assert sealer.open_many(sealed) == [item.plaintext for item in items]
    assert [sealer.open(each.sealed, context=each.context, associated_data=BOUND) for each in sealed][3] == b"3"
    assert (sealer.seal_many([]), sealer.open_many([])) == ([], [])


@pytest.mark.parametrize("place", [0, 4, 8])
def test_one_that_does_not_open_fails_all_of_many(sealer, place):
    items = [ToOpen(made, ALICE, BOUND) for made in sealer.seal_many([ToSeal(SECRET, ALICE, BOUND)] * 9)]
    items[place] = replace(items[place], associated_data=b"record 2")
    with pytest.raises(WrongContext):
        sealer.open_many(items)
    items[place] = replace(items[place], sealed=Ciphertext(""))
    with pytest.raises(WrongContext):
        sealer.open_many(items)


def test_sealing_twice_does_not_show_that_the_secret_is_the_same(sealer, sealed):
    assert sealer.seal(SECRET, context=ALICE, associated_data=BOUND) != sealed


def test_a_sealed_value_is_text_that_does_not_hold_the_secret(sealed):
    assert sealed.isascii()
    assert SECRET.decode() not in sealed


@pytest.mark.parametrize(
    "other",
    [
        replace(ALICE, subject="bob"),
        replace(ALICE, issuer="https://idp.example/realms/b"),
        replace(ALICE, issuer="https://idp.example/realms/aa", subject="lice"),
        *(replace(ALICE, purpose=purpose) for purpose in Purpose if purpose is not ALICE.purpose),
    ],
    ids=lambda context: f"{context.issuer[-2:]}-{context.subject}-{context.purpose}",
)
def test_it_opens_for_nobody_else(sealer, sealed, other):
    with pytest.raises(WrongContext):
        sealer.open(sealed, context=other, associated_data=BOUND)


@pytest.mark.parametrize("other", [b"", b"record 2", BOUND + b"\x00"])
def test_it_opens_only_with_the_associated_data_it_was_sealed_with(sealer, sealed, other):
    with pytest.raises(WrongContext):
        sealer.open(sealed, context=ALICE, associated_data=other)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-4],
        lambda text: text[:-6] + ("A" if text[-6] != "A" else "B") + text[-5:],
        lambda text: text.replace("v1", "v7"),
        lambda text: text.replace("v1", "v-1"),
        lambda text: "other:" + text.partition(":")[2],
        lambda text: text + "\n",
        lambda text: text[: text.rindex(":") + 1] + "A",
        lambda text: text[: text.rindex(":") + 1] + "AAAA",
        lambda _: "",
        lambda _: "keyring:v1:",
        lambda _: "vault:v1:\u00e9",
    ],
    ids=[
        "truncated",
        "one letter",
        "later version",
        "negative version",
        "prefix",
        "newline",
        "broken base64",
        "too short",
        "empty",
        "no body",
        "no text",
    ],
)
def test_a_changed_value_does_not_open(sealer, sealed, damage):
    with pytest.raises(WrongContext):
        sealer.open(Ciphertext(damage(sealed)), context=ALICE, associated_data=BOUND)


def test_a_mac_is_stable_and_its_own_for_each_label_and_message(sealer):
    made = sealer.mac(b"message", label="row:a")
    assert len(made) == 32
    assert made == sealer.mac(b"message", label="row:a")
    assert len({made, sealer.mac(b"message", label="row:b"), sealer.mac(b"messagf", label="row:a")}) == 3


@pytest.mark.parametrize(
    ("message", "label", "cut"),
    [(b"messagf", "row:a", 32), (b"message", "row:b", 32), (b"message", "row:a", 31), (b"message", "row:a", 0)],
)
def test_a_mac_fits_one_message_and_one_label(sealer, message, label, cut):
    made = sealer.mac(b"message", label="row:a")
    sealer.verify_mac(b"message", made, label="row:a")
    with pytest.raises(WrongMac):
        sealer.verify_mac(message, made[:cut], label=label)


def test_a_derived_key_is_stable_and_differs_from_every_mac(sealer):
    made = sealer.derive(b"message", label="x")
    assert len(made) == 32
    assert made == sealer.derive(b"message", label="x")
    others = [sealer.derive(b"message", label="y"), sealer.derive(b"", label="x"), sealer.mac(b"message", label="x")]
    assert made not in others


def test_a_signature_fits_one_message_and_one_label_and_verifies_without_the_vault(sealer):
    made = sealer.sign(b"checkpoint 1", label="checkpoint")
    sealer.verify_signature(b"checkpoint 1", made, label="checkpoint")
    keys = sealer.public_keys()
    signatures.verify(keys, b"checkpoint 1", made, label="checkpoint")
    for message, label in ((b"checkpoint 2", "checkpoint"), (b"checkpoint 1", "other"), (b"", "checkpoint")):
        with pytest.raises(WrongSignature):
            sealer.verify_signature(message, made, label=label)
        with pytest.raises(WrongSignature):
            signatures.verify(keys, message, made, label=label)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-4],
        lambda text: text.replace("v1", "v2"),
        lambda text: text + "\n",
        lambda text: text[:-10] + ("A" if text[-10] != "A" else "B") + text[-9:],
        lambda text: "other:" + text.partition(":")[2],
        lambda _: "",
    ],
    ids=["truncated", "later version", "newline", "one letter", "prefix", "empty"],
)
def test_a_changed_signature_does_not_verify(sealer, damage):
    made = sealer.sign(b"checkpoint 1", label="checkpoint")
    with pytest.raises(WrongSignature):
        sealer.verify_signature(b"checkpoint 1", Signature(damage(made)), label="checkpoint")


def test_a_public_key_of_another_deployment_does_not_verify(sealer, tmp_path):
    made = sealer.sign(b"checkpoint 1", label="checkpoint")
    (tmp_path / "other").mkdir()
    foreign = fresh_keyring(tmp_path / "other").public_keys()
    for keys in (foreign, {}, {1: b"short"}):
        with pytest.raises(WrongSignature):
            signatures.verify(keys, b"checkpoint 1", made, label="checkpoint")


def test_check_passes_while_it_works(sealer):
    sealer.check()
    sealer.check([Purpose.CEREMONY])


def test_it_prints_no_key(sealer):
    sealer.mac(b"message", label="row:a")
    assert len(repr(sealer)) < 200
    assert "token" not in repr(sealer)
