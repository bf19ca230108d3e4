"""What the service does for its log beside the requests: sign checkpoints when they are due, feed the receivers.

Rules:
 * One thread a worker; the database decides which of them signs and which sends (checkpoints.py, outbox.py).
 * A log that is not as we wrote it is never signed. It is said in the service's log and in the audit log itself, which
   a receiver gets, once an interval.
 * Nothing that fails here stops the thread, and nothing is lost by it: what was not signed or sent is due again.
 * What else the service has to do beside the requests runs after it, in the same thread.

Not here: what is signed and sent.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from plugin.audit.chain import ChainBroken
from plugin.audit.checkpoints import MOST_AT_ONCE
from plugin.errors import ServiceError
from vault.interface import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from plugin.audit.checkpoints import Checkpoints
    from plugin.audit.log import AuditLog
    from plugin.audit.outbox import Outbox

TICK_S: Final = 5.0  # how late an entry may reach a receiver that is there
_LOOKS: Final = 10  # looks at the newest checkpoint in an interval
log = logging.getLogger("facestep.audit")


class Duties:
    """Everything that is due, and the thread that does it."""

    def __init__(
        self,
        *,
        checkpoints: Checkpoints,
        every: timedelta,
        outbox: Outbox | None,
        audit: AuditLog,
        clock: Callable[[], datetime],
        besides: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._checkpoints = checkpoints
        self._every = every
        self._outbox = outbox
        self._audit = audit
        self._clock = clock
        self._besides = besides
        self._look_at: datetime | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="facestep-audit", daemon=True)

    def start(self) -> None:
        """Begin; call it in the process that serves, after the fork."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done."""
        self._stopping.set()
        self._thread.join()

    def do_what_is_due(self) -> None:
        """Sign if it is time, and send what is waiting; what fails is logged and due again."""
        for duty in (self._sign, self._send, *self._besides):
            try:
                duty()
            except (ServiceError, VaultError) as exc:
                log.warning("not done now: %s: %s", duty.__name__.strip("_"), exc)
            except Exception:
                log.exception("not done now: %s", duty.__name__.strip("_"))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.do_what_is_due()
            self._stopping.wait(TICK_S)

    def _sign(self) -> None:
        now = self._clock()
        if self._look_at is not None and now < self._look_at:
            return
        self._look_at = now + self._every / _LOOKS
        newest = self._checkpoints.newest()
        if newest is not None and now - newest.at < self._every:
            return
        try:
            self._checkpoints.make(now=now, most=MOST_AT_ONCE)
        except ChainBroken as broken:
            self._look_at = now + self._every
            log.critical("the audit log is not as it was written: %s", broken.detail)
            details = {"table": "audit_entries", "check": broken.found.value, "entry": broken.first}
            self._audit.append("integrity_failed", at=now, details=details)

    def _send(self) -> None:
        while self._outbox is not None and self._outbox.run_once().more and not self._stopping.is_set():
            pass
