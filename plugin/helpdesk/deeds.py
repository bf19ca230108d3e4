"""What an action does once it is decided: one entry point for all of them.

Rules:
 * Whether it can be done is asked twice: when it is asked for, and again when it is decided.

Not here: who may (desk.py), what each needs (actions.py), how each is done (aftermath.py, taking.py, giving.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plugin.errors import ServiceError
from plugin.helpdesk.types import Action

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.helpdesk.aftermath import Aftermath
    from plugin.helpdesk.giving import Giving
    from plugin.helpdesk.policy import Policy
    from plugin.helpdesk.taking import Taking
    from plugin.helpdesk.types import Agent, CaseView

_GIVEN: Final = frozenset({Action.UNLOCK, Action.LIFT})


class Deeds:
    """Check and carry out what a case asks for."""

    def __init__(self, *, aftermath: Aftermath, taking: Taking, giving: Giving, policy: Policy) -> None:
        self._aftermath = aftermath
        self._taking = taking
        self._giving = giving
        self._policy = policy

    def check(self, case: CaseView, *, now: datetime) -> None:
        """Raise ServiceError unless what the case asks for can be done now."""
        if case.target and case.action is not Action.RESET_FACTOR:
            raise ServiceError("bad_request", "target")
        if case.action in _GIVEN:
            self._giving.check(case, now=now)
        elif _is_pass(case):
            self._giving.check_not_suspended(case)
        else:
            self._taking.check(case)

    def carry_out(self, case: CaseView, agent: Agent, *, now: datetime, **decided: Any) -> CaseView:
        """Do it and write `decided` into the case. Raises ServiceError: nothing was done, or it was taken back."""
        if case.action in _GIVEN:
            return self._giving.carry_out(case, agent, now=now, **decided)
        if _is_pass(case):
            return self._aftermath.issue(case, agent, minutes=self._policy.pass_minutes, now=now, **decided)
        return self._taking.carry_out(case, agent, now=now, **decided)


def _is_pass(case: CaseView) -> bool:
    """Tell whether it is about a pass; a case of version 4 that waits asks for nothing else."""
    return case.action in {Action.PASS, None}
