"""Rotation of everything that is stored: finished, interrupted, resumed, disturbed; with the keyring and transit."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import timedelta

import pytest

from plugin.rotation.rows import SealedRows
from plugin.rotation.tables import REWRAPPED, WAITED_FOR
from plugin.store.integrity import sign
from plugin.store.tables import Base, TotpSecret
from tests.plugin.rotation.stored import REALM, Stored, held
from tests.stack.database import fresh_database
from tests.stack.keyring import fresh_keyring
from vault.encoding import canonical
from vault.interface import Context, Purpose
from vault.policies import Role, policy_rules

__all__ = ["held"]

MOVED = {Purpose.REFERENCE, Purpose.FACTOR_SECRET, Purpose.SIGNING_KEY}


@pytest.fixture
def stored(tmp_path, held):
    with fresh_database(tmp_path) as database:
        stored = Stored(database, held[0])
        stored.fill(7)
        yield stored


@pytest.fixture
def rotator(held):
    return held[1]


@pytest.fixture
def macs(held):
    """What the rotator makes MACs with: its token, not the service's."""
    return held[2]


class Stopped(Exception):  # noqa: N818
    pass


class StoppingRotator:
    """Stops before the call that comes after `calls` batches."""

    def __init__(self, rotator, calls):
        self._rotator, self._left = rotator, calls

    def rewrap_many(self, items):
        if self._left == 0:
            raise Stopped
        self._left -= 1
        return self._rotator.rewrap_many(items)

    def __getattr__(self, name):
        return getattr(self._rotator, name)


@pytest.mark.parametrize("batch", [1, 3, 7, 500])
def test_every_row_is_moved_and_opens_and_only_the_newest_version_stays(stored, rotator, macs, batch):
    newest = rotator.versions(Purpose.REFERENCE).newest + 1
    done = stored.rotate(rotator, sealer=macs, batch=batch)
    assert stored.everything_opens()
    assert stored.marks() == {rotator.mark(newest)}
    assert {purpose: outcome.rewrapped for purpose, outcome in done.items()} == {
        Purpose.REFERENCE: 7,
        Purpose.FACTOR_SECRET: 7,
        Purpose.SIGNING_KEY: 1,
        Purpose.CEREMONY: 0,
    }
    for purpose in MOVED:
        assert done[purpose].finished
        assert rotator.versions(purpose).oldest == rotator.versions(purpose).newest


@pytest.mark.parametrize("calls", [0, 1, 2, 4])
def test_what_was_interrupted_opens_and_is_carried_on_with_the_same_version(stored, rotator, macs, calls):
    newest = rotator.versions(Purpose.REFERENCE).newest + 1
    with pytest.raises(Stopped):
        stored.rotate(StoppingRotator(rotator, calls), sealer=macs)
    assert stored.everything_opens()
    assert rotator.versions(Purpose.REFERENCE).oldest < newest
    done = stored.rotate(rotator, sealer=macs)
    assert stored.everything_opens()
    assert done[Purpose.REFERENCE].resumed
    assert done[Purpose.REFERENCE].version == rotator.versions(Purpose.REFERENCE).newest == newest
    assert stored.marks() == {rotator.mark(newest)}


def test_a_row_that_is_not_as_written_is_left_alone_and_keeps_the_old_version(stored, rotator, macs):
    stored.write("UPDATE face_references SET expires_ms = expires_ms + 1 WHERE subject = 'person-0003'")
    done = stored.rotate(rotator, sealer=macs)
    assert done[Purpose.REFERENCE].left == {"face_references": 1}
    assert not done[Purpose.REFERENCE].finished
    assert done[Purpose.REFERENCE].rewrapped == 6
    versions = rotator.versions(Purpose.REFERENCE)
    assert versions.oldest < versions.newest
    assert stored.events().count("integrity_failed") == 1
    stored.write("UPDATE face_references SET expires_ms = expires_ms - 1 WHERE subject = 'person-0003'")
    assert stored.rotate(rotator, sealer=macs)[Purpose.REFERENCE].finished
    assert stored.everything_opens()


def test_a_login_that_changes_a_row_meanwhile_wins_and_its_row_is_moved_after_all(stored, rotator, macs):
    """The TOTP step of person 2 is used between reading and writing: a stale write would make it unused again."""
    tables = stored.tables(macs)
    secrets = next(table for table in tables if table.purpose is Purpose.FACTOR_SECRET)

    class Disturbed:
        def __getattr__(self, name):
            return getattr(secrets, name)

        def write(self, changed):
            if not self.__dict__.setdefault("done", False):
                self.done = True
                use_step(stored, "totp-person-0002", 8)
            return secrets.write(changed)

    tables[tables.index(secrets)] = Disturbed()
    done = stored.rotate(rotator, tables=tables)
    assert done[Purpose.FACTOR_SECRET].finished
    assert done[Purpose.FACTOR_SECRET].rewrapped == 7
    assert stored.everything_opens()
    with stored.database.reading() as session:
        assert session.get_one(TotpSecret, "totp-person-0002").last_step == 8


def use_step(stored, row_id, step):
    with stored.database.transaction() as session:
        row = session.get_one(TotpSecret, row_id)
        row.last_step = step
        sign(row, sealer=stored.sealer)


def test_a_login_under_way_keeps_its_version_until_it_ends(stored, rotator, macs):
    context = Context(REALM, "person-0000", Purpose.CEREMONY)
    sealed = stored.sealer.seal(b"scratch", context=context, associated_data=b"")
    stored.begin_login(sealed=sealed)
    first = stored.rotate(rotator, sealer=macs)[Purpose.CEREMONY]
    assert (first.left, first.finished) == ({"ceremonies": 1}, False)
    assert stored.sealer.open(sealed, context=context, associated_data=b"") == b"scratch"
    stored.now += timedelta(minutes=6)
    second = stored.rotate(rotator, sealer=macs)[Purpose.CEREMONY]
    assert (second.left, second.finished, second.resumed, second.version) == ({}, True, True, first.version)
    assert stored.everything_opens()


def test_a_service_that_runs_meanwhile_goes_on_sealing_and_opening(stored, rotator, macs):
    with pytest.raises(Stopped):
        stored.rotate(StoppingRotator(rotator, 1), sealer=macs)
    stored.enrol("person-0007", 7)
    assert stored.everything_opens()
    stored.rotate(rotator, sealer=macs)
    assert stored.everything_opens()


def test_both_databases_move_rows_and_refuse_a_stale_write(database, tmp_path):
    keyring = fresh_keyring(tmp_path)
    stored = Stored(database, keyring)
    stored.fill(5)
    with pytest.raises(Stopped):
        stored.rotate(StoppingRotator(keyring, 2), batch=2)
    assert stored.everything_opens()
    table = next(table for table in stored.tables() if table.purpose is Purpose.FACTOR_SECRET)
    values, _ = table.batch(keyring.mark(2), after="", limit=2)
    use_step(stored, "totp-person-0000", 8)
    new = keyring.rewrap_many([value.item for value in values])
    assert table.write(list(zip(values, new, strict=True))) == 1  # person 0 logged in meanwhile
    done = stored.rotate(keyring, batch=2)
    assert all(outcome.finished for outcome in done.values())
    assert stored.marks() == {keyring.mark(2)}
    assert stored.everything_opens()


def test_every_sealed_column_is_known_to_the_rotation():
    columns = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.startswith("sealed_")
    }
    known = {str(attribute) for attribute in (*REWRAPPED, *WAITED_FOR)}
    assert columns == {str(attribute.property.columns[0]) for attribute in (*REWRAPPED, *WAITED_FOR)}, known


def test_each_rewrapped_column_has_a_table_that_moves_it(stored):
    moved = {str(table._sealed) for table in stored.tables() if isinstance(table, SealedRows)}
    assert moved == {str(attribute.property.columns[0]) for attribute in REWRAPPED}


def test_the_rotators_policy_names_the_mac_keys_of_exactly_the_tables_that_need_new_macs():
    tables = {attribute.class_.__table__ for attribute in REWRAPPED}
    needed = {canonical("mac", f"row:{table.name}") for table in tables if "mac" in table.columns}
    inputs = re.search(r'"input" = \[([^\]]+)\]', policy_rules(Role.ROTATOR)).group(1)
    assert {b64decode(text) for text in re.findall(r'"([^"]+)"', inputs)} == needed
