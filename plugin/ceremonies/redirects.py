"""The address that takes a person back to the identity provider, with a code or with a refusal.

Not here: whether a ceremony deserves a code (service.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from plugin.ceremonies.types import CeremonyView


def success_url(view: CeremonyView, code: str) -> str:
    """Return the redirect that carries the result code."""
    return _with_query(view.redirect_uri, code=code, state=view.state)


def denied_url(view: CeremonyView, public_code: str) -> str:
    """Return the redirect that says no; `public_code` is a code of errors.PUBLIC and tells nothing of scores."""
    return _with_query(view.redirect_uri, error="access_denied", error_description=public_code, state=view.state)


def _with_query(uri: str, **parameters: str) -> str:
    """Keep the query the client registered (Keycloak's carries its session code) and add ours."""
    parts = urlsplit(uri)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return urlunsplit(parts._replace(query=query))
