"""What every decision at the desk is written down with: who is refused, and what was done on a case.

Not here: the decisions (desk.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from plugin.errors import ServiceError
from plugin.helpdesk.types import BREAK_GLASS_ROLE

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.helpdesk.types import Agent, CaseState, CaseView


class Clerk:
    """Refuse, and write down; every refusal is an audit entry about the agent."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def _require_asking(self, agent: Agent, *, emergency: bool = False, now: datetime) -> None:
        if not (agent.has(BREAK_GLASS_ROLE) if emergency else agent.may_ask):
            self._refuse(agent, "helpdesk_role", now=now)

    def _require(self, agent: Agent, *roles: str, now: datetime) -> None:
        """Refuse whoever has none of these roles."""
        if not any(map(agent.has, roles)):
            self._refuse(agent, "helpdesk_role", now=now)

    def _under_way(self, case: CaseView, state: CaseState, *, now: datetime) -> CaseView:
        if case.state is not state or now >= case.expires_at:
            raise ServiceError("case_moved", f"{case.state}_not_{state}")
        return case

    def _refuse(self, agent: Agent, code: str, *, now: datetime, case: CaseView | None = None) -> NoReturn:
        details = {"code": code, **({"case": case.id} if case is not None else {})}
        owner = agent.person.owner
        self._audit.append("helpdesk_refused", at=now, issuer=owner.issuer, subject=owner.subject, details=details)
        raise ServiceError(code)

    def _log_case(
        self, event: str, case: CaseView, agent: Agent, *, now: datetime, session: Session, **details: Any
    ) -> None:
        about = {"issuer": case.owner.issuer, "subject": case.owner.subject}
        said = {"agent": agent.id, "case": case.id, **details}
        self._audit.append(event, at=now, **about, details=said, session=session)
