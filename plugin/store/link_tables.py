"""The table of links with which somebody else than an agent proves something for a case; tables.py's rules hold.

Not here: queries (plugin/helpdesk/links.py).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from plugin.store.tables import Base, SubjectColumns


class HelpdeskLink(SubjectColumns, Base):
    """One link: issuer and subject say whom the case is about, `recipient` who must answer."""

    __tablename__ = "helpdesk_links"
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(43), index=True)
    proof: Mapped[str] = mapped_column(String(16))
    recipient: Mapped[str] = mapped_column(String(255))
    asked_by: Mapped[str] = mapped_column(String(255))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    expires_ms: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
