"""JSON for the ceremony's pages: parse, call a factor, answer. One file a factor; this one joins them.

Rules:
 * Every call is guarded (guard.py) and loads the ceremony with this browser's cookie before anything else.
 * A call that moves the ceremony answers with the next page; it never says more than that it worked.
 * Errors leave as exceptions; plugin/errors.py decides what the outside sees of them.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from plugin.api import enrolment, face, recovery, totp, webauthn
from plugin.api.guard import guard_request
from plugin.api.parsing import json_body
from plugin.ceremonies.redirects import denied_url, success_url
from plugin.ceremonies.types import Purpose
from plugin.web.context import load_ceremony, now, services

bp = Blueprint("api", __name__, url_prefix="/api/ceremony/<ceremony_id>")
bp.before_request(guard_request)
for part in (enrolment, totp, webauthn, recovery, face):
    bp.register_blueprint(part.bp)


@bp.post("/cancel")
def cancel(ceremony_id: str) -> Response:
    """End the ceremony because the person wants another way; the identity provider hears `access_denied`."""
    view = load_ceremony(ceremony_id)
    json_body({})
    services().ceremonies.end(view, now=now())
    return jsonify(redirect=view.redirect_uri if view.purpose is Purpose.CHECK else denied_url(view, "cancelled"))


@bp.post("/finish")
def finish(ceremony_id: str) -> Response:
    """Hand out the result of a ceremony that is done but whose last answer did not arrive; refused at other stages."""
    view = load_ceremony(ceremony_id)
    json_body({})
    code = services().ceremonies.issue_code(view, now=now())
    return jsonify(redirect=success_url(view, code))
