"""How often something may happen within some time, counted in the audit log.

Rules:
 * What counts is what was written down, so a limit holds for all workers and over restarts, and cannot be reset
   without breaking the log's chain.
 * The deed is written first and counted then: of parallel tries each sees the others.
 * By agent and by network address the entries themselves tell (`agent`, `network` in their details); they are found by
   the index over the helpdesk's events alone, which are few beside those of logins.

Not here: how much is too much (policy.py), what follows (watch.py), guesses at a pass (ceremonies/attempts.py),
requests a second (web/limits.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import OF_HELPDESK, AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import Subject

_STREAM = "service"
_SAID = ("agent", "approver", "network", "reason", "case")


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry of the log, as far as it is counted. What an entry does not say is empty."""

    issuer: str
    subject: str
    agent: str
    approver: str
    network: str
    reason: str
    case: str


def exceeds(session: Session, event: str, *, owner: Subject, most: int, within: timedelta, now: datetime) -> bool:
    """Tell whether more than `most` entries of this event about `owner` are younger than `within`."""
    found = session.scalar(_about(event, owner).offset(most).limit(1))
    return found is not None and found > to_ms(now - within)


def last(session: Session, event: str, *, owner: Subject) -> datetime | None:
    """Return when this event was last written down about `owner`."""
    found = session.scalar(_about(event, owner).limit(1))
    return None if found is None else from_ms(found)


def deeds(session: Session, events: Sequence[str], *, within: timedelta, now: datetime) -> list[Deed]:
    """Return what happened within this time, oldest first; `events` are the helpdesk's."""
    query = (
        select(AuditEntry.issuer, AuditEntry.subject, AuditEntry.details)
        .where(
            OF_HELPDESK,
            AuditEntry.event.in_(events),
            AuditEntry.at_ms > to_ms(now - within),
            AuditEntry.stream == _STREAM,
        )
        .order_by(AuditEntry.at_ms, AuditEntry.seq)
    )
    return [_deed(issuer, subject, details) for issuer, subject, details in session.execute(query)]


def _deed(issuer: str, subject: str, stored: str) -> Deed:
    try:
        details = json.loads(stored)
    except ValueError:  # somebody edited it: `facestep audit verify` says so, and it still counts for its subject
        details = {}
    return Deed(issuer, subject, *(_text(details, name) for name in _SAID))


def _text(details: Any, name: str) -> str:
    found = details.get(name, "") if isinstance(details, dict) else ""
    return found if isinstance(found, str) else ""


def _about(event: str, owner: Subject) -> Select[int]:
    return (
        select(AuditEntry.at_ms)
        .where(
            AuditEntry.stream == _STREAM,
            AuditEntry.issuer == owner.issuer,
            AuditEntry.subject == owner.subject,
            AuditEntry.event == event,
        )
        .order_by(AuditEntry.seq.desc())
    )
