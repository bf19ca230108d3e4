"""How often each event was written to the audit log, kept up to date by reading only what is new.

Whatever worker or host is asked, the answer is the same, survives restarts and only grows, since the log does. Nothing
of whom an entry is about is read.

Not here: how the numbers are published (doors/metrics.py).
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from plugin.store.tables import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugin.store.database import Database

_STREAM: Final = "service"
SAYING_WHY: Final[Mapping[str, str]] = {"helpdesk_alarm": "reason", "helpdesk_refused": "code"}
"""Events that are counted by one of their details, too: a word of our own (events.py)."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts by event, and by (event, word) for those that say why; `seq` is the last entry that was counted."""

    events: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    seq: int


class Tally:
    """Totals of one process; safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._events: Counter[str] = Counter()
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._seq = 0

    def read(self) -> Totals:
        """Count what is new and return the totals. Raises ServiceError; then nothing was counted."""
        with self._lock:
            events, reasons, seq = self._new()
            self._events.update(events)
            self._reasons.update(reasons)
            self._seq = seq
            return Totals(dict(self._events), dict(self._reasons), seq)

    def _new(self) -> tuple[Counter[str], Counter[tuple[str, str]], int]:
        """Count the entries after the last one, in one snapshot."""
        new = (AuditEntry.stream == _STREAM, AuditEntry.seq > self._seq)
        counted = select(AuditEntry.event, func.count(), func.max(AuditEntry.seq)).where(*new)
        why = select(AuditEntry.event, AuditEntry.details).where(*new, AuditEntry.event.in_(SAYING_WHY))
        with self._database.reading() as session:
            found = session.execute(counted.group_by(AuditEntry.event)).all()
            said = session.execute(why).all()
        events: Counter[str] = Counter({event: count for event, count, _ in found})
        reasons = Counter((event, _word(details, SAYING_WHY[event])) for event, details in said)
        return events, reasons, max((last for _, _, last in found), default=self._seq)


def _word(stored: str, name: str) -> str:
    try:
        found = json.loads(stored)[name]
    except (ValueError, KeyError, TypeError):  # somebody edited it; `facestep audit verify` says so
        return "unreadable"
    return found if isinstance(found, str) else "unreadable"
