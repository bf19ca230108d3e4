"""The live face check by link: an agent asks, the person looks into the camera, the agent hears one word.

Rules:
 * The link goes to the first address on record, lives minutes, and opens nothing by being looked at: mail programs
   follow links. Who presses the button binds the check to that browser, once.
 * The check is the face step of a login against the reference that is there: the same challenge, the same three tries,
   the same counters. It is a ceremony without a result: it never leads to a code, a token or a method in `amr`.
 * Agents learn matched, not matched or not live; scores stay in the audit log. A living face that is another one ends
   the check at once and is an alarm; so is one at the last try.
 * A check that ends without a living face is an alarm too: after the last try, and where a try was refused and the page
   was closed then, once its time is over.
 * Whoever gets a letter without having called can stop the case from there.

Not here: the camera (factors/face.py), asking and noting (asked_proofs.py).
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from plugin.ceremonies.types import NewCeremony, Purpose, VerifiedRequest
from plugin.errors import ServiceError
from plugin.helpdesk import letters
from plugin.helpdesk.links import LinkState
from plugin.helpdesk.policy import LIVE_FACE
from plugin.helpdesk.record import has_usable_face

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import CeremonyView
    from plugin.helpdesk.aftermath import Aftermath
    from plugin.helpdesk.asked_proofs import Asking
    from plugin.helpdesk.links import LinkView
    from plugin.helpdesk.types import Agent, CaseView
    from plugin.settings import Settings
    from plugin.store.database import Database

OVER: Final = "/helpdesk/checked"
"""Where the browser goes when the check is over; it says the same whatever came of it."""


NOT_LIVE: Final = "check_not_live"
"""Reason of the alarm about a check that ended without a living face."""


class FaceChecks:
    """Ask for a check, begin it, take its end."""

    def __init__(
        self, asking: Asking, *, aftermath: Aftermath, ceremonies: Ceremonies, database: Database, settings: Settings
    ) -> None:
        self._desk, self._cases, self._links, self._asked = asking.desk, asking.cases, asking.links, asking.asked
        self._waiting = partial(asking.waiting, proof=LIVE_FACE)
        self._directory, self._policy = asking.directory, asking.policy
        self._aftermath = aftermath
        self._ceremonies = ceremonies
        self._database = database
        self._url = settings.issuer
        self._ttl = timedelta(seconds=settings.ceremony_ttl_s)

    def may_ask(self, case: CaseView, *, now: datetime) -> bool:
        """Tell whether a check can be asked for: somebody whose face is not on record cannot be checked by it."""
        usable = has_usable_face(case.owner, database=self._database, now=now)
        return usable and self._asked.may_ask(case, LIVE_FACE, now=now)

    def ask(self, agent: Agent, case_id: str, *, now: datetime) -> CaseView:
        """Send the person a link.

        Raises:
            ServiceError: what Desk.under_way raises; no_usable_face, no_address, not_askable_now, mail_failed.
        """
        case = self._desk.under_way(agent, case_id, now=now)
        if not has_usable_face(case.owner, database=self._database, now=now):
            raise ServiceError("no_usable_face")
        person = self._directory.person(case.owner.subject)
        if person is None or not person.enabled or not person.mailbox:
            raise ServiceError("no_address")
        return self._asked.ask(
            case,
            agent,
            proof=LIVE_FACE,
            recipient=case.owner.subject,
            address=person.mailbox,
            minutes=self._policy.check_minutes,
            letter=lambda token, ends: letters.face_check(link=f"{self._url}/helpdesk/check/{token}", ends=ends),
            now=now,
        )

    def find(self, token: str, *, now: datetime) -> LinkView:
        """Return the link that can still be pressed; looking changes nothing. Raises ServiceError("link_over")."""
        return self._waiting(token, now=now)

    def begin(self, token: str, *, now: datetime) -> NewCeremony:
        """Use the link up and begin the check in the browser that pressed.

        The link is used up first: if anything fails after that, nothing was checked and the agent asks again.

        Raises:
            ServiceError: link_over.
        """
        link = self.find(token, now=now)
        case = self._cases.load(link.case_id)
        with self._database.transaction() as session:
            self._links.change(link, to=LinkState.OPENED, session=session, expires_at=now + self._ttl)
            self._asked.log("helpdesk_link_opened", case, now=now, session=session, proof=LIVE_FACE)
        request = VerifiedRequest(
            issuer=link.owner.issuer,
            subject=link.owner.subject,
            purpose=Purpose.CHECK,
            redirect_uri=self._url + OVER,
            state=link.id,
            nonce=link.case_id,
            code_challenge="",
            display_name=case.name,
        )
        return self._ceremonies.begin(request, now=now)

    def stop(self, token: str, *, now: datetime) -> None:
        """Freeze the case: the person did not call. Raises ServiceError("link_over")."""
        link = self.find(token, now=now)
        self._aftermath.stop(self._cases.load(link.case_id), now=now)

    def matched(self, view: CeremonyView, *, now: datetime) -> None:
        """Take the good end of a check: the proof is noted, if its case is still open; the ceremony is over."""
        link = self._link(view)
        if not self._asked.note(link, to=LinkState.MATCHED, now=now):
            self._asked.end(link, to=LinkState.MATCHED, now=now)
        self._ceremonies.end(view, now=now, reason="checked")

    def failed(self, view: CeremonyView, *, another: bool, now: datetime) -> None:
        """Take the bad end of a check, whose ceremony is over already."""
        to = LinkState.NOT_MATCHED if another else LinkState.NOT_LIVE
        self._asked.end(self._link(view), to=to, now=now, alarm="check_not_matched" if another else NOT_LIVE)

    def tried(self, view: CeremonyView) -> None:
        """Note that a try was refused while another is left: whoever gives up now is no longer just late."""
        link = self._link(view)
        if link.state is LinkState.OPENED:
            with self._database.transaction() as session:
                self._links.change(link, to=LinkState.TRIED, session=session)

    def end_given_up(self, *, now: datetime) -> None:
        """End the checks that nobody goes on with after a refused try, each with its alarm."""
        for link in self._links.given_up(now=now):
            try:
                self._asked.end(link, to=LinkState.NOT_LIVE, now=now, alarm=NOT_LIVE)
            except ServiceError as exc:
                if exc.code not in {"link_over", "case_unknown"}:  # another worker was faster, or an erasure
                    raise

    def _link(self, view: CeremonyView) -> LinkView:
        if view.purpose is not Purpose.CHECK:
            raise ServiceError("ceremony_refused", "no_check")
        return self._links.load(view.state)
