from __future__ import annotations

import pytest

from tests.stack.keyring import fresh_keyring
from vault.interface import WrongMac
from vault.rows import row_mac, verify_row_mac

ROW = {"id": "1", "issuer": "https://idp.example", "subject": "alice", "last_step": 5, "used_ms": None}


@pytest.fixture
def sealer(tmp_path):
    return fresh_keyring(tmp_path)


def test_a_row_as_written_fits(sealer):
    mac = row_mac(sealer, table="totp", columns=ROW)
    verify_row_mac(sealer, mac, table="totp", columns=dict(reversed(ROW.items())))


@pytest.mark.parametrize(
    "columns",
    [
        ROW | {"subject": "bob"},
        ROW | {"issuer": "alice", "subject": "https://idp.example"},
        ROW | {"last_step": 4},
        ROW | {"last_step": "5"},
        ROW | {"last_step": 5.0},
        ROW | {"used_ms": 0},
        ROW | {"more": None},
        {name: value for name, value in ROW.items() if name != "used_ms"},
    ],
    ids=["subject", "two columns swapped", "number", "text for number", "float", "null", "added", "removed"],
)
def test_an_edited_row_does_not(sealer, columns):
    mac = row_mac(sealer, table="totp", columns=ROW)
    with pytest.raises(WrongMac):
        verify_row_mac(sealer, mac, table="totp", columns=columns)


def test_a_row_moved_to_another_table_does_not(sealer):
    with pytest.raises(WrongMac):
        verify_row_mac(sealer, row_mac(sealer, table="totp", columns=ROW), table="recovery", columns=ROW)


@pytest.mark.parametrize("mac", [b"", bytes(32)])
def test_a_stripped_mac_does_not(sealer, mac):
    with pytest.raises(WrongMac):
        verify_row_mac(sealer, mac, table="totp", columns=ROW)
