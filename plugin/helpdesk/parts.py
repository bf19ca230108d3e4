"""The helpdesk as one thing that pages can hold; built in wiring.py, absent where no realm was named for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugin.errors import FactorRejected, LockedOut, ServiceError
from plugin.helpdesk.networks import network_of
from plugin.helpdesk.types import Agent

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import CeremonyView
    from plugin.helpdesk.aftermath import Aftermath
    from plugin.helpdesk.chores import Chores
    from plugin.helpdesk.desk import Desk
    from plugin.helpdesk.face_checks import FaceChecks
    from plugin.helpdesk.links import Links
    from plugin.helpdesk.managers import Managers
    from plugin.helpdesk.own_recovery import OwnRecovery
    from plugin.helpdesk.passes import Passes
    from plugin.helpdesk.policy import Policy
    from plugin.helpdesk.sessions import Sessions
    from plugin.helpdesk.types import Directory, Login, Programs


@dataclass(frozen=True, slots=True, repr=False)
class Helpdesk:
    """Everything that a page of the helpdesk may need. `realm` is whose people and whose staff it is for."""

    realm: str
    policy: Policy
    desk: Desk
    face_checks: FaceChecks
    managers: Managers
    links: Links
    aftermath: Aftermath
    chores: Chores
    passes: Passes
    own_recovery: OwnRecovery
    sessions: Sessions
    directory: Directory
    login: Login
    programs: Programs

    def redeem(self, view: CeremonyView, code: str, *, address: str, now: datetime) -> CeremonyView:
        """Use a pass up and tell the person; what happens at many login pages, or at one network, is watched.

        The letter and the alarm about the network are written with the pass, or not at all; the letter goes then.

        Raises:
            CeremonyRefused, FactorRejected, LockedOut: as Passes.redeem.
        """
        watch, network = self.desk.watch, network_of(address)
        letter = self.aftermath.letter_of_use(view.owner, now=now)

        def also(session: Session) -> None:
            session.add(letter)
            watch.pass_used(view.owner, network, session=session, now=now)

        try:
            recovering, _ = self.passes.redeem(view, code, network=network, also=also, now=now)
        except (FactorRejected, LockedOut):
            watch.pass_refused(view.owner, network, now=now)
            raise
        self.aftermath.send_what_waits(view.owner, now=now)
        return recovering

    def agent(self, token: str, *, address: str, now: datetime) -> Agent:
        """Return who acts, with the roles that the directory gives them now.

        Raises:
            ServiceError: helpdesk_login: nobody is signed in. helpdesk_role: they are no staff, or no longer.
        """
        owner = self.sessions.find(token, now=now) if token else None
        if owner is None:
            raise ServiceError("helpdesk_login")
        person = self.directory.person(owner.subject)
        if person is None or not person.enabled or not person.is_staff:
            raise ServiceError("helpdesk_role")
        return Agent(person=person, address=address)
