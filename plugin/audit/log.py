"""The audit log: append-only, each entry chained to the one before by SHA-256.

Rules:
 * What happened and its entry commit together: append(session=...) writes inside the caller's transaction. Without a
   session the entry is its own transaction, for events that change nothing else.
 * An entry's hash covers every column and the hash of the entry before, in one unambiguous encoding.
 * Only what events.py lists may be written.

What the chain shows: an edited, inserted, removed or re-ordered entry. What it cannot show by itself: a log whose end
was cut off, or that was written anew from some entry on; compare its head with one noted elsewhere (`expected_head`).

Not here: signed checkpoints, export.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import bindparam, insert, select

from plugin.audit.events import Detail, checked_event, clean, encode_details
from plugin.errors import ServiceError
from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import AuditEntry
from vault.encoding import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from plugin.store.database import Database

FIRST_PREVIOUS: Final = bytes(32)
"""What the first entry of a stream names as the hash before it."""

_PAGE: Final = 1000  # rows read at a time while verifying: some hundred kilobytes
_SUBJECT_LENGTH: Final = 255  # columns of AuditEntry
_CEREMONY_LENGTH: Final = 43


_TABLE: Final = cast("Table", AuditEntry.__table__)
_APPEND: Final = insert(_TABLE)
_LAST: Final = (
    select(_TABLE.c.seq, _TABLE.c.entry_hash)
    .where(_TABLE.c.stream == bindparam("of_stream"))
    .order_by(_TABLE.c.seq.desc())
    .limit(1)
)


class ChainBroken(ServiceError):  # noqa: N818  (what was found, not a fault of ours)
    """The log is not as we wrote it. `seq` is the first entry that does not fit."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__("audit_chain_broken", f"entry {seq}: {why}")
        self.seq = seq
        self.why = why


@dataclass(frozen=True, slots=True)
class AuditEntryView:
    """One entry as people read it."""

    stream: str
    seq: int
    at: datetime
    event: str
    issuer: str
    subject: str
    ceremony_id: str
    details: Mapping[str, Detail]
    entry_hash: bytes

    def as_json(self) -> dict[str, Any]:
        """Return what `facestep audit list --json` prints."""
        return {
            "stream": self.stream,
            "seq": self.seq,
            "at": self.at.isoformat(timespec="milliseconds"),
            "event": self.event,
            "issuer": self.issuer,
            "subject": self.subject,
            "ceremony_id": self.ceremony_id,
            "details": dict(self.details),
            "hash": self.entry_hash.hex(),
        }


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a stream at some time; worth noting outside of the database."""

    seq: int
    entry_hash: bytes


@dataclass(frozen=True, slots=True)
class VerifiedChain:
    """Proof that every entry of the stream up to `head` is as it was written."""

    stream: str
    head: Head


class AuditLog:
    """One stream of the log."""

    def __init__(self, database: Database, *, stream: str = "service") -> None:
        self._database = database
        self._stream = stream

    def append(
        self,
        event: str,
        *,
        at: datetime,
        issuer: str = "",
        subject: str = "",
        ceremony_id: str = "",
        details: Mapping[str, Detail] | None = None,
        session: Session | None = None,
    ) -> None:
        """Write one entry: with the caller's transaction, or in one of its own.

        Raises:
            AuditMisuse: the event or a detail is not on the list (a mistake in our code).
            ServiceError: store_busy or store_unavailable; then what was to be logged must not happen either.
        """
        columns = {
            "stream": self._stream,
            "at_ms": to_ms(at),
            "event": checked_event(event),
            "issuer": clean(issuer),
            "subject": clean(subject, length=_SUBJECT_LENGTH),
            "ceremony_id": clean(ceremony_id, length=_CEREMONY_LENGTH),
            "details": encode_details(details or {}),
        }
        if session is not None:
            self._chain(session, columns)
        else:
            with self._database.transaction() as own:
                self._chain(own, columns)

    def entries(self, *, limit: int = 100, after: int = 0) -> list[AuditEntryView]:
        """Return up to `limit` entries with a higher number than `after`, oldest first."""
        with self._database.reading() as session:
            return [_view(entry) for entry in self._page(session, after=after, limit=limit)]

    def latest(self, *, limit: int = 100) -> list[AuditEntryView]:
        """Return the last `limit` entries, oldest first."""
        with self._database.reading() as session:
            head = _head(session, self._stream)
        return self.entries(limit=limit, after=max(0, head.seq - limit))

    def verify(self, *, expected_head: Head | None = None) -> VerifiedChain:
        """Read the whole stream, page by page, and return proof that it is as written.

        Args:
            expected_head: an earlier head that was noted elsewhere; the stream must still contain it.

        Raises:
            ChainBroken: with the number of the first entry that does not fit.
        """
        # 1. numbers without gaps, from 1     nothing was removed or inserted
        # 2. each names the hash before it    nothing was re-ordered or replaced
        # 3. each hash fits its columns       nothing was edited
        # 4. the noted head is still there    the end was not cut off or written anew
        head = Head(seq=0, entry_hash=FIRST_PREVIOUS)
        for entry in self._all():
            if entry.seq != head.seq + 1:  # (1)
                raise ChainBroken(head.seq + 1, "missing")
            if entry.previous_hash != head.entry_hash:  # (2)
                raise ChainBroken(entry.seq, "does not follow the entry before it")
            if entry.entry_hash != _hash_found(entry):  # (3)
                raise ChainBroken(entry.seq, "was edited")
            head = Head(seq=entry.seq, entry_hash=entry.entry_hash)
            if expected_head is not None and head.seq == expected_head.seq and head != expected_head:  # (4)
                raise ChainBroken(entry.seq, "is not the entry that was noted")
        if expected_head is not None and head.seq < expected_head.seq:  # (4)
            raise ChainBroken(head.seq + 1, "missing; the end of the log was cut off")
        return VerifiedChain(stream=self._stream, head=head)

    def _chain(self, session: Session, columns: dict[str, Any]) -> None:
        session.flush()  # the caller's own changes first, so that their failure leaves no entry
        last = _head(session, self._stream)
        entry = {**columns, "seq": last.seq + 1, "previous_hash": last.entry_hash}
        session.execute(_APPEND, {**entry, "entry_hash": _hash(entry)})

    def _page(self, session: Session, *, after: int, limit: int) -> list[AuditEntry]:
        query = select(AuditEntry).where(AuditEntry.stream == self._stream, AuditEntry.seq > after)
        return list(session.scalars(query.order_by(AuditEntry.seq).limit(limit)))

    def _all(self) -> Iterator[AuditEntry]:
        after = 0
        while True:
            with self._database.reading() as session:  # a snapshot a page, so that no writer's log piles up
                page = self._page(session, after=after, limit=_PAGE)
            yield from page
            if not page:
                return
            after = page[-1].seq


def _head(session: Session, stream: str) -> Head:
    last = session.execute(_LAST, {"of_stream": stream}).first()
    return Head(seq=last.seq, entry_hash=last.entry_hash) if last else Head(seq=0, entry_hash=FIRST_PREVIOUS)


def _hash(columns: Mapping[str, Any]) -> bytes:
    """Return the hash of an entry: of every column but `entry_hash`."""
    return hashlib.sha256(canonical("facestep audit 1", columns)).digest()


def _columns(entry: AuditEntry) -> dict[str, Any]:
    return {column.key: getattr(entry, column.key) for column in _TABLE.columns if column.key != "entry_hash"}


def _hash_found(entry: AuditEntry) -> bytes | None:
    """Return the hash of an entry that somebody may have edited into what has no encoding."""
    try:
        return _hash(_columns(entry))
    except TypeError:
        return None


def _view(entry: AuditEntry) -> AuditEntryView:
    try:
        details = json.loads(entry.details)
    except (TypeError, ValueError) as exc:
        raise ChainBroken(entry.seq, "its details are not readable") from exc
    return AuditEntryView(
        stream=entry.stream,
        seq=entry.seq,
        at=from_ms(entry.at_ms),
        event=entry.event,
        issuer=entry.issuer,
        subject=entry.subject,
        ceremony_id=entry.ceremony_id,
        details=details,
        entry_hash=entry.entry_hash,
    )
