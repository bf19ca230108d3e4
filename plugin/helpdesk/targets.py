"""Which single factors of a person an action can be about, as an agent sees them: what it is and since when.

Not here: what happens to one (taking.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from plugin.helpdesk.record import used_at
from plugin.store.instants import from_ms
from plugin.store.tables import RecoveryCode, TotpSecret, WebauthnCredential

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.types import Subject
    from plugin.store.database import Database

APP: Final = "app"
CODES: Final = "codes"
PASSKEY: Final = "passkey:"
"""With the row's own id; what the browser calls the key is nobody's business here."""


@dataclass(frozen=True, slots=True)
class Target:
    """One factor. `used_at` is None where that is not known or never was."""

    id: str
    kind: str
    since: datetime
    used_at: datetime | None = None


def targets_of(owner: Subject, *, database: Database) -> tuple[Target, ...]:
    """Return the factors of this person that can be reset one by one, in one snapshot."""
    mine = {"issuer": owner.issuer, "subject": owner.subject}
    with database.reading() as session:
        app = session.execute(select(TotpSecret.created_ms, TotpSecret.last_step).filter_by(**mine)).first()
        keys = session.scalars(
            select(WebauthnCredential).filter_by(**mine).order_by(WebauthnCredential.created_ms, WebauthnCredential.id)
        ).all()
        codes = session.scalar(select(func.min(RecoveryCode.created_ms)).filter_by(**mine))
    found = [Target(APP, "app", from_ms(app[0]), used_at(app[1]))] if app is not None else []
    for key in keys:
        used = from_ms(key.last_used_ms) if key.last_used_ms is not None else None
        found.append(Target(PASSKEY + key.id, "passkey", from_ms(key.created_ms), used))
    return tuple([*found, Target(CODES, "codes", from_ms(codes))] if codes is not None else found)
