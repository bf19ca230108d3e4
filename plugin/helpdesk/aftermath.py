"""What follows a decision: the pass, the letters, ended sessions, and how the owner stops all of it.

Rules:
 * A pass that could not be sent, or that the person could not be told of, is taken back: no silent recovery.
 * Every address on record hears of a pass, of its use and of the factor it bound.
 * The link in the letter freezes (stopping.py). It needs no login, since the person may have none; all it can do is to
   stop.
 * Sessions and offline tokens at the identity provider end when a factor was bound, and when a recovery is frozen.

Not here: who may decide (desk.py), how a link and a letter look (letters.py).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plugin.errors import ServiceError
from plugin.helpdesk import letters
from plugin.helpdesk.stopping import LINK_LIFE
from plugin.helpdesk.types import CaseState
from vault.interface import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.ceremonies.types import CeremonyView, Subject
    from plugin.helpdesk.cases import Cases
    from plugin.helpdesk.letterbox import Letterbox
    from plugin.helpdesk.letters import Letter
    from plugin.helpdesk.passes import Passes
    from plugin.helpdesk.stopping import Stopping
    from plugin.helpdesk.types import Agent, CaseView, Directory, Post
    from plugin.store.database import Database
    from plugin.store.letters import HelpdeskLetter


class Aftermath:
    """Issue, tell, freeze."""

    def __init__(
        self,
        *,
        cases: Cases,
        passes: Passes,
        stopping: Stopping,
        directory: Directory,
        post: Post,
        letterbox: Letterbox,
        database: Database,
        audit: AuditLog,
        issuer: str,
    ) -> None:
        self._cases = cases
        self._passes = passes
        self.stopping = stopping
        self._directory = directory
        self._post = post
        self._letterbox = letterbox
        self._database = database
        self._audit = audit
        self._url = issuer

    def issue(self, case: CaseView, agent: Agent, *, minutes: int, now: datetime, **decided: Any) -> CaseView:
        """Issue the pass of a decided case and send the letters.

        Raises:
            ServiceError: no_address, case_moved: nothing was issued. mail_failed: the pass was taken back.
        """
        return self._issue(case, agent, minutes=minutes, shown=False, now=now, **decided)[1]

    def get_ready(self, case: CaseView, agent: Agent, *, now: datetime, **decided: Any) -> CaseView:
        """Note that two people agreed to show a pass; it is made when it is shown, so nothing lies here meanwhile."""

        def within(session: Session) -> None:
            details = {"agent": agent.id, "case": case.id, "action": "pass", "target": case.target}
            self._log("helpdesk_action_agreed", case.owner, now=now, session=session, details=details)

        return self._cases.change(case, to=CaseState.READY, within=within, **decided)

    def hand_over(self, case: CaseView, agent: Agent, *, minutes: int, now: datetime) -> tuple[str, CaseView]:
        """Issue a pass and return it for the agent who asked; all addresses are told. Raises as `issue` does."""
        return self._issue(case, agent, minutes=minutes, shown=True, now=now)

    def _issue(
        self, case: CaseView, agent: Agent, *, minutes: int, shown: bool, now: datetime, **decided: Any
    ) -> tuple[str, CaseView]:
        person = self._directory.person(case.owner.subject)
        if person is None or not person.enabled or not (person.addresses if shown else person.mailbox):
            raise ServiceError("no_address")
        token, expires_at = secrets.token_urlsafe(32), now + timedelta(minutes=minutes)
        code, row = self._passes.new(case.owner, case_id=case.id, expires_at=expires_at, now=now)
        link = self.link(token)
        letter = letters.shown(link=link) if shown else letters.issued(link=link)
        told = self._letterbox.sealed(case.owner, letter, person.addresses, now=now)

        def within(session: Session) -> None:
            self._passes.put(row, session=session)
            session.add(told)
            details = {"agent": agent.id, "case": case.id, "expires_ms": row.expires_ms, "proofs": list(case.proofs)}
            self._log("pass_issued", case.owner, now=now, session=session, details=details)
            if shown:
                said = {"reason": "pass_shown", "agent": agent.id, "case": case.id}
                self._log("helpdesk_alarm", case.owner, now=now, session=session, details=said)

        issued = self._cases.change(case, to=CaseState.ISSUED, within=within, freeze_hash=hashed(token), **decided)
        try:
            self._letterbox.send(told.id, now=now)
            if not shown:
                self._send((person.mailbox,), letters.the_pass(code, expires_at=expires_at))
        except (ServiceError, VaultError):
            self._take_back(issued, told.id, now=now)
            raise
        return code, issued

    def letter_of_use(self, owner: Subject, *, now: datetime) -> HelpdeskLetter:
        """Return the row of the letter that tells of a pass that was used, for the transaction that uses it."""
        return self._letterbox.sealed(owner, letters.used(), None, now=now)

    def send_what_waits(self, owner: Subject, *, now: datetime) -> None:
        """Send the letters to this person that are written down; what cannot be sent now is tried again."""
        self._letterbox.send_to(owner, now=now)

    def bound(self, view: CeremonyView, *, now: datetime) -> None:
        """Tell the person of the new factor, and end all sessions that were opened with the old ones."""
        self.tell(view.owner, letters.bound, now=now)
        self.stopping.end_sessions(view.owner, now=now)

    def face_replaced(self, view: CeremonyView, *, now: datetime) -> None:
        """Tell the person of the new face, and end all sessions that were opened with the old one."""
        self.tell(view.owner, letters.face_replaced, now=now)
        self.stopping.end_sessions(view.owner, now=now)

    def tell(self, owner: Subject, letter: Callable[..., Letter], *, now: datetime) -> None:
        """Write to every address on record, with a link that stops what happened."""
        link = f"{self._url}/helpdesk/stop/{self.stopping.new_link(owner, now=now)}"
        self._tell(owner, letter(link=link), now=now)

    def impostor(self, view: CeremonyView, *, now: datetime) -> None:
        """Raise the alarm: a pass was used by somebody whose face was not the enrolled one."""
        self._log("helpdesk_alarm", view.owner, now=now, details={"reason": "recovery_face_refused"})

    def freeze(self, token: str, *, now: datetime) -> None:
        """Stop the recovery that the letter with this link told of, and every other case about the person.

        Raises:
            ServiceError: "case_unknown"; also for a link that was used.
        """
        link = self.stopping.find(token, now=now)
        if link is not None:
            self.stopping.stop(link.owner, since=link.since, reason="frozen_by_owner", now=now)
            return
        case = self._cases.by_freeze_token(hashed(token))
        if now - case.created_at > LINK_LIFE:
            raise ServiceError("case_unknown", "link_expired")
        self.stop(case, now=now)

    def stop(self, case: CaseView, *, now: datetime, by: str = "") -> None:
        """Stop this case and every other about the person, who says that it was not them. Raises ServiceError.

        `by` is a member of staff who says so in their place.
        """
        reason, said = ("stopped_by_staff", {"agent": by}) if by else ("frozen_by_owner", {})
        self.stopping.stop(case.owner, since=case.created_at, reason=reason, now=now, case=case, **said)

    def can_freeze(self, token: str, *, now: datetime) -> bool:
        """Tell whether this link still stops something."""
        if self.stopping.find(token, now=now) is not None:
            return True
        try:
            case = self._cases.by_freeze_token(hashed(token))
        except ServiceError:
            return False
        return case.state in {CaseState.ISSUED, CaseState.DONE} and now - case.created_at <= LINK_LIFE

    def _take_back(self, case: CaseView, letter_id: str, *, now: datetime) -> None:
        def within(session: Session) -> None:
            self._passes.withdraw(case.owner, session=session)
            self._letterbox.withdraw(letter_id, session=session)
            self._log("pass_withdrawn", case.owner, now=now, session=session, details={"case": case.id})

        self._cases.change(case, to=CaseState.FROZEN, within=within)

    def link(self, token: str) -> str:
        """Return the address that stops what the letter with it tells of."""
        return f"{self._url}/helpdesk/stop/{token}"

    def inform(self, owner: Subject, letter: Letter, *, now: datetime) -> None:
        """Write to every address on record of what has happened; a failure is written down and undoes nothing."""
        self._tell(owner, letter, now=now)

    def notify(self, owner: Subject, letter: Letter, *, now: datetime) -> None:
        """Write to every address on record before something happens. Raises ServiceError: no_address, mail_failed."""
        person = self._directory.person(owner.subject)
        if person is None or not person.addresses:
            raise ServiceError("no_address")
        self._send(person.addresses, letter)
        self._log("recovery_notified", owner, now=now, details={"sent": len(person.addresses)})

    def end_sessions(self, owner: Subject, *, now: datetime) -> None:
        """End the person's sessions at the identity provider; a failure is an alarm."""
        self.stopping.end_sessions(owner, now=now)

    def _tell(self, owner: Subject, letter: Letter, *, now: datetime) -> None:
        """Write to every address on record; what cannot be sent now is tried again, and undoes nothing."""
        self._letterbox.tell(owner, letter, now=now)

    def _send(self, addresses: Sequence[str], letter: Letter) -> None:
        self._post.send(addresses, subject=letter.subject, text=letter.text)

    def _log(
        self, event: str, owner: Subject, *, now: datetime, details: dict[str, Any], session: Session | None = None
    ) -> None:
        self._audit.append(event, at=now, issuer=owner.issuer, subject=owner.subject, details=details, session=session)


def hashed(token: str) -> bytes:
    """Return what a token of 256 random bits is stored as."""
    return hashlib.sha256(token.encode()).digest()
