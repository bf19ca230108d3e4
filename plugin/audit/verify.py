"""Walk a stream from its first entry to its end, in pages, and say what was done to it.

Rules:
 * What is believed in is the chain from the zeros before entry 1 on; the first thing that does not fit is reported.
 * Anchors are heads noted outside of the database, or signed by the vault: the chain must run through each of them.
 * A page is one snapshot; entries that are appended meanwhile belong to the chain as well.

What a chain without anchors cannot show: an end that was cut off, and a log that was written anew from some entry on.

Not here: what an anchor is worth (checkpoints.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from plugin.audit.chain import COLUMNS, ENTRIES, NOTHING_YET, ChainBroken, Found, Head, fits_as, hash_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from plugin.store.database import Database

    Entry = Mapping[str, Any]

PAGE: Final = 2000  # entries read at a time: about a megabyte
_NEAR: Final = 64  # how far an entry is looked for by trying numbers; beyond that by the hash it names
_MOST_ALIKE: Final = 10

_AFTER: Final = (
    select(ENTRIES)
    .where(ENTRIES.c.stream == bindparam("of_stream"), ENTRIES.c.seq > bindparam("after"))
    .order_by(ENTRIES.c.seq)
    .limit(bindparam("most"))
)
_BY_HASH: Final = (
    select(ENTRIES).where(ENTRIES.c.stream == bindparam("of_stream"), ENTRIES.c.entry_hash == bindparam("hash"))
).limit(_MOST_ALIKE)
_BY_PREVIOUS: Final = (
    select(ENTRIES).where(ENTRIES.c.stream == bindparam("of_stream"), ENTRIES.c.previous_hash == bindparam("hash"))
).limit(_MOST_ALIKE)


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """Proof that every entry of the stream after `since` up to `head` is as it was written."""

    stream: str
    head: Head
    since: Head = NOTHING_YET


def verify_stream(
    database: Database,
    stream: str,
    *,
    anchors: Mapping[int, bytes] | None = None,
    since: Head = NOTHING_YET,
    most: int | None = None,
    report: Callable[[int], None] = lambda _seq: None,
) -> VerifiedChain:
    """Return proof that the stream is as written.

    Args:
        database: where it is.
        stream: which.
        anchors: hashes that entries must have, by number.
        since: a head that is believed in; only what follows is looked at.
        most: stop after so many entries.
        report: is told the number reached, once a page.

    Raises:
        ChainBroken: what was found first.
    """
    # 1. numbers without gaps, each as hashed   nothing was removed, inserted, re-ordered or edited
    # 2. each names the hash before it          nothing was replaced
    # 3. each anchor is the entry of its number  nothing was written anew
    # 4. no anchor lies beyond the end          the end was not cut off
    anchors = anchors or {}
    head, good = since, since.seq
    for entry in _entries(database, stream, since=since, most=most, report=report):
        fits = entry["seq"] == head.seq + 1 and entry["previous_hash"] == head.entry_hash
        if not fits or entry["entry_hash"] != hash_of(entry):  # (1) (2)
            raise _Inspection(database, stream, head).finding()
        head = Head(seq=entry["seq"], entry_hash=entry["entry_hash"])
        anchor = anchors.get(head.seq)
        if anchor is not None:
            if anchor != head.entry_hash:  # (3)
                why = "not the entry that was noted or signed; the log was written anew"
                raise ChainBroken(Found.REWRITTEN, good + 1, why, last=head.seq)
            good = head.seq
    beyond = max((seq for seq in anchors if seq > head.seq), default=0)
    if beyond and (most is None or head.seq - since.seq < most):  # (4)
        raise ChainBroken(Found.CUT_OFF, head.seq + 1, "missing; the end of the log was cut off", last=beyond)
    return VerifiedChain(stream=stream, head=head, since=since)


def _entries(
    database: Database, stream: str, *, since: Head, most: int | None, report: Callable[[int], None]
) -> Iterator[Entry]:
    after, left = since.seq, most
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        with database.reading() as session:  # a snapshot a page, so that no writer's log piles up
            page = _read(session, _AFTER, of_stream=stream, after=after, most=size)
        yield from page
        if not page:
            return
        after = page[-1]["seq"]
        left = None if left is None else left - len(page)
        report(after)


def _read(session: Session, query: Select[Any], **values: Any) -> list[Entry]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in session.execute(query, values)]


class _Inspection:
    """Looks at the place where a chain does not fit and says what was done there."""

    def __init__(self, database: Database, stream: str, head: Head) -> None:
        self._stream = stream
        self._head = head
        self._place = head.seq + 1
        with database.reading() as session:
            there = _read(session, _AFTER, of_stream=stream, after=head.seq, most=2)
            self._next, self._second = there[0], there[1] if len(there) > 1 else None
            self._heirs = _read(session, _BY_PREVIOUS, of_stream=stream, hash=head.entry_hash)
            self._named = _read(session, _BY_HASH, of_stream=stream, hash=self._next["previous_hash"])

    def finding(self) -> ChainBroken:
        """Return what was found."""
        elsewhere = self._moved_heir()
        if self._next["seq"] != self._place:
            return self._missing(elsewhere)
        number = self._true_number()
        if number == self._place:
            return self._does_not_follow() if elsewhere is None else self._inserted(self._place)
        if number is None:
            return self._inserted(self._place) if elsewhere is not None else self._edited(self._place)
        if number < self._place:
            return self._inserted(number, last=self._place - 1)
        if elsewhere is not None:
            return self._reordered(elsewhere)
        why = f"missing; the entry that was number {number} stands in this place"
        return ChainBroken(Found.REMOVED, self._place, why, last=number - 1)

    def _moved_heir(self) -> int | None:
        """Return where the entry that follows the head stands now, if it stands in another place."""
        found = [heir["seq"] for heir in self._heirs if heir["seq"] != self._place and fits_as(heir, self._place)]
        return found[0] if found else None

    def _true_number(self) -> int | None:
        """Return the number that the entry in this place had when it was written; None if it fits none."""
        near = range(max(1, self._place - _NEAR), self._place + _NEAR + 1)
        tried = [self._place, *near, *(entry["seq"] + 1 for entry in self._named if type(entry["seq"]) is int)]
        return next((number for number in tried if fits_as(self._next, number)), None)

    def _missing(self, elsewhere: int | None) -> ChainBroken:
        if elsewhere is not None:
            return self._reordered(elsewhere)
        return ChainBroken(Found.REMOVED, self._place, "missing", last=self._next["seq"] - 1)

    def _does_not_follow(self) -> ChainBroken:
        """The entry is as hashed, and names another one before it: that one was changed, or this one with its hash."""
        lonely = self._second is not None and self._second["previous_hash"] != self._next["entry_hash"]
        if lonely or self._head.seq < 1:
            return self._edited(self._place)
        why = f"was edited and its hash made anew; entry {self._place} still names the old one"
        return ChainBroken(Found.EDITED, self._head.seq, why)

    def _reordered(self, elsewhere: int) -> ChainBroken:
        return ChainBroken(Found.REORDERED, self._place, f"out of its place; it stands at number {elsewhere}")

    @staticmethod
    def _edited(place: int) -> ChainBroken:
        return ChainBroken(Found.EDITED, place, "was edited")

    @staticmethod
    def _inserted(place: int, *, last: int | None = None) -> ChainBroken:
        return ChainBroken(Found.INSERTED, place, "was inserted; what stood here was pushed back", last=last)
