"""Where a result may be sent: under the prefix that was registered for the identity provider, and nowhere else.

Rules:
 * A redirect URI is compared as text with the registered prefix; what follows the prefix must be plain.
 * What two parsers could read differently (user info, dot segments, encoded slashes, backslashes) is refused, not
   mended.

Not here: who registered the prefix (registry.py), the result that is appended (ceremonies/redirects.py).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from plugin.errors import ClientRefused

MAX_URI_CHARS: Final = 2048
_PLAIN: Final = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
"""RFC 3986 characters without `#`: no space, no control, no backslash, no quote, nothing outside ASCII."""
_TRICKY_PATH: Final = re.compile(r"//|/\.{1,2}(/|$)|%2e|%2f|%5c|%00|;", re.IGNORECASE)
_OURS: Final = frozenset({"code", "state", "error", "error_description", "error_uri", "iss"})


def check_redirect_uri(uri: str, *, expected_prefix: str) -> None:
    """Raise ClientRefused unless a browser sent to `uri` ends up under `expected_prefix`.

    0. size and characters    nothing that a parser would have to interpret
    1. prefix                 same scheme, host, port and path, as text; the prefix ends with a slash
    2. origin again, parsed   what a browser will contact; no user info
    3. path                   no dot segments, empty segments or encoded separators that leave the prefix
    4. query                  does not already carry a parameter that we are going to add
    """
    if len(uri) > MAX_URI_CHARS or not _PLAIN.fullmatch(uri):  # (0)
        raise ClientRefused("client_refused", "redirect_uri_characters")
    if not expected_prefix.endswith("/") or not uri.startswith(expected_prefix):  # (1)
        raise ClientRefused("client_refused", "redirect_uri_prefix")
    try:
        asked, registered = urlsplit(uri), urlsplit(expected_prefix)
    except ValueError as exc:
        raise ClientRefused("client_refused", "redirect_uri_unreadable") from exc
    if (asked.scheme, asked.netloc) != (registered.scheme, registered.netloc) or "@" in asked.netloc:  # (2)
        raise ClientRefused("client_refused", "redirect_uri_origin")
    if _TRICKY_PATH.search(asked.path):  # (3)
        raise ClientRefused("client_refused", "redirect_uri_path")
    if any(name in _OURS for name, _ in parse_qsl(asked.query, keep_blank_values=True)):  # (4)
        raise ClientRefused("client_refused", "redirect_uri_query")
