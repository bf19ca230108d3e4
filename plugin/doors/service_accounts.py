"""Programs that call the helpdesk's API: service accounts of the realm, by a bearer token that we check ourselves.

Rules:
 * The realm's signature and our audience do not say who calls: everybody's tokens are signed with the same key. Only
   a token of a client's own service account is taken, never one that stands for a person.
 * What the account may do is asked of the directory at every call, besides the token's own word.
 * A refusal is written down with the check that refused.

Not here: what a program may do (helpdesk/desk.py), HTTP (api/helpdesk.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from plugin.doors import jws
from plugin.errors import ClientRefused, ServiceError
from plugin.helpdesk.types import API_ROLE, Agent

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.audit.log import AuditLog
    from plugin.doors.registry import Registry
    from plugin.helpdesk.types import Directory

AUDIENCE: Final = "facestep-helpdesk"
ACCOUNT: Final = "service-account-"
"""What Keycloak puts before a client's id to name its account."""
MAX_AGE: Final = timedelta(minutes=15)
"""No token is taken that was made for longer; Keycloak makes them for five minutes."""


class ServiceAccounts:
    """helpdesk.types.Programs over the tokens of one realm."""

    def __init__(self, *, realm: str, registry: Registry, directory: Directory, audit: AuditLog) -> None:
        self._realm = realm
        self._registry = registry
        self._directory = directory
        self._audit = audit

    def program(self, token: str, *, address: str, now: datetime) -> Agent:
        """Return which program calls.

        1. signed by the realm, for us alone, and not too old (jws.verify)     2. an access token, not an ID token
        3. of a client's own service account: no session of a person, and the account's name is the client's
        4. the token has the role     5. the account is there, enabled, has that name, and has the role now

        Raises:
            ServiceError: "api_token", audited; or keys or directory cannot be asked now.
        """
        try:
            return self._verified(token, address=address, now=now)
        except ClientRefused as exc:
            self._audit.append("request_refused", at=now, details={"check": exc.detail, "door": "helpdesk_api"})
            raise ServiceError("api_token", exc.detail) from exc

    def _verified(self, token: str, *, address: str, now: datetime) -> Agent:
        claims = jws.verify(  # (1)
            token,
            expected_typ="JWT",
            expected_issuer=self._realm,
            expected_audience=AUDIENCE,
            key_for=lambda kid: self._registry.key(self._registry.get(self._realm), kid, now=now),
            max_age=MAX_AGE,
            now=now,
        )
        claims.exactly("typ", "Bearer")  # (2)
        name = ACCOUNT + claims.text("azp")
        if not {"sid", "session_state"}.isdisjoint(claims.values):  # (3)
            raise jws.refuse("session")
        claims.exactly("preferred_username", name)
        if not _has_role(claims.values.get("realm_access")):  # (4)
            raise jws.refuse("role")
        person = self._directory.person(claims.text("sub"))
        if person is None or person.name != name:  # (5)
            raise jws.refuse("account")
        program = Agent(person=person, address=address, program=True)
        if not program.has(API_ROLE):
            raise jws.refuse("role_now")
        return program


def _has_role(granted: object) -> bool:
    roles = granted.get("roles") if isinstance(granted, dict) else None
    return isinstance(roles, list) and API_ROLE in roles
