"""Tables of people's own page and of the links that stop a recovery; the rules of tables.py hold.

Not here: queries (plugin/helpdesk/sessions.py, plugin/helpdesk/stopping.py).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from plugin.store.tables import Base, SubjectColumns


class MeSession(SubjectColumns, Base):
    """A browser in which somebody has signed in to their own page."""

    __tablename__ = "me_sessions"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    seen_ms: Mapped[int] = mapped_column(BigInteger)
    """When the realm saw the face step: what cannot be undone asks for a recent one."""
    created_ms: Mapped[int] = mapped_column(BigInteger)
    expires_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    __table_args__ = (Index("ix_me_sessions_subject", "issuer", "subject"),)


class StopLink(SubjectColumns, Base):
    """A link in a letter with which a person stops a recovery; gone once it was used."""

    __tablename__ = "stop_links"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    expires_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    __table_args__ = (Index("ix_stop_links_subject", "issuer", "subject"),)
