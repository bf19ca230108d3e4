"""Sign a row before it is written, check it after it is read.

Rules:
 * All columns are covered, those added later too, except `mac` itself and what a table names in `unsigned`.
 * A table may leave a column out only if a single UPDATE sets it from empty to used and nothing trusts it otherwise.
 * A column that was added to a table later is left out where it is NULL: so rows of before keep their MAC. Rows of now
   never have NULL there; to write it is to make the MAC wrong.

    sign(row, sealer=sealer); session.add(row)
    row = session.get(Reference, id); check(row, sealer=sealer)

Not here: the encoding and the key (vault/rows.py).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, cast

from vault.rows import row_mac, verify_row_mac

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import RowMapping, Table

    from vault.interface import Sealer

UNSIGNED: Final[dict[str, frozenset[str]]] = {
    "result_codes": frozenset({"used_ms"}),
    "consents": frozenset({"withdrawn_ms"}),
}
"""Columns that are set by an UPDATE which reads nothing first; they only ever go from unused to used."""


ADDED: Final[dict[str, frozenset[str]]] = {
    "helpdesk_cases": frozenset({"noted_by", "action", "target"}),
}
"""Columns that rows of an earlier revision were signed without."""


class SignedRow(Protocol):
    """A row of a table with a `mac` column."""

    __table__: ClassVar[Any]
    mac: Any


@cache
def signed_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns that the MAC of a table covers."""
    without = UNSIGNED.get(table.name, frozenset()) | {"mac"}
    return tuple(column.key for column in table.columns if column.key not in without)


def checked_columns(table: Table, stored: RowMapping, *, sealer: Sealer) -> dict[str, Any]:
    """Return the signed columns of a row that was read without the ORM. Raises WrongMac unless it is as we wrote it."""
    columns = {name: stored[name] for name in signed_columns(table)}
    verify_row_mac(sealer, stored["mac"], table=table.name, columns=_without_added(table.name, columns))
    return columns


def covered(row: SignedRow, *, changed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the columns that the MAC covers, with some of them `changed` for an UPDATE that is still to come."""
    table = cast("Table", row.__table__)
    values = {name: getattr(row, name) for name in signed_columns(table)}
    unknown = set(changed or {}) - set(values)
    if unknown:
        raise KeyError(f"{table.name} has no signed column {', '.join(sorted(unknown))}")
    return _without_added(table.name, values | dict(changed or {}))


def mac_of(row: SignedRow, *, sealer: Sealer, changed: Mapping[str, Any] | None = None) -> bytes:
    """Return the MAC for the row as it is, or as it will be."""
    return row_mac(sealer, table=row.__table__.name, columns=covered(row, changed=changed))


def sign(row: SignedRow, *, sealer: Sealer) -> None:
    """Set the row's MAC. Every column must have its final value: a default is filled in too late."""
    row.mac = mac_of(row, sealer=sealer)


def check(row: SignedRow, *, sealer: Sealer) -> None:
    """Raise WrongMac unless the row is as we wrote it."""
    verify_row_mac(sealer, row.mac or b"", table=row.__table__.name, columns=covered(row))


def _without_added(table: str, values: dict[str, Any]) -> dict[str, Any]:
    added = ADDED.get(table, frozenset())
    return {name: value for name, value in values.items() if value is not None or name not in added}
