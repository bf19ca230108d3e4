"""What the audit log says about a pass or a case, so that a whole row of ours that somebody puts back is noticed.

A row's MAC cannot tell whether it is the newest that we wrote; the log can (store/history.py says what that means). So
a pass opens something only while the log's last word about the person's passes is that this one was issued, and a case
moves on only while the log knows of nothing that came after where the row says it stands.

Not here: the rows (passes.py, cases.py).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from plugin.helpdesk.types import CaseState
from plugin.store.last_said import of_log
from plugin.store.tables import AuditEntry
from vault.interface import WrongMac

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from plugin.store.helpdesk_tables import HelpdeskCase, HelpdeskPass

_ISSUED: Final = "pass_issued"
_OF_PASSES: Final = (_ISSUED, "pass_accepted", "pass_withdrawn", "recovery_frozen", "erased")
_ENDED: Final = frozenset({_ISSUED, "helpdesk_case_closed", "helpdesk_action_done", "recovery_frozen"})
_AFTER: Final = {
    CaseState.OPEN: _ENDED | {"helpdesk_approval_asked", "helpdesk_action_agreed"},
    CaseState.WAITING: _ENDED | {"helpdesk_action_agreed"},
    CaseState.READY: _ENDED,
}
"""What the log cannot hold about a case that stands there. A case beyond can only be stopped."""


class PutBack(WrongMac):
    """What is stored is ours, and older than what we stored last."""

    def __init__(self, table: str) -> None:
        super().__init__(f"{table}: not the newest; the audit log says otherwise")


def is_issued(session: Session, row: HelpdeskPass) -> bool:
    """Tell whether issuing this pass is the last that the log says of the person's passes, in the caller's snapshot."""
    query = _about(row).where(AuditEntry.event.in_(_OF_PASSES)).order_by(AuditEntry.seq.desc()).limit(1)
    last = session.execute(query).first()
    return last is not None and last.event == _ISSUED and _case_in(last.details) == row.case_id


def require_newest(session: Session, row: HelpdeskCase) -> None:
    """Raise PutBack if the log knows of what came after the state that this row says."""
    after = _AFTER.get(CaseState(row.state))
    if after is None:
        return
    query = _about(row).where(AuditEntry.event.in_(after), AuditEntry.at_ms >= row.created_ms)
    if any(_case_in(details) == row.id for _, details in session.execute(query)):
        raise PutBack("helpdesk_cases")


def _about(row: HelpdeskCase | HelpdeskPass) -> Select[str, str]:
    return select(AuditEntry.event, AuditEntry.details).where(
        of_log(), AuditEntry.issuer == row.issuer, AuditEntry.subject == row.subject
    )


def _case_in(details: str) -> str:
    """Return which case an entry is about; one that was edited beyond reading is about none."""
    try:
        found = json.loads(details)["case"]
    except (ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""
