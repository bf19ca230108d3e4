"""What travels through a ceremony. Everything is frozen; tokens, codes and sealed values do not print.

Rules:
 * A subject is (issuer, subject id), never a bare user name; `display_name` is for showing only.
 * A `VerifiedRequest` exists only after doors/ has checked the signed request.
 * A `CeremonyView` is what one request may believe: read once, with the version it was read at.

Not here: how ceremonies move (stages.py, service.py), what a factor is (factors/).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from vault.interface import Ciphertext


class Purpose(StrEnum):
    """What the identity provider asked for (LOGIN, ENROL), what a login was turned into since, or what we ask for.

    RECOVER replaces what was lost, by a helpdesk pass or a saved code. NEW_FACE enrols a face that has changed;
    START_OVER does so by a saved code, where both were lost. CHECK shows the helpdesk whether the enrolled face is
    there (helpdesk/face_checks.py); it proves nothing to anybody else and never has a result code.
    """

    LOGIN = "login"
    ENROL = "enrol"
    RECOVER = "recover"
    NEW_FACE = "new_face"
    START_OVER = "start_over"
    CHECK = "check"

    @property
    def is_recovery(self) -> bool:
        """Tell whether this began as a login; its result is a login's."""
        return self in {Purpose.RECOVER, Purpose.NEW_FACE, Purpose.START_OVER}

    @property
    def enrols_face(self) -> bool:
        """Tell whether the face that is seen will be stored, rather than compared."""
        return self in {Purpose.ENROL, Purpose.NEW_FACE, Purpose.START_OVER}

    @property
    def replaces_possession(self) -> bool:
        """Tell whether whatever is set up takes the place of something lost."""
        return self in {Purpose.RECOVER, Purpose.START_OVER}


class Stage(StrEnum):
    """Where a ceremony stands; stages.py says which follows which."""

    INVITATION = "invitation"
    POSSESSION = "possession"
    MAILED_CODE = "mailed_code"
    CONSENT = "consent"
    POSSESSION_SETUP = "possession_setup"
    RECOVERY_CODES = "recovery_codes"
    FACE = "face"
    DONE = "done"


class Amr(StrEnum):
    """Authentication method references (RFC 8176). A saved recovery code counts as `otp`, see factors/policy.py."""

    FACE = "face"
    OTP = "otp"
    HWK = "hwk"
    SWK = "swk"


POSSESSION_METHODS = frozenset({Amr.OTP, Amr.HWK, Amr.SWK})


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose factors and counters these are: the id `subject` at the identity provider `issuer`."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """A signed request of an identity provider, after every check of doors/; for a CHECK, what the helpdesk asks for.

    Attributes:
        issuer: the identity provider, which is also the client (`client_id`).
        subject: the user's id there.
        purpose: login or enrol.
        redirect_uri: where the result goes; already compared with the registration.
        state: echoed in the redirect.
        nonce: echoed in the id_token.
        code_challenge: PKCE, S256.
        acr: the asked `acr_values`, maybe empty.
        display_name: shown to the person, never used to find anything.
        locale: `ui_locales`, maybe empty.
        jti: the request's id; the door has already marked it as seen.
    """

    issuer: str
    subject: str
    purpose: Purpose
    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str
    acr: str = ""
    display_name: str = ""
    locale: str = ""
    jti: str = ""

    @property
    def owner(self) -> Subject:
        """Return whose ceremony this will be."""
        return Subject(self.issuer, self.subject)


@dataclass(frozen=True, slots=True)
class NewCeremony:
    """A ceremony just begun. `browser_token` goes into the cookie and is stored nowhere else."""

    id: str
    browser_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CeremonyView:
    """A ceremony as this request read it. Every change names `version`; the slower of two requests loses.

    `columns` is the row as it was checked: the MAC of the next change is made from what was believed, not from what
    somebody may have written since.
    """

    id: str
    purpose: Purpose
    stage: Stage
    issuer: str
    subject: str
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_challenge: str = field(repr=False)
    acr: str
    display_name: str
    locale: str
    amr: tuple[str, ...]
    reference_id: str | None
    version: int
    created_at: datetime
    expires_at: datetime
    sealed_scratch: Ciphertext | None = field(repr=False)
    columns: Mapping[str, Any] = field(repr=False)

    @property
    def owner(self) -> Subject:
        """Return whose ceremony this is."""
        return Subject(self.issuer, self.subject)


@dataclass(frozen=True, slots=True)
class RedeemedResult:
    """A result code, redeemed by the client it was made for, once. What the id_token will say.

    Attributes:
        issuer: the client.
        subject: who proved to be present.
        purpose: login or enrol; a result of one must not be taken for the other.
        amr: methods in the order they were proven.
        acr: the level reached; empty if none was reached.
        auth_time: when the last method was proven.
        nonce: of the request.
        reference_id: the enrolled reference, for enrol.
        ceremony_id: for the audit log.
    """

    issuer: str
    subject: str
    purpose: Purpose
    amr: tuple[str, ...]
    acr: str
    auth_time: datetime
    nonce: str = field(repr=False)
    reference_id: str | None
    ceremony_id: str


class AuditSink(Protocol):
    """The part of audit/log.py that this package and factors/ write to."""

    def append(
        self,
        event: str,
        *,
        at: datetime,
        issuer: str = "",
        subject: str = "",
        ceremony_id: str = "",
        details: Mapping[str, str | int | float | bool | list[str]] | None = None,
        session: Session | None = None,
    ) -> object:
        """Append one entry, with the caller's transaction if there is one; raises rather than losing it."""
