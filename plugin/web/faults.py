"""A fault of ours in the middle of somebody's login, or before somebody who is signed in, leaves an audit entry.

By then an attempt may be counted, a challenge or a code used up, and the log must say why nothing came of it.

Rules:
 * Every answer of 500 and above is written down, in a transaction of its own, once it is known whom it is about: the
   browser holds a ceremony, somebody is signed in at the helpdesk or at `/me`, or an identity provider has signed. A
   stranger's request changes nothing and fills no log.
 * Only the error's code and our name of the route are written, never its message.
 * If the database itself is the fault there is no entry: the log lies in it, and waiting for it again would keep a
   thread that others need. The service's own log has the error either way (answers.py).

Not here: refusals, which each factor and door writes down itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from flask import g, request

from plugin.web.context import now, services

if TYPE_CHECKING:
    from plugin.ceremonies.types import CeremonyView, Subject, VerifiedRequest

_NO_DATABASE: Final = frozenset({"store_busy", "store_unavailable"})

log = logging.getLogger("facestep.error")


def audit_fault(code: str) -> None:
    """Write down that the current request ended with this code. Never raises: the answer stands whatever happens."""
    about = _about()
    if about is None or code in _NO_DATABASE:
        return
    details = {"code": code, "call": request.endpoint or "unnamed"}
    view: CeremonyView | None = g.get("ceremony")
    if view is not None:
        details["stage"] = view.stage.value
    issuer, subject, ceremony_id = about
    try:
        services().audit.append(
            "request_failed", at=now(), issuer=issuer, subject=subject, ceremony_id=ceremony_id, details=details
        )
    except Exception as exc:  # noqa: BLE001  (an error inside an error handler would leave without our answer)
        log.error("no audit entry of %s at %s: %s", code, details["call"], type(exc).__qualname__)  # noqa: TRY400


def _about() -> tuple[str, str, str] | None:
    """Return issuer, subject and ceremony that this request is about, as far as they were proven."""
    view: CeremonyView | None = g.get("ceremony")
    if view is not None:
        return view.issuer, view.subject, view.id
    verified: VerifiedRequest | None = g.get("verified_request")
    if verified is not None:
        return verified.issuer, verified.subject, ""
    if "unproven_ceremony_id" in g:
        return "", "", str(g.unproven_ceremony_id)
    owner: Subject | None = g.get("signed_in")
    if owner is not None:
        return owner.issuer, owner.subject, ""
    client: str | None = g.get("authenticated_client")
    return (client, "", "") if client is not None else None
