"""What every page of the helpdesk asks first: which helpdesk, who is signed in. And its cookies, on its own path.

Not here: what is allowed (helpdesk/desk.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from plugin.errors import ServiceError
from plugin.web.context import now, services

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from plugin.helpdesk.parts import Helpdesk
    from plugin.helpdesk.types import Agent

SESSION_COOKIE: Final = "facestep_desk"
BEGUN_COOKIE: Final = "facestep_desk_begun"
ASKED_COOKIE: Final = "facestep_desk_asked"
"""Which letter's link a manager came from, while they sign in."""
BEGUN_S: Final = 900
SESSION_S: Final = 3600


def the_desk() -> Helpdesk:
    """Return the helpdesk of this service."""
    desk = services().helpdesk
    if desk is None:
        raise ServiceError("not_found")
    return desk


def session_token() -> str:
    """Return what this browser holds, maybe nothing."""
    return request.cookies.get(SESSION_COOKIE, "")


def acting_agent() -> Agent:
    """Return who acts, with the roles of now. Raises ServiceError."""
    return the_desk().agent(session_token(), address=request.remote_addr or "", now=now())


def to_case(case_id: str) -> AnyResponse:
    """Show the case after something was done to it."""
    return redirect(url_for("helpdesk.show_case", case_id=case_id), code=303)


def set_cookie(response: AnyResponse, name: str, value: str, *, max_age: int) -> None:
    """Give the browser a cookie for the helpdesk's pages alone."""
    secure = services().settings.issuer.startswith("https:")
    response.set_cookie(name, value, max_age=max_age, secure=secure, httponly=True, samesite="Lax", path="/helpdesk")
