"""What the audit log says about the reference of one subject: which one is the newest, and how it came to be.

A row's own MAC cannot tell whether it is the newest that we wrote. The log can: it has an entry for every enrolment and
every erasure, it is chained, and its head is noted elsewhere. So a reference counts only while the log's newest entry
about it agrees; who puts an older row back has to change the log too, which `facestep audit verify` finds.

Not here: what follows from a disagreement (plugin/factors), the chain itself (plugin/audit).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from plugin.store.last_said import OF_PERSON, of_person
from plugin.store.tables import AuditEntry

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ENROLLED: Final = "enrolled"
ERASED: Final = "erased"
EXPIRED: Final = "reference_expired"
REMOVED: Final = "face_removed"
PROOFED: Final = "invitation_used"
_TELLING: Final = (ENROLLED, ERASED, EXPIRED, REMOVED, PROOFED)
_MOST: Final = 200
"""Newest entries looked at: one a renewal, of which there are at most a hundred between two invitations."""
_QUERY: Final = (
    select(AuditEntry.event, AuditEntry.details)
    .where(*OF_PERSON, AuditEntry.event.in_(_TELLING))
    .order_by(AuditEntry.seq.desc())
    .limit(_MOST)
)


@dataclass(frozen=True, slots=True)
class History:
    """The log's word on one subject.

    Attributes:
        reference_id: the reference that must be stored now; None if there must be none.
        renewals: how often the face was enrolled again since somebody last vouched for the person with an invitation.
        vouched: an invitation was used after the newest enrolment.
        lapsed: the last reference was deleted for its age, or removed by the helpdesk: there is nothing to compare a
            new one with, and whoever enrols it needs more than the factors of a login.
    """

    reference_id: str | None
    renewals: int
    vouched: bool
    lapsed: bool


def history_of(session: Session, *, issuer: str, subject: str) -> History:
    """Return what the log says now; in the caller's snapshot, so that it fits the row read with it."""
    found = session.execute(_QUERY, of_person(issuer, subject))
    return read_history([(row.event, row.details) for row in found])


def read_history(newest_first: list[tuple[str, str]]) -> History:
    """Return the history that these entries tell: event and stored details, newest first."""
    vouched = lapsed = False
    reference_id = None
    for event, details in newest_first:
        if event == PROOFED:
            vouched = True
            continue
        reference_id = _reference_id(details) if event == ENROLLED else None
        lapsed = event in {EXPIRED, REMOVED}
        break
    enrolments = 0
    for event, _ in newest_first:
        if event in {PROOFED, ERASED}:
            break
        enrolments += event == ENROLLED
    return History(reference_id=reference_id, renewals=max(0, enrolments - 1), vouched=vouched, lapsed=lapsed)


def _reference_id(details: str) -> str:
    """Return which reference an entry is about; one that was edited beyond reading names none that is stored."""
    try:
        found = json.loads(details)["reference_id"]
    except (ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""
