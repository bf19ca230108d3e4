"""SQLAlchemy tables. Columns that an attacker with the database would like to edit are covered by a keyed MAC.

Rules:
 * A subject is (issuer, subject), never a bare user name.
 * Times are UTC, timezone-aware in Python, stored as epoch milliseconds (integers compare the same on every database).
 * Secrets are stored sealed (`sealed_…`, a vault Ciphertext) or hashed (`…_hash`), never plain.

Not here: queries (each package keeps its own repository), migrations (migrations/).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ROWID = BigInteger().with_variant(Integer, "sqlite")
OF_HELPDESK: Final = text("event BETWEEN 'helpdesk_' AND 'pass_z'")
"""Entries that have an index of their own, few beside those of logins. A query that is to use it says this, too, in the
same words: SQLite looks no further."""


class Base(DeclarativeBase):
    """Root of all tables."""


class SubjectColumns:
    """Whose row this is."""

    issuer: Mapped[str] = mapped_column(String(512))
    subject: Mapped[str] = mapped_column(String(255))


class OneTimeCode(SubjectColumns):
    """A code that a person types once; argon2id."""

    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(255))
    created_ms: Mapped[int] = mapped_column(BigInteger)
    used_ms: Mapped[int | None] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class Client(Base):
    """An identity provider that may send people here (doors/registry.py)."""

    __tablename__ = "clients"
    issuer: Mapped[str] = mapped_column(String(512), primary_key=True)
    jwks_uri: Mapped[str] = mapped_column(String(1024))
    redirect_prefix: Mapped[str] = mapped_column(String(1024))
    created_ms: Mapped[int] = mapped_column(BigInteger)


class SeenJti(Base):
    """Signed requests and assertions that were already used."""

    __tablename__ = "seen_jti"
    issuer: Mapped[str] = mapped_column(String(512), primary_key=True)
    jti: Mapped[str] = mapped_column(String(255), primary_key=True)
    expires_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class SeenFrame(Base):
    """A camera frame of an earlier upload, or a state at which frames were looked at (factors/frame_memory.py)."""

    __tablename__ = "seen_frames"
    digest: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    challenge: Mapped[str] = mapped_column(String(64))
    expires_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class Ceremony(SubjectColumns, Base):
    """One enrolment or login: single use, expiring, bound to one browser."""

    __tablename__ = "ceremonies"
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    stage: Mapped[str] = mapped_column(String(32))
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    redirect_uri: Mapped[str] = mapped_column(String(2048))
    state: Mapped[str] = mapped_column(String(1024))
    nonce: Mapped[str] = mapped_column(String(255))
    code_challenge: Mapped[str] = mapped_column(String(128))
    acr: Mapped[str] = mapped_column(String(255))
    display_name: Mapped[str] = mapped_column(String(255))
    locale: Mapped[str] = mapped_column(String(35))
    amr: Mapped[list[str]] = mapped_column(JSON)
    reference_id: Mapped[str | None] = mapped_column(String(43))
    sealed_scratch: Mapped[str | None] = mapped_column(Text)
    """What must survive between requests: unconfirmed TOTP secret, WebAuthn challenge, face session."""
    version: Mapped[int] = mapped_column(Integer, default=0)
    """Optimistic lock: every change names the version it read, so that two parallel requests cannot both win."""
    created_ms: Mapped[int] = mapped_column(BigInteger)
    expires_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Over every other column: whoever can write rows must not be able to write "the face was seen"."""


class ResultCode(SubjectColumns, Base):
    """A one-time code that the identity provider redeems at /token."""

    __tablename__ = "result_codes"
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    ceremony_id: Mapped[str] = mapped_column(String(43))
    purpose: Mapped[str] = mapped_column(String(16))
    redirect_uri: Mapped[str] = mapped_column(String(2048))
    nonce: Mapped[str] = mapped_column(String(255))
    code_challenge: Mapped[str] = mapped_column(String(128))
    acr: Mapped[str] = mapped_column(String(255))
    amr: Mapped[list[str]] = mapped_column(JSON)
    auth_time_ms: Mapped[int] = mapped_column(BigInteger)
    reference_id: Mapped[str | None] = mapped_column(String(43))
    expires_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    used_ms: Mapped[int | None] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Over all but `used_ms`, which one UPDATE without a read sets: an inserted row must not log anybody in."""


class Reference(SubjectColumns, Base):
    """An enrolled face (ISO/IEC 2382-37): both models' embeddings, transformed and sealed."""

    __tablename__ = "face_references"
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    sealed_embeddings: Mapped[str] = mapped_column(Text)
    model_digests: Mapped[str] = mapped_column(String(255))
    transform_version: Mapped[int] = mapped_column(Integer)
    consent_id: Mapped[str] = mapped_column(String(43))
    created_ms: Mapped[int] = mapped_column(BigInteger)
    expires_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class TotpSecret(SubjectColumns, Base):
    """A confirmed TOTP secret and the last step that was accepted."""

    __tablename__ = "totp_secrets"
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    sealed_secret: Mapped[str] = mapped_column(Text)
    last_step: Mapped[int] = mapped_column(BigInteger)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class WebauthnCredential(SubjectColumns, Base):
    """A passkey or security key."""

    __tablename__ = "webauthn_credentials"
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1024), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(2048))
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(JSON)
    aaguid: Mapped[str] = mapped_column(String(36))
    backup_eligible: Mapped[bool] = mapped_column(Boolean)
    """Never changes for a credential; decides between amr "hwk" and "swk"."""
    backed_up: Mapped[bool] = mapped_column(Boolean)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    last_used_ms: Mapped[int | None] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    __table_args__ = (Index("ix_webauthn_subject", "issuer", "subject"),)


class RecoveryCode(OneTimeCode, Base):
    """One saved recovery code."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index("ix_recovery_subject", "issuer", "subject"),)


class Invitation(OneTimeCode, Base):
    """An enrolment code that an admin gave over another channel; a password alone must not enrol a face."""

    __tablename__ = "invitations"
    expires_ms: Mapped[int] = mapped_column(BigInteger)
    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class Consent(SubjectColumns, Base):
    """What a person agreed to before the camera was used."""

    __tablename__ = "consents"
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    text_version: Mapped[str] = mapped_column(String(32))
    locale: Mapped[str] = mapped_column(String(35))
    given_ms: Mapped[int] = mapped_column(BigInteger)
    withdrawn_ms: Mapped[int | None] = mapped_column(BigInteger)
    mac: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Over all but `withdrawn_ms`: nobody consents in somebody else's name. Consents of version 1 have none."""


class Attempts(SubjectColumns, Base):
    """Failure counters of one factor of one subject; they outlive browser sessions and restarts."""

    __tablename__ = "attempts"
    issuer: Mapped[str] = mapped_column(String(512), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    factor: Mapped[str] = mapped_column(String(16), primary_key=True)
    consecutive: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    next_allowed_ms: Mapped[int] = mapped_column(BigInteger)


class AuditEntry(Base):
    """One line of the hash-chained log (audit/)."""

    __tablename__ = "audit_entries"
    stream: Mapped[str] = mapped_column(String(32), primary_key=True)
    seq: Mapped[int] = mapped_column(ROWID, primary_key=True, autoincrement=False)
    at_ms: Mapped[int] = mapped_column(BigInteger)
    event: Mapped[str] = mapped_column(String(64))
    issuer: Mapped[str] = mapped_column(String(512))
    subject: Mapped[str] = mapped_column(String(255))
    ceremony_id: Mapped[str] = mapped_column(String(43))
    details: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    entry_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    __table_args__ = (
        Index("ix_audit_subject", "issuer", "subject", "event", "seq"),
        Index("ix_audit_helpdesk", "event", "at_ms", sqlite_where=OF_HELPDESK, postgresql_where=OF_HELPDESK),
    )


class AuditCheckpoint(Base):
    """The end of a stream at some time, signed outside of the database (audit/checkpoints.py); chained like entries."""

    __tablename__ = "audit_checkpoints"
    stream: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(ROWID, primary_key=True, autoincrement=False)
    deployment: Mapped[str] = mapped_column(String(512))
    seq: Mapped[int] = mapped_column(BigInteger)
    entry_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    at_ms: Mapped[int] = mapped_column(BigInteger)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[str] = mapped_column(Text)


class AuditPosition(Base):
    """How far a receiver of the log has got (audit/outbox.py): what comes after it is still to be sent."""

    __tablename__ = "audit_positions"
    receiver: Mapped[str] = mapped_column(String(512), primary_key=True)
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    sent_seq: Mapped[int] = mapped_column(BigInteger)
    sent_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    failures: Mapped[int] = mapped_column(Integer)
    next_try_ms: Mapped[int] = mapped_column(BigInteger)
    lease: Mapped[str] = mapped_column(String(43))
    leased_until_ms: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Over every other column: whoever moves a position forward would keep entries from the receiver."""


class SigningKey(Base):
    """Our own id_token keys; the private half is sealed."""

    __tablename__ = "signing_keys"
    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed_private_key: Mapped[str] = mapped_column(Text)
    public_jwk: Mapped[str] = mapped_column(Text)
    created_ms: Mapped[int] = mapped_column(BigInteger)
