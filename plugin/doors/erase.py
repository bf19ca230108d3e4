"""An identity provider says that a person's credential is gone: forget the face and everything else of that person.

Rules:
 * Only the provider that a subject belongs to can erase it; the subject is taken under the provider that signed.
 * Erasing twice is not an error.

Not here: what is erased (factors/enrolment.py), and what ends with it (web/erasing.py).
"""

from __future__ import annotations

from typing import Final

from authlib.oauth2.rfc6749.errors import InvalidClientError
from flask import Blueprint, Response, jsonify, request

from plugin.ceremonies.types import Subject
from plugin.doors.authorization import authenticate_client
from plugin.doors.parameters import check_none, check_once
from plugin.doors.refusals import audit_refused_request
from plugin.errors import ClientRefused, ServiceError
from plugin.web import erasing

bp: Final = Blueprint("erase", __name__)
_MAX_SUBJECT_CHARS: Final = 255


@bp.post("/idp/erase")
def erase() -> Response:
    """Erase one subject of the provider that signed the assertion."""
    try:
        check_none(request.args, check="query_string")
        check_once(request.form)
        client = authenticate_client(None, request)
    except ClientRefused as exc:
        audit_refused_request(exc.detail, door="erase")
        raise ServiceError("bad_request", exc.detail) from exc
    except InvalidClientError as exc:
        audit_refused_request(exc.check, door="erase")
        raise ClientRefused("client_refused", exc.check) from exc
    subject = request.form.get("subject", "")
    if not 0 < len(subject) <= _MAX_SUBJECT_CHARS:
        audit_refused_request("no_subject", door="erase", issuer=client.issuer)
        raise ServiceError("bad_request", "no_subject")
    return jsonify(erased=erasing.erase(Subject(client.issuer, subject)))
