"""What only an enrolment asks for: the invitation, the consent, and keeping a possession factor one already has."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response

from plugin.api.answers import next_page
from plugin.api.parsing import Flag, Text, json_body
from plugin.errors import FactorRejected
from plugin.web.context import load_ceremony, now, services

bp = Blueprint("enrolment", __name__)

_LONGEST_CODE: Final = 64
_LONGEST_VERSION: Final = 32


@bp.post("/invitation")
def invitation(ceremony_id: str) -> Response:
    """Redeem the code that an administrator gave."""
    view = load_ceremony(ceremony_id)
    body = json_body({"code": Text(_LONGEST_CODE)})
    return next_page(services().invitation.redeem(view, body["code"], now=now()))


@bp.post("/consent")
def consent(ceremony_id: str) -> Response:
    """Record that the person agrees to exactly the text that was shown."""
    view = load_ceremony(ceremony_id)
    body = json_body({"agree": Flag(), "text_version": Text(_LONGEST_VERSION)})
    if not body["agree"]:
        raise FactorRejected("consent_missing", "not_agreed")
    return next_page(services().enrolment.give_consent(view, text_version=body["text_version"], now=now()))


@bp.post("/possession/keep")
def keep_possession(ceremony_id: str) -> Response:
    """Keep the factor that was just proven in this ceremony, when only the face is enrolled anew."""
    view = load_ceremony(ceremony_id)
    json_body({})
    return next_page(services().enrolment.keep_possession(view, now=now()))
