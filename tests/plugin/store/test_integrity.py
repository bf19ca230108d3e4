from __future__ import annotations

import pytest
from sqlalchemy import text

from plugin.store.helpdesk_tables import HelpdeskCase
from plugin.store.integrity import ADDED, UNSIGNED, check, covered, mac_of, sign
from plugin.store.tables import Base, Invitation, Reference, ResultCode, WebauthnCredential
from tests.stack.database import fresh_database
from tests.stack.keyring import fresh_keyring
from vault.interface import WrongMac


@pytest.fixture
def sealer(tmp_path):
    return fresh_keyring(tmp_path)


@pytest.fixture
def database(tmp_path):
    with fresh_database(tmp_path) as database:
        yield database


def passkey():
    return WebauthnCredential(
        id="1",
        issuer="https://idp.example",
        subject="alice",
        credential_id=b"\x00\xff",
        public_key=b"key",
        sign_count=0,
        transports=["usb", "nfc"],
        aaguid="0",
        backed_up=False,
        backup_eligible=False,
        created_ms=1,
        last_used_ms=None,
    )


def stored(database, sealer):
    row = passkey()
    sign(row, sealer=sealer)
    with database.transaction() as session:
        session.add(row)


def loaded(database):
    with database.reading() as session:
        return session.get_one(WebauthnCredential, "1")


def test_a_row_fits_after_a_round_trip_through_the_database(database, sealer):
    stored(database, sealer)
    check(loaded(database), sealer=sealer)


@pytest.mark.parametrize(
    "edit",
    [
        "subject = 'bob'",
        "issuer = 'https://other.example'",
        "public_key = x'00'",
        "sign_count = 1",
        "sign_count = 0.5",
        "transports = '[\"usb\"]'",
        "backed_up = 1",
        "last_used_ms = 0",
        "aaguid = x'30'",
        "aaguid = CAST(x'ff' AS TEXT)",
        "mac = x''",
        "mac = zeroblob(32)",
    ],
)
def test_a_row_edited_in_the_database_does_not(database, sealer, edit):
    stored(database, sealer)
    with database.transaction() as session:
        session.execute(text(f"UPDATE webauthn_credentials SET {edit}"))  # noqa: S608  (the cases above)
    with pytest.raises(WrongMac):
        check(loaded(database), sealer=sealer)


def test_every_column_of_every_signed_table_is_covered_but_those_named(sealer):
    signed = [mapper.class_ for mapper in Base.registry.mappers if "mac" in mapper.columns]
    assert {Reference, WebauthnCredential, Invitation, ResultCode} <= set(signed)
    for table in signed:
        columns = set(table.__table__.columns.keys())
        left_out = columns - set(covered(table()))
        added = ADDED.get(table.__tablename__, frozenset())
        assert left_out == {"mac"} | UNSIGNED.get(table.__tablename__, frozenset()) | added
        assert added <= set(covered(table(**dict.fromkeys(added, ""))))


def test_a_change_that_is_still_to_come_can_be_signed(sealer):
    row = passkey()
    mac = mac_of(row, sealer=sealer, changed={"sign_count": 9})
    row.sign_count = 9
    assert mac == mac_of(row, sealer=sealer)


@pytest.mark.parametrize("column", ["mac", "nonsense"])
def test_a_change_of_a_column_that_is_not_signed_is_a_mistake(sealer, column):
    with pytest.raises(KeyError, match=column):
        mac_of(passkey(), sealer=sealer, changed={column: b""})


def test_a_row_of_before_a_column_was_added_keeps_its_mac(sealer):
    """And one of now does not get away without that column."""
    before = HelpdeskCase(id="one", state="open")
    sign(before, sealer=sealer)
    before.action = None
    check(before, sealer=sealer)
    now = HelpdeskCase(id="one", state="open", action="", target="", noted_by=[])
    sign(now, sealer=sealer)
    now.action = None
    with pytest.raises(WrongMac):
        check(now, sealer=sealer)
