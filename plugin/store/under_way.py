"""What a person has under way: ceremonies, results nobody has redeemed yet, a pass, sign-ins to our own pages.

A suspension, a stop and a recovery end all of it: it was begun with what is lost now, or by whom the person has
stopped. A kind of it that is added one day is added here.

Not here: sessions at the identity provider (helpdesk/stopping.py), links that stop (they outlive this).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete

from plugin.store.helpdesk_tables import HelpdeskPass, HelpdeskSession
from plugin.store.me_tables import MeSession
from plugin.store.tables import Ceremony, ResultCode

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_TABLES: Final[tuple[Any, ...]] = (ResultCode, HelpdeskPass, HelpdeskSession, MeSession)


def end_under_way(session: Session, *, issuer: str, subject: str, but: str = "") -> None:
    """Forget all of it in the caller's transaction, but for the ceremony that the caller is in."""
    mine = (Ceremony.issuer == issuer, Ceremony.subject == subject)
    session.execute(delete(Ceremony).where(*mine, Ceremony.id != but))
    for table in _TABLES:
        session.execute(delete(table).where(table.issuer == issuer, table.subject == subject))
