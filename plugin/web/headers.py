"""Security headers, on every answer.

Rules:
 * No inline script or style, no foreign origin, no framing, no referrer to anybody else.
 * Nothing is cached unless a view says so.
 * A page that sends the person back names that one origin in `g.redirect_origin`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import g, request

if TYPE_CHECKING:
    from flask import Flask, Response

_FIXED: Final = {
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send our own forms with `Origin: null` (Fetch 3.2)
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), "
        "microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"
    ),
}
_HSTS: Final = "max-age=31536000"


def register_headers(app: Flask, *, https: bool) -> None:
    """Put the headers on every answer of `app`."""

    def harden(response: Response) -> Response:
        for name, value in _FIXED.items():
            response.headers[name] = value
        response.headers["Content-Security-Policy"] = content_security_policy(g.get("redirect_origin", ""))
        if https:
            response.headers["Strict-Transport-Security"] = _HSTS
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(harden)


def content_security_policy(redirect_origin: str) -> str:
    """Return the policy; `redirect_origin` is empty or the one identity provider a form may lead back to."""
    targets = f"'self' {redirect_origin}".strip()
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src blob:; "
        f"connect-src 'self'; form-action {targets}; frame-ancestors 'none'; base-uri 'none'"
    )
