"""Somebody who can write to the database changes the audit log; `verify` finds it and says what was done, and where.

Each attack is made on both databases. What the chain alone cannot show is said as well: then a checkpoint, which the
vault signed, or a head that was noted elsewhere, shows it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from plugin.audit.chain import COLUMNS, ENTRIES, ChainBroken, Found, Head, hash_of
from plugin.audit.checkpoints import Checkpoints, parse
from plugin.audit.log import AuditLog
from plugin.errors import ServiceError
from plugin.store.tables import AuditCheckpoint
from tests.stack.keyring import fresh_keyring

NOW = datetime(2026, 1, 1, 12, 0, 0, 123000, tzinfo=UTC)
HERE, THERE = "https://facestep.example", "https://other.example"
CHECKPOINTS = AuditCheckpoint.__table__


class Attacker:
    """A log of ten entries, checkpoints at the fourth and the eighth, and somebody with the database's password."""

    def __init__(self, database, folder) -> None:
        self.database = database
        self.log = AuditLog(database)
        self.sealer = fresh_keyring(folder)
        self.checkpoints = Checkpoints(database, signer=self.sealer, deployment=HERE)
        self.noted = []
        for number in (4, 4, 2):
            self.fill(number)
            if number == 4:
                self.noted.append(self.checkpoints.make(now=NOW))
        self.head = self.log.verify().head

    def fill(self, count):
        for _ in range(count):
            self.log.append("factor_refused", at=NOW, issuer="i", subject="alice", details={"factor": "totp"})

    def run(self, *statements):
        with self.database.transaction() as session:
            for statement in statements:
                session.execute(statement)

    def entry(self, seq):
        with self.database.reading() as session:
            row = session.execute(select(ENTRIES).where(ENTRIES.c.seq == seq)).first()
        return dict(zip(COLUMNS, row, strict=True)) if row else None

    def edit(self, which, /, **values):
        self.run(update(ENTRIES).where(ENTRIES.c.seq == which).values(**values))

    def remove(self, *seqs):
        self.run(delete(ENTRIES).where(ENTRIES.c.seq.in_(seqs)))

    def move(self, old, new):
        self.edit(old, seq=new)

    def push_back(self, first):
        for seq in range(10, first - 1, -1):
            self.move(seq, seq + 1)

    def insert(self, seq, **changed):
        entry = {**self.entry(seq - 1), "event": "enrolled", **changed, "seq": seq}
        self.run(insert(ENTRIES).values(**entry))

    def rehash(self, *seqs):
        """Make hashes fit again, as somebody does who has read our code."""
        for seq in seqs:
            before = self.entry(seq - 1)
            entry = {**self.entry(seq), "previous_hash": before["entry_hash"] if before else bytes(32)}
            self.edit(seq, previous_hash=entry["previous_hash"], entry_hash=hash_of(entry))

    def finds(self, **noted):
        with pytest.raises(ChainBroken) as broken:
            self.checkpoints.verify(**noted)
        return broken.value.found, broken.value.first, broken.value.last

    def chain_alone_finds(self):
        with pytest.raises(ChainBroken) as broken:
            self.log.verify()
        return broken.value.found, broken.value.first, broken.value.last


@pytest.fixture
def attacker(database, tmp_path):
    return Attacker(database, tmp_path)


def test_the_log_as_written_passes(attacker):
    chain, checkpoints = attacker.checkpoints.verify(noted=tuple(attacker.noted), expected_head=attacker.head)
    assert chain.head == attacker.head
    assert [checkpoint.seq for checkpoint in checkpoints] == [4, 8]


@pytest.mark.parametrize("column", ["event", "issuer", "subject", "ceremony_id", "details", "stream"])
def test_an_edited_entry(attacker, column):
    attacker.edit(6, **{column: "x"})
    expected = Found.REMOVED if column == "stream" else Found.EDITED
    assert attacker.finds() == (expected, 6, 6)


@pytest.mark.parametrize("column", ["at_ms", "previous_hash", "entry_hash"])
def test_an_edited_time_or_hash(attacker, column):
    attacker.edit(6, **{column: 1 if column == "at_ms" else bytes(32)})
    assert attacker.finds() == (Found.EDITED, 6, 6)


def test_an_entry_edited_together_with_its_hash(attacker):
    attacker.edit(6, subject="mallory")
    attacker.rehash(6)
    assert attacker.chain_alone_finds() == (Found.EDITED, 6, 6)


def test_the_last_entry_edited_together_with_its_hash(attacker):
    """Nothing follows that would name the old hash: it takes a head noted elsewhere, or the next checkpoint."""
    attacker.edit(10, subject="mallory")
    attacker.rehash(10)
    attacker.checkpoints.verify()
    assert attacker.finds(expected_head=attacker.head) == (Found.REWRITTEN, 9, 10)


@pytest.mark.parametrize("seqs", [(1,), (6,), (5, 6, 7), (1, 2, 3, 4, 5)])
def test_removed_entries(attacker, seqs):
    attacker.remove(*seqs)
    assert attacker.finds() == (Found.REMOVED, seqs[0], seqs[-1])


@pytest.mark.parametrize("seq", [1, 6])
def test_a_removed_entry_whose_gap_was_closed(attacker, seq):
    attacker.remove(seq)
    for number in range(seq + 1, 11):
        attacker.move(number, number - 1)
    assert attacker.finds() == (Found.REMOVED, seq, seq)


def test_an_inserted_entry_that_chains_to_the_one_before(attacker):
    attacker.push_back(6)
    attacker.insert(6)
    attacker.rehash(6)
    assert attacker.finds() == (Found.INSERTED, 6, 6)


def test_an_inserted_entry_with_any_hash(attacker):
    attacker.push_back(6)
    attacker.insert(6)
    assert attacker.finds() == (Found.INSERTED, 6, 6)


def test_an_inserted_entry_whose_own_hash_fits(attacker):
    attacker.push_back(6)
    attacker.insert(6, previous_hash=bytes(32))
    attacker.edit(6, entry_hash=hash_of(attacker.entry(6)))
    assert attacker.finds() == (Found.INSERTED, 6, 6)


@pytest.mark.parametrize(("one", "other"), [(6, 7), (2, 9), (1, 10)])
def test_two_entries_that_changed_places(attacker, one, other):
    for old, new in ((one, 99), (other, one), (99, other)):
        attacker.move(old, new)
    assert attacker.finds() == (Found.REORDERED, one, one)


def test_an_entry_that_was_moved_to_the_end(attacker):
    attacker.move(6, 11)
    assert attacker.finds() == (Found.REORDERED, 6, 6)


def test_a_cut_off_end_shows_against_a_checkpoint_and_against_a_noted_head(attacker):
    attacker.remove(10)
    attacker.checkpoints.verify()  # what no checkpoint covers yet is not missed
    assert attacker.finds(expected_head=attacker.head) == (Found.CUT_OFF, 10, 10)
    attacker.remove(6, 7, 8, 9)
    attacker.log.verify()  # the chain alone cannot know
    assert attacker.finds() == (Found.CUT_OFF, 6, 8)


def test_an_emptied_log_is_not_an_empty_one(attacker):
    attacker.remove(*range(1, 11))
    assert attacker.finds() == (Found.CUT_OFF, 1, 8)


def test_a_chain_written_anew_from_some_entry_on(attacker):
    attacker.edit(6, subject="mallory")
    attacker.rehash(*range(6, 11))
    attacker.log.verify()
    assert attacker.finds() == (Found.REWRITTEN, 5, 8)  # the checkpoint at 4 still fits


def test_a_chain_written_anew_after_the_last_checkpoint_shows_against_a_noted_head(attacker):
    attacker.edit(9, subject="mallory")
    attacker.rehash(9, 10)
    attacker.checkpoints.verify()
    assert attacker.finds(expected_head=attacker.head) == (Found.REWRITTEN, 9, 10)


def test_a_chain_written_anew_before_the_last_checkpoint_is_not_signed(attacker):
    attacker.edit(8, subject="mallory")
    attacker.rehash(8, 9, 10)
    with pytest.raises(ChainBroken) as broken:
        attacker.checkpoints.make(now=NOW)
    assert (broken.value.found, broken.value.first) == (Found.REWRITTEN, 8)
    assert attacker.checkpoints.newest().number == 2


def test_a_log_that_was_edited_since_the_last_checkpoint_is_not_signed(attacker):
    attacker.edit(9, subject="mallory")
    with pytest.raises(ChainBroken) as broken:
        attacker.checkpoints.make(now=NOW)
    assert (broken.value.found, broken.value.first) == (Found.EDITED, 9)


def edit_checkpoint(attacker, which, /, **values):
    attacker.run(update(CHECKPOINTS).where(CHECKPOINTS.c.number == which).values(**values))


def test_a_checkpoint_forged_to_cover_a_chain_written_anew(attacker):
    attacker.edit(6, subject="mallory")
    attacker.rehash(*range(6, 11))
    edit_checkpoint(attacker, 2, entry_hash=attacker.entry(8)["entry_hash"])
    assert attacker.finds() == (Found.CHECKPOINT, 2, 2)


def test_a_checkpoint_signed_with_a_key_of_the_attackers_own(attacker, tmp_path):
    (tmp_path / "own").mkdir()
    own = fresh_keyring(tmp_path / "own")
    attacker.run(delete(CHECKPOINTS))
    Checkpoints(attacker.database, signer=own, deployment=HERE).make(now=NOW)
    assert attacker.finds() == (Found.CHECKPOINT, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"signature": ""},
        {"signature": "keyring:v1:" + "A" * 86 + "=="},
        {"signature": "keyring:v2:" + "A" * 86 + "=="},
        {"seq": 7},
        {"at_ms": 1},
        {"previous_hash": bytes(32)},
        {"entry_hash": b""},
        {"deployment": THERE},
        {"number": 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_checkpoint_with_one_column_changed(attacker, change):
    edit_checkpoint(attacker, 2, **change)
    assert attacker.finds() == (Found.CHECKPOINT, 2, 2)


def test_a_checkpoint_of_another_deployment_that_shares_the_vault(attacker):
    """Its signature is good; it speaks of another log."""
    theirs = Checkpoints(attacker.database, signer=attacker.sealer, deployment=THERE)
    attacker.run(delete(CHECKPOINTS))
    theirs.make(now=NOW)
    assert attacker.finds() == (Found.CHECKPOINT, 1, 1)


def test_a_checkpoint_of_another_stream(attacker):
    AuditLog(attacker.database, stream="helpdesk").append("erased", at=NOW)
    Checkpoints(attacker.database, signer=attacker.sealer, deployment=HERE, stream="helpdesk").make(now=NOW)
    attacker.run(delete(CHECKPOINTS).where(CHECKPOINTS.c.stream == "service"))
    attacker.run(update(CHECKPOINTS).values(stream="service"))
    assert attacker.finds() == (Found.CHECKPOINT, 1, 1)


def test_a_checkpoint_taken_out_of_the_middle(attacker):
    attacker.run(delete(CHECKPOINTS).where(CHECKPOINTS.c.number == 1))
    assert attacker.finds() == (Found.CHECKPOINT, 1, 1)


def test_an_older_state_of_everything_put_back_shows_against_a_checkpoint_kept_elsewhere(attacker):
    kept = parse(as_text(attacker.noted[1]))
    attacker.remove(5, 6, 7, 8, 9, 10)
    attacker.run(delete(CHECKPOINTS).where(CHECKPOINTS.c.number == 2))
    attacker.checkpoints.verify()  # an older database is consistent in itself
    assert attacker.finds(noted=(kept,)) == (Found.CHECKPOINT, 2, 2)


def test_a_kept_checkpoint_that_somebody_made_up_is_not_believed(attacker):
    made_up = replace(attacker.noted[1], seq=10, entry_hash=attacker.head.entry_hash)
    assert attacker.finds(noted=(made_up,)) == (Found.CHECKPOINT, 2, 2)


def as_text(checkpoint):
    return json.dumps(checkpoint.as_json())


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"seq": 1}', "1:00"])
def test_what_is_no_checkpoint_is_refused_not_ignored(text):
    with pytest.raises(ServiceError, match="checkpoint_unreadable"):
        parse(text)


def test_every_field_of_a_checkpoint_is_under_the_signature(attacker):
    good = attacker.noted[1]
    for name, value in asdict(good).items():
        if name != "signature":
            other = value + 1 if isinstance(value, int) else value + value[:1]
            assert replace(good, **{name: other}).signed() != good.signed(), name


def test_signing_again_without_anything_new_gives_the_same_checkpoint(attacker):
    first = attacker.checkpoints.make(now=NOW)
    assert attacker.checkpoints.make(now=NOW + timedelta(hours=1)) == first
    assert first.head == attacker.head


def test_a_long_log_gets_its_checkpoints_in_steps(attacker):
    attacker.run(delete(CHECKPOINTS))
    reached = [attacker.checkpoints.make(now=NOW, most=4).seq for _ in range(4)]
    assert reached == [4, 8, 10, 10]
    attacker.checkpoints.verify()


def test_of_two_that_sign_at_once_one_wins(attacker, monkeypatch):
    sign = attacker.sealer.sign

    def overtaken(message, *, label):
        monkeypatch.setattr(attacker.sealer, "sign", sign)
        Checkpoints(attacker.database, signer=attacker.sealer, deployment=HERE).make(now=NOW + timedelta(seconds=1))
        return sign(message, label=label)

    monkeypatch.setattr(attacker.sealer, "sign", overtaken)
    made = attacker.checkpoints.make(now=NOW)
    assert (made.number, made.at) == (3, NOW + timedelta(seconds=1))
    assert len(attacker.checkpoints.verify()[1]) == 3


def test_an_empty_log_has_nothing_to_sign(database, tmp_path):
    assert Checkpoints(database, signer=fresh_keyring(tmp_path), deployment=HERE).make(now=NOW) is None


def test_a_noted_head_reads_as_it_was_printed(attacker):
    number, _, digest = str(attacker.head).partition(":")
    assert Head(int(number), bytes.fromhex(digest)) == attacker.head
