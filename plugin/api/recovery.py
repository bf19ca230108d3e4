"""Calls of everything that replaces a factor: saved codes, mailed codes, the helpdesk's pass.

Codes that are made here are in a page or a letter, and nowhere in the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request

from plugin.api.answers import next_page
from plugin.api.parsing import Text, json_body
from plugin.ceremonies.cooldown import refuse_recovery_at_level, refuse_recovery_here
from plugin.ceremonies.redirects import success_url
from plugin.ceremonies.types import NewCeremony, Stage
from plugin.errors import CeremonyRefused
from plugin.helpdesk import letters
from plugin.web.context import helpdesk_of, load_ceremony, now, services
from plugin.web.cookies import browser_token, set_browser_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugin.ceremonies.types import CeremonyView
    from plugin.helpdesk.letters import Letter
    from plugin.helpdesk.parts import Helpdesk

bp = Blueprint("recovery", __name__, url_prefix="/recovery")


@bp.post("/acknowledge")
def acknowledge(ceremony_id: str) -> Response:
    """Note that the person has saved the codes; they are never shown again. At the end of a login, that ends it."""
    view = load_ceremony(ceremony_id)
    json_body({})
    if view.stage is not Stage.DONE:
        return next_page(services().recovery_codes.acknowledge(view, now=now()))
    code = services().recovery_codes.replace_used(view, now=now())
    _tell(view, letters.codes_renewed)
    return jsonify(redirect=success_url(view, code))


@bp.post("/verify")
def verify(ceremony_id: str) -> Response:
    """Check a code at login; it is used up by that, and every address hears of it."""
    view = load_ceremony(ceremony_id)
    body = json_body({"code": Text(64)})
    going_on = services().recovery_codes.verify(view, body["code"], now=now())
    if not going_on.purpose.is_recovery:  # a recovery has letters of its own
        _tell(view, letters.code_used_once)
    return next_page(going_on)


@bp.post("/lost")
def replace_lost(ceremony_id: str) -> Response:
    """Check a code at login, to replace what was lost: the login becomes a recovery."""
    view = load_ceremony(ceremony_id)
    body = json_body({"code": Text(64)})
    found = services()
    refuse_recovery_here(view, database=found.database, audit=found.audit, settings=found.settings, now=now())
    recovering = found.recovery_codes.replace_lost(view, body["code"], now=now())
    _tell(view, letters.code_used)
    return _longer(recovering)


@bp.post("/new-face")
def new_face(ceremony_id: str) -> Response:
    """Turn a login that has not begun into the way to a new face; nothing is proven by it."""
    view = load_ceremony(ceremony_id)
    json_body({})
    return _longer(_desk(view).own_recovery.begin(view, now=now()))


@bp.post("/mail")
def mail(ceremony_id: str) -> Response:
    """Mail a code to the address on record, and tell every address."""
    view = load_ceremony(ceremony_id)
    json_body({})
    _desk(view).own_recovery.send(view, now=now())
    return next_page(view)


@bp.post("/mailed")
def mailed(ceremony_id: str) -> Response:
    """Check the code that was mailed."""
    view = load_ceremony(ceremony_id)
    body = json_body({"code": Text(64)})
    return next_page(_desk(view).own_recovery.redeem(view, body["code"], now=now()))


@bp.post("/pass")
def redeem_pass(ceremony_id: str) -> Response:
    """Take the pass from the helpdesk: the login becomes a recovery, which may take longer than a login.

    A second pass during a cool-down is the helpdesk's to decide; a higher level by a pass is nobody's.
    """
    view = load_ceremony(ceremony_id)
    body = json_body({"code": Text(64)})
    desk, found = _desk(view), services()
    refuse_recovery_at_level(view, audit=found.audit, settings=found.settings, now=now())
    recovering = desk.redeem(view, body["code"], address=request.remote_addr or "", now=now())
    return _longer(recovering)


def _desk(view: CeremonyView) -> Helpdesk:
    desk = helpdesk_of(view)
    if desk is None:
        raise CeremonyRefused("ceremony_refused", "no_helpdesk")
    return desk


def _tell(view: CeremonyView, letter: Callable[..., Letter]) -> None:
    """Write to every address on record, with a link that stops it, where the realm has a helpdesk."""
    desk = helpdesk_of(view)
    if desk is not None:
        desk.aftermath.tell(view.owner, letter, now=now())


def _longer(recovering: CeremonyView) -> Response:
    """Answer with the next page, and let the browser hold its cookie as long as the recovery may take."""
    answer = next_page(recovering)
    held = NewCeremony(id=recovering.id, browser_token=browser_token(recovering.id))
    left = int((recovering.expires_at - now()).total_seconds())
    set_browser_token(answer, held, max_age_s=left, secure=services().settings.issuer.startswith("https:"))
    return answer
