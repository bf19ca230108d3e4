"""The audit log: append-only, each entry chained to the one before by SHA-256.

Rules:
 * What happened and its entry commit together: append(session=...) writes inside the caller's transaction. Without a
   session the entry is its own transaction, for events that change nothing else.
 * Only what events.py lists may be written.

Not here: the chain (chain.py), proving it (verify.py), signed checkpoints (checkpoints.py), export, receivers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select

from plugin.audit.chain import ENTRIES, NOTHING_YET, ChainBroken, Found, Head, hash_of
from plugin.audit.events import Detail, checked_event, clean, encode_details
from plugin.audit.verify import VerifiedChain, verify_stream
from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.store.database import Database

_SUBJECT_LENGTH: Final = 255  # columns of AuditEntry
_CEREMONY_LENGTH: Final = 43


_APPEND: Final = insert(ENTRIES)
_LAST: Final = (
    select(ENTRIES.c.seq, ENTRIES.c.entry_hash)
    .where(ENTRIES.c.stream == bindparam("of_stream"))
    .order_by(ENTRIES.c.seq.desc())
    .limit(1)
)


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
    previous_hash: bytes
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
            "previous": self.previous_hash.hex(),
            "hash": self.entry_hash.hex(),
        }


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

    @property
    def stream(self) -> str:
        """Return the name of the stream."""
        return self._stream

    def entries(self, *, limit: int = 100, after: int = 0, as_stored: bool = False) -> list[AuditEntryView]:
        """Return up to `limit` entries with a higher number than `after`, oldest first.

        Args:
            limit: how many at most.
            after: the number before the first.
            as_stored: return an entry that somebody edited beyond reading as it stands, in place of ChainBroken.
        """
        with self._database.reading() as session:
            return [_view(entry, as_stored=as_stored) for entry in self._page(session, after=after, limit=limit)]

    def head(self) -> Head:
        """Return the end of the stream as it is stored, not verified."""
        with self._database.reading() as session:
            return _head(session, self._stream)

    def latest(self, *, limit: int = 100) -> list[AuditEntryView]:
        """Return the last `limit` entries, oldest first."""
        with self._database.reading() as session:
            head = _head(session, self._stream)
        return self.entries(limit=limit, after=max(0, head.seq - limit))

    def verify(self, *, expected_head: Head | None = None) -> VerifiedChain:
        """Read the whole stream and return proof that it is as written.

        Args:
            expected_head: an earlier head that was noted elsewhere; the stream must still contain it.

        Raises:
            ChainBroken: with what was done, and to which entries.
        """
        anchors = {expected_head.seq: expected_head.entry_hash} if expected_head is not None else {}
        return verify_stream(self._database, self._stream, anchors=anchors)

    def _chain(self, session: Session, columns: dict[str, Any]) -> None:
        session.flush()  # the caller's own changes first, so that their failure leaves no entry
        last = _head(session, self._stream)
        entry = {**columns, "seq": last.seq + 1, "previous_hash": last.entry_hash}
        session.execute(_APPEND, {**entry, "entry_hash": hash_of(entry)})

    def _page(self, session: Session, *, after: int, limit: int) -> list[AuditEntry]:
        query = select(AuditEntry).where(AuditEntry.stream == self._stream, AuditEntry.seq > after)
        return list(session.scalars(query.order_by(AuditEntry.seq).limit(limit)))


def _head(session: Session, stream: str) -> Head:
    last = session.execute(_LAST, {"of_stream": stream}).first()
    return Head(seq=last.seq, entry_hash=last.entry_hash) if last else NOTHING_YET


def _view(entry: AuditEntry, *, as_stored: bool = False) -> AuditEntryView:
    try:
        details = json.loads(entry.details)
    except (TypeError, ValueError) as exc:
        if as_stored:
            return _view_of(entry, {"unreadable": clean(str(entry.details))})
        raise ChainBroken(Found.EDITED, entry.seq, "its details are not readable") from exc
    return _view_of(entry, details)


def _view_of(entry: AuditEntry, details: Mapping[str, Detail]) -> AuditEntryView:
    return AuditEntryView(
        stream=entry.stream,
        seq=entry.seq,
        at=from_ms(entry.at_ms),
        event=entry.event,
        issuer=entry.issuer,
        subject=entry.subject,
        ceremony_id=entry.ceremony_id,
        details=details,
        previous_hash=entry.previous_hash,
        entry_hash=entry.entry_hash,
    )
