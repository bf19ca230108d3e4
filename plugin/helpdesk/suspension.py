"""Suspend a person: nothing begins any more, and what has begun is over. Lifting ends that, and nothing else.

Rules:
 * The log's entry comes first: it takes the log's lock, so whatever begins beside it is seen and ended, or sees it.
 * A suspended person is signed out of their own page, and of the helpdesk if they are staff (store/under_way.py).

Not here: how it is asked (store/suspended.py), sessions at the identity provider (aftermath.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.store.suspended import LIFTED, SUSPENDED
from plugin.store.under_way import end_under_way

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.ceremonies.types import Subject


def suspend(owner: Subject, *, audit: AuditLog, session: Session, now: datetime, **details: str) -> None:
    """Suspend this person in the caller's transaction."""
    who = {"issuer": owner.issuer, "subject": owner.subject}
    audit.append(SUSPENDED, at=now, **who, details=details, session=session)
    end_under_way(session, **who)


def lift(owner: Subject, *, audit: AuditLog, session: Session, now: datetime, **details: str) -> None:
    """End the suspension in the caller's transaction."""
    who = {"issuer": owner.issuer, "subject": owner.subject}
    audit.append(LIFTED, at=now, **who, details=details, session=session)
