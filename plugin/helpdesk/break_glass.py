"""Break glass: a pass without the proofs, for when they cannot be had and somebody must get in now.

Rules:
 * Who asks and who agrees are two people with a role of their own, and neither is the person: compared by account and
   by every address on record, when it is asked for, agreed to and shown. Who has no address on record cannot be
   compared, and does not break glass.
 * The pass is made when it is shown, once, to who asked, and is good for ten minutes. It opens what any pass opens:
   with the password and the live enrolled face a new factor can be set up, and nothing else.
 * Loud: an entry with ticket and reason and an alarm at each step, a letter to the person and to everybody with a role
   that approves or breaks glass. The letters are written down with the step, and sent beside the requests (chores.py):
   they wait while mail is down, and no step waits for a mail server.
 * Who has one of these roles must be known first: where the directory does not tell, glass is not broken.

Not here: who may ask, and how often (desk.py, watch.py), what the pass opens (passes.py), wording (glass_letters.py).
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from plugin.errors import ServiceError
from plugin.helpdesk import glass_letters
from plugin.helpdesk.aftermath import hashed
from plugin.helpdesk.types import APPROVER_ROLE, BREAK_GLASS_ROLE, CaseState
from plugin.helpdesk.watch import ALARM, GLASS
from plugin.store.instants import to_ms

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.helpdesk.aftermath import Aftermath
    from plugin.helpdesk.cases import Cases
    from plugin.helpdesk.letterbox import Letterbox
    from plugin.helpdesk.passes import Passes
    from plugin.helpdesk.types import Agent, CaseView, Directory, OnRecord
    from plugin.store.letters import HelpdeskLetter

PASS_LIFE: Final = timedelta(minutes=10)
"""The shortest that policy allows any pass (policy.py): long enough for a login with camera, and no setting makes it
longer."""
ASK_LIFE: Final = timedelta(minutes=30)
"""What was not agreed to and shown by then was no emergency, or is over."""
TOLD: Final = frozenset({APPROVER_ROLE, BREAK_GLASS_ROLE})
"""Who hears of it, besides the person."""


class BreakGlass:
    """Ask, agree, show."""

    def __init__(
        self,
        *,
        cases: Cases,
        passes: Passes,
        aftermath: Aftermath,
        letterbox: Letterbox,
        directory: Directory,
        audit: AuditLog,
        url: str,
    ) -> None:
        self._cases = cases
        self._passes = passes
        self._aftermath = aftermath
        self._letterbox = letterbox
        self._directory = directory
        self._audit = audit
        self._url = url

    def check(self, case: CaseView) -> None:
        """Look at the people once more: the one whom it is for, and the two who do it, as far as they are known.

        Raises:
            ServiceError: no_address, holder_gone, holder_without_address, own_case, same_person.
        """
        person = self._person(case)
        both = [self._holder(subject) for subject in (case.asked_by, case.decided_by) if subject]
        if any(one.is_same_as(person) for one in both):
            raise ServiceError("own_case", "break_glass")
        if any(one.is_same_as(other) for one, other in pairwise(both)):
            raise ServiceError("same_person", "break_glass")

    def ask(self, case: CaseView, *, now: datetime, **asked: Any) -> CaseView:
        """Let the case wait for the second person, for half an hour, and tell everybody."""
        link = self._aftermath.link(self._aftermath.stopping.new_link(case.owner, now=now))
        told = self._letters(case, glass_letters.ASKED, link=link, now=now)

        def within(session: Session) -> None:
            session.add_all(told)

        expires_ms = to_ms(min(case.expires_at, now + ASK_LIFE))
        return self._cases.change(case, to=CaseState.WAITING, within=within, expires_ms=expires_ms, **asked)

    def agree(self, case: CaseView, **decided: Any) -> CaseView:
        """Note that the second person agreed; the pass is made when it is shown."""
        return self._cases.change(case, to=CaseState.READY, within=lambda _session: None, **decided)

    def show(self, case: CaseView, *, now: datetime) -> tuple[str, CaseView]:
        """Make the pass and return it for who asked; everybody is told, in seconds or when mail is back."""
        token, expires_at = secrets.token_urlsafe(32), now + PASS_LIFE
        code, row = self._passes.new(case.owner, case_id=case.id, expires_at=expires_at, now=now)
        told = self._letters(case, glass_letters.SHOWN, link=self._aftermath.link(token), now=now)
        by = {"agent": case.asked_by, "approver": case.decided_by, "case": case.id}

        def within(session: Session) -> None:
            self._passes.put(row, session=session)
            session.add_all(told)
            issued = {**by, "action": str(case.action), "expires_ms": row.expires_ms, "proofs": list(case.proofs)}
            shown = {**by, "stage": "shown", "ticket": case.ticket, "grounds": case.reason}
            alarm = {**by, "reason": "break_glass", "check": "shown"}
            for event, details in (("pass_issued", issued), (GLASS, shown), (ALARM, alarm)):
                self._log(event, case, now=now, session=session, details=details)

        return code, self._cases.change(case, to=CaseState.ISSUED, within=within, freeze_hash=hashed(token))

    def stop(self, case: CaseView, agent: Agent, *, now: datetime) -> None:
        """Stop it for a colleague of those who did it, as the person could: the pass and what it bound are gone."""
        self._aftermath.stop(case, now=now, by=agent.id)
        said = {"agent": agent.id, "case": case.id, "stage": "stopped", "ticket": case.ticket, "grounds": case.reason}
        self._log(GLASS, case, now=now, details=said)

    def _letters(self, case: CaseView, stage: str, *, link: str, now: datetime) -> list[HelpdeskLetter]:
        """Return the letters of one step, sealed: to the person, and to each colleague at their own addresses."""
        person, owner = self._person(case), case.owner
        mine = glass_letters.filled(glass_letters.TO_THE_PERSON[stage], link=link)
        theirs = glass_letters.filled(glass_letters.TO_COLLEAGUES[stage], link=f"{self._url}/helpdesk/cases/{case.id}")
        others = [one for one in self._directory.holders(TOLD) if one.owner != owner]
        return [
            self._letterbox.sealed(owner, mine, person.addresses, now=now),
            *(self._letterbox.sealed(one.owner, theirs, one.addresses, now=now) for one in others),
        ]

    def _person(self, case: CaseView) -> OnRecord:
        person = self._directory.person(case.owner.subject)
        if person is None or not person.enabled or not person.addresses:
            raise ServiceError("no_address")
        return person

    def _holder(self, subject: str) -> OnRecord:
        person = self._directory.person(subject)
        if person is None or not person.enabled or BREAK_GLASS_ROLE not in person.roles:
            raise ServiceError("holder_gone")
        if not person.addresses:
            raise ServiceError("holder_without_address")
        return person

    def _log(
        self, event: str, case: CaseView, *, now: datetime, details: dict[str, Any], session: Session | None = None
    ) -> None:
        about = {"issuer": case.owner.issuer, "subject": case.owner.subject}
        self._audit.append(event, at=now, **about, details=details, session=session)
