"""Errors become answers here: JSON for programs, a page for people, one public sentence for both.

Rules:
 * Only plugin/errors.py says what the outside learns; an unknown error is a 500 and never a success.
 * The log of an unknown error holds where it happened and its type, never its message (it may quote a secret).
 * A fault of ours while somebody logs in leaves an audit entry (faults.py).
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Final

from flask import Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from biometric.errors import BiometricError
from plugin.errors import LockedOut, ServiceError, public
from plugin.web.faults import audit_fault
from vault.interface import VaultError

if TYPE_CHECKING:
    from flask import Flask

_FOR_PROGRAMS: Final = ("/api/", "/helpdesk/api/", "/token", "/jwks", "/idp/", "/health/", "/.well-known/")
_CODE_OF_STATUS: Final = {404: "not_found", 405: "not_found", 413: "too_large", 429: "too_many_requests"}
_SERVER_ERROR: Final = 500
_LOGGED_FRAMES: Final = 6

log = logging.getLogger("facestep.error")


def register_errors(app: Flask) -> None:
    """Answer every error of ours, of HTTP and of nobody."""
    for root in (ServiceError, BiometricError, VaultError):
        app.register_error_handler(root, _on_our_error)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(Exception, _on_unknown_error)


def error_response(code: str, *, status: int | None = None) -> Response:
    """Return what the outside may know of `code`."""
    known = public(code)
    status = known.status if status is None else status
    if request.path.startswith(_FOR_PROGRAMS):
        response = jsonify(error=code, message=known.message)
    else:
        page = render_template("error.html", code=code, message=known.message, status=status)
        response = Response(page, mimetype="text/html")
    response.status_code = status
    return response


def _on_our_error(error: ServiceError | BiometricError | VaultError) -> Response:
    response = error_response(error.code)
    if response.status_code >= _SERVER_ERROR:
        log.error("%s %s", error.code, " ".join(str(error).split()))
        audit_fault(error.code)
    if isinstance(error, LockedOut) and error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _on_http_error(error: HTTPException) -> Response | HTTPException:
    if error.response is not None or isinstance(error, RequestRedirect):
        return error  # already an answer
    status = error.code or _SERVER_ERROR
    code = _CODE_OF_STATUS.get(status, "bad_request" if status < _SERVER_ERROR else "internal")
    response = error_response(code, status=status)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _on_unknown_error(error: Exception) -> Response:
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("unexpected %s at %s", type(error).__qualname__, " < ".join(reversed(frames[-_LOGGED_FRAMES:])))
    audit_fault("internal")
    return error_response("internal")
