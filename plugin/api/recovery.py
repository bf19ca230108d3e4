"""Calls of the saved recovery codes and of the helpdesk's pass. Codes are in the page and nowhere in the API."""

from __future__ import annotations

from flask import Blueprint, Response

from plugin.api.answers import next_page
from plugin.api.parsing import Text, json_body
from plugin.ceremonies.service import ENROL_TTL
from plugin.ceremonies.types import NewCeremony
from plugin.errors import CeremonyRefused
from plugin.web.context import load_ceremony, now, services
from plugin.web.cookies import browser_token, set_browser_token

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


@bp.post("/pass")
def redeem_pass(ceremony_id: str) -> Response:
    """Take the pass from the helpdesk: the login becomes a recovery, which may take longer than a login."""
    view = load_ceremony(ceremony_id)
    body = json_body({"code": Text(64)})
    desk = services().helpdesk
    if desk is None or desk.realm != view.issuer:
        raise CeremonyRefused("ceremony_refused", "no_helpdesk")
    recovering, _ = desk.passes.redeem(view, body["code"], now=now())
    desk.aftermath.used(recovering, now=now())
    answer = next_page(recovering)
    held = NewCeremony(id=view.id, browser_token=browser_token(view.id))
    secure = services().settings.issuer.startswith("https:")
    set_browser_token(answer, held, max_age_s=int(ENROL_TTL.total_seconds()), secure=secure)
    return answer
