"""The authentication flows of a realm with a face step.

    facestep browser                          facestep reset credentials             facestep direct grant
      Cookie                     ALTERNATIVE     Choose User            REQUIRED        Deny Access   REQUIRED
      facestep forms             ALTERNATIVE     Send Reset Email       REQUIRED
        facestep level           CONDITIONAL     Reset Password         REQUIRED
          Condition: level 2     REQUIRED        Facestep               REQUIRED
          Username Password Form REQUIRED
          Facestep               REQUIRED

Rules:
 * A client that asks for nothing gets the face step: the level condition is true for every fresh login, asked or not.
   It is there so that Keycloak remembers the level and asks again when it is too old.
 * Every way to a session leads through the step, "forgot password" too. A password grant cannot show a face, so it is
   denied.

Not here: reading and writing them (flow_items.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from plugin.keycloak import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Step:
    """One execution: an authenticator, or a subflow that is named by `title` and holds `steps`."""

    requirement: str
    provider: str = ""
    title: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """A top-level flow and the field of the realm that binds it."""

    alias: str
    binding: str
    description: str
    steps: tuple[Step, ...]

    def lines(self) -> Iterator[tuple[int, Step]]:
        """Walk the executions in Keycloak's own order, with their depth."""
        return _walk(self.steps, 0)


def _walk(steps: tuple[Step, ...], level: int) -> Iterator[tuple[int, Step]]:
    for step in steps:
        yield level, step
        yield from _walk(step.steps, level + 1)


def _face(facestep_url: str) -> Step:
    config = {
        names.URL_KEY: facestep_url,
        "default.reference.value": "face",
        "default.reference.maxAge": str(names.MAX_AGE_S),
    }
    return Step("REQUIRED", names.AUTHENTICATOR, config=config)


_LEVEL: Final = {"loa-condition-level": str(names.LEVEL), "loa-max-age": str(names.MAX_AGE_S)}


def browser_flow(facestep_url: str) -> Flow:
    """Return the flow of a login page."""
    level = Step(
        "CONDITIONAL",
        title="facestep level",
        steps=(
            Step("REQUIRED", "conditional-level-of-authentication", config=_LEVEL),
            Step("REQUIRED", "auth-username-password-form"),
            _face(facestep_url),
        ),
    )
    forms = Step("ALTERNATIVE", title="facestep forms", steps=(level,))
    return Flow(
        names.BROWSER_FLOW,
        "browserFlow",
        "Password, then a possession factor and a live face at Facestep",
        (Step("ALTERNATIVE", "auth-cookie"), forms),
    )


def reset_flow(facestep_url: str) -> Flow:
    """Return the flow of "forgot password": whoever reads the mail must still show the face."""
    return Flow(
        names.RESET_FLOW,
        "resetCredentialsFlow",
        "Reset a password by mail, then a possession factor and a live face at Facestep",
        (
            Step("REQUIRED", "reset-credentials-choose-user"),
            Step("REQUIRED", "reset-credential-email"),
            Step("REQUIRED", "reset-password"),
            _face(facestep_url),
        ),
    )


def grant_flow() -> Flow:
    """Return the flow of the password grant, which has no page and so no face: it is denied."""
    return Flow(
        names.GRANT_FLOW,
        "directGrantFlow",
        "The password grant cannot show a face, so it is denied",
        (Step("REQUIRED", "deny-access-authenticator"),),
    )
