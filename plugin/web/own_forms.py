"""Pages whose forms work without a script: who may send them, and the cookies of who is signed in there.

Rules:
 * A form is sent to us by our own pages alone: `Origin` must be ours, and `Sec-Fetch-Site`, where sent, same-origin.
 * A cookie of a signed-in person is bound to this very host (`__Host-`), wherever we are reached over https.

Not here: calls of the ceremony's scripts (plugin/api/guard.py), its cookies (cookies.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from plugin.errors import ServiceError
from plugin.web.context import services
from plugin.web.origin import own_origin

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


def own_forms_only() -> None:
    """Refuse a form that another site has sent; a blueprint calls this before each view."""
    if request.method != "POST":
        return
    ours, site = own_origin(services().settings.issuer), request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.headers.getlist("Origin") != [ours] or site != "same-origin":
        raise ServiceError("bad_request", "foreign_origin")


def host_cookie(name: str) -> str:
    """Return what this browser holds, or an empty string."""
    return request.cookies.get(_full(name), "")


def set_host_cookie(response: Response, name: str, value: str, *, max_age: int) -> None:
    """Give the browser a cookie; an empty value with age 0 takes it away."""
    response.set_cookie(
        _full(name), value, max_age=max_age, secure=_is_https(), httponly=True, samesite="Lax", path="/"
    )


def _full(name: str) -> str:
    return f"__Host-{name}" if _is_https() else name


def _is_https() -> bool:
    return services().settings.issuer.startswith("https:")
