"""Limits on what agents do, and alarms about patterns of abuse. Everything is counted in the audit log.

Rules:
 * A deed is written down first and counted then, in one transaction with the alarm it gives: what is refused counts,
   parallel tries see each other, and no alarm is lost between.
 * A limit refuses, but no limit on look-ups, cases or asking refuses a suspension: that only protects, and must work
   while others flood. Suspending at once has a limit of its own, so that it is no way to browse or to lock out all.
   Nor does one that somebody else can use up keep glass from being broken (break_glass.py): of them only an agent's
   own look-ups do. That has limits of its own, and is loud each time.
 * A pattern only is loud, since an office behind one address, a night shift or a helpdesk of two looks like it, too.
 * The same alarm about the same person or network is written once an hour (about a pair: once a day).
 * Who reads a case is written down, once in a quarter of an hour, whatever has become of it.
 * An agent has nothing to do with a case about somebody who has lately agreed to what this agent asked for.

Reasons of `helpdesk_alarm` from here: many_lookups, many_cases, many_asks, many_suspensions, many_resets,
outside_hours, one_network, refused_passes, same_pair, own_case, approvers_case, break_glass, many_break_glass.
Names are stable: people alert on them.

Not here: how much is too much (policy.py, bounds.py), who may do what (desk.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn

from plugin.errors import ServiceError
from plugin.helpdesk import limits
from plugin.helpdesk.networks import network_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.events import Detail
    from plugin.audit.log import AuditLog
    from plugin.ceremonies.types import Subject
    from plugin.helpdesk.limits import Deed, Tally
    from plugin.helpdesk.policy import Policy
    from plugin.helpdesk.types import Agent, OnRecord
    from plugin.store.database import Database

LOOKED_UP: Final = "helpdesk_looked_up"
OPENED: Final = "helpdesk_case_opened"
SEEN: Final = "helpdesk_case_seen"
ASKED: Final = "helpdesk_asked"
SUSPENDING: Final = "helpdesk_suspending"
AGREED: Final = "helpdesk_agreed"
ALARM: Final = "helpdesk_alarm"
GLASS: Final = "helpdesk_break_glass"
USED: Final = "pass_accepted"
REFUSED: Final = "pass_refused"
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
LATELY: Final = timedelta(days=7)
"""So long an agent keeps away from the cases of whoever has agreed to something of theirs."""
PAIR_SEEN: Final = timedelta(days=30)
WHOSE: Final = frozenset({"agent", "person", "network"})
OWN: Final = frozenset({"agent"})
NOBODYS: Final[frozenset[str]] = frozenset()
STILL_READING: Final = timedelta(minutes=15)
"""So long an agent's reading of one case is one entry."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """What one deed is limited by: alarm, error, and within which time."""

    alarm: str
    code: str
    within: timedelta


_LIMITS: Final = {
    LOOKED_UP: _Limit("many_lookups", "too_many_lookups", _HOUR),
    OPENED: _Limit("many_cases", "too_many_cases", _DAY),
    ASKED: _Limit("many_asks", "too_many_asks", _DAY),
    SUSPENDING: _Limit("many_suspensions", "too_many_suspensions", _DAY),
}


class Watch:
    """Counts, refuses, raises alarms."""

    def __init__(self, *, database: Database, audit: AuditLog, policy: Policy) -> None:
        self._database = database
        self._audit = audit
        self._policy = policy

    def allow(
        self,
        event: str,
        agent: Agent,
        about: Subject,
        *,
        now: datetime,
        refuses: Collection[str] = WHOSE,
        **details: Detail,
    ) -> None:
        """Write down that an agent looks somebody up, opens a case or asks for something, if it is not too much.

        Whose limits refuse is said by `refuses`; beyond the others it is loud alone.

        Raises:
            ServiceError: too_many_lookups, too_many_cases, too_many_asks, too_many_suspensions: of this agent, person
                or network.
        """
        limit, said = _LIMITS[event], {"agent": agent.id, "network": network_of(agent.address), **details}
        with self._database.transaction() as session:
            self._append(session, event, about, said, now=now)
            done = limits.tally(
                session,
                event,
                agent=agent.id,
                network=network_of(agent.address),
                person=about,
                within=limit.within,
                now=now,
            )
            over = [whose for whose, most, count in self._counts(event, done) if count > most]
            if over:
                self._alarm_about(session, agent, limit.alarm, now=now, check=over[0])
            if event == ASKED:
                self._look_at_the_hour(session, agent, now=now)
                if done.agent > self._policy.bounds.resets_per_day:
                    self._alarm_about(session, agent, "many_resets", now=now, count=done.agent)
        if any(whose in refuses for whose in over):
            raise ServiceError(limit.code)

    def agreed(self, approver: Agent, asker: str, about: Subject, *, now: datetime, **details: Detail) -> None:
        """Write down that a second agent agrees, and look at the hour and at the pair."""
        said = {"agent": asker, "approver": approver.id, "network": network_of(approver.address), **details}
        most = self._policy.bounds.same_pair
        with self._database.transaction() as session:
            self._append(session, AGREED, about, said, now=now)
            self._look_at_the_hour(session, approver, now=now)
            done = limits.deeds(session, [AGREED], within=PAIR_SEEN, now=now, agent=asker)
            latest = [deed.approver for deed in done if deed.agent == asker][-most:]
            if len(latest) == most and set(latest) == {approver.id}:
                self._alarm_about(session, approver, "same_pair", now=now, quiet=_DAY, agent=asker)

    def break_glass(self, stage: str, who: Agent, about: Subject, /, *, now: datetime, **details: Detail) -> None:
        """Write down, loudly, that glass is asked to be broken, or that a second person agrees, if it is not too often.

        Asked for is counted by who asks, agreed by cases of the whole realm: one holder of the role alone cannot use
        up what the others may need.

        Raises:
            ServiceError: too_many_break_glass; then nothing is written down but that.
        """
        said = {"network": network_of(who.address), "stage": stage, **details}
        most, code = self._policy.bounds.break_glass_per_day, "too_many_break_glass"
        with self._database.transaction() as session:
            done = limits.deeds(session, [GLASS], within=_DAY, now=now)
            agreed = {deed.case for deed in done if deed.stage == "agreed"} - {details["case"]}
            asked = sum(deed.stage == "asked" and deed.agent == who.id for deed in done)
            over = len(agreed) >= most or (stage == "asked" and asked >= most)
            if over:
                self._append(session, "helpdesk_refused", who.person.owner, {"code": code}, now=now)
                self._alarm_about(session, who, "many_break_glass", now=now)
            else:
                alarm = {"reason": "break_glass", "check": stage, "agent": who.id, "case": details["case"]}
                self._append(session, GLASS, about, said, now=now)
                self._append(session, ALARM, about, alarm, now=now)
        if over:
            raise ServiceError(code)

    def broken_lately(self, *, now: datetime) -> list[str]:
        """Return the ids of the cases in which glass was asked to be broken within a day, newest first."""
        with self._database.reading() as session:
            done = limits.deeds(session, [GLASS], within=_DAY, now=now)
        return list(dict.fromkeys(deed.case for deed in reversed(done)))

    def keep_apart(
        self, agent: Agent, subject: str, *, person: OnRecord | None, emergency: bool = False, now: datetime
    ) -> None:
        """Refuse an agent's own case, and a case about whoever has lately agreed to something of theirs. Both are loud.

        One's own is that of another account of theirs, too: an address on record is shared. `person` is None where the
        directory does not know the subject any more. The second is not refused in an emergency: glass may have to be
        broken for just them, the last who could approve.

        Raises:
            ServiceError: own_case, approvers_case.
        """
        if agent.id == subject or (person is not None and person.is_same_as(agent.person)):
            self._refuse(agent, "own_case", now=now)
        if not emergency and subject in self.approvers_of(agent, now=now):
            self._refuse(agent, "approvers_case", now=now, person=subject)

    def seen(self, agent: Agent, case_id: str, about: Subject, *, now: datetime) -> None:
        """Write down that an agent reads this case, unless they opened it or read it a moment ago."""
        with self._database.transaction() as session:
            lately = limits.deeds(session, [OPENED, SEEN], within=STILL_READING, now=now)
            if not any((deed.agent, deed.case) == (agent.id, case_id) for deed in lately):
                said = {"agent": agent.id, "case": case_id, "network": network_of(agent.address)}
                self._append(session, SEEN, about, said, now=now)

    def approvers_of(self, agent: Agent, *, now: datetime) -> frozenset[str]:
        """Return who has lately agreed to what this agent asked for."""
        with self._database.reading() as session:
            done = limits.deeds(session, [AGREED], within=LATELY, now=now, agent=agent.id)
        return frozenset(deed.approver for deed in done if deed.agent == agent.id)

    def pass_used(self, owner: Subject, network: str, *, session: Session, now: datetime) -> None:
        """Look at who used a pass from this network today, in the transaction that has just written `pass_accepted`."""
        done = limits.deeds(session, [USED], within=_DAY, now=now)
        people = {(deed.issuer, deed.subject) for deed in done if deed.network == network}
        if network and len(people) > self._policy.bounds.recovered_per_day_network:
            details = {"reason": "one_network", "network": network, "count": len(people)}
            self._alarm(session, owner, details, now=now, same=lambda told: told.network == network)

    def pass_refused(self, owner: Subject, network: str, *, now: datetime) -> None:
        """Write down that a pass was refused; many within an hour are somebody who tries."""
        with self._database.transaction() as session:
            self._append(session, REFUSED, owner, {"network": network}, now=now)
            count = len(limits.deeds(session, [REFUSED], within=_HOUR, now=now))
            if count > self._policy.bounds.refused_passes_per_hour:
                details = {"reason": "refused_passes", "network": network, "count": count}
                self._alarm(session, owner, details, now=now, same=lambda _: True)

    def _counts(self, event: str, done: Tally) -> list[tuple[str, int, int]]:
        """Return (whose, most, count) for each limit on this event."""
        bounds, policy = self._policy.bounds, self._policy
        if event == LOOKED_UP:
            return [
                ("agent", policy.lookups_per_hour, done.agent),
                ("network", bounds.lookups_per_hour_network, done.network),
            ]
        if event == OPENED:
            return [
                ("person", policy.cases_per_day, done.person),
                ("agent", bounds.cases_per_day_agent, done.agent),
                ("network", bounds.cases_per_day_network, done.network),
            ]
        if event == SUSPENDING:
            return [
                ("agent", bounds.suspensions_per_day_agent, done.agent),
                ("network", bounds.suspensions_per_day_network, done.network),
            ]
        return [
            ("person", bounds.asks_per_day_person, done.person),
            ("agent", bounds.asks_per_day_agent, done.agent),
            ("network", bounds.asks_per_day_network, done.network),
        ]

    def _look_at_the_hour(self, session: Session, agent: Agent, *, now: datetime) -> None:
        hours = self._policy.bounds.hours
        if hours is not None and not hours.contain(now):
            self._alarm_about(session, agent, "outside_hours", now=now)

    def _refuse(self, agent: Agent, code: str, *, now: datetime, **more: Detail) -> NoReturn:
        with self._database.transaction() as session:
            details = {"code": code, "network": network_of(agent.address), **more}
            self._append(session, "helpdesk_refused", agent.person.owner, details, now=now)
            self._alarm_about(session, agent, code, now=now)
        raise ServiceError(code)

    def _alarm_about(
        self,
        session: Session,
        agent: Agent,
        reason: str,
        /,
        *,
        now: datetime,
        quiet: timedelta = _HOUR,
        **more: Detail,
    ) -> None:
        owner = agent.person.owner
        details = {"reason": reason, "network": network_of(agent.address), **more}
        self._alarm(session, owner, details, now=now, quiet=quiet, same=lambda told: told.subject == owner.subject)

    def _alarm(
        self,
        session: Session,
        about: Subject,
        details: dict[str, Any],
        *,
        now: datetime,
        same: Callable[[Deed], bool],
        quiet: timedelta = _HOUR,
    ) -> None:
        told = limits.deeds(session, [ALARM], within=quiet, now=now)
        if not any(one.reason == details["reason"] and same(one) for one in told):
            self._append(session, ALARM, about, details, now=now)

    def _append(self, session: Session, event: str, about: Subject, details: dict[str, Any], *, now: datetime) -> None:
        self._audit.append(event, at=now, issuer=about.issuer, subject=about.subject, details=details, session=session)
