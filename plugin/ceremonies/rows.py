"""The keyed MAC over a row: whoever can write to the database still cannot write a row that we believe.

What it does not stop: putting back a whole older row with its older MAC (a restored backup), or deleting a row.

Not here: the key (the sealer keeps it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.encoding import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from plugin.store.tables import Base
    from vault.interface import Sealer

UNCOVERED = {"result_codes": frozenset({"used_ms"})}
"""Set by an UPDATE that reads nothing first; such a column can only be turned from unused to used by our own code."""


def columns_of(row: Base) -> dict[str, Any]:
    """Return what the MAC covers, by column name."""
    without = UNCOVERED.get(row.__tablename__, frozenset()) | {"mac"}
    return {column.key: getattr(row, column.key) for column in row.__table__.columns if column.key not in without}


def row_mac(row: Base, *, sealer: Sealer, changed: Mapping[str, Any] | None = None) -> bytes:
    """Return the MAC of `row`, or of `row` with some columns `changed` (for an UPDATE that is still to come)."""
    columns = columns_of(row) | dict(changed or {})
    return sealer.mac(canonical(columns), label=f"row:{row.__tablename__}")


def check_row(row: Any, *, sealer: Sealer) -> None:
    """Raise vault.interface.WrongMac unless the row is as we wrote it."""
    sealer.verify_mac(canonical(columns_of(row)), row.mac, label=f"row:{row.__tablename__}")
