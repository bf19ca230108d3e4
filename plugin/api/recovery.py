"""Calls of the saved recovery codes. The codes themselves are in the page and nowhere in the API."""

from __future__ import annotations

from flask import Blueprint, Response

from plugin.api.answers import next_page
from plugin.api.parsing import Text, json_body
from plugin.web.context import load_ceremony, now, services

bp = Blueprint("recovery", __name__, url_prefix="/recovery")


@bp.post("/acknowledge")
def acknowledge(ceremony_id: str) -> Response:
    """Note that the person has saved the codes; they are never shown again."""
    view = load_ceremony(ceremony_id)
    json_body({})
    return next_page(services().recovery_codes.acknowledge(view, now=now()))


@bp.post("/verify")
def verify(ceremony_id: str) -> Response:
    """Check a code at login; it is used up by that."""
    view = load_ceremony(ceremony_id)
    body = json_body({"code": Text(64)})
    return next_page(services().recovery_codes.verify(view, body["code"], now=now()))
