"""What is held about one person, for that person: everything by name, and never a vector, a secret or a hash.

A face reference is told by what it is: made when, by which models, under which consent, good until when. Its numbers
are useless to the person and valuable to a thief, and the transform key that gives them a meaning is worked out by the
vault, so access (GDPR 15) is given to everything around them.

Rules:
 * Columns are named here one by one; a new column is left out until somebody decides.
 * The export itself is an audit entry.

Not here: who may ask (commands/references.py, pages/).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from plugin.store.instants import from_ms
from plugin.store.tables import (
    Attempts,
    AuditEntry,
    Consent,
    Invitation,
    RecoveryCode,
    Reference,
    TotpSecret,
    WebauthnCredential,
)

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.types import AuditSink, Subject
    from plugin.store.database import Database

SHOWN: Final[dict[str, tuple[type[Any], tuple[str, ...]]]] = {
    "references": (
        Reference,
        ("id", "created_ms", "expires_ms", "consent_id", "model_digests", "transform_version"),
    ),
    "consents": (Consent, ("id", "text_version", "locale", "given_ms", "withdrawn_ms")),
    "authenticator_apps": (TotpSecret, ("id", "created_ms")),
    "passkeys": (WebauthnCredential, ("id", "created_ms", "last_used_ms", "aaguid", "transports", "backed_up")),
    "recovery_codes": (RecoveryCode, ("id", "created_ms", "used_ms")),
    "invitations": (Invitation, ("id", "created_ms", "expires_ms", "used_ms")),
    "failed_attempts": (Attempts, ("factor", "consecutive", "total", "next_allowed_ms")),
}
LEFT_OUT: Final = {
    "references": "the numbers of the face: sealed, useless outside of this service and dangerous in other hands",
    "authenticator_apps": "the secret: whoever has it can make your codes",
    "recovery_codes": "the codes: only their hashes are kept",
}
UNTOLD: Final = {
    "events": "scores, and which check or cue decided: they would help somebody who tries to pass for you; ask your "
    "organisation for them"
}
_TOLD: Final = frozenset(
    {
        *("factor", "purpose", "stage", "amr", "acr", "count", "expires_ms", "text_version", "locale", "consent_id"),
        *("reference_id", "credential_id", "ticket", "grounds", "case", "proof", "proofs", "action", "sent"),
        *("references", "retry_after_s", "factor_off", "backed_up", "consents_withdrawn"),
    }
)
_MOST_EVENTS: Final = 10_000


def held_about(
    owner: Subject, *, database: Database, audit: AuditSink, now: datetime, telling: bool = True
) -> dict[str, Any]:
    """Return what is held about this subject, ready for JSON; one snapshot, and the export is audited.

    Without `telling`, details of events that would help to deceive the face check are left out (UNTOLD).
    """
    with database.reading() as session:
        found: dict[str, Any] = {
            name: [
                _shown(row, columns)
                for row in session.scalars(select(table).filter_by(issuer=owner.issuer, subject=owner.subject))
            ]
            for name, (table, columns) in SHOWN.items()
        }
        events = session.scalars(
            select(AuditEntry)
            .filter_by(issuer=owner.issuer, subject=owner.subject)
            .order_by(AuditEntry.seq.desc())
            .limit(_MOST_EVENTS)
        ).all()
    found["events"] = [
        {"at": _instant(entry.at_ms), "event": entry.event, "details": _details(entry, telling=telling)}
        for entry in reversed(events)
    ]
    audit.append("subject_exported", at=now, issuer=owner.issuer, subject=owner.subject)
    who = {"issuer": owner.issuer, "subject": owner.subject, "made_at": now.isoformat(timespec="seconds")}
    return {"about": who, "held": found, "left_out": LEFT_OUT if telling else LEFT_OUT | UNTOLD}


def _details(entry: AuditEntry, *, telling: bool) -> dict[str, Any]:
    details: dict[str, Any] = json.loads(entry.details)
    return details if telling else {name: value for name, value in details.items() if name in _TOLD}


def _shown(row: Any, columns: tuple[str, ...]) -> dict[str, Any]:
    """Return the named columns; instants as people read them."""
    return {
        name.removesuffix("_ms"): _instant(getattr(row, name)) if name.endswith("_ms") else getattr(row, name)
        for name in columns
    }


def _instant(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else from_ms(milliseconds).isoformat(timespec="seconds")
