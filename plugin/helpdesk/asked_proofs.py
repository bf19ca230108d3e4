"""Proofs that no agent can note: an agent asks, somebody else answers, and the service writes down what came of it.

Rules:
 * What was asked for must succeed: from then on the case demands it, and a pass waits for it.
 * At most three times a case, one at a time; a letter that could not be sent counts for nothing.
 * Only an open case takes an answer. A face that is somebody else's, and a manager's no, count whatever the case says.

Not here: links (links.py), whose answer it is (face_checks.py, managers.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from plugin.errors import ServiceError
from plugin.helpdesk.links import LinkState
from plugin.helpdesk.policy import PROOFS
from plugin.helpdesk.types import CaseState
from plugin.store.instants import from_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.helpdesk.cases import Cases
    from plugin.helpdesk.desk import Desk
    from plugin.helpdesk.letters import Letter
    from plugin.helpdesk.links import Links, LinkView
    from plugin.helpdesk.policy import Policy
    from plugin.helpdesk.types import Agent, CaseView, Directory, Post
    from plugin.store.database import Database

MOST: Final = 3
"""Links for one proof of one case: the first, and two more."""
_TRIES: Final = 5
"""An agent may note something in the moment in which an answer comes; then it is written anew."""


@dataclass(frozen=True, slots=True, repr=False)
class Asking:
    """What both kinds of asked proofs are built from."""

    desk: Desk
    cases: Cases
    links: Links
    asked: AskedProofs
    directory: Directory
    policy: Policy

    def waiting(self, token: str, *, proof: str, now: datetime) -> LinkView:
        """Return a link that can still be answered, on a case that is still open; looking changes nothing.

        Raises:
            ServiceError: link_over.
        """
        link = self.links.find(token, proof=proof, now=now)
        case = self.cases.load(link.case_id)
        if case.state is not CaseState.OPEN or now >= case.expires_at:
            raise ServiceError("link_over", f"case_{case.state}")
        return link


class AskedProofs:
    """Ask by letter, write answers down."""

    def __init__(self, *, cases: Cases, links: Links, post: Post, database: Database, audit: AuditLog) -> None:
        self._cases = cases
        self._links = links
        self._post = post
        self._database = database
        self._audit = audit

    def may_ask(self, case: CaseView, proof: str, *, now: datetime) -> bool:
        """Tell whether this proof may be asked for (again): not proven, nothing under way, a try left."""
        if case.state is not CaseState.OPEN or now >= case.expires_at or proof in case.proofs:
            return False
        links = self._links.of(case.id, proof=proof)
        return len(links) < MOST and not any(one.is_under_way(now=now) for one in links)

    def ask(
        self,
        case: CaseView,
        agent: Agent,
        *,
        proof: str,
        recipient: str,
        address: str,
        minutes: int,
        letter: Callable[[str, datetime], Letter],
        now: datetime,
    ) -> CaseView:
        """Send a link to one address; `letter` gets its token and its end.

        Raises:
            ServiceError: not_askable_now, case_moved: nothing was sent. mail_failed: the link opens nothing.
        """
        if not self.may_ask(case, proof, now=now):
            raise ServiceError("not_askable_now")
        token, row = self._links.new(
            case, proof=proof, recipient=recipient, asked_by=agent.id, minutes=minutes, now=now
        )
        link_id, said = row.id, letter(token, from_ms(row.expires_ms))

        def within(session: Session) -> None:
            session.add(row)
            self.log("helpdesk_link_sent", case, now=now, session=session, proof=proof, agent=agent.id)

        demanded = [one for one in PROOFS if one in {*case.demanded, proof}]
        asked = self._cases.change(case, within=within, demanded=demanded)
        try:
            self._post.send([address], subject=said.subject, text=said.text)
        except ServiceError:
            with self._database.transaction() as session:
                self._links.change(self._links.load(link_id), to=LinkState.UNSENT, session=session)
            raise
        return asked

    def note(self, link: LinkView, *, to: LinkState, now: datetime, by: str = "") -> bool:
        """Note the proof on its case; `by` is who answered with a login. False if the case takes nothing any more."""
        for _ in range(_TRIES):
            case = self._cases.load(link.case_id)
            if case.state is not CaseState.OPEN or now >= case.expires_at:
                return False
            noted: dict[str, Any] = {"proofs": [*case.proofs, link.proof]}
            noted |= {"noted_by": list(dict.fromkeys((*case.noted_by, by)))} if by else {}
            said = {"now": now, "proof": link.proof, "reason": to.value} | ({"agent": by} if by else {})
            try:
                self._cases.change(case, within=partial(self._noted, link, case, to, said), **noted)
            except ServiceError as exc:
                if exc.code != "case_moved":
                    raise
                continue
            return True
        raise ServiceError("case_moved", "changed_meanwhile")

    def end(self, link: LinkView, *, to: LinkState, now: datetime, alarm: str = "") -> None:
        """Write down an answer that proves nothing, and raise an alarm where it is one."""
        case = self._cases.load(link.case_id)
        with self._database.transaction() as session:
            self._links.change(link, to=to, session=session)
            self.log("helpdesk_link_answered", case, now=now, session=session, proof=link.proof, reason=to.value)
            if alarm:
                self.log("helpdesk_alarm", case, now=now, session=session, reason=alarm)

    def _noted(self, link: LinkView, case: CaseView, to: LinkState, said: dict[str, Any], session: Session) -> None:
        self._links.change(link, to=to, session=session)
        self.log("helpdesk_proof_noted", case, session=session, **said)

    def log(self, event: str, case: CaseView, *, now: datetime, session: Session | None = None, **details: Any) -> None:
        """Append an entry about the person of this case."""
        owner, said = case.owner, {"case": case.id, **details}
        self._audit.append(event, at=now, issuer=owner.issuer, subject=owner.subject, details=said, session=session)
