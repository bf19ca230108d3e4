"""The pages behind the links in letters: the person's face check and the manager's word.

Rules:
 * To look at a page changes nothing, since mail programs look at links; what counts is a pressed button, whose form
   comes from our own page (pages/helpdesk.py checks that for every form).
 * The page of the manager's link names nobody until the manager has signed in.
 * When a check is over the page says the same, whatever came of it.

Not here: what is allowed (helpdesk/face_checks.py, helpdesk/managers.py), how agents ask (helpdesk.py), the camera's
page (ceremony.py).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from flask import Blueprint, redirect, render_template, request, url_for

from plugin.errors import ServiceError, public
from plugin.pages.desk_request import (
    ASKED_COOKIE,
    BEGUN_COOKIE,
    BEGUN_S,
    end_session,
    session_token,
    signed_in,
    the_desk,
)
from plugin.pages.form_errors import sentence
from plugin.web.context import now, services
from plugin.web.cookies import set_browser_token
from plugin.web.own_forms import set_host_cookie

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from plugin.ceremonies.types import Subject

bp: Final = Blueprint("proofs", __name__)
_SERVER_ERROR: Final = 500


@bp.errorhandler(ServiceError)
def tell(error: ServiceError) -> tuple[str, int]:
    """Tell somebody who is no agent what to do; faults of ours look as everywhere (web/answers.py)."""
    known = public(error.code)
    if known.status >= _SERVER_ERROR:
        raise error
    shown = {"message": sentence(error), "code": error.code, "from_letter": True}
    return render_template("helpdesk/notice.html", **shown), known.status


@bp.get("/check/<token>")
def check_page(token: str) -> str:
    """Say what the check is, and when not to do it."""
    the_desk().face_checks.find(token, now=now())
    return render_template("helpdesk/check.html", stopped=False)


@bp.post("/check/<token>")
def check(token: str) -> AnyResponse | str:
    """Begin the check in this browser, or stop the case."""
    answer = request.form.get("answer", "")
    if answer == "stop":
        the_desk().face_checks.stop(token, now=now())
        return render_template("helpdesk/check.html", stopped=True)
    if answer != "begin":
        raise ServiceError("bad_request", "answer")
    ceremony = the_desk().face_checks.begin(token, now=now())
    response = redirect(url_for("pages.show", ceremony_id=ceremony.id), code=303)
    settings = services().settings
    secure = settings.issuer.startswith("https:")
    set_browser_token(response, ceremony, max_age_s=settings.ceremony_ttl_s, secure=secure)  # type: ignore[arg-type]
    return response


@bp.get("/checked")
def checked() -> str:
    """Say that the check is over."""
    return render_template("helpdesk/checked.html")


@bp.get("/confirm/<token>")
def confirm_page(token: str) -> str:
    """Ask the manager to sign in; then show what it is about."""
    visitor = _signed_in()
    if visitor is None:
        the_desk().managers.find(token, now=now())
        return render_template("helpdesk/confirm.html", case=None, token=token)
    case, asker = the_desk().managers.asked(token, visitor, now=now())
    return render_template("helpdesk/confirm.html", case=case, asker=asker.name, token=token)


@bp.get("/confirm/<token>/login")
def confirm_login(token: str) -> AnyResponse:
    """Send the manager to the realm."""
    the_desk().managers.find(token, now=now())
    begun = secrets.token_urlsafe(32)
    response = redirect(the_desk().login.begin(begun), code=303)
    set_host_cookie(response, BEGUN_COOKIE, begun, max_age=BEGUN_S)
    set_host_cookie(response, ASKED_COOKIE, token, max_age=BEGUN_S)
    return response


@bp.post("/confirm/<token>")
def confirm(token: str) -> str:
    """Take the manager's answer; then the session is over, for they may be no staff of ours."""
    visitor, answer = _signed_in(), request.form.get("answer", "")
    if visitor is None:
        raise ServiceError("helpdesk_login")
    if answer not in {"yes", "no"}:
        raise ServiceError("bad_request", "answer")
    the_desk().managers.answer(token, visitor, yes=answer == "yes", now=now())
    end_session()
    return render_template("helpdesk/confirmed.html", yes=answer == "yes")


def arrive(token: str, owner: Subject) -> AnyResponse:
    """Take the manager back from the realm: a session for whoever the link was sent to, and nobody else."""
    the_desk().managers.asked(token, owner, now=now())
    session = the_desk().sessions.begin(owner, name="", now=now())
    response = redirect(url_for("helpdesk.proofs.confirm_page", token=token), code=303)
    return signed_in(response, session)


def _signed_in() -> Subject | None:
    token = session_token()
    return the_desk().sessions.find(token, now=now()) if token else None
