"""A refused request leaves an audit entry with the name of the check that refused it."""

from __future__ import annotations

from plugin.web.context import now, services


def audit_refused_request(check: str, *, door: str, issuer: str = "") -> None:
    """Write the entry. `issuer` is a registered provider or empty: a stranger's name for itself is not written down."""
    services().audit.append("request_refused", at=now(), issuer=issuer, details={"check": check, "door": door})
