"""Whether somebody is fit to be the second person of a case, and whether those who acted on it still may.

Rules:
 * What was asked for and what was noted is worth as much as who did it is now: they exist, are enabled, not suspended,
   and hold the role still, or are the manager who confirmed. What the service notes itself is nobody's.
 * The second is another human being than all who acted: another account, and no address on record shared.
 * Where policy wants another place, places are networks (networks.py); one that cannot be told is no other place.

Not here: the role of the second (desk.py), what the two decide about (deeds.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugin.helpdesk import limits
from plugin.helpdesk.actions import kind_of
from plugin.helpdesk.cases import LIFE
from plugin.helpdesk.networks import network_of
from plugin.helpdesk.types import AGENT_ROLE, API_ROLE, BREAK_GLASS_ROLE
from plugin.store.suspended import is_suspended

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.helpdesk.links import Links
    from plugin.helpdesk.types import Agent, CaseView, Directory
    from plugin.store.database import Database

NOTED: Final = "helpdesk_proof_noted"
_ASKERS: Final = frozenset({AGENT_ROLE, API_ROLE})
"""One of these who asked or noted must still have."""
_BREAKERS: Final = frozenset({BREAK_GLASS_ROLE})
"""This one who asked to break glass; what was noted counts for nothing there."""


class SecondPerson:
    """Look at everybody who acted on a case, as the directory knows them now."""

    def __init__(self, *, directory: Directory, links: Links, database: Database) -> None:
        self._directory = directory
        self._links = links
        self._database = database

    def gone(self, case: CaseView) -> str:
        """Return the code of who acted and may not any more, or nothing.

        Raises:
            ServiceError: the directory cannot tell.
        """
        emergency = kind_of(case.action).emergency
        if case.asked_by and not self._may_still(case.asked_by, case, roles=_BREAKERS if emergency else _ASKERS):
            return "asker_gone"
        if emergency:
            return ""
        confirmed = self._links.confirmed_by(case.id)
        for noter in case.noted_by:
            if not self._may_still(noter, case, roles=None if noter in confirmed else _ASKERS):
                return "noter_gone"
        return ""

    def unfit(self, case: CaseView, approver: Agent, *, apart: str, now: datetime) -> str:
        """Return the code of why this person does not decide about this case, or nothing.

        1. they opened it, proved or asked           3. an account of theirs did: an address on record is shared
        2. who asked or noted may not any more       4. they sit where one of these sat, where policy minds (`apart`)

        Raises:
            ServiceError: the directory cannot tell.
        """
        acted = {case.opened_by, case.asked_by, *case.noted_by}
        if approver.id in acted:  # (1)
            return "same_person"
        if gone := self.gone(case):  # (2)
            return gone
        for other in map(self._directory.person, acted):
            if other is not None and other.is_same_as(approver.person):  # (3)
                return "same_person"
        return "same_place" if apart == "address" and self._sits_with_them(case, approver, now=now) else ""  # (4)

    def _may_still(self, subject: str, case: CaseView, *, roles: frozenset[str] | None) -> bool:
        """Tell whether what this person did counts; `roles`: one of them is needed, None for the manager."""
        person = self._directory.person(subject)
        if person is None or not person.enabled or not (roles is None or person.roles & roles):
            return False
        with self._database.reading() as session:
            return not is_suspended(session, issuer=case.owner.issuer, subject=subject)

    def _sits_with_them(self, case: CaseView, approver: Agent, *, now: datetime) -> bool:
        here, asked_at = network_of(approver.address), network_of(case.asked_from)
        with self._database.reading() as session:
            noted = limits.deeds(session, [NOTED], within=LIFE, now=now)
        others = {asked_at, *(one.network for one in noted if one.case == case.id)}
        return here in others or not (here and asked_at)
