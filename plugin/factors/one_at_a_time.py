"""Of one ceremony this process looks at one batch of frames at a time.

Of parallel pushes one wins anyway (ceremonies/service.py), but only when all have been looked at, which is the dearest
work there is. Processes do not know of each other: as many at once as there are workers remain.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from plugin.errors import CeremonyRefused

if TYPE_CHECKING:
    from collections.abc import Iterator


class OneAtATime:
    """Names that are held; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: set[str] = set()

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold a name for a block. Raises CeremonyRefused at once where another thread holds it."""
        with self._lock:
            if name in self._held:
                raise CeremonyRefused("ceremony_refused", "looked_at_meanwhile")
            self._held.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(name)
