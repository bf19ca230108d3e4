"""One line a request: which route, how it ended, how long it took.

Rules:
 * The route, never the address: query strings carry codes and request objects, paths carry ceremony ids.
 * No header and no body.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from flask import g, request

if TYPE_CHECKING:
    from flask import Flask, Response

log = logging.getLogger("facestep.access")
_ID_CHARS: Final = 8
"""Enough to follow one ceremony through the log; the id alone opens nothing."""


def register_access_log(app: Flask) -> None:
    """Log every request of `app`."""
    app.before_request(_start)
    app.after_request(_write)


def _start() -> None:
    g.started = time.perf_counter()


def _write(response: Response) -> Response:
    line: dict[str, str | int | float] = {
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else "",
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.started) * 1000, 1) if "started" in g else 0,
        "address": request.remote_addr or "",
    }
    ceremony_id = (request.view_args or {}).get("ceremony_id")
    if ceremony_id:
        line["ceremony"] = str(ceremony_id)[:_ID_CHARS]
    log.info("%s %s", line["method"], line["route"], extra={"facestep": line})
    return response
