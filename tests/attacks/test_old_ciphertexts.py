"""Threat: an old row comes back after its key was rotated: from a stolen backup, or by who writes to the database.

Why keys are rotated at all: what was copied before must stop being worth something. Once the old version is refused,
an old row does not open, however well it is signed; and no version number that is written over it helps.
"""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from plugin.factors.references import binding_of
from plugin.store.integrity import check
from plugin.store.tables import Reference
from tests.plugin.rotation.stored import Stored, held
from tests.stack.database import fresh_database
from vault.interface import KeyTooOld, Purpose, VaultDenied, WrongContext

__all__ = ["held"]


@pytest.fixture
def stolen(tmp_path, held):
    """A database whose rows were copied, and then rotated; the copy still has every row with its MAC."""
    sealer, rotator, macs = held
    with fresh_database(tmp_path) as database:
        stored = Stored(database, sealer)
        stored.fill(3)
        with database.reading() as session:
            stored.copied = [dict(row) for row in session.execute(text("SELECT * FROM face_references")).mappings()]
        assert stored.rotate(rotator, sealer=macs)[Purpose.REFERENCE].finished
        yield stored


def put_back(stored, changes=()):
    """Write the copied rows over those that are there."""
    with stored.database.transaction() as session:
        for row in stored.copied:
            assigned = ", ".join(f"{name} = :{name}" for name in row)
            session.execute(text(f"UPDATE face_references SET {assigned} WHERE id = :id"), row | dict(changes))  # noqa: S608


def test_an_old_row_put_back_with_its_own_mac_does_not_open(stolen):
    put_back(stolen)
    with stolen.database.reading() as session:
        check(session.get_one(Reference, "record-person-0000"), sealer=stolen.sealer)  # the MAC alone does not see it
    with pytest.raises(KeyTooOld):
        stolen.everything_opens()


def test_an_old_ciphertext_with_another_version_written_over_it_does_not_open(stolen):
    for row in stolen.copied:
        for version in (2, 3, 99):
            forged = re.sub(r":v\d+:", f":v{version}:", row["sealed_embeddings"])
            binding = binding_of(Reference(**row))
            with pytest.raises(WrongContext):
                stolen.sealer.open(forged, context=binding.context(), associated_data=binding.associated_data())


def test_a_rotation_does_not_make_an_old_row_good_again(stolen, held):
    """Else the attacker would only have to wait for the next one."""
    put_back(stolen)
    done = stolen.rotate(held[1], sealer=held[2])[Purpose.REFERENCE]
    assert (done.rewrapped, done.left, done.finished) == (0, {"face_references": 3}, False)
    assert stolen.events().count("integrity_failed") == 3
    with pytest.raises(KeyTooOld):
        stolen.everything_opens()


@pytest.mark.servers
def test_the_services_token_cannot_make_the_old_version_open_again(vault):
    config = f"{vault.mount}/keys/facestep-reference/config"
    with pytest.raises(VaultDenied):
        vault.sealer().client.call("POST", config, {"min_decryption_version": 1}, action="attack")


@pytest.mark.servers
def test_an_admin_who_restores_a_backup_can_let_it_open_and_rotate_it(vault, tmp_path):
    """No attack, but what docs/operations.md promises to whoever has to."""
    with fresh_database(tmp_path) as database:
        stored = Stored(database, vault.sealer())
        stored.rotate(vault.rotator())  # finishes what another test left of the key they share
        before = vault.rotator().versions(Purpose.REFERENCE).newest
        stored.fill(2)
        with database.reading() as session:
            stored.copied = [dict(row) for row in session.execute(text("SELECT * FROM face_references")).mappings()]
        stored.rotate(vault.rotator())
        put_back(stored)
        config = f"{vault.mount}/keys/facestep-reference/config"
        vault.call("POST", config, {"min_decryption_version": before})
        done = stored.rotate(vault.rotator())[Purpose.REFERENCE]
        assert (done.resumed, done.rewrapped, done.finished) == (True, 2, True)
        assert stored.everything_opens()
