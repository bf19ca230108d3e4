"""What an action does once it is decided: one entry point for all of them.

Rules:
 * Whether it can be done is asked twice: when it is asked for, and again when it is decided.

Not here: who may (desk.py), what each needs (actions.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.helpdesk.aftermath import Aftermath
    from plugin.helpdesk.policy import Policy
    from plugin.helpdesk.types import Agent, CaseView


class Deeds:
    """Check and carry out what a case asks for."""

    def __init__(self, *, aftermath: Aftermath, policy: Policy) -> None:
        self._aftermath = aftermath
        self._policy = policy

    def check(self, case: CaseView, *, now: datetime) -> None:  # noqa: ARG002  (some actions depend on the time)
        """Raise ServiceError unless what the case asks for can be done now."""
        if case.target:
            raise ServiceError("bad_request", "target")

    def carry_out(self, case: CaseView, agent: Agent, *, now: datetime, **decided: object) -> CaseView:
        """Do it and write `decided` into the case. Raises ServiceError: nothing was done, or it was taken back."""
        return self._aftermath.issue(case, agent, minutes=self._policy.pass_minutes, now=now, **decided)
