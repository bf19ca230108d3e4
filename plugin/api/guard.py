"""Who may call the API: our own pages, in the browser that holds the ceremony's cookie.

Every state-changing call passes three checks before its body is read:
 1. the header `X-Facestep: 1`: another site's form cannot set it, and its script would need our CORS consent
 2. `Origin` is ours; browsers send it with every POST, so a missing one is refused too
 3. `Sec-Fetch-Site`, where a browser sends it, is `same-origin`

Not here: the cookie itself (plugin/web/context.py, on every load of the ceremony).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

from plugin.errors import ServiceError
from plugin.web.context import services
from plugin.web.origin import own_origin

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

HEADER: Final = "X-Facestep"


def check_own_page(headers: Headers, *, expected_origin: str) -> None:
    """Raise ServiceError unless one of our own pages makes this call."""
    if headers.getlist(HEADER) != ["1"]:  # (1)
        raise ServiceError("bad_request", "no_own_header")
    if headers.getlist("Origin") != [expected_origin]:  # (2)
        raise ServiceError("bad_request", "foreign_origin")
    if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":  # (3)
        raise ServiceError("bad_request", "cross_site")


def guard_request() -> None:
    """Run the checks on the current request; the blueprint calls this before each view."""
    check_own_page(request.headers, expected_origin=own_origin(services().settings.issuer))
