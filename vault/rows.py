"""A keyed MAC over a whole database row: who can write to the database still cannot write a row that we believe.

Rules:
 * Every column is covered, with its name, and the table's name is part of the key's label. A value moved to another
   column, row, subject or table does not fit.
 * Check before use: a row that does not fit is never looked at further.

What it cannot notice: a row that was deleted, and a whole older row put back with its older MAC.

Not here: which columns a table has (plugin/store/integrity.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.encoding import canonical
from vault.interface import WrongMac

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.encoding import Value
    from vault.interface import Sealer


def row_mac(sealer: Sealer, *, table: str, columns: Mapping[str, Value]) -> bytes:
    """Return the 32 bytes to store beside the row."""
    return sealer.mac(canonical(columns), label=f"row:{table}")


def verify_row_mac(sealer: Sealer, mac: bytes, *, table: str, columns: Mapping[str, Value]) -> None:
    """Raise WrongMac unless `mac` was made for exactly these columns of this table."""
    try:
        message = canonical(columns)
    except TypeError as exc:  # a column holds what we never write
        raise WrongMac(f"a row of {table} holds a value of another type") from exc
    sealer.verify_mac(message, mac, label=f"row:{table}")
