"""Use up a secret that is good once: saved recovery code, enrolment code, helpdesk pass.

The checks are numbered; every one is a test of the factor that uses this.

 1. it can be such a secret (else not worth an attempt)   4. not expired, where it can
 2. attempt counted, before anything is compared          5. not used before, even if two race
 3. it fits (Argon2id; a decoy if there is none)

Not here: at which stage (the factors), how a secret looks and is hashed (lookup_secrets.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from plugin.factors import lookup_secrets
from plugin.factors.gate import Gate, UsedMeanwhile
from plugin.store.instants import to_ms
from plugin.store.integrity import mac_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.attempts import Attempts, Counted
    from plugin.ceremonies.service import Ceremonies
    from plugin.ceremonies.types import AuditSink, CeremonyView, Purpose
    from plugin.store.database import Database
    from vault.interface import Sealer

    Find = Callable[[Session, str], Any]


@dataclass(frozen=True, slots=True)
class Spendable:
    """A row whose secret was given; `use` marks it as used in the transaction that accepts it, or raises."""

    row: Any
    use: Callable[[Session], None]


class OnceOnly:
    """What hands out secrets that are good once is built on this."""

    def __init__(
        self, *, ceremonies: Ceremonies, database: Database, sealer: Sealer, attempts: Attempts, audit: AuditSink
    ) -> None:
        self._gate = Gate(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit)
        self._ceremonies = ceremonies
        self._database = database
        self._sealer = sealer
        self._attempts = attempts
        self._audit = audit

    def _spendable(
        self, view: CeremonyView, typed: str, *, counted: Counted, length: int, find: Find, now: datetime
    ) -> Spendable:
        """Return the row that `find` reads for what was meant, with every check but the race passed.

        Raises:
            FactorRejected, LockedOut: audited; a check is named after what is counted.
        """
        meant = lookup_secrets.normal(typed, length=length)
        if meant is None:  # (1)
            self._gate.refuse(view, counted, f"{counted}_malformed", now=now)
        self._gate.take(view, counted, now=now)  # (2)
        with self._database.reading() as session:
            row = find(session, meant)
        if row is not None:
            self._gate.believe(row, view, now=now)
        if not lookup_secrets.fits(meant, row.code_hash if row is not None else None) or row is None:  # (3)
            self._gate.refuse(view, counted, f"{counted}_wrong", now=now)
        if to_ms(now) >= getattr(row, "expires_ms", to_ms(now) + 1):  # (4)
            self._gate.refuse(view, counted, f"{counted}_expired", now=now)
        if row.used_ms is not None:  # (5)
            self._gate.refuse(view, counted, f"{counted}_used", now=now)
        return Spendable(row, self._use(row, f"{counted}_used", now=now))

    def _turn(
        self,
        view: CeremonyView,
        spendable: Spendable,
        *,
        counted: Counted,
        to: Purpose,
        event: str,
        details: Mapping[str, Any],
        now: datetime,
        proven: tuple[str, ...] = (),
        also: Callable[[Session], None] | None = None,
    ) -> CeremonyView:
        """Use the secret up, turn the login into a recovery and write `also`: all or nothing.

        The recovery ends when the secret would have.
        """

        def within(session: Session) -> None:
            spendable.use(session)
            self._attempts.succeed(view.owner, counted, session=session)
            self._gate.log(event, view, now=now, details=details, session=session)
            if also is not None:
                also(session)

        until_ms = getattr(spendable.row, "expires_ms", None)
        try:
            return self._ceremonies.turn(view, to=to, now=now, within=within, proven=proven, until_ms=until_ms)
        except UsedMeanwhile as exc:
            self._gate.refuse(view, counted, exc.check, now=now)

    def _use(self, row: Any, used: str, *, now: datetime) -> Callable[[Session], None]:
        """Return the statement that uses the row up, once."""
        table = type(row)
        changes: dict[str, object] = {"used_ms": to_ms(now)}
        changes["mac"] = mac_of(row, sealer=self._sealer, changed=changes)

        def use(session: Session) -> None:
            unused = (table.id == row.id, table.used_ms.is_(None), table.mac == row.mac)
            done: Any = session.execute(update(table).where(*unused).values(**changes))
            if done.rowcount != 1:  # (5)
                raise UsedMeanwhile(used)

        return use
