"""What may be written to the audit log: the events, and the details with the kind of value each may have.

Rules:
 * The log would be publishable inside the organisation: no vector, picture, secret, code, token or display name.
 * An unknown event or detail, or a value of the wrong kind, is a mistake in our code and raises AuditMisuse.
 * Only details of kind TEXT may hold what somebody else chose; they are shortened and cleaned, never refused, since an
   attacker must not be able to keep an entry out of the log by sending a strange value.
 * Names are stable: people search and alert on them. To add one, add a line.

Not here: the chain (log.py).
"""

from __future__ import annotations

import json
import math
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Detail = str | int | float | bool | list[str]


class AuditMisuse(RuntimeError):  # noqa: N818  (names the mistake)
    """The code tried to log what the log must not hold."""


EVENTS: Final = frozenset(
    {
        "account_suspended",
        "attempts_reset",
        "ceremony_begun",
        "ceremony_cancelled",
        "ceremony_ended",
        "client_added",
        "client_removed",
        "consent_given",
        "consent_withdrawn",
        "enrolled",
        "erased",
        "face_challenge_drawn",
        "face_replaced",
        "face_refused",
        "face_removed",
        "factor_accepted",
        "factor_added",
        "factor_refused",
        "factor_removed",
        "integrity_failed",
        "helpdesk_agreed",
        "helpdesk_action_agreed",
        "helpdesk_action_done",
        "helpdesk_alarm",
        "helpdesk_approval_asked",
        "helpdesk_asked",
        "helpdesk_break_glass",
        "helpdesk_case_closed",
        "helpdesk_case_opened",
        "helpdesk_case_seen",
        "helpdesk_link_answered",
        "helpdesk_link_opened",
        "helpdesk_link_sent",
        "helpdesk_login",
        "helpdesk_logout",
        "helpdesk_looked_up",
        "helpdesk_mail_failed",
        "helpdesk_proof_noted",
        "helpdesk_refused",
        "helpdesk_suspending",
        "invitation_issued",
        "invitation_used",
        "key_rotated",
        "locked_out",
        "mailed_code_sent",
        "me_login",
        "me_logout",
        "pass_accepted",
        "pass_issued",
        "pass_refused",
        "pass_withdrawn",
        "recovery_begun",
        "recovery_bound",
        "recovery_codes_issued",
        "recovery_frozen",
        "recovery_notified",
        "reference_expired",
        "reference_expiring",
        "references_opened",
        "request_failed",
        "request_refused",
        "result_issued",
        "result_redeemed",
        "result_refused",
        "score_judged",
        "score_refused",
        "subject_exported",
        "suspension_lifted",
    },
)


class Kind(StrEnum):
    """What a value may look like."""

    CODE = "code"  # a word of our own: error code, check, factor, cue, version
    CODES = "codes"  # several of them
    NUMBER = "number"  # one finite number
    FLAG = "flag"
    ID = "id"  # an identifier of ours, or a digest
    TEXT = "text"  # chosen by somebody else: cleaned


DETAILS: Final[dict[str, Kind]] = {
    # what was decided, and by what
    "code": Kind.CODE,
    "check": Kind.CODE,
    "reason": Kind.CODE,
    "call": Kind.CODE,
    "door": Kind.CODE,
    "factor": Kind.CODE,
    "purpose": Kind.CODE,
    "stage": Kind.CODE,
    "table": Kind.CODE,
    "denied_by": Kind.CODES,
    "confirmed_by": Kind.CODES,
    "neutral": Kind.CODES,
    "risk": Kind.CODES,
    "steps": Kind.CODES,
    "amr": Kind.CODES,
    "acr": Kind.TEXT,
    # counts and times
    "attempt": Kind.NUMBER,
    "attempts_total": Kind.NUMBER,
    "retry_after_s": Kind.NUMBER,
    "factor_off": Kind.FLAG,
    "finished": Kind.FLAG,
    "count": Kind.NUMBER,
    "entry": Kind.NUMBER,
    "frames": Kind.NUMBER,
    "duration_ms": Kind.NUMBER,
    "expires_ms": Kind.NUMBER,
    # what a face decision rested on; one number each, which tells nothing of the face
    "similarity_facenet": Kind.NUMBER,
    "similarity_sface": Kind.NUMBER,
    "threshold_facenet": Kind.NUMBER,
    "threshold_sface": Kind.NUMBER,
    "fused_score": Kind.NUMBER,
    "fused_threshold": Kind.NUMBER,
    "calibration": Kind.ID,
    "models": Kind.CODES,
    # the helpdesk: who acted, on which case, on what grounds
    "agent": Kind.TEXT,
    "approver": Kind.TEXT,
    "case": Kind.ID,
    "looked_for": Kind.ID,  # a keyed hash of the user name that an agent typed
    "person": Kind.TEXT,
    "ticket": Kind.TEXT,
    "grounds": Kind.TEXT,
    "proof": Kind.CODE,
    "proofs": Kind.CODES,
    "action": Kind.CODE,
    "target": Kind.ID,
    "role": Kind.CODE,
    "found": Kind.FLAG,
    "sent": Kind.NUMBER,
    "helpdesk_cases": Kind.NUMBER,
    "helpdesk_links": Kind.NUMBER,
    "helpdesk_passes": Kind.NUMBER,
    "helpdesk_sessions": Kind.NUMBER,
    "helpdesk_letters": Kind.NUMBER,
    "network": Kind.TEXT,
    "me_sessions": Kind.NUMBER,
    "stop_links": Kind.NUMBER,
    # what it was about
    "reference_id": Kind.ID,
    "credential_id": Kind.ID,
    "consent_id": Kind.ID,
    "text_version": Kind.CODE,
    "locale": Kind.TEXT,
    "client": Kind.TEXT,
    "redirect_prefix": Kind.TEXT,
    "jwks_uri": Kind.TEXT,
    "key_version": Kind.NUMBER,
    "kid": Kind.TEXT,
    "backed_up": Kind.FLAG,
    "sign_count": Kind.NUMBER,
    "user_verified": Kind.FLAG,
    # rows that an erasure removed
    "references": Kind.NUMBER,
    "totp_secrets": Kind.NUMBER,
    "webauthn_credentials": Kind.NUMBER,
    "recovery_codes": Kind.NUMBER,
    "invitations": Kind.NUMBER,
    "ceremonies": Kind.NUMBER,
    "result_codes": Kind.NUMBER,
    "consents_withdrawn": Kind.NUMBER,
}

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+\-]{0,63}")
_ID: Final = re.compile(r"[A-Za-z0-9_.:\-]{0,80}")
_UNPRINTABLE: Final = re.compile(
    r"[^\x20-\x7e\u00a0-\u200a\u2010-\u2027\u202f-\u205f\u2070-\ud7ff\ue000-\ufefe\uff00-\ufffd]"
)
"""Control, line-breaking, invisible and direction-changing characters, and halves of surrogate pairs."""
_TEXT_LENGTH: Final = 512
_LIST_LENGTH: Final = 32


def checked_event(event: str) -> str:
    """Return the event, or raise AuditMisuse if it is not on the list."""
    if event not in EVENTS:
        raise AuditMisuse(f"{event!r} is not an audit event; see plugin/audit/events.py")
    return event


def encode_details(details: Mapping[str, Detail]) -> str:
    """Return the details as the JSON text that is stored and hashed, or raise AuditMisuse."""
    return json.dumps({name: _checked(name, details[name]) for name in sorted(details)}, separators=(",", ":"))


def clean(text: str, *, length: int = _TEXT_LENGTH) -> str:
    """Return foreign text without control characters, shortened."""
    return _UNPRINTABLE.sub("\ufffd", text[:length])


def _checked(name: str, value: Detail) -> Detail:
    kind = DETAILS.get(name)
    if kind is None:
        raise AuditMisuse(f"{name!r} is not an audit detail; see plugin/audit/events.py")
    if kind is Kind.TEXT and isinstance(value, str):
        return clean(value)
    if kind is Kind.CODES and isinstance(value, list | tuple) and _are_codes(value):
        return list(value)
    if (kind is Kind.CODE and _matches(_CODE, value)) or (kind is Kind.ID and _matches(_ID, value)):
        return value
    if kind is Kind.FLAG and isinstance(value, bool):
        return value
    if kind is Kind.NUMBER and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise AuditMisuse(f"audit detail {name!r} must be of kind {kind.value}")  # never prints the value


def _are_codes(values: Sequence[str]) -> bool:
    return len(values) <= _LIST_LENGTH and all(_matches(_CODE, value) for value in values)


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
