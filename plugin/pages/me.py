"""A person's own page: their factors, what happened, what is held, and "that was not me".

Rules:
 * Nothing personal before a sign-in at the realm with the face step. Whose page it is, the session alone says: no
   address and no form names a person.
 * Looking changes nothing; every form is our own (web/own_forms.py). No script runs but the one that prints codes.
 * Making new codes and erasing ask for a face seen at most five minutes ago; erasing for a ticked box too.
 * No vector, score, cue or agent is shown.

Not here: how somebody signs in (doors/realm_login.py), what is told of the log (audit/story.py).
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, g, redirect, render_template, request, url_for

from plugin.audit.story import story_of
from plugin.errors import CeremonyRefused, ServiceError, public
from plugin.factors.held import held_about
from plugin.helpdesk import letters
from plugin.helpdesk.record import holdings_of, record_of
from plugin.pages.texts import browser_texts
from plugin.store.cooling import cooling_until
from plugin.web import erasing
from plugin.web.context import helpdesk_of, now, services
from plugin.web.own_forms import host_cookie, own_forms_only, set_host_cookie

if TYPE_CHECKING:
    from datetime import datetime

    from werkzeug.wrappers import Response as AnyResponse

    from plugin.helpdesk.own_page import OwnPage, Visitor

bp: Final = Blueprint("me", __name__, url_prefix="/me")
bp.before_request(own_forms_only)
SESSION_COOKIE: Final = "facestep_me"
BEGUN_COOKIE: Final = "facestep_me_begun"
FEW_CODES: Final = 3
_BEGUN_S: Final = 900
_SESSION_S: Final = 1800
_LONGEST_CODE: Final = 2048  # longer than Keycloak's longest
_SERVER_ERROR: Final = 500


@bp.errorhandler(ServiceError)
def tell(error: ServiceError) -> AnyResponse | tuple[str, int]:
    """Tell a person what to do; faults of ours look as everywhere (web/answers.py)."""
    known = public(error.code)
    if known.status >= _SERVER_ERROR:
        raise error
    if error.code == "me_login" and request.method == "GET":
        return _sign_in(), known.status
    realm = error.detail if error.code == "me_face_too_old" else None
    return render_template("me/notice.html", message=known.message, code=error.code, realm=realm), known.status


@bp.get("")
def home() -> str:
    """Show everything about whoever is signed in."""
    visitor = _visitor()
    owner, database = visitor.owner, services().database
    return _page(
        "home.html",
        visitor,
        record=record_of(owner, database=database, now=now()),
        holdings=holdings_of(owner, database=database),
        story=story_of(owner.issuer, owner.subject, database=database, before=_before()),
        browsers=_own_page().sessions.count(owner, now=now()),
        cooling_until=_cooling_until(visitor),
        few_codes=FEW_CODES,
        retention_days=services().settings.reference_ttl_days,
    )


@bp.get("/login")
def login() -> AnyResponse:
    """Send the person to their realm; with `anew` everything is asked again there."""
    realm = _own_page().realm(request.args.get("realm", ""))
    if realm is None:
        raise ServiceError("me_login", "which_realm")
    token = secrets.token_urlsafe(32)
    anew = request.args.get("anew") == "1"
    response = redirect(_own_page().login(realm).begin(token, anew=anew), code=303)
    set_host_cookie(response, BEGUN_COOKIE, token, max_age=_BEGUN_S)
    return response


@bp.get("/callback")
def callback() -> AnyResponse:
    """Take the person back from the realm: always a new session, whatever the browser held before."""
    state, code = request.args.get("state", ""), request.args.get("code", "")
    if not 0 < len(code) <= _LONGEST_CODE:
        raise ServiceError("me_login_refused", "no_code")
    page, old = _own_page(), host_cookie(SESSION_COOKIE)
    signed_in = page.finish(host_cookie(BEGUN_COOKIE), state=state, code=code, now=now())
    if old:
        page.sessions.end(old, now=now())
    token = page.begin(signed_in, now=now())
    response = redirect(url_for("me.home"), code=303)
    set_host_cookie(response, BEGUN_COOKIE, "", max_age=0)
    set_host_cookie(response, SESSION_COOKIE, token, max_age=_SESSION_S)
    return response


@bp.post("/logout")
def logout() -> AnyResponse:
    """End the session here."""
    _own_page().sessions.end(host_cookie(SESSION_COOKIE), now=now())
    return _gone(redirect(url_for("me.home"), code=303))


@bp.post("/export")
def export() -> Response:
    """Hand out what is held, never the vector nor what would help to deceive the face check."""
    visitor = _visitor()
    held = held_about(visitor.owner, database=services().database, audit=services().audit, now=now(), telling=False)
    response = Response(json.dumps(held, indent=2, ensure_ascii=False) + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="facestep-my-data.json"'
    return response


@bp.post("/codes")
def renew_codes() -> str:
    """Make a new set of recovery codes and show it, once."""
    visitor = _fresh()
    if _cooling_until(visitor) is not None:
        raise CeremonyRefused("cooling_down", "codes")
    codes = services().recovery_codes.renew(visitor.owner, now=now())
    desk = helpdesk_of(visitor.owner)
    if desk is not None:
        desk.aftermath.tell(visitor.owner, letters.codes_renewed, now=now())
    return _page("codes.html", visitor, recovery_codes=codes, browser_texts=browser_texts(str))


@bp.get("/erase")
def erase_page() -> str:
    """Say what erasing means, and ask."""
    return _page("erase.html", _visitor())


@bp.post("/erase")
def erase() -> AnyResponse:
    """Erase everything of whoever is signed in, withdrawing their consent with it."""
    visitor = _fresh()
    if request.form.get("confirm") != "erase":
        raise ServiceError("me_not_confirmed")
    erasing.erase(visitor.owner)
    return _gone(Response(render_template("me/over.html", what="erased")))


@bp.get("/not-me")
def not_me_page() -> str:
    """Say what it stops, and ask."""
    return _page("not_me.html", _visitor())


@bp.post("/not-me")
def not_me() -> AnyResponse:
    """Stop every recovery, forget what one has bound, end all sessions, raise an alarm."""
    visitor = _visitor()
    since = now() - timedelta(hours=services().settings.cool_down_h)
    desk = helpdesk_of(visitor.owner)
    stopping = desk.aftermath.stopping if desk is not None else _own_page().stopping
    ended = stopping.stop(visitor.owner, since=since, reason="not_me", now=now())
    return _gone(Response(render_template("me/over.html", what="stopped", ended=ended)))


def _own_page() -> OwnPage:
    page = services().me
    if page is None:
        raise ServiceError("not_found")
    return page


def _visitor() -> Visitor:
    visitor = _own_page().visitor(host_cookie(SESSION_COOKIE), now=now())
    g.signed_in = visitor.owner  # for the audit entry of a fault (web/faults.py)
    return visitor


def _fresh() -> Visitor:
    visitor = _visitor()
    if not visitor.is_fresh(now=now()):
        raise ServiceError("me_face_too_old", visitor.owner.issuer)
    return visitor


def _cooling_until(visitor: Visitor) -> datetime | None:
    owner, hours = visitor.owner, services().settings.cool_down_h
    with services().database.reading() as session:
        return cooling_until(session, issuer=owner.issuer, subject=owner.subject, hours=hours, now=now())


def _before() -> int | None:
    """Return where this page of the history begins; nonsense begins at the top."""
    asked = request.args.get("before", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None  # noqa: PLR2004  (64 bits)


def _sign_in() -> str:
    named = request.args.get("realm", "")
    known = _own_page().realm(named) is not None
    return render_template("me/sign_in.html", realm=named if known else None, wrong=bool(named) and not known)


def _page(name: str, visitor: Visitor, **more: Any) -> str:
    return render_template(f"me/{name}", visitor=visitor, fresh=visitor.is_fresh(now=now()), **more)


def _gone(response: AnyResponse) -> AnyResponse:
    """Take the session's cookie away."""
    set_host_cookie(response, SESSION_COOKIE, "", max_age=0)
    return response
