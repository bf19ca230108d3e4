"""What a member of staff sees in a list: what waits for their decision, and where glass was broken.

Not here: what they may do with it (desk.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.helpdesk.actions import kind_of

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.helpdesk.cases import Cases
    from plugin.helpdesk.types import Agent, CaseView
    from plugin.helpdesk.watch import Watch


def queue_of(agent: Agent, *, cases: Cases, watch: Watch, now: datetime) -> list[CaseView]:
    """Return what waits for this agent's decision, oldest first; not about them, nor opened or asked by them."""
    waiting = [one for one in cases.waiting(now=now) if agent.has(kind_of(one.action).decided_by)]
    apart = watch.approvers_of(agent, now=now) if waiting else frozenset()
    return [
        one
        for one in waiting
        if agent.id not in {one.owner.subject, one.opened_by, one.asked_by}
        and (one.owner.subject not in apart or kind_of(one.action).emergency)
    ]


def emergencies_for(agent: Agent, *, cases: Cases, watch: Watch, now: datetime) -> list[CaseView]:
    """Return the cases in which glass was asked to be broken within a day, newest first, but one's own."""
    found = [cases.load(case_id) for case_id in watch.broken_lately(now=now)]
    return [one for one in found if one.owner.subject != agent.id]
