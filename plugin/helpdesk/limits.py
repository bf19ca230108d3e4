"""How often something may happen within some time, counted in the audit log.

Rules:
 * What counts is what was written down, so a limit holds for all workers and over restarts, and cannot be reset
   without breaking the log's chain.
 * The deed is written first and counted then: of parallel tries each sees the others.
 * By agent and by network address the entries themselves tell (`agent`, `network` in their details); they are found by
   the index over the helpdesk's events alone, which are few beside those of logins.
 * Where only numbers are wanted the database counts: entries are not fetched and read under the log's lock.

Not here: how much is too much (policy.py), what follows (watch.py), guesses at a pass (ceremonies/attempts.py),
requests a second (web/limits.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, literal, select

from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import OF_HELPDESK, AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import Subject

_STREAM = "service"
_SAID = ("agent", "approver", "network", "reason", "case", "stage")


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
    stage: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many entries of one event name this agent, this network and this person."""

    agent: int
    network: int
    person: int


def exceeds(session: Session, event: str, *, owner: Subject, most: int, within: timedelta, now: datetime) -> bool:
    """Tell whether more than `most` entries of this event about `owner` are younger than `within`."""
    found = session.scalar(_about(event, owner).offset(most).limit(1))
    return found is not None and found > to_ms(now - within)


def last(session: Session, event: str, *, owner: Subject) -> datetime | None:
    """Return when this event was last written down about `owner`."""
    found = session.scalar(_about(event, owner).limit(1))
    return None if found is None else from_ms(found)


def deeds(
    session: Session, events: Sequence[str], *, within: timedelta, now: datetime, agent: str | None = None
) -> list[Deed]:
    """Return what happened within this time, oldest first; of one agent, where named. `events` are the helpdesk's."""
    query = select(AuditEntry.issuer, AuditEntry.subject, AuditEntry.details).where(*_lately(events, within, now))
    if agent is not None:
        query = query.where(_says("agent", agent))
    found = session.execute(query.order_by(AuditEntry.at_ms, AuditEntry.seq))
    return [_deed(issuer, subject, details) for issuer, subject, details in found]


def tally(
    session: Session, event: str, *, agent: str, network: str, person: Subject, within: timedelta, now: datetime
) -> Tally:
    """Count what happened within this time; an empty network is nobody's."""
    about = and_(AuditEntry.issuer == person.issuer, AuditEntry.subject == person.subject)
    from_there = _says("network", network) if network else literal(value=False)
    counts = [func.count().filter(one) for one in (_says("agent", agent), from_there, about)]
    found = session.execute(select(*counts).where(*_lately([event], within, now))).one()
    return Tally(found[0], found[1], found[2])


def _lately(events: Sequence[str], within: timedelta, now: datetime) -> tuple[ColumnElement[bool], ...]:
    young = AuditEntry.at_ms > to_ms(now - within)
    return (OF_HELPDESK, AuditEntry.event.in_(events), young, AuditEntry.stream == _STREAM)  # type: ignore[return-value]


def _says(name: str, value: str) -> ColumnElement[bool]:
    """Match details that hold this text under this name.

    They are JSON as audit/events.py writes it: every quote within a text is escaped, so nothing typed looks like it.
    By `replace`, since LIKE knows no upper case in SQLite.
    """
    said = f"{json.dumps(name)}:{json.dumps(value)}"
    return func.replace(AuditEntry.details, said, "") != AuditEntry.details


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
