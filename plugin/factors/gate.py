"""What every factor does around its own comparison, so that none can forget a part of it.

Rules:
 * Order: right stage, attempt counted, comparison, then one transaction that uses up the proof, ends the run of
   failures, writes the audit entry and moves the ceremony. If any of it fails, none of it happened.
 * Every miss is the same from outside; the audit entry names the check.

Not here: comparisons (one file a factor), the limits (ceremonies/attempts.py).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from plugin.ceremonies.stages import stage_after
from plugin.ceremonies.types import Stage
from plugin.errors import CeremonyRefused, FactorRejected, LockedOut
from plugin.factors.lost import forget_lost
from plugin.store.cooling import BOUND
from plugin.store.integrity import check, checked_columns
from plugin.store.under_way import end_under_way
from vault.interface import WrongMac

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import RowMapping, Table
    from sqlalchemy.orm import Session

    from plugin.ceremonies.attempts import Attempts, Counted
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView
    from vault.interface import Sealer

    Within = Callable[[Session], None]


class UsedMeanwhile(Exception):  # noqa: N818  (what was found; raised inside a transaction so that it rolls back)
    """Another request has used up the same proof; `check` names it."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


class Gate:
    """Shared by all factors; holds no state of its own."""

    def __init__(self, *, ceremonies: Ceremonies, sealer: Sealer, attempts: Attempts, audit: AuditSink) -> None:
        self._ceremonies = ceremonies
        self._sealer = sealer
        self._attempts = attempts
        self._audit = audit

    def require(self, view: CeremonyView, *stages: Stage) -> None:
        """Raise CeremonyRefused unless the ceremony stands at one of these stages."""
        if view.stage not in stages:
            raise CeremonyRefused("ceremony_refused", f"not_at_{view.stage}")

    def take(
        self,
        view: CeremonyView,
        factor: Counted,
        *,
        now: datetime,
        read: Callable[[Session], Any] | None = None,
    ) -> Any:
        """Count one attempt before anything is compared; return what `read` reads with it.

        Raises:
            LockedOut: audited.
        """
        try:
            return self._attempts.take(view.owner, factor, now=now, read=read)
        except LockedOut as exc:
            off = exc.retry_after_s is None
            details: dict[str, Any] = {"factor": factor.value, "code": exc.code, "factor_off": off}
            if not off:
                details["retry_after_s"] = exc.retry_after_s
            self.log("locked_out", view, now=now, details=details)
            raise

    def believe(self, row: Any, view: CeremonyView, *, now: datetime) -> None:
        """Raise WrongMac, audited, unless a stored row is as we wrote it."""
        with self._noticing(row.__tablename__, view, now=now):
            check(row, sealer=self._sealer)

    def believed(self, table: Table, row: RowMapping, view: CeremonyView, *, now: datetime) -> dict[str, Any]:
        """Return the signed columns of a row that was read without the ORM. Raises WrongMac, audited."""
        with self._noticing(table.name, view, now=now):
            return checked_columns(table, row, sealer=self._sealer)

    @contextmanager
    def _noticing(self, table: str, view: CeremonyView, *, now: datetime) -> Iterator[None]:
        try:
            yield
        except WrongMac:
            self.log("integrity_failed", view, now=now, details={"table": table})
            raise

    def refuse(self, view: CeremonyView, factor: Counted, failed: str, *, now: datetime) -> NoReturn:
        """Audit which check failed and raise the one FactorRejected that the outside sees."""
        self.log("factor_refused", view, now=now, details={"factor": factor.value, "check": failed})
        raise FactorRejected("factor_rejected", failed)

    def accept(
        self,
        view: CeremonyView,
        factor: Counted,
        *,
        now: datetime,
        proven: str | None,
        within: Within,
        event: str = "factor_accepted",
        details: Mapping[str, Any] | None = None,
    ) -> CeremonyView:
        """Commit, or refuse if another request has used up the same proof."""
        try:
            return self.commit(view, factor, now=now, proven=proven, within=within, event=event, details=details)
        except UsedMeanwhile as exc:
            self.refuse(view, factor, exc.check, now=now)

    def commit(
        self,
        view: CeremonyView,
        factor: Counted,
        *,
        now: datetime,
        proven: str | None,
        within: Within,
        event: str,
        details: Mapping[str, Any] | None = None,
        reference_id: str | None = None,
    ) -> CeremonyView:
        """Use up the proof, end the run of failures, audit, and move to the next stage: all or nothing.

        Raises:
            UsedMeanwhile: `within` found the proof used up; nothing was written.
        """

        def write(session: Session) -> None:
            if view.purpose.replaces_possession and view.stage is Stage.POSSESSION_SETUP:
                forget_lost(view.owner, session=session)
                self.bound(view, factor, now=now, session=session)
            within(session)
            self._attempts.succeed(view.owner, factor, session=session)
            self.log(event, view, now=now, details={"factor": factor.value, **(details or {})}, session=session)

        following = stage_after(view.purpose, view.stage)
        return self._ceremonies.advance(
            view, to=following, now=now, proven=proven, reference_id=reference_id, within=write
        )

    def bound(self, view: CeremonyView, factor: Counted, *, now: datetime, session: Session) -> None:
        """Begin the cool-down, in the caller's transaction, and end whatever else the person has under way."""
        self.log(BOUND, view, now=now, details={"factor": factor.value}, session=session)
        end_under_way(session, issuer=view.issuer, subject=view.subject, but=view.id)

    def log(
        self,
        event: str,
        view: CeremonyView,
        *,
        now: datetime,
        details: Mapping[str, Any],
        session: Session | None = None,
    ) -> None:
        """Append an audit entry about this ceremony."""
        self._audit.append(
            event,
            at=now,
            issuer=view.issuer,
            subject=view.subject,
            ceremony_id=view.id,
            details=details,
            session=session,
        )
