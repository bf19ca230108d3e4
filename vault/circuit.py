"""A circuit breaker: once the vault has been away several times in a row, stop asking it for a moment.

Rules:
 * Only "nobody answered" counts. An answer, also a refusal, closes the circuit.
 * Open, it refuses at once, so that requests do not queue up behind a dead server until every thread waits.
 * After the pause one caller may try; the others are refused until that caller knows.

Not here: what is tried again within one call (transit_http.py).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from vault.interface import VaultUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES: Final = 5  # in a row; each has already been tried several times, so one lost packet is never enough
PAUSE_S: Final = 2.0  # as long as a person waits without noticing; a vault that is back is found within it


class Circuit:
    """Shared by all threads of a process that speak to one server."""

    def __init__(
        self, *, failures: int = FAILURES, pause_s: float = PAUSE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._pause_s = pause_s
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._closed_at = 0.0

    def __repr__(self) -> str:
        return f"Circuit({'open' if self.is_open else 'closed'})"

    @property
    def is_open(self) -> bool:
        """Tell whether calls are being refused without asking."""
        with self._lock:
            return self._in_a_row >= self._limit

    def admit(self) -> None:
        """Return if a call may be made now, else raise VaultUnavailable."""
        with self._lock:
            if self._in_a_row < self._limit:
                return
            now = self._clock()
            if now < self._closed_at:
                raise VaultUnavailable(
                    f"the vault did not answer {self._in_a_row} times in a row; it is asked again within "
                    f"{self._pause_s:g} s"
                )
            self._closed_at = now + self._pause_s  # this caller tries; the next one waits for what he finds

    def answered(self) -> None:
        """Note that the server answered."""
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        """Note that nobody answered."""
        with self._lock:
            self._in_a_row += 1
            self._closed_at = self._clock() + self._pause_s
