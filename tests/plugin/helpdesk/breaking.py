"""Grace and Heidi may break glass; how far they get. After each step the service's own thread comes by, for letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.helpdesk.types import BREAK_GLASS_ROLE, Action

if TYPE_CHECKING:
    from plugin.helpdesk.types import CaseView
    from tests.plugin.helpdesk.office import Office


def staffed(office: Office) -> Office:
    """Give the office two people who may break glass, and nothing else."""
    for name in ("grace", "heidi"):
        office.people.add(name, roles=[BREAK_GLASS_ROLE])
    return office


def nothing_was_shown(office: Office) -> bool:
    return office.world.audited("pass_issued") == []


def asked(
    office: Office, *, about: str = "alice", by: str = "grace", ticket: str = "T-1", reason: str = "mail is down"
) -> CaseView:
    """Open a case in an emergency, and ask to break glass on it."""
    agent, now = office.agent(by), office.world.now
    case = office.desk.open(agent, about, ticket=ticket, reason=reason, only=Action.BREAK_GLASS, now=now)
    waiting = office.desk.ask(agent, case.id, action=Action.BREAK_GLASS, now=now)
    office.parts.chores.run(now=now)
    return waiting


def ready(office: Office, **more: str) -> CaseView:
    """Have it agreed to by Heidi."""
    return office.agrees(asked(office, **more), by="heidi")


def shows(office: Office, case: CaseView, *, by: str = "grace") -> str:
    """Return the pass that is shown."""
    code, _ = office.desk.show(office.agent(by), case.id, now=office.world.now)
    office.parts.chores.run(now=office.world.now)
    return code


def broken(office: Office, *, by: str = "grace", **more: str) -> str:
    """Break glass; return the pass."""
    return shows(office, ready(office, by=by, **more), by=by)
