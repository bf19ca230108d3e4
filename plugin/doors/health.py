"""Is this process alive, and could it serve a login now?

Rules:
 * "Ready" means that the database and the vault answer; the models were checked when the process started.
 * The answer is kept for a second, so that a stranger cannot make us hammer the vault.
"""

from __future__ import annotations

import threading
import time
from typing import Final

from flask import Blueprint, Response, current_app, jsonify

from plugin.errors import ServiceError, SettingsError
from plugin.web.context import services

bp: Final = Blueprint("health", __name__)
_KEEP_S: Final = 1.0


class Readiness:
    """The last good answer and its age; a failure is never kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._good_until = 0.0

    def check(self) -> None:
        """Raise ServiceError or VaultError unless a login could be served now."""
        with self._lock:
            if time.monotonic() < self._good_until:
                return
            try:
                services().database.check()
            except SettingsError as exc:
                raise ServiceError("store_unavailable", exc.detail) from exc
            services().sealer.check()
            self._good_until = time.monotonic() + _KEEP_S


@bp.record
def _attach(state: object) -> None:
    app = getattr(state, "app")  # noqa: B009  (BlueprintSetupState is untyped here)
    app.extensions["facestep_readiness"] = Readiness()


@bp.get("/health/live")
def live() -> Response:
    """Answer as long as the process runs."""
    return jsonify(status="live")


@bp.get("/health/ready")
def ready() -> Response:
    """Answer 200 if a login could be served now, else 503 with the code of what is missing."""
    readiness: Readiness = current_app.extensions["facestep_readiness"]
    readiness.check()
    return jsonify(status="ready")
