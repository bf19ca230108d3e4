"""What the helpdesk does beside the requests: send letters, end checks that were left, sweep out what is over.

Rules:
 * Cases go `keep_days` after they were opened, with the links that were sent for them; passes a day after their end,
   sessions at it. What was done stays in the audit log, as long as the organisation keeps that.
 * Nothing that is over is accepted, swept or not.

Not here: who calls this, and how often (audit/duties.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete

from plugin.ceremonies.service import KEEP_ENDED
from plugin.store.helpdesk_tables import HelpdeskCase, HelpdeskPass, HelpdeskSession
from plugin.store.instants import to_ms
from plugin.store.link_tables import HelpdeskLink

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.helpdesk.face_checks import FaceChecks
    from plugin.helpdesk.letterbox import Letterbox
    from plugin.store.database import Database

EVERY: Final = timedelta(minutes=15)


class Chores:
    """Letters at every call, a sweep at most every quarter of an hour."""

    def __init__(self, *, letterbox: Letterbox, checks: FaceChecks, database: Database, keep_days: int) -> None:
        self.keep_days = keep_days
        self._checks = checks
        self._letterbox = letterbox
        self._database = database
        self._swept: datetime | None = None

    def run(self, *, now: datetime) -> None:
        """Do what is due. Raises ServiceError, VaultError: nothing is lost by that."""
        if self._swept is None or now - self._swept >= EVERY:
            self._swept = now
            self.sweep(now=now)
        self._letterbox.send_all(now=now)
        self._checks.end_given_up(now=now)

    def sweep(self, *, now: datetime) -> int:
        """Delete what is over; return how many rows went."""
        old = to_ms(now - timedelta(days=self.keep_days))
        over: list[tuple[type[Any], Any]] = [
            (HelpdeskCase, HelpdeskCase.created_ms < old),
            (HelpdeskLink, HelpdeskLink.created_ms < old),
            (HelpdeskPass, HelpdeskPass.expires_ms < to_ms(now - KEEP_ENDED)),
            (HelpdeskSession, HelpdeskSession.expires_ms <= to_ms(now)),
        ]
        with self._database.transaction() as session:
            gone: list[Any] = [session.execute(delete(table).where(condition)) for table, condition in over]
        return sum(one.rowcount for one in gone)
