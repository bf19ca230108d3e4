"""What makes a case about somebody more delicate than others, as it is now, and what policy demands for it.

Rules:
 * A case is looked at anew whenever it is read: what happened since it was opened counts as if it was opened now.
 * That only adds: what was demanded at the opening stands, and so do the risks of then.

Not here: what follows from a risk (policy.py), how it is said (templates/helpdesk).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from plugin.helpdesk import limits
from plugin.helpdesk.policy import PROOFS
from plugin.helpdesk.record import has_usable_face
from plugin.helpdesk.types import PRIVILEGED, CaseState
from plugin.store.cooling import BOUND

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.helpdesk.policy import Demands, Policy
    from plugin.helpdesk.types import CaseView, OnRecord
    from plugin.store.database import Database

LATELY: Final = timedelta(days=7)
_EVENTS: Final = {"recovered_lately": BOUND, "frozen_lately": "recovery_frozen", "new_factor": "factor_added"}


def risks_of(person: OnRecord, *, database: Database, now: datetime) -> tuple[str, ...]:
    """Return the risks by name: what happened to this person within a week, and that they are staff."""
    with database.reading() as session:
        when = {risk: limits.last(session, event, owner=person.owner) for risk, event in _EVENTS.items()}
    lately = [risk for risk, at in when.items() if at is not None and now - at < LATELY]
    return tuple([*lately, "staff"] if person.is_staff else lately)


def looked_at(
    person: OnRecord, *, policy: Policy, database: Database, now: datetime
) -> tuple[tuple[str, ...], Demands]:
    """Return the risks of a case about this person, and what policy demands for it."""
    risks = risks_of(person, database=database, now=now)
    has_face = has_usable_face(person.owner, database=database, now=now)
    demands = policy.demands(person, risks=risks, has_face=has_face)
    return risks + ((PRIVILEGED,) if policy.is_privileged(person) else ()), demands


def renewed(case: CaseView, person: OnRecord, *, policy: Policy, database: Database, now: datetime) -> CaseView:
    """Return the case with the risks of now, and with what they demand besides; one that is decided stays as it is.

    Of one that waits the action is known, and it may need less than others (policy.for_action).
    """
    if case.state not in {CaseState.OPEN, CaseState.WAITING}:
        return case
    risks, demands = looked_at(person, policy=policy, database=database, now=now)
    added = replace(
        case,
        risks=tuple(dict.fromkeys((*case.risks, *risks))),
        demanded=_in_order({*case.demanded, *demands.proofs}),
        four_eyes=case.four_eyes or demands.four_eyes,
    )
    if case.state is CaseState.OPEN or case.action is None:
        return added
    has_face = has_usable_face(person.owner, database=database, now=now)
    needed = policy.for_action(case.action, added, target=case.target, has_face=has_face).proofs
    return replace(added, demanded=_in_order({*case.demanded, *needed}))


def _in_order(proofs: set[str]) -> tuple[str, ...]:
    return tuple(proof for proof in PROOFS if proof in proofs)
