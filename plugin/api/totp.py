"""Calls of the authenticator app: set-up, confirmation, and the code at login."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import segno
from flask import Blueprint, Response, jsonify

from plugin.api.answers import next_page, next_page_after_setup
from plugin.api.parsing import Schema, Text, json_body
from plugin.web.context import load_ceremony, now, services

bp = Blueprint("totp", __name__, url_prefix="/totp")

_CODE: Final[Schema] = {"code": Text(16)}


@bp.post("/setup")
def setup(ceremony_id: str) -> Response:
    """Return the secret, as a picture and as text; it counts for nothing before it is confirmed."""
    view = load_ceremony(ceremony_id)
    json_body({})
    begun = services().totp.begin_setup(view, now=now())
    return jsonify(otpauth_uri=begun.otpauth_uri, secret=begun.secret, qr_svg=_qr_svg(begun.otpauth_uri))


@bp.post("/confirm")
def confirm(ceremony_id: str) -> Response:
    """Take the secret into use once the app shows the right code."""
    view = load_ceremony(ceremony_id)
    body = json_body(_CODE)
    return next_page_after_setup(services().totp.confirm_setup(view, body["code"], now=now()))


@bp.post("/verify")
def verify(ceremony_id: str) -> Response:
    """Check the code at login."""
    view = load_ceremony(ceremony_id)
    body = json_body(_CODE)
    return next_page(services().totp.verify(view, body["code"], now=now()))


def _qr_svg(text: str) -> str:
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False)
    return out.getvalue().decode()
