"""gunicorn around the key service: one worker process, since a key wants to be in few memories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gunicorn.app.base import BaseApplication

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

THREADS: Final = 4


class KeyServer(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """Serves what `make` builds in the worker: contexts of TenSEAL have threads, which do not survive a fork."""

    def __init__(self, make: Callable[[], Flask], options: Mapping[str, Any]) -> None:
        self._make = make
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        fixed = {
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": 3,
            "loglevel": "warning",
        }
        for name, value in {**fixed, "control_socket_disable": True, **self._options}.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application in the worker."""
        return self._make()
