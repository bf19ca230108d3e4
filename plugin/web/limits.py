"""How often one address may call us (Flask-Limiter).

Rules:
 * An enterprise sits behind one address, so good requests are hardly limited; strangers' refused ones are counted.
 * A provider that has authenticated itself is not counted: all its logins come from one address, and anybody can make
   it bring a worthless code.
 * Who guesses inside a ceremony is stopped by the attempt counters (ceremonies/attempts.py), not here.
 * If the counter's storage is away the request fails; nothing is let through uncounted.

The numbers are bounds on abuse, not measurements: a face challenge makes about 60 calls (20 s at 2.5 batches a second
and the rest), so 400 a minute leave room for three retries in one ceremony.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

if TYPE_CHECKING:
    from flask import Flask, Response

REFUSED_PER_ADDRESS: Final = "120 per minute"
BEGUN_PER_ADDRESS: Final = "600 per minute"
CALLS_PER_CEREMONY: Final = "400 per minute"
READY_PER_ADDRESS: Final = "600 per minute"
PAGES_PER_ADDRESS: Final = "300 per minute"

_DOORS: Final = ("provider.authorize", "provider.token", "erase.erase")
_STRANGER: Final = frozenset({400, 401, 405, 410, 413})
"""Malformed, unsigned, unknown. A wrong code or face (403, 422) is somebody's, and the attempt counters stop it."""
_BEGINNINGS: Final = ("provider.authorize",)


def limit_routes(app: Flask, *, storage: str) -> Limiter:
    """Put the limits on the routes that `app` has by now."""
    limiter = Limiter(get_remote_address, app=app, storage_uri=storage, headers_enabled=False)
    views = app.view_functions
    for endpoint, view in list(views.items()):
        limited: Any = view
        if endpoint in _DOORS or _is_ceremony(app, endpoint):
            limited = limiter.limit(REFUSED_PER_ADDRESS, deduct_when=_refused)(limited)
        if endpoint in _BEGINNINGS:
            limited = limiter.limit(BEGUN_PER_ADDRESS)(limited)
        if endpoint.startswith("helpdesk_api."):
            limited = limiter.limit(REFUSED_PER_ADDRESS, deduct_when=_refused)(limited)
        if endpoint.startswith(("helpdesk.", "helpdesk_api.", "me.")):
            limited = limiter.limit(PAGES_PER_ADDRESS)(limited)
        if endpoint in {"health.ready", "metrics.show"}:
            limited = limiter.limit(READY_PER_ADDRESS)(limited)
        if _is_ceremony(app, endpoint):
            limited = limiter.limit(CALLS_PER_CEREMONY, key_func=_ceremony)(limited)
        views[endpoint] = limited
    return limiter


def _is_ceremony(app: Flask, endpoint: str) -> bool:
    return any("ceremony_id" in rule.arguments for rule in app.url_map.iter_rules(endpoint))


def _ceremony() -> str:
    return str((request.view_args or {}).get("ceremony_id", ""))


def _refused(response: Response) -> bool:
    return response.status_code in _STRANGER and "authenticated_client" not in g
