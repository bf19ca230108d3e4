"""What every page of the helpdesk asks first: which helpdesk, who is signed in. And how somebody is signed in.

Not here: what is allowed (helpdesk/desk.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import g, redirect, request, url_for

from plugin.errors import ServiceError
from plugin.web.context import now, services
from plugin.web.own_forms import host_cookie, set_host_cookie

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
    return host_cookie(SESSION_COOKIE)


def acting_agent() -> Agent:
    """Return who acts, with the roles of now. Raises ServiceError."""
    agent = the_desk().agent(session_token(), address=request.remote_addr or "", now=now())
    g.signed_in = agent.person.owner  # for the audit entry of a fault (web/faults.py)
    return agent


def to_case(case_id: str) -> AnyResponse:
    """Show the case after something was done to it."""
    return redirect(url_for("helpdesk.show_case", case_id=case_id), code=303)


def signed_in(response: AnyResponse, token: str) -> AnyResponse:
    """Give the browser its new session."""
    forget(response, BEGUN_COOKIE, ASKED_COOKIE)
    set_host_cookie(response, SESSION_COOKIE, token, max_age=SESSION_S)
    return response


def end_session() -> None:
    """End the session that this browser holds, if any."""
    if held := session_token():
        the_desk().sessions.end(held, now=now())


def forget(response: AnyResponse, *names: str) -> None:
    """Take cookies of the helpdesk's pages away."""
    for name in names:
        set_host_cookie(response, name, "", max_age=0)
