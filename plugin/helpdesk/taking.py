"""Actions that take something away: one factor, the face, every login for now, everything.

Rules:
 * What is taken, what was under way and the entry in the log are one transaction; then everybody on record is told and
   the sessions at the identity provider end. Mail that is down does not keep a stolen phone alive.
 * What may be set up in its place is decided where it is set up (ceremonies/stages.py): a removed face comes back only
   with the old possession factor and a code that is mailed to the person, a removed app with another factor or a pass.

Not here: who may (desk.py), the stop link (aftermath.py).
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select

from plugin.audit.erasure import erase_subject
from plugin.errors import ServiceError
from plugin.helpdesk import action_letters
from plugin.helpdesk.aftermath import hashed
from plugin.helpdesk.suspension import suspend
from plugin.helpdesk.targets import APP, CODES, PASSKEY, targets_of
from plugin.helpdesk.types import Action, CaseState
from plugin.store.history import REMOVED
from plugin.store.suspended import is_suspended
from plugin.store.tables import RecoveryCode, Reference, TotpSecret, WebauthnCredential
from plugin.store.under_way import end_under_way

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.log import AuditLog
    from plugin.ceremonies.types import Subject
    from plugin.helpdesk.aftermath import Aftermath
    from plugin.helpdesk.cases import Cases
    from plugin.helpdesk.types import Agent, CaseView, Directory
    from plugin.store.database import Database

_TABLES: Final[dict[str, Any]] = {APP: TotpSecret, CODES: RecoveryCode}


class Taking:
    """Reset a factor, remove the face, suspend, erase."""

    def __init__(
        self, *, cases: Cases, aftermath: Aftermath, directory: Directory, database: Database, audit: AuditLog
    ) -> None:
        self._cases = cases
        self._aftermath = aftermath
        self._directory = directory
        self._database = database
        self._audit = audit

    def check(self, case: CaseView) -> None:
        """Raise ServiceError("nothing_to_do") unless there is what the case wants taken away."""
        if not self._is_there(case):
            raise ServiceError("nothing_to_do", case.action or "")

    def carry_out(self, case: CaseView, agent: Agent, *, now: datetime, **decided: Any) -> CaseView:
        """Take it away, tell the person, end the sessions; return the case as it is then."""
        token = secrets.token_urlsafe(32)

        def within(session: Session) -> None:
            said = {"agent": agent.id, "case": case.id, "action": str(case.action), "target": case.target}
            self._log("helpdesk_action_done", case.owner, now=now, session=session, proofs=list(case.proofs), **said)
            self._take(case, session=session, now=now)
            end_under_way(session, issuer=case.owner.issuer, subject=case.owner.subject)

        done = self._change(case, within=within, freeze_hash=hashed(token), **decided)
        self._aftermath.inform(case.owner, action_letters.told(case, link=self._aftermath.link(token)), now=now)
        self._aftermath.end_sessions(case.owner, now=now)
        if case.action is Action.ERASE:
            self._forget_at_the_provider(case, now=now)
        return done

    def _is_there(self, case: CaseView) -> bool:
        owner = case.owner
        if case.action is Action.RESET_FACTOR:
            return case.target in {target.id for target in targets_of(owner, database=self._database)}
        with self._database.reading() as session:
            if case.action is Action.REENROL_FACE:
                mine = {"issuer": owner.issuer, "subject": owner.subject}
                return session.scalar(select(Reference.id).filter_by(**mine)) is not None
            if case.action is Action.SUSPEND:
                return not is_suspended(session, issuer=owner.issuer, subject=owner.subject)
        return True

    def _take(self, case: CaseView, *, session: Session, now: datetime) -> None:
        owner = case.owner
        if case.action is Action.RESET_FACTOR:
            self._reset(case, session=session, now=now)
        elif case.action is Action.REENROL_FACE:
            self._remove_face(case, session=session, now=now)
        elif case.action is Action.SUSPEND:
            suspend(owner, audit=self._audit, session=session, now=now, reason="helpdesk", case=case.id)
        else:
            erase_subject(session, audit=self._audit, issuer=owner.issuer, subject=owner.subject, now=now)

    def _reset(self, case: CaseView, *, session: Session, now: datetime) -> None:
        """Delete exactly the factor that was named. Raises ServiceError("nothing_to_do") if it went meanwhile."""
        kind = case.target.partition(":")[0]
        table = _TABLES.get(case.target, WebauthnCredential)
        mine = (table.issuer == case.owner.issuer, table.subject == case.owner.subject)
        named = (table.id == case.target.removeprefix(PASSKEY),) if table is WebauthnCredential else ()
        gone: Any = session.execute(delete(table).where(*mine, *named))
        if gone.rowcount < 1:
            raise ServiceError("nothing_to_do", "target_gone")
        self._log("factor_removed", case.owner, now=now, session=session, factor=kind, case=case.id)

    def _remove_face(self, case: CaseView, *, session: Session, now: datetime) -> None:
        mine = {"issuer": case.owner.issuer, "subject": case.owner.subject}
        row = session.scalar(select(Reference).filter_by(**mine))
        if row is None:
            raise ServiceError("nothing_to_do", "face_gone")
        session.execute(delete(Reference).where(Reference.id == row.id))
        self._log(REMOVED, case.owner, now=now, session=session, reference_id=row.id, case=case.id)

    def _change(self, case: CaseView, *, within: Any, **decided: Any) -> CaseView:
        try:
            return self._cases.change(case, to=CaseState.DONE, within=within, **decided)
        except ServiceError as exc:
            if case.action is Action.ERASE and exc.code == "case_unknown":  # committed, and the case went with the rest
                return replace(case, state=CaseState.DONE)
            raise

    def _forget_at_the_provider(self, case: CaseView, *, now: datetime) -> None:
        try:
            self._directory.forget_face(case.owner.subject)
        except ServiceError as exc:
            self._log(
                "helpdesk_alarm", case.owner, now=now, session=None, reason="credential_not_removed", code=exc.code
            )

    def _log(self, event: str, owner: Subject, *, now: datetime, session: Session | None, **details: Any) -> None:
        about = {"issuer": owner.issuer, "subject": owner.subject}
        self._audit.append(event, at=now, **about, details=details, session=session)
