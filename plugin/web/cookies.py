"""The cookie that binds a ceremony to the browser that began it; one a ceremony, so that two logins do not mix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

if TYPE_CHECKING:
    from flask import Response

    from plugin.ceremonies.types import NewCeremony

_ID_CHARS: Final = 8


def cookie_name(ceremony_id: str) -> str:
    """Return the cookie's name; the id's first characters are enough to tell a few open logins apart."""
    return f"facestep_{ceremony_id[:_ID_CHARS]}"


def browser_token(ceremony_id: str) -> str:
    """Return what this browser holds for the ceremony, or an empty string, which no ceremony accepts."""
    return request.cookies.get(cookie_name(ceremony_id), "")


def set_browser_token(response: Response, ceremony: NewCeremony, *, max_age_s: int, secure: bool) -> None:
    """Give the token to the browser. Lax, because the identity provider's redirect comes from another site."""
    response.set_cookie(
        cookie_name(ceremony.id),
        ceremony.browser_token,
        max_age=max_age_s,
        secure=secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )
