"""What the log says about one person, in words for that person.

Rules:
 * Only what is listed here is told: an event without a sentence stays out, and no detail is shown but those that choose
   the sentence, and the helpdesk's ticket number. No score, cue, address or agent.
 * Entries are found by issuer and subject together: nobody reads of anybody else.

Not here: the export of everything that is held (factors/held.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from plugin.store.instants import from_ms
from plugin.store.last_said import of_log
from plugin.store.tables import AuditEntry

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.store.database import Database

PAGE: Final = 20
SENTENCES: Final[dict[str, str]] = {
    "result_issued": "You signed in.",
    "result_issued:enrol": "Setting up was finished.",
    "result_issued:recover": "You signed in after a recovery.",
    "result_issued:new_face": "You signed in after enrolling a new face.",
    "result_issued:start_over": "You signed in after setting everything up anew.",
    "ceremony_ended": "A sign-in ended before its end.",
    "factor_refused": "A second factor was not accepted.",
    "factor_refused:totp": "A code of the authenticator app was not accepted.",
    "factor_refused:webauthn": "A passkey was not accepted.",
    "factor_refused:recovery": "A recovery code was not accepted.",
    "factor_refused:invitation": "An enrolment code was not accepted.",
    "factor_refused:pass": "A pass of the helpdesk was not accepted.",
    "factor_refused:mailed_code": "A mailed code was not accepted.",
    "face_refused": "The face check said no.",
    "locked_out": "Too many tries: a wait was imposed.",
    "factor_accepted:recovery": "A saved recovery code was used.",
    "factor_added": "A second factor was set up.",
    "factor_added:totp": "An authenticator app was set up.",
    "factor_added:webauthn": "A passkey was set up.",
    "recovery_codes_issued": "New recovery codes were made.",
    "enrolled": "A face was enrolled.",
    "face_replaced": "The face was replaced by a new one, without comparing the two.",
    "consent_given": "You consented to the face check.",
    "consent_withdrawn": "Your consent was withdrawn.",
    "erased": "Data about you was erased.",
    "reference_expiring": "You were reminded that your face has to be renewed.",
    "reference_expired": "Your face was deleted: its time was over.",
    "subject_exported": "Your data was exported.",
    "invitation_issued": "You were given an enrolment code.",
    "invitation_used": "Your enrolment code was used.",
    "request_refused:cooling_down": "A change was refused, since factors were replaced a short time before.",
    "request_refused:recovery_not_here": "A recovery was refused in a login that asked for more than usual.",
    "request_refused:recovery_stopped": "A recovery was refused, since one was stopped a short time before.",
    "helpdesk_case_opened": "The helpdesk opened a case about you.",
    "helpdesk_case_seen": "Somebody of the helpdesk read the case about you.",
    "helpdesk_proof_noted": "The helpdesk noted a proof that it is you.",
    "helpdesk_proof_noted:matched": "Your face check by link showed the helpdesk that it is you.",
    "helpdesk_proof_noted:confirmed": "Your manager confirmed to the helpdesk that it is you.",
    "helpdesk_link_sent": "The helpdesk asked for a proof that it is you, by a link.",
    "helpdesk_link_sent:live_face": "The helpdesk mailed you a link to a face check.",
    "helpdesk_link_sent:manager": "The helpdesk asked your manager to confirm that it is you.",
    "helpdesk_link_opened": "The face check of the helpdesk's link was begun.",
    "helpdesk_link_answered:not_matched": "A face check by the helpdesk's link showed a face that was not yours.",
    "helpdesk_link_answered:not_live": "A face check by the helpdesk's link did not succeed.",
    "helpdesk_link_answered:refused": "Your manager did not confirm to the helpdesk that it is you.",
    "helpdesk_approval_asked": "The helpdesk asked a second person to agree to something about you.",
    "helpdesk_action_agreed": "The helpdesk agreed to what was asked for about you.",
    "helpdesk_action_done": "The helpdesk carried out what was asked for about you.",
    "helpdesk_break_glass": "An emergency way into your account was used or asked for.",
    "helpdesk_break_glass:asked": "An emergency way into your account was asked for, without the usual proofs.",
    "helpdesk_break_glass:agreed": "A second person agreed to an emergency way into your account.",
    "helpdesk_break_glass:shown": "An emergency pass to your account was made and shown to the helpdesk.",
    "helpdesk_break_glass:stopped": "The helpdesk stopped an emergency way into your account.",
    "helpdesk_case_closed": "The helpdesk closed the case about you.",
    "helpdesk_mail_failed": "A letter to you could not be sent.",
    "helpdesk_alarm:recovery_face_refused": "Somebody used your pass, and the face was not yours.",
    "pass_issued": "The helpdesk sent you a pass.",
    "pass_issued:break_glass": "A pass was made for you in an emergency; it is good for ten minutes.",
    "pass_accepted": "Your pass was used.",
    "pass_withdrawn": "A pass was taken back.",
    "account_suspended": "Your account was suspended.",
    "account_suspended:helpdesk": "The helpdesk suspended your account.",
    "account_suspended:frozen_by_owner": "Your account was suspended, since the link that stops was used.",
    "suspension_lifted": "The suspension of your account was lifted.",
    "attempts_reset": "Your account was unlocked: wrong tries count from zero again.",
    "factor_removed": "A second factor was removed.",
    "factor_removed:app": "Your authenticator app was removed.",
    "factor_removed:passkey": "A passkey of yours was removed.",
    "factor_removed:codes": "Your recovery codes were removed.",
    "face_removed": "Your face was removed, to be enrolled anew.",
    "recovery_begun": "Somebody began to replace your face, without the helpdesk.",
    "mailed_code_sent": "A code was mailed to you, to replace your face.",
    "recovery_bound": "A recovery put something new in place.",
    "recovery_frozen": "A recovery was stopped.",
    "recovery_notified": "We wrote to all your addresses.",
    "me_login": "Your own page was opened.",
    "me_logout": "Your own page was left.",
}
"""By event, or by event and the detail that tells more."""
_TELLING: Final = ("factor", "purpose", "code", "reason", "action", "proof", "stage")
_GRAVE: Final = frozenset(
    {
        *("face_refused", "factor_refused", "locked_out", "face_replaced", "recovery_begun", "recovery_bound"),
        *("recovery_frozen", "pass_accepted", "pass_issued", "helpdesk_alarm", "helpdesk_case_opened"),
        "helpdesk_break_glass",
        *("account_suspended", "suspension_lifted", "attempts_reset", "factor_removed", "face_removed"),
        *("helpdesk_link_sent", "helpdesk_link_answered"),
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened; `grave` if the person should ask themselves whether it was them."""

    seq: int
    at: datetime
    sentence: str
    ticket: str
    grave: bool


@dataclass(frozen=True, slots=True)
class Story:
    """One page, newest first; `older` is where the next begins, None at the end."""

    told: tuple[Told, ...]
    older: int | None


def story_of(issuer: str, subject: str, *, database: Database, before: int | None = None) -> Story:
    """Return one page of what happened to one person, older than entry `before`."""
    listed = {name.partition(":")[0] for name in SENTENCES}
    query = (
        select(AuditEntry.seq, AuditEntry.at_ms, AuditEntry.event, AuditEntry.details)
        .where(AuditEntry.issuer == issuer, AuditEntry.subject == subject, AuditEntry.event.in_(listed))
        .where(of_log())
        .order_by(AuditEntry.seq.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    with database.reading() as session:
        rows = session.execute(query).all()
    told = [_told(*row) for row in rows[:PAGE]]
    older = rows[PAGE - 1].seq if len(rows) > PAGE else None
    return Story(tuple(one for one in told if one is not None), older)


def _told(seq: int, at_ms: int, event: str, stored: str) -> Told | None:
    details = _read(stored)
    keys = [f"{event}:{details[name]}" for name in _TELLING if isinstance(details.get(name), str)]
    sentence = next((SENTENCES[key] for key in [*keys, event] if key in SENTENCES), None)
    if sentence is None:
        return None
    ticket = details.get("ticket", "")
    return Told(seq, from_ms(at_ms), sentence, ticket if isinstance(ticket, str) else "", event in _GRAVE)


def _read(stored: str) -> dict[str, Any]:
    try:
        details = json.loads(stored)
    except ValueError:  # somebody edited it: `facestep audit verify` says so
        return {}
    return details if isinstance(details, dict) else {}
