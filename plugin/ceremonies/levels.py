"""Levels of assurance: what an identity provider may ask for as `acr_values`, and which cues of life each demands.

Rules:
 * Every level needs a possession factor, then a live face: no cue that denies, two that confirm by different physics.
 * A level above demands cues by name. One that was not there (declined, or not measured) is a no.
 * A deployment may set a least level: then nobody gets in below it, whatever was asked.
 * An asked level is a wish (OpenID Connect Core 3.1.2.1, acr_values is voluntary). A known one is echoed once it or one
   above it was reached; an unknown one never is.

Not here: what the cues see (biometric/liveness).
"""

from __future__ import annotations

from typing import Final

ACR_LIVE_FACE: Final = "facestep"
ACR_LIT_FACE: Final = "facestep-light"
DEMANDED: Final[dict[str, frozenset[str]]] = {
    ACR_LIVE_FACE: frozenset(),
    ACR_LIT_FACE: frozenset({"challenge", "colour"}),
}
"""Lowest first; cues by their names in biometric/liveness/fusion.py."""


def level_of(asked: str, *, least: str) -> str:
    """Return the level a ceremony is held at: the asked one if it is known, but not below `least`."""
    order = list(DEMANDED)
    return max(asked if asked in DEMANDED else ACR_LIVE_FACE, least, key=order.index)


def answered(asked: str, *, least: str) -> str:
    """Return the `acr` of somebody who has passed a ceremony in which this was asked."""
    return asked if asked in DEMANDED else level_of(asked, least=least)


def demands_light(level: str) -> bool:
    """Tell whether the colours cannot be declined at this level."""
    return "colour" in DEMANDED[level]
