"""Tables of the helpdesk; the rules of tables.py hold.

Not here: queries (plugin/helpdesk).
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from plugin.store.tables import Base, OneTimeCode, SubjectColumns


class HelpdeskCase(SubjectColumns, Base):
    """One person's request for a way back in (helpdesk/cases.py)."""

    __tablename__ = "helpdesk_cases"
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    """What the directory called the person when the case was opened; for showing only."""
    ticket: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(16), index=True)
    risks: Mapped[list[str]] = mapped_column(JSON)
    demanded: Mapped[list[str]] = mapped_column(JSON)
    """What policy asked for when the case was opened; a later, laxer policy does not reach an open case."""
    four_eyes: Mapped[bool] = mapped_column(Boolean)
    proofs: Mapped[list[str]] = mapped_column(JSON)
    noted_by: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Who noted a proof: none of them decides. None only in rows of version 4, as in the next two."""
    action: Mapped[str | None] = mapped_column(String(16))
    target: Mapped[str | None] = mapped_column(String(64))
    opened_by: Mapped[str] = mapped_column(String(255))
    asked_by: Mapped[str] = mapped_column(String(255))
    asked_from: Mapped[str] = mapped_column(String(64))
    decided_by: Mapped[str] = mapped_column(String(255))
    freeze_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    version: Mapped[int] = mapped_column(Integer)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    expires_ms: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    __table_args__ = (Index("ix_helpdesk_cases_subject", "issuer", "subject"),)


class HelpdeskPass(OneTimeCode, Base):
    """A pass that opens one recovery; one a person at a time (helpdesk/passes.py)."""

    __tablename__ = "helpdesk_passes"
    case_id: Mapped[str] = mapped_column(String(43))
    expires_ms: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class HelpdeskSession(SubjectColumns, Base):
    """A signed-in agent's browser (helpdesk/sessions.py)."""

    __tablename__ = "helpdesk_sessions"
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    created_ms: Mapped[int] = mapped_column(BigInteger)
    expires_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
