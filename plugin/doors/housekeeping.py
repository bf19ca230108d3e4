"""Sweep out what expired, now and then: beside the requests, and on the way of one that begins something new.

Ceremonies, codes and digests of frames go a day after their end, references after their days of grace
(factors/lifecycle.py), sessions of people's own page and links that stop something at theirs. There is no scheduler to
run or to forget, and a service that nobody uses sweeps too. A sweep that fails is logged and does not stop anybody's
login: nothing that is expired is accepted, swept or not.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from datetime import datetime


EVERY: Final = timedelta(minutes=15)
log = logging.getLogger("facestep.housekeeping")


class Purge(Protocol):
    """Something that deletes what is over."""

    def __call__(self, *, now: datetime) -> int:
        """Return how many rows went. Raises ServiceError."""


class Housekeeping:
    """At most one sweep a quarter of an hour and process."""

    def __init__(self, *purges: Purge) -> None:
        self._purges = purges
        self._lock = threading.Lock()
        self._last: datetime | None = None

    def sweep(self, *, now: datetime) -> None:
        """Sweep if it is time."""
        with self._lock:
            if self._last is not None and now - self._last < EVERY:
                return
            self._last = now
        try:
            gone = sum(purge(now=now) for purge in self._purges)
        except ServiceError as exc:
            log.warning("the sweep failed: %s", exc.code)
        else:
            log.info("swept %d expired rows", gone)
