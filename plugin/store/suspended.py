"""Suspension: while it lasts, no login and no enrolment of a person begins.

The audit log says whether it lasts; it is chained, so an entry that somebody deletes to end a suspension is noticed by
`facestep audit verify`.

Not here: who suspends and lifts (helpdesk/suspension.py), what is refused (ceremonies/service.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugin.store.last_said import newest, of_person

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SUSPENDED: Final = "account_suspended"
LIFTED: Final = "suspension_lifted"
_NEWEST: Final = newest(SUSPENDED, LIFTED)


def is_suspended(session: Session, *, issuer: str, subject: str) -> bool:
    """Tell whether the last word about this person is a suspension."""
    last = session.execute(_NEWEST, of_person(issuer, subject)).first()
    return last is not None and last.event == SUSPENDED
