"""JSON for ticket systems: open a case, read it, note a proof, ask for an action, close.

Rules:
 * A call is a program's own: it carries a bearer token of its service account (doors/service_accounts.py) and stands
   for no person. There are no cookies here, and a page of another site has no token.
 * A program sees its own cases alone. It decides nothing and sees no pass; what it asks for waits for a person, always.
 * Limits, refusals and the audit log are those of the desk; an answer says `error` with a stable code (errors.py).

Not here: what is allowed (helpdesk/desk.py), the description for programmers (helpdesk_openapi.py).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, jsonify, request

from plugin.api.helpdesk_openapi import document
from plugin.api.parsing import Schema, Text, json_body
from plugin.errors import ServiceError
from plugin.helpdesk.fields import LONGEST, field, target
from plugin.helpdesk.policy import LIVE_FACE, MANAGER
from plugin.helpdesk.standing import standing_of
from plugin.helpdesk.types import Action
from plugin.web.context import now, services

if TYPE_CHECKING:
    from plugin.helpdesk.parts import Helpdesk
    from plugin.helpdesk.types import Agent, CaseView

bp: Final = Blueprint("helpdesk_api", __name__, url_prefix="/helpdesk/api/v1")
OPEN: Final[Schema] = {name: Text(LONGEST[name]) for name in ("name", "ticket", "reason")}
PROOF: Final[Schema] = {"proof": Text(32)}
ASK: Final[Schema] = {"action": Text(16), "target": Text(LONGEST["target"])}
CLOSE: Final[Schema] = {}
_BEARER: Final = "Bearer "


@bp.after_request
def say_how(response: Response) -> Response:
    """Tell who is not known how to say who they are."""
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@bp.get("/openapi.json")
def openapi() -> Response:
    """Describe these calls; no secret is in it, so anybody may read it."""
    return jsonify(document(services().settings.issuer + bp.url_prefix))  # type: ignore[operator]


@bp.post("/cases")
def open_case() -> tuple[Response, int]:
    """Open a case about the person with exactly this user name."""
    program, body = _program(), json_body(OPEN)
    said = {name: field(name, body[name]) for name in OPEN}
    case = _desk().desk.open(program, said["name"], ticket=said["ticket"], reason=said["reason"], now=now())
    return _shown(case), 201


@bp.get("/cases/<case_id>")
def show_case(case_id: str) -> Response:
    """Return a case as it stands."""
    return _shown(_desk().desk.look(_program(), case_id, now=now()))


@bp.post("/cases/<case_id>/proofs")
def note_proof(case_id: str) -> Response:
    """Note a proof, where policy lets a program do so; the face and the manager are asked, whoever calls."""
    program, proof = _program(), json_body(PROOF)["proof"]
    ask_for = {LIVE_FACE: _desk().face_checks.ask, MANAGER: _desk().managers.ask}.get(proof)
    if ask_for is not None:
        return _shown(ask_for(program, case_id, now=now()))
    return _shown(_desk().desk.note(program, case_id, proof, now=now()))


@bp.post("/cases/<case_id>/ask")
def ask(case_id: str) -> Response:
    """Ask for an action; a person decides."""
    program, body = _program(), json_body(ASK)
    if body["action"] not in set(Action):
        raise ServiceError("bad_request", "action")
    action, about = Action(body["action"]), target(body["target"])
    return _shown(_desk().desk.ask(program, case_id, action=action, target=about, now=now()))


@bp.post("/cases/<case_id>/close")
def close(case_id: str) -> Response:
    """Withdraw what was asked for and end the case."""
    program = _program()
    json_body(CLOSE)
    return _shown(_desk().desk.close(program, case_id, now=now()))


def _desk() -> Helpdesk:
    desk = services().helpdesk
    if desk is None:
        raise ServiceError("not_found")
    return desk


def _program() -> Agent:
    """Return which program calls. Raises ServiceError("api_token"), audited."""
    desk, header = _desk(), request.headers.get("Authorization", "")
    token = header.removeprefix(_BEARER) if header.startswith(_BEARER) else ""
    return desk.programs.program(token, address=request.remote_addr or "", now=now())


def _shown(case: CaseView) -> Response:
    """Return what a program learns of a case: no address, no factor but by its name, no pass."""
    offers = _desk().desk.offers(case, now=now()) if case.state == "open" else ()
    shown: dict[str, Any] = {
        "id": case.id,
        "name": case.name,
        "ticket": case.ticket,
        "reason": case.reason,
        "state": case.state.value,
        "risks": list(case.risks),
        "proofs": list(case.proofs),
        "standing": [{"proof": one.proof, "state": one.state} for one in standing_of(case, _desk(), now=now())],
        "action": case.action.value if case.action else None,
        "target": case.target,
        "possible": [
            {"action": one.action.value, "target": one.target, "missing": list(one.missing)} for one in offers
        ],
        "opened_at": case.created_at.isoformat(timespec="seconds"),
        "expires_at": case.expires_at.isoformat(timespec="seconds"),
    }
    return jsonify(shown)
