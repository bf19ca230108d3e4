"""Forget what a person has lost: every possession factor and every recovery code, but not the face.

It happens in the transaction that binds the factor which takes their place, and when a recovery is frozen: a phone that
was stolen, or bound by an impostor, must not open anything afterwards.

Not here: who may bring it about (gate.py in a recovery, helpdesk/freeze.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete

from plugin.store.tables import RecoveryCode, TotpSecret, WebauthnCredential

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import Subject

_LOST: Final[tuple[Any, ...]] = (TotpSecret, WebauthnCredential, RecoveryCode)


def forget_lost(owner: Subject, *, session: Session) -> None:
    """Delete every possession factor and recovery code of this person, in the caller's transaction."""
    for table in _LOST:
        session.execute(delete(table).where(table.issuer == owner.issuer, table.subject == owner.subject))
