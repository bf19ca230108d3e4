"""The key service over HTTP: POST /judge, and a health check.

Rules:
 * A caller says who it is with a bearer token (callers.py); without one nothing is read, counted or decrypted.
 * The answer is {"match": true} or {"match": false}; errors have a code and one sentence, as in the service.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from plugin.errors import LockedOut, ServiceError, public
from vault.he import LARGEST_CIPHERTEXT, EncryptedScore

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from plugin.encrypted.callers import Callers
    from plugin.encrypted.judge import Judge

_FIELDS: Final = {"record", "calibration", "facenet", "sface"}
_MOST_BODY: Final = 3 * LARGEST_CIPHERTEXT
_LONGEST_NAME: Final = 128


def create_key_service(judge: Judge, callers: Callers, *, clock: Callable[[], datetime]) -> Flask:
    """Return the application around one judge."""
    app = Flask("facestep-key-service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BODY

    @app.get("/health")
    def health() -> Response:
        return jsonify(status="ok")

    @app.post("/judge")
    def answer() -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        caller = callers.named(token) if scheme == "Bearer" else None
        if caller is None:
            raise ServiceError("caller_unknown")
        asked = _asked(request.get_data())
        return jsonify(match=judge.decide(caller=caller, now=clock(), **asked))

    app.register_error_handler(ServiceError, _refused)
    app.register_error_handler(HTTPException, lambda exc: _said("bad_request", exc.code))
    app.register_error_handler(Exception, lambda _exc: _said("internal", None))
    return app


def _asked(body: bytes) -> dict[str, Any]:
    """Return the fields of a request; anything else is a bad request."""
    try:
        fields = json.loads(body)
        known = set(fields) == _FIELDS and all(isinstance(value, str) for value in fields.values())
        scores = {name: EncryptedScore(b64decode(fields[name], validate=True)) for name in ("facenet", "sface")}
        record, calibration = fields["record"], fields["calibration"]
        named = known and 0 < len(record) <= _LONGEST_NAME and record.isprintable()
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ServiceError("bad_request", "the body is not a request of ours") from exc
    if not named:
        raise ServiceError("bad_request", "the body is not a request of ours")
    return {"record": record, "calibration": calibration, **scores}


def _refused(error: ServiceError) -> Response:
    answer = _said(error.code, None)
    if isinstance(error, LockedOut) and error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def _said(code: str, status: int | None) -> Response:
    told = public(code)
    answer = jsonify(error=code, message=told.message)
    answer.status_code = status or told.status
    return answer
