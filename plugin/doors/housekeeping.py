"""Sweep out what expired, now and then, on the way of a request that begins something new.

Ceremonies, codes and digests of frames go a day after their end, references after their days of grace
(factors/lifecycle.py). There is no scheduler to run or to forget. A sweep that fails is logged and does not stop
anybody's login: nothing that is expired is accepted, swept or not.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.service import Ceremonies
    from plugin.factors.lifecycle import Lifecycle

EVERY: Final = timedelta(minutes=15)
log = logging.getLogger("facestep.housekeeping")


class Housekeeping:
    """At most one sweep a quarter of an hour and process."""

    def __init__(self, ceremonies: Ceremonies, lifecycle: Lifecycle) -> None:
        self._ceremonies = ceremonies
        self._lifecycle = lifecycle
        self._lock = threading.Lock()
        self._last: datetime | None = None

    def sweep(self, *, now: datetime) -> None:
        """Sweep if it is time."""
        with self._lock:
            if self._last is not None and now - self._last < EVERY:
                return
            self._last = now
        try:
            gone = self._ceremonies.purge(now=now) + self._lifecycle.expire(now=now)
        except ServiceError as exc:
            log.warning("the sweep failed: %s", exc.code)
        else:
            log.info("swept %d expired rows", gone)
