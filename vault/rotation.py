"""Rotate keys: a new version, every stored value moved to it, and only then the old versions refused.

Rules:
 * What was begun is finished before something new begins: a key whose oldest version that opens is not its newest gets
   no further version. So an interrupted run is resumed by running it again, and nothing else remembers how far it came.
 * At every instant every row opens: values are moved in place, one row as a whole, while both versions open.
 * Old versions are refused only when a count after the last write finds nothing older, and after the longest time that
   a request may take which sealed with the version before.
 * What does not open is left as it is and reported; then the old versions stay, for somebody to look at it.

    for outcome in rotate(rotator, tables, report=…): …

Not here: which rows there are and how they are written (plugin/rotation), progress bars.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from vault.interface import WrongContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vault.interface import Ciphertext, Purpose, Rotator, ToOpen

BATCH: Final = 500
SETTLE_S: Final = 15.0
"""Longer than a request may take between sealing and writing: the database waits 5 s, the vault 3 s a call."""


@dataclass(frozen=True, slots=True)
class StoredValue:
    """A row's sealed value. `place` says which row; `read` is all of it, and it is written only if still the same."""

    place: str
    read: Mapping[str, Any]
    item: ToOpen


class SealedTable(Protocol):
    """The values that one key seals in one table."""

    @property
    def name(self) -> str:
        """Return what the table is called."""

    @property
    def purpose(self) -> Purpose:
        """Return whose key sealed the values."""

    def count_older(self, mark: str) -> int:
        """Return how many values in use do not begin with `mark`."""

    def batch(self, mark: str, *, after: str, limit: int) -> tuple[Sequence[StoredValue], str | None]:
        """Return values that do not begin with `mark`, and where to go on, or None at the end.

        A row that cannot be believed is left out; `count_older` still counts it.
        """

    def refused(self, value: StoredValue) -> None:
        """Report a value that the vault did not re-wrap. It stays as it is."""

    def write(self, changed: Sequence[tuple[StoredValue, Ciphertext]]) -> int:
        """Write new values on the disk in one transaction; return how many. A row that changed meanwhile is left."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one table is."""

    table: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Rotated:
    """What came of one purpose.

    Attributes:
        purpose: whose key.
        resumed: an earlier rotation was finished; no new version was made.
        version: what seals now.
        rewrapped: rows that were moved.
        left: values in use that are still older, by table; while there are any, the old versions open.
        finished: only the newest version opens.
    """

    purpose: Purpose
    resumed: bool
    version: int
    rewrapped: int
    left: dict[str, int]
    finished: bool


def rotate(
    rotator: Rotator,
    tables: Sequence[SealedTable],
    *,
    report: Callable[[Progress], None],
    batch: int = BATCH,
    settle_s: float = SETTLE_S,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Rotated]:
    """Rotate the key of every purpose that `tables` name; yield what came of each."""
    # 1. finish first      an unfinished rotation is carried on with the version that it made
    # 2. new version       seals from now on, in every process
    # 3. move              in batches; the vault re-wraps, each table writes its rows as a whole
    # 4. settle            a request that sealed with the old version has written by then
    # 5. count again       only what is stored now decides; late writes are moved too
    # 6. refuse the old    never while something in use is older
    begun = {purpose: _begin(rotator, purpose) for purpose in dict.fromkeys(table.purpose for table in tables)}
    since = clock()
    moved, left = {}, {}
    for table in tables:
        moved[table.name] = _move(rotator, table, begun[table.purpose].version, batch, report)  # (3)
    sleep(max(0.0, settle_s - (clock() - since)))  # (4)
    for table in tables:
        version = begun[table.purpose].version
        if table.count_older(rotator.mark(version)):
            moved[table.name] += _move(rotator, table, version, batch, report)
        left[table.name] = table.count_older(rotator.mark(version))  # (5)
    for purpose, start in begun.items():
        names = [table.name for table in tables if table.purpose == purpose]
        waiting = any(left[name] for name in (left if rotator.one_key_for_all else names))
        if not waiting:
            rotator.forget_older(purpose, than=start.version)  # (6)
        rewrapped = sum(moved[name] for name in names)
        yield replace(
            start, rewrapped=rewrapped, left={name: left[name] for name in names if left[name]}, finished=not waiting
        )


def _begin(rotator: Rotator, purpose: Purpose) -> Rotated:
    """Return what is to be finished, or was begun now."""
    versions = rotator.versions(purpose)
    resumed = versions.oldest < versions.newest  # (1)
    if not resumed:
        versions = rotator.add_version(purpose)  # (2)
    return Rotated(purpose, resumed, versions.newest, rewrapped=0, left={}, finished=False)


def _move(rotator: Rotator, table: SealedTable, newest: int, batch: int, report: Callable[[Progress], None]) -> int:
    """Re-wrap every older value of a table; return how many were written."""
    mark, written = rotator.mark(newest), 0
    total = table.count_older(mark)
    report(Progress(table.name, 0, total))
    place: str | None = ""
    while place is not None:
        values, place = table.batch(mark, after=place, limit=batch)
        made = rotator.rewrap_many([value.item for value in values])
        pairs = []
        for value, new in zip(values, made, strict=True):
            if isinstance(new, WrongContext):
                table.refused(value)
            else:
                pairs.append((value, new))
        written += table.write(pairs) if pairs else 0
        report(Progress(table.name, min(written, total), total))
    return written
