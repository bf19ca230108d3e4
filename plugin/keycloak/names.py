"""Names and numbers that the realm, the extension and we agree on."""

from __future__ import annotations

from typing import Final

AUTHENTICATOR: Final = "facestep-authenticator"
REQUIRED_ACTION: Final = "facestep-enrol"
REQUIRED_ACTION_NAME: Final = "Enrol your face (Facestep)"
AMR_MAPPER: Final = "facestep-amr-mapper"
SCOPE: Final = "facestep"
ACR: Final = "facestep"
LEVEL: Final = 2
"""Keycloak's level of authentication that the class `facestep` stands for: more than one factor."""
URL_KEY: Final = "facestep.url"
PENDING_ERASURE: Final = "facestep.erase."

BROWSER_FLOW: Final = "facestep browser"
RESET_FLOW: Final = "facestep reset credentials"
GRANT_FLOW: Final = "facestep direct grant"

MAX_AGE_S: Final = 36_000
"""Ten hours: Keycloak's own longest single sign-on session, so that a proof is good for the session that it opened."""
FAILURE_FACTOR: Final = 10
"""Wrong tries before Keycloak locks, where we switch its protection on (NIST SP 800-63B-4 3.2.2 allows at most 100)."""
MOST_FAILURES: Final = 100
"""More than this is wrong even if an admin chose it (the same source)."""
