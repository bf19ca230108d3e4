"""Suspend a person: nothing begins any more, and what has begun is over. Lifting ends that, and nothing else.

Rules:
 * The log's entry comes first: it takes the log's lock, so whatever begins beside it is seen and ended, or sees it.
 * A suspended member of staff is signed out of the helpdesk too.

Not here: how it is asked (store/suspended.py), sessions at the identity provider (aftermath.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete

from plugin.store.helpdesk_tables import HelpdeskPass, HelpdeskSession
from plugin.store.suspended import LIFTED, SUSPENDED
from plugin.store.tables import Ceremony, ResultCode

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.ceremonies.types import Subject

_UNDER_WAY: Final[tuple[Any, ...]] = (Ceremony, ResultCode, HelpdeskPass, HelpdeskSession)


def suspend(owner: Subject, *, audit: AuditLog, session: Session, now: datetime, **details: str) -> None:
    """Suspend this person in the caller's transaction."""
    who = {"issuer": owner.issuer, "subject": owner.subject}
    audit.append(SUSPENDED, at=now, **who, details=details, session=session)
    end_under_way(owner, session=session)


def lift(owner: Subject, *, audit: AuditLog, session: Session, now: datetime, **details: str) -> None:
    """End the suspension in the caller's transaction."""
    who = {"issuer": owner.issuer, "subject": owner.subject}
    audit.append(LIFTED, at=now, **who, details=details, session=session)


def end_under_way(owner: Subject, *, session: Session) -> None:
    """Forget this person's ceremonies, results, pass and sign-ins to the helpdesk; after an entry in the log."""
    for table in _UNDER_WAY:
        session.execute(delete(table).where(table.issuer == owner.issuer, table.subject == owner.subject))
