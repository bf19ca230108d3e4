"""The sealed column of one table, read and written so that a rotation may stop at any instant.

Rules:
 * A row is believed before it is re-wrapped: its MAC is checked, and one that does not fit is reported and left alone.
 * The ciphertext is part of what the MAC covers. One UPDATE sets both, and only if the row is still what was read: a
   row is old or new as a whole, also after a kill or a power cut, and a login that changed it meanwhile wins.
 * The new values are on the disk before anybody refuses the old version of the key.

Not here: the order (vault/rotation.py), which tables there are (tables.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import bindparam, func, select, update

from plugin.store.integrity import checked_columns, signed_columns
from vault.interface import WrongMac
from vault.rotation import StoredValue
from vault.rows import row_mac

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row, Table

    from plugin.audit.log import AuditLog
    from plugin.store.database import Database
    from vault.interface import Ciphertext, Purpose, Sealer, ToOpen


class SealedRows:
    """A SealedTable (vault/rotation.py) with one text key and one sealed column."""

    def __init__(
        self,
        table: Table,
        *,
        purpose: Purpose,
        key: str,
        sealed: str,
        item: Callable[[Row[Any]], ToOpen],
        database: Database,
        sealer: Sealer,
        audit: AuditLog,
        clock: Callable[[], datetime],
    ) -> None:
        self.name, self.purpose = table.name, purpose
        self._table, self._item = table, item
        self._key, self._sealed = table.c[key], table.c[sealed]
        self._signed = "mac" in table.c
        self._database, self._sealer, self._audit, self._clock = database, sealer, audit, clock
        self._reported: set[str] = set()

    def count_older(self, mark: str) -> int:
        """Return how many values do not begin with `mark`."""
        with self._database.reading() as session:
            return int(session.scalar(select(func.count()).select_from(self._table).where(self._older(mark))) or 0)

    def batch(self, mark: str, *, after: str, limit: int) -> tuple[Sequence[StoredValue], str | None]:
        """Return the next rows that can be believed, and the key to go on after."""
        query = select(self._table).where(self._key > after, self._older(mark)).order_by(self._key).limit(limit)
        with self._database.reading() as session:
            rows = list(session.execute(query))
        values = [value for row in rows if (value := self._believed(row)) is not None]
        return values, getattr(rows[-1], self._key.key) if len(rows) == limit else None

    def refused(self, value: StoredValue) -> None:
        """Log once that a row does not open as what it says it is."""
        self._report(value.place)

    def write(self, changed: Sequence[tuple[StoredValue, Ciphertext]]) -> int:
        """Write ciphertext and MAC of each row that is still what was read."""
        statement = (
            update(self._table)
            .where(self._key == bindparam("of_key"), self._sealed == bindparam("of_sealed"))
            .values({self._sealed: bindparam("new_sealed")})
        )
        if self._signed:
            statement = statement.where(self._table.c.mac == bindparam("of_mac")).values(mac=bindparam("new_mac"))
        values = [self._new_values(value, sealed) for value, sealed in changed]
        with self._database.transaction() as session:
            return int(session.connection().execute(statement, values).rowcount)

    def _older(self, mark: str) -> ColumnElement[bool]:
        # by substr, since LIKE takes upper and lower case for the same on SQLite
        return func.substr(self._sealed, 1, len(mark)) != mark

    def _believed(self, row: Row[Any]) -> StoredValue | None:
        """Return the value of a row, or None for one that is not as we wrote it; that is logged once."""
        place = str(getattr(row, self._key.key))
        read = row._mapping  # noqa: SLF001  (SQLAlchemy's public name for it)
        if self._signed:
            try:
                checked_columns(self._table, read, sealer=self._sealer)
            except WrongMac:
                self._report(place)
                return None
        return StoredValue(place, cast("Mapping[str, Any]", read), self._item(row))

    def _new_values(self, value: StoredValue, sealed: Ciphertext) -> dict[str, Any]:
        values: dict[str, Any] = {"of_key": value.place, "of_sealed": value.item.sealed, "new_sealed": sealed}
        if self._signed:
            columns = {name: value.read[name] for name in signed_columns(self._table)} | {self._sealed.key: sealed}
            new = row_mac(self._sealer, table=self.name, columns=columns)
            values |= {"of_mac": value.read["mac"], "new_mac": new}
        return values

    def _report(self, place: str) -> None:
        if place not in self._reported:
            self._reported.add(place)
            self._audit.append("integrity_failed", at=self._clock(), details={"table": self.name})
