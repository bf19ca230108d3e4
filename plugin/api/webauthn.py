"""Calls of passkeys and security keys. The credential has exactly the fields that our pages send."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response

from plugin.api.answers import next_page, next_page_after_setup
from plugin.api.parsing import Schema, Text, TextList, json_body
from plugin.web.context import load_ceremony, now, services

bp = Blueprint("webauthn", __name__, url_prefix="/webauthn")

_LONGEST_ID: Final = 1400
"""Credential ids are at most 1023 bytes (WebAuthn Level 3, 4), 1364 characters in base64url."""
_LONGEST_PART: Final = 16_384

_ATTESTATION: Final[Schema] = {
    "credential": {
        "id": Text(_LONGEST_ID),
        "rawId": Text(_LONGEST_ID),
        "type": Text(16),
        "response": {
            "clientDataJSON": Text(_LONGEST_PART),
            "attestationObject": Text(_LONGEST_PART),
            "transports": TextList(8, 32),
        },
    }
}
_ASSERTION: Final[Schema] = {
    "credential": {
        "id": Text(_LONGEST_ID),
        "rawId": Text(_LONGEST_ID),
        "type": Text(16),
        "response": {
            "clientDataJSON": Text(_LONGEST_PART),
            "authenticatorData": Text(_LONGEST_PART),
            "signature": Text(_LONGEST_PART),
            "userHandle": Text(128, nullable=True),
        },
    }
}


@bp.post("/register/options")
def register_options(ceremony_id: str) -> Response:
    """Return the options for navigator.credentials.create()."""
    view = load_ceremony(ceremony_id)
    json_body({})
    options = services().webauthn.registration_options(view, now=now())
    return Response(options.json, mimetype="application/json")


@bp.post("/register")
def register(ceremony_id: str) -> Response:
    """Take a new passkey into use."""
    view = load_ceremony(ceremony_id)
    body = json_body(_ATTESTATION)
    return next_page_after_setup(services().webauthn.register(view, body["credential"], now=now()))


@bp.post("/options")
def options(ceremony_id: str) -> Response:
    """Return the options for navigator.credentials.get()."""
    view = load_ceremony(ceremony_id)
    json_body({})
    asked = services().webauthn.authentication_options(view, now=now())
    return Response(asked.json, mimetype="application/json")


@bp.post("/verify")
def verify(ceremony_id: str) -> Response:
    """Check the assertion at login."""
    view = load_ceremony(ceremony_id)
    body = json_body(_ASSERTION)
    return next_page(services().webauthn.authenticate(view, body["credential"], now=now()))
