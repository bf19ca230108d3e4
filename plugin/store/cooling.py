"""Cool-down: for a time after a recovery, what an impostor would do next is not possible.

The audit log says when a recovery bound a new factor ("recovery_bound"); it is chained, so a row that somebody deletes
to end a cool-down early is noticed by `facestep audit verify`.

Not here: what is refused (ceremonies/cooldown.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from plugin.store.instants import from_ms, to_ms
from plugin.store.last_said import newest, of_person

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

BOUND: Final = "recovery_bound"
FACE_REPLACED: Final = "face_replaced"
_NEWEST: Final = newest(BOUND)


def is_cooling(session: Session, *, issuer: str, subject: str, hours: int, now: datetime) -> bool:
    """Tell whether this person recovered less than `hours` ago."""
    return cooling_until(session, issuer=issuer, subject=subject, hours=hours, now=now) is not None


def cooling_until(session: Session, *, issuer: str, subject: str, hours: int, now: datetime) -> datetime | None:
    """Return when changes are possible again, or None if they are."""
    bound = session.execute(_NEWEST, of_person(issuer, subject)).first()
    if bound is None or to_ms(now - timedelta(hours=hours)) >= bound.at_ms:
        return None
    return from_ms(bound.at_ms) + timedelta(hours=hours)
