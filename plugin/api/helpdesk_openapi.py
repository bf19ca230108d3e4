"""The OpenAPI 3.1 description of the helpdesk's API; tests/plugin/helpdesk/test_api.py holds it to the routes.

Written by hand: five calls with one answer are less to read here than the marks a generator would want in the code.

Not here: the calls (helpdesk.py).
"""

from __future__ import annotations

from typing import Any, Final

from plugin.helpdesk.actions import KINDS
from plugin.helpdesk.fields import LONGEST
from plugin.helpdesk.policy import PROOFS
from plugin.helpdesk.standing import STATES
from plugin.helpdesk.types import Action, CaseState

_ABOUT: Final = """Opens and follows cases of people who lost their factors. A call carries a bearer token of the
program's own service account in the realm: audience `facestep-helpdesk`, realm role `facestep-helpdesk-api`, made for
15 minutes at most. A program sees its own cases, decides nothing and sees no pass: what it asks for waits for a person
who has signed in with the face. Every refusal is one JSON object with a stable `error` code."""


def _text(longest: int, what: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest, "description": what}


def _one_of(words: list[str], what: str) -> dict[str, Any]:
    return {"type": "string", "enum": words, "description": what}


def _object(**fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


_PROOF: Final = _one_of(list(PROOFS), "What was done to make sure who calls.")
_WISH: Final = _one_of([action.value for action in Action if not KINDS[action].emergency], "What is to be done.")
_ACTION: Final = _one_of([action.value for action in Action], "What was asked for; to break glass, by people alone.")
_TARGET: Final = {
    "type": "string",
    "maxLength": LONGEST["target"],
    "description": "For `reset_factor` one of the case's `possible` targets; else empty.",
}
_MANY_PROOFS: Final = {"type": "array", "items": _PROOF}
_TIME: Final = {"type": "string", "format": "date-time"}
SCHEMAS: Final[dict[str, Any]] = {
    "NewCase": _object(
        name=_text(LONGEST["name"], "The user name, exactly. There is no search."),
        ticket=_text(LONGEST["ticket"], "The ticket's number."),
        reason=_text(LONGEST["reason"], "What happened."),
    ),
    "Proof": _object(proof=_PROOF),
    "Wish": _object(action=_WISH, target=_TARGET),
    "Nothing": _object(),
    "Case": _object(
        id={"type": "string"},
        name={"type": "string"},
        ticket={"type": "string"},
        reason={"type": "string"},
        state=_one_of([state.value for state in CaseState], "Where it stands."),
        risks={"type": "array", "items": {"type": "string"}, "description": "What makes it more delicate than others."},
        proofs=_MANY_PROOFS,
        standing={
            "type": "array",
            "items": _object(proof=_PROOF, state=_one_of(list(STATES), "How it stands.")),
            "description": "Every proof that is demanded or was given.",
        },
        action={"oneOf": [_ACTION, {"type": "null"}], "description": "What was asked for; null before."},
        target=_TARGET,
        possible={
            "type": "array",
            "items": _object(action=_WISH, target=_TARGET, missing=_MANY_PROOFS),
            "description": "What can be asked for while it is open, and what must be proven before.",
        },
        opened_at=_TIME,
        expires_at={**_TIME, "description": "After this it takes nothing any more."},
    ),
    "Error": _object(error={"type": "string", "description": "A stable code."}, message={"type": "string"}),
}
_ERRORS: Final = {
    "400": "The request could not be read.",
    "401": "No token, or not one that is taken here.",
    "403": "Not allowed to this program, or about this person.",
    "404": "No such case of this program, or nobody with this name.",
    "409": "The case has moved on, or something is missing.",
    "429": "Too many look-ups or cases.",
    "503": "Keycloak, mail or vault do not answer. Try again later.",
}


def document(url: str) -> dict[str, Any]:
    """Return the description, for calls under `url`."""
    case = {"name": "case_id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Facestep helpdesk", "version": "1", "description": _ABOUT},
        "servers": [{"url": url}],
        "security": [{"serviceAccount": []}],
        "paths": {
            "/openapi.json": {"get": _description()},
            "/cases": {"post": _call("Open a case", body="NewCase", status="201")},
            "/cases/{case_id}": {"parameters": [case], "get": _call("Read a case")},
            "/cases/{case_id}/proofs": {
                "parameters": [case],
                "post": _call(
                    "Note a proof, where policy allows it; or send the link for the face or the manager", body="Proof"
                ),
            },
            "/cases/{case_id}/ask": {"parameters": [case], "post": _call("Ask for an action", body="Wish")},
            "/cases/{case_id}/close": {"parameters": [case], "post": _call("Withdraw and end", body="Nothing")},
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"serviceAccount": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _description() -> dict[str, Any]:
    answer = {"description": "This document", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"summary": "Describe the calls", "operationId": "describe", "security": [], "responses": {"200": answer}}


def _call(summary: str, *, body: str = "", status: str = "200") -> dict[str, Any]:
    answers = {code: _answer(said, "Error") for code, said in _ERRORS.items()}
    call: dict[str, Any] = {
        "summary": summary,
        "operationId": summary.split(",", maxsplit=1)[0].lower().replace(" ", "_"),
        "responses": {status: _answer("The case as it stands", "Case"), **answers},
    }
    if body:
        call["requestBody"] = {"required": True, "content": _json(body)}
    return call


def _answer(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": _json(schema)}


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
