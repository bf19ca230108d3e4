"""Ceremonies: one enrolment or login each, single use, expiring, bound to one browser.

Rules:
 * A ceremony belongs to one subject, one client, one purpose and one browser; its id alone opens nothing.
 * Unknown, used, expired and somebody else's look the same from outside: CeremonyRefused("ceremony_refused").
 * It moves only along stages.py, and every change names the version it was read at: of two parallel requests one wins.
 * What lies between two requests is sealed with the ceremony's id and version, so that an older scratch does not open.
 * The row carries a keyed MAC: who can write to the database cannot write "the face was seen".

Not here: what a factor is (factors/), attempt limits (attempts.py), redeeming a code (codes.py), HTTP.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import bindparam, delete, exists, select, update

from plugin.ceremonies import codes
from plugin.ceremonies.cooldown import beginning, going_on, refuse_recovery_at_level
from plugin.ceremonies.levels import answered
from plugin.ceremonies.mapping import digest, new_row, sealed_to, view_of
from plugin.ceremonies.scratch import Scratch
from plugin.ceremonies.stages import ENROL_TTL, check_move, first_stage, reached_acr, turned
from plugin.ceremonies.types import CeremonyView, NewCeremony, Purpose, Stage
from plugin.errors import CeremonyRefused
from plugin.store.history import history_of
from plugin.store.instants import to_ms
from plugin.store.integrity import checked_columns, sign
from plugin.store.tables import Ceremony, ResultCode, SeenFrame, TotpSecret, WebauthnCredential
from vault.interface import WrongMac
from vault.rows import row_mac

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import AuditSink, RedeemedResult, Subject, VerifiedRequest
    from plugin.settings import Settings
    from plugin.store.database import Database
    from vault.interface import Sealer

    Within = Callable[[Session], None]

KEEP_ENDED = timedelta(days=1)  # so that a code brought a second time is told from one that never was, in the audit log

_TABLE: Final = cast("Table", Ceremony.__table__)
_FIND: Final = select(_TABLE).where(_TABLE.c.id == bindparam("of_id"))
_CHANGE: Final = update(_TABLE).where(
    _TABLE.c.id == bindparam("of_id"), _TABLE.c.version == bindparam("of_version"), _TABLE.c.ended_ms.is_(None)
)


class Ceremonies:
    """The only way to begin, read, move and end a ceremony."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        settings: Settings,
        audit: AuditSink,
        token: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._settings = settings
        self._audit = audit
        self._token = token

    def begin(self, request: VerifiedRequest, *, now: datetime) -> NewCeremony:
        """Begin the ceremony that a verified request asks for; audited as "ceremony_begun"."""
        new = NewCeremony(id=self._token(32), browser_token=self._token(32))
        may_renew = self.has_possession(request.owner) and not self._lapsed(request)
        stage = first_stage(request.purpose, has_possession=may_renew)
        row = new_row(request, new, stage=stage, now=now, expires_at=now + self._ttl(request.purpose))
        sign(row, sealer=self._sealer)
        parts: Any = {"database": self._database, "audit": self._audit, "settings": self._settings}
        with beginning(request, stage, **parts, now=now) as session:
            session.add(row)
            self._audit.append(
                "ceremony_begun",
                at=now,
                issuer=request.issuer,
                subject=request.subject,
                ceremony_id=new.id,
                details={"purpose": request.purpose.value, "stage": stage.value},
                session=session,
            )
        return new

    def _ttl(self, purpose: Purpose) -> timedelta:
        login = timedelta(seconds=self._settings.ceremony_ttl_s)
        return max(login, ENROL_TTL) if purpose is Purpose.ENROL else login

    def has_possession(self, owner: Subject) -> bool:
        """Tell whether this subject has a TOTP secret or a passkey; rows are counted, not believed."""
        with self._database.reading() as session:
            return any(
                session.scalar(select(exists().where(table.issuer == owner.issuer, table.subject == owner.subject)))
                for table in (TotpSecret, WebauthnCredential)
            )

    def _lapsed(self, request: VerifiedRequest) -> bool:
        """Tell whether this person's face was deleted for its age: then there is nothing to compare a new one with."""
        if request.purpose is Purpose.LOGIN:
            return False
        with self._database.reading() as session:
            return history_of(session, issuer=request.issuer, subject=request.subject).lapsed

    def load(self, ceremony_id: str, browser_token: str, *, now: datetime) -> CeremonyView:
        """Return the ceremony as it stands, for the browser that began it.

        1. known            2. of this browser (constant time)
        3. not ended        4. not expired
        5. as we wrote it

        Raises:
            CeremonyRefused: 1 to 4; which one is in `detail`, for the log only.
            WrongMac: 5, audited.
        """
        with self._database.reading() as session:
            row = session.execute(_FIND, {"of_id": ceremony_id}).mappings().first()
        if row is None:  # (1)
            raise CeremonyRefused("ceremony_refused", "unknown")
        if not hmac.compare_digest(row["browser_hash"], digest(browser_token)):  # (2)
            raise CeremonyRefused("ceremony_refused", "other_browser")
        if row["ended_ms"] is not None:  # (3)
            raise CeremonyRefused("ceremony_refused", "used")
        if to_ms(now) >= row["expires_ms"]:  # (4)
            raise CeremonyRefused("ceremony_refused", "expired")
        try:
            columns = checked_columns(_TABLE, row, sealer=self._sealer)  # (5)
        except WrongMac:
            self._audit.append("integrity_failed", at=now, ceremony_id=ceremony_id, details={"table": "ceremonies"})
            raise
        return view_of(columns)

    def scratch(self, view: CeremonyView) -> Scratch:
        """Open what the ceremony remembers. Raises VaultError if it is not of this ceremony and version."""
        if view.sealed_scratch is None:
            return Scratch()
        return Scratch.from_bytes(self._sealer.open(view.sealed_scratch, **sealed_to(view, view.version)))

    def save_scratch(
        self, view: CeremonyView, scratch: Scratch, *, now: datetime, within: Within | None = None
    ) -> CeremonyView:
        """Remember `scratch` at the same stage; return the ceremony at its next version."""
        return self._change(view, scratch, now=now, within=within, leads_on=False)

    def advance(
        self,
        view: CeremonyView,
        *,
        to: Stage,
        now: datetime,
        proven: str | None = None,
        reference_id: str | None = None,
        within: Within | None = None,
    ) -> CeremonyView:
        """Move to the next stage, adding the method `proven`; return the ceremony as it now stands.

        The scratch is forgotten: nothing of one stage is carried into the next by accident. `within` writes what
        belongs to this move in the same transaction; if it raises, nothing has moved.

        Raises:
            CeremonyRefused: the move is not in the table, or another request was faster.
        """
        amr = tuple(dict.fromkeys((*view.amr, proven))) if proven is not None else view.amr
        check_move(view.purpose, at=view.stage, to=to, amr=amr)
        changes: dict[str, Any] = {"stage": to.value, "amr": list(amr)}
        if reference_id is not None:
            changes["reference_id"] = reference_id
        return self._change(view, None, now=now, within=within, **changes)

    def turn(
        self,
        view: CeremonyView,
        *,
        to: Purpose,
        now: datetime,
        within: Within,
        proven: tuple[str, ...] = (),
        until_ms: int | None = None,
    ) -> CeremonyView:
        """Turn a login into a recovery (stages.TURNS); `within` uses up what allows it. Raises CeremonyRefused.

        It ends when what allows it would have ended (`until_ms`), if that is sooner.
        """
        refuse_recovery_at_level(view, audit=self._audit, settings=self._settings, now=now)
        stage, ttl = turned(view.purpose, at=view.stage, to=to)
        moved: dict[str, Any] = {"purpose": to.value, "stage": stage.value, "amr": [*view.amr, *proven]}
        ends_ms = to_ms(now + ttl)
        moved["expires_ms"] = ends_ms if until_ms is None else min(ends_ms, until_ms)
        return self._change(view, None, now=now, within=within, **moved)

    def end(self, view: CeremonyView, *, now: datetime, reason: str = "cancelled") -> None:
        """End without a result: cancelled, or refused too often. Nothing opens it again; it is audited."""

        def write(session: Session) -> None:
            self._log(session, "ceremony_ended", view, now=now, details={"reason": reason, "stage": view.stage.value})

        self._change(view, None, now=now, within=write, leads_on=False, ended_ms=to_ms(now))

    def issue_code(self, view: CeremonyView, *, now: datetime, within: Within | None = None) -> str:
        """End a ceremony that has reached DONE and return its result code: 256 bits, stored hashed, good once.

        `within` writes what belongs to the end in the same transaction.

        Raises:
            CeremonyRefused: not at DONE, a check, or another request has issued the code.
        """
        if view.stage is not Stage.DONE or view.purpose is Purpose.CHECK:
            raise CeremonyRefused("ceremony_refused", f"no_code_at_{view.stage}_of_{view.purpose}")
        code = self._token(32)
        acr = reached_acr(view.amr, level=answered(view.acr, least=self._settings.least_level))
        row = codes.new_row(view, code, acr=acr, now=now, ttl_s=self._settings.code_ttl_s)
        sign(row, sealer=self._sealer)

        said = {"purpose": view.purpose.value, "amr": list(view.amr)}

        def write(session: Session) -> None:
            session.add(row)
            if within is not None:
                within(session)
            self._log(session, "result_issued", view, now=now, details={**said, "acr": acr})

        self._change(view, None, now=now, within=write, ended_ms=to_ms(now))
        return code

    def redeem(self, code: str, *, client: str, redirect_uri: str, code_verifier: str, now: datetime) -> RedeemedResult:
        """Consume a result code and return what it proves; see codes.redeem. Raises ClientRefused."""
        parts: Any = {"database": self._database, "sealer": self._sealer, "audit": self._audit}
        expected: Any = {"expected_client": client, "expected_redirect_uri": redirect_uri}
        return codes.redeem(code, **expected, code_verifier=code_verifier, now=now, **parts)

    def purge(self, *, now: datetime) -> int:
        """Delete ceremonies, codes and frame digests that expired a day ago; return how many rows went."""
        before = to_ms(now - KEEP_ENDED)
        with self._database.transaction() as session:
            return sum(
                session.execute(delete(table).where(table.expires_ms < before)).rowcount  # type: ignore[attr-defined]
                for table in (Ceremony, ResultCode, SeenFrame)
            )

    def _log(self, session: Session, event: str, view: CeremonyView, *, now: datetime, details: dict[str, Any]) -> None:
        self._audit.append(
            event,
            at=now,
            issuer=view.issuer,
            subject=view.subject,
            ceremony_id=view.id,
            details=details,
            session=session,
        )

    def _change(
        self,
        view: CeremonyView,
        scratch: Scratch | None,
        *,
        now: datetime,
        within: Within | None = None,
        leads_on: bool = True,
        **changes: Any,
    ) -> CeremonyView:
        """Write one change, and `within` with it, if nobody changed the ceremony since `view` was read.

        What leads on, to a factor or a result, is refused where a recovery was quicker (cooldown.py).
        """
        if now >= view.expires_at:
            raise CeremonyRefused("ceremony_refused", "expired")
        version = view.version + 1
        sealed = None
        if scratch is not None and scratch.parts:
            sealed = self._sealer.seal(scratch.to_bytes(), **sealed_to(view, version))
        values = {**changes, "sealed_scratch": sealed, "version": version}
        columns = {**view.columns, **values}
        mac = row_mac(self._sealer, table=_TABLE.name, columns=columns)
        named = {"of_id": view.id, "of_version": view.version}
        database, audit = self._database, self._audit
        opened = going_on(view, database=database, audit=audit, now=now) if leads_on else database.transaction()
        with opened as session:
            changed = session.execute(_CHANGE, {**values, "mac": mac, **named})
            if changed.rowcount != 1:  # type: ignore[attr-defined]
                raise CeremonyRefused("ceremony_refused", "changed_meanwhile")
            if within is not None:
                within(session)
        return view_of(columns)
