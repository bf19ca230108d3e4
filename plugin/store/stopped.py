"""Stopped: for a week after somebody said "that was not me", nothing about the account is eased without a helpdesk.

Whoever began what was stopped has the password at least, and could begin it again a minute later. A recovery that was
bound since (by a pass: two people of the helpdesk and the enrolled face) ends that earlier.

The audit log says when; it is chained (store/cooling.py says what that means).

Not here: what is refused (ceremonies/cooldown.py, helpdesk/giving.py), stopping itself (helpdesk/stopping.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from plugin.store.cooling import BOUND
from plugin.store.instants import to_ms
from plugin.store.last_said import newest, of_person

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

STOPPED: Final = "recovery_frozen"
STOPPED_FOR: Final = timedelta(days=7)
"""As long as the link of a letter stops something (helpdesk/stopping.py)."""
_NEWEST: Final = newest(STOPPED, BOUND)


def is_stopped(session: Session, *, issuer: str, subject: str, now: datetime) -> bool:
    """Tell whether this person stopped something less than a week ago and has not got back in by a recovery since."""
    last = session.execute(_NEWEST, of_person(issuer, subject)).first()
    return last is not None and last.event == STOPPED and last.at_ms > to_ms(now - STOPPED_FOR)
