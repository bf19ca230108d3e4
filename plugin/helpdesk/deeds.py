"""What an action does once it is decided: one entry point for all of them.

Rules:
 * Whether it can be done is asked each time: when it is asked for, decided, and shown (desk.py).

Not here: who may (desk.py), what each needs (actions.py), how each is done (aftermath.py, taking.py, giving.py,
break_glass.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from plugin.errors import ServiceError
from plugin.helpdesk.actions import KINDS, kind_of
from plugin.helpdesk.record import has_usable_face
from plugin.helpdesk.targets import targets_of
from plugin.helpdesk.types import SHOWN, Action

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from plugin.helpdesk.aftermath import Aftermath
    from plugin.helpdesk.break_glass import BreakGlass
    from plugin.helpdesk.giving import Giving
    from plugin.helpdesk.policy import Demands, Policy
    from plugin.helpdesk.taking import Taking
    from plugin.helpdesk.targets import Target
    from plugin.helpdesk.types import Agent, CaseView
    from plugin.store.database import Database

_GIVEN: Final = frozenset({Action.UNLOCK, Action.LIFT})


@dataclass(frozen=True, slots=True)
class Offer:
    """One action that can be asked for. `factor` is what `target` names, where it is a factor."""

    action: Action
    target: str
    factor: Target | None
    missing: tuple[str, ...]
    four_eyes: bool


class Deeds:
    """Check and carry out what a case asks for."""

    def __init__(
        self,
        *,
        aftermath: Aftermath,
        taking: Taking,
        giving: Giving,
        break_glass: BreakGlass,
        policy: Policy,
        database: Database,
    ) -> None:
        self._aftermath = aftermath
        self._taking = taking
        self._giving = giving
        self.break_glass = break_glass
        self._policy = policy
        self._database = database

    def check(self, case: CaseView, *, now: datetime) -> None:
        """Raise ServiceError unless what the case asks for can be done now."""
        if case.target and not (case.action is Action.RESET_FACTOR or self.is_to_be_shown(case)):
            raise ServiceError("bad_request", "target")
        if case.action in _GIVEN:
            self._giving.check(case, now=now)
        elif _is_pass(case) or kind_of(case.action).emergency:
            if kind_of(case.action).emergency:
                self.break_glass.check(case)
            self._giving.check_not_suspended(case)
            if not has_usable_face(case.owner, database=self._database, now=now):
                raise ServiceError("no_usable_face")
        else:
            self._taking.check(case)

    def carry_out(self, case: CaseView, agent: Agent, *, now: datetime, **decided: Any) -> CaseView:
        """Do it and write `decided` into the case. Raises ServiceError: nothing was done, or it was taken back."""
        if case.action in _GIVEN:
            return self._giving.carry_out(case, agent, now=now, **decided)
        if kind_of(case.action).emergency:
            return self.break_glass.agree(case, **decided)
        if _is_pass(case) and case.target:
            return self._aftermath.get_ready(case, agent, now=now, **decided)
        if _is_pass(case):
            return self._aftermath.issue(case, agent, minutes=self._policy.pass_minutes, now=now, **decided)
        return self._taking.carry_out(case, agent, now=now, **decided)

    def is_to_be_shown(self, case: CaseView) -> bool:
        """Tell whether it is about a pass that the agent may see once, and policy still allows that."""
        return _is_pass(case) and case.target == SHOWN and self._policy.show_pass_once

    def show(self, case: CaseView, agent: Agent, *, now: datetime) -> tuple[str, CaseView]:
        """Make the pass that two people agreed to show, and return it; it is stored hashed, as any other."""
        if kind_of(case.action).emergency:
            return self.break_glass.show(case, now=now)
        return self._aftermath.hand_over(case, agent, minutes=self._policy.pass_minutes, now=now)

    def offers(self, case: CaseView, *, now: datetime) -> tuple[Offer, ...]:
        """Return what can be asked for on this case, in the order of Action; an emergency is asked for elsewhere."""
        found = {target.id: target for target in targets_of(case.owner, database=self._database)}
        possible = [one for one in ([case.action] if case.action else Action) if not KINDS[one].emergency]
        wanted = [(action, target) for action in possible for target in _targets(action, found)]
        asked = [(replace(case, action=action, target=target), found.get(target)) for action, target in wanted]
        has_face = has_usable_face(case.owner, database=self._database, now=now)
        can = [(one, factor) for one, factor in asked if factor is not None or self._can(one, now=now)]  # found above
        return tuple(self._offer(one, factor, has_face=has_face) for one, factor in can)

    def demands(self, case: CaseView, *, now: datetime) -> Demands:
        """Return what is needed for what the case asks for, or would ask for."""
        has_face = has_usable_face(case.owner, database=self._database, now=now)
        return self._policy.for_action(case.action or Action.PASS, case, target=case.target, has_face=has_face)

    def _offer(self, case: CaseView, target: Target | None, *, has_face: bool) -> Offer:
        action = case.action or Action.PASS
        demands = self._policy.for_action(action, case, target=case.target, has_face=has_face)
        missing = tuple(proof for proof in demands.proofs if proof not in case.proofs)
        return Offer(action, case.target, target, missing, demands.four_eyes)

    def _can(self, case: CaseView, *, now: datetime) -> bool:
        try:
            self.check(case, now=now)
        except ServiceError:
            return False
        return True


def _targets(action: Action, factors: Collection[str]) -> Collection[str]:
    """Return what an action could be about; whether it can be is check's."""
    return {Action.RESET_FACTOR: factors, Action.PASS: ("", SHOWN)}.get(action, ("",))


def _is_pass(case: CaseView) -> bool:
    """Tell whether it is about a pass; a case of version 4 that waits asks for nothing else."""
    return case.action in {Action.PASS, None}
