"""Suspension: while it lasts, no login and no enrolment of a person begins.

The audit log says whether it lasts; it is chained, so an entry that somebody deletes to end a suspension is noticed by
`facestep audit verify`.

Not here: who suspends and lifts (helpdesk/suspension.py), what is refused (ceremonies/service.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select

from plugin.store.tables import AuditEntry

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SUSPENDED: Final = "account_suspended"
LIFTED: Final = "suspension_lifted"
_QUERY: Final = (
    select(AuditEntry.event)
    .where(
        AuditEntry.stream == "service",
        AuditEntry.issuer == bindparam("of_issuer"),
        AuditEntry.subject == bindparam("of_subject"),
        AuditEntry.event.in_((SUSPENDED, LIFTED)),
    )
    .order_by(AuditEntry.seq.desc())
    .limit(1)
)


def is_suspended(session: Session, *, issuer: str, subject: str) -> bool:
    """Tell whether the last word about this person is a suspension."""
    return session.scalar(_QUERY, {"of_issuer": issuer, "of_subject": subject}) == SUSPENDED
