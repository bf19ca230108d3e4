"""The table of letters that are still to be sent.

Rules:
 * What a letter says and to whom is sealed: it may hold a link.
 * Nobody but us can write one: a MAC covers every column.

Not here: sending (helpdesk/letterbox.py), wording (helpdesk/letters.py).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from plugin.store.instants import to_ms
from plugin.store.integrity import sign
from plugin.store.tables import Base, SubjectColumns

if TYPE_CHECKING:
    from datetime import datetime

    from vault.interface import Sealer

LIFE: Final = timedelta(hours=24)
"""So long a letter is tried; after that it would tell of yesterday, and the alarm has somebody else look."""
TOLD: Final = "told"
"""The one kind of letter: of its own words, which are sealed."""


class HelpdeskLetter(SubjectColumns, Base):
    """A letter that waits for the mail server."""

    __tablename__ = "helpdesk_letters"
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    sealed_letter: Mapped[str] = mapped_column(Text)
    """Subject, text and the addresses that still lack it."""
    failures: Mapped[int] = mapped_column(Integer)
    next_try_ms: Mapped[int] = mapped_column(BigInteger)
    """Also the lease of the process that is sending it."""
    created_ms: Mapped[int] = mapped_column(BigInteger)
    expires_ms: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


def new_letter(
    letter_id: str, sealed: str, *, issuer: str, subject: str, sealer: Sealer, now: datetime
) -> HelpdeskLetter:
    """Return the signed row of a letter; it is sent once it was added and committed."""
    row = HelpdeskLetter(
        id=letter_id,
        issuer=issuer,
        subject=subject,
        kind=TOLD,
        sealed_letter=sealed,
        failures=0,
        next_try_ms=to_ms(now),
        created_ms=to_ms(now),
        expires_ms=to_ms(now + LIFE),
    )
    sign(row, sealer=sealer)
    return row
