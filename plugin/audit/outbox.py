"""The way of the log to its receivers: in order, from where each one stopped, until each has confirmed.

Rules:
 * The log itself is the outbox. What a receiver has confirmed is one row with our MAC; everything after it is still to
   be sent. It is moved forward after the confirmation, so a batch may arrive twice and none is left out.
 * A row that is not as we wrote it, or that names an entry which is not in the log any more, counts for nothing:
   everything is sent again, rather than anything left out. What was rewritten then shows at the receiver, too.
 * While a receiver is away it is asked again after 1, 2, 4, … seconds, at most five minutes, half of that by chance.
 * Of all processes one sends at a time, by a lease in the same row; one that died loses it after a minute.

Not here: how a batch is delivered (receivers.py), who calls this (the service, `facestep audit forward`).
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from plugin.audit.chain import FIRST_PREVIOUS
from plugin.audit.formats import Record, checkpoint_record, entry_record
from plugin.audit.receivers import ReceiverAway
from plugin.store.instants import from_ms, to_ms
from plugin.store.integrity import check, sign
from plugin.store.tables import AuditPosition
from vault.interface import WrongMac

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.audit.checkpoints import Checkpoints
    from plugin.audit.log import AuditLog
    from plugin.audit.receivers import Receiver
    from plugin.store.database import Database
    from vault.interface import Sealer

BATCH: Final = 500
LEASE: Final = timedelta(seconds=60)  # above a receiver's timeouts (receivers.py)
LONGEST_PAUSE: Final = timedelta(minutes=5)
log = logging.getLogger("facestep.forwarder")


class Source(Protocol):
    """Records in order of their number."""

    @property
    def name(self) -> str:
        """Return how positions in it are remembered."""

    def after(self, number: int, *, limit: int) -> Sequence[Record]:
        """Return the next records."""


@dataclass(frozen=True, slots=True)
class EntrySource:
    """The entries of a stream."""

    log: AuditLog
    deployment: str

    @property
    def name(self) -> str:
        """Return the stream's name."""
        return self.log.stream

    def after(self, number: int, *, limit: int) -> list[Record]:
        """Return entries as they stand; what somebody edited is for the receiver to see."""
        entries = self.log.entries(after=number, limit=limit, as_stored=True)
        return [entry_record(entry, deployment=self.deployment) for entry in entries]


@dataclass(frozen=True, slots=True)
class CheckpointSource:
    """The checkpoints of a stream: outside of the database they show an end that was cut off."""

    checkpoints: Checkpoints
    stream: str

    @property
    def name(self) -> str:
        """Return a name that no stream has."""
        return f"checkpoints:{self.stream}"

    def after(self, number: int, *, limit: int) -> list[Record]:
        """Return checkpoints as they stand."""
        return [checkpoint_record(checkpoint) for checkpoint in self.checkpoints.after(number, limit=limit)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call of `run_once` came to."""

    sent: int = 0
    away: str = ""
    more: bool = False


class Outbox:
    """Sends every source to every receiver."""

    def __init__(
        self,
        database: Database,
        *,
        sealer: Sealer,
        sources: Sequence[Source],
        receivers: Sequence[Receiver],
        audit: AuditLog,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._sources = sources
        self._receivers = receivers
        self._audit = audit
        self._clock = clock
        self._lease = secrets.token_urlsafe(16)

    def run_once(self, *, patient: bool = True) -> Outcome:
        """Send one batch of each source to each receiver whose turn it is; `patient` keeps to the pauses.

        Raises:
            ServiceError, VaultError: the database or the vault is away; nothing is lost by that.
        """
        sent, away, more = 0, "", False
        for receiver in self._receivers:
            for source in self._sources:
                position = None if self._is_done(receiver, source) else self._take(receiver, source, patient=patient)
                if position is None:
                    continue
                batch = source.after(position.sent_seq, limit=BATCH)
                failure = self._deliver(receiver, batch)
                self._keep(position, batch, failure)
                if failure is not None:
                    away = f"{receiver.name}: {failure}"
                    break  # its other sources would only meet the same
                sent, more = sent + len(batch), more or len(batch) == BATCH
        return Outcome(sent=sent, away=away, more=more)

    def positions(self) -> list[dict[str, Any]]:
        """Return how far each receiver has got, as `facestep audit receivers` prints it."""
        found = []
        with self._database.reading() as session:
            for receiver in self._receivers:
                for source in self._sources:
                    row = session.get(AuditPosition, (receiver.name, source.name))
                    found.append(
                        {
                            "receiver": receiver.name,
                            "source": source.name,
                            "sent": row.sent_seq if row else 0,
                            "failures": row.failures if row else 0,
                            "next_try": from_ms(row.next_try_ms).isoformat() if row and row.failures else None,
                        }
                    )
        return found

    def _is_done(self, receiver: Receiver, source: Source) -> bool:
        """Tell whether everything was confirmed, by a position that may be believed. Costs no write."""
        with self._database.reading() as session:
            row = session.get(AuditPosition, (receiver.name, source.name))
        if row is None:
            return not source.after(0, limit=1)
        try:
            check(row, sealer=self._sealer)
        except WrongMac:
            return False
        return not source.after(row.sent_seq, limit=1) and self._is_in(source, row)

    def _take(self, receiver: Receiver, source: Source, *, patient: bool) -> AuditPosition | None:
        """Return the position with our lease on it, or None if it is not our turn."""
        now_ms = to_ms(self._clock())
        with self._database.transaction(lasting=False) as session:
            row = session.get(AuditPosition, (receiver.name, source.name))
            if row is not None and not self._is_ours(row, session):
                row = None
            if row is not None:
                if row.leased_until_ms > now_ms and row.lease != self._lease:
                    return None
                if patient and row.next_try_ms > now_ms:
                    return None
            taken = row or _beginning(receiver.name, source.name)
            taken.lease, taken.leased_until_ms = self._lease, now_ms + LEASE // timedelta(milliseconds=1)
            sign(taken, sealer=self._sealer)
            session.merge(taken)
        if not self._is_in(source, taken):
            log.error("what %s was sent up to number %d is not in the log; sending all again", *_place(taken))
            taken.sent_seq, taken.sent_hash = 0, FIRST_PREVIOUS
        return taken

    def _is_ours(self, row: AuditPosition, session: Session) -> bool:
        try:
            check(row, sealer=self._sealer)
        except WrongMac:
            log.error("the position of %s (%d) was not written by us; sending all again", *_place(row))  # noqa: TRY400
            details = {"table": AuditPosition.__tablename__}
            self._audit.append("integrity_failed", at=self._clock(), details=details, session=session)
            session.expunge(row)
            return False
        return True

    @staticmethod
    def _is_in(source: Source, position: AuditPosition) -> bool:
        """Tell whether the last record that was confirmed is still what it was."""
        if position.sent_seq == 0:
            return True
        last = source.after(position.sent_seq - 1, limit=1)
        return bool(last) and (last[0].number, last[0].digest) == (position.sent_seq, position.sent_hash)

    def _deliver(self, receiver: Receiver, batch: Sequence[Record]) -> str | None:
        """Return None if the batch was confirmed, else why not."""
        try:
            if batch:
                receiver.send(batch)
        except ReceiverAway as exc:
            return str(exc)
        return None

    def _keep(self, position: AuditPosition, batch: Sequence[Record], failure: str | None) -> None:
        """Write down what was confirmed, or when to try again, unless the lease went to another process."""
        if failure is None:
            if batch:
                position.sent_seq, position.sent_hash = batch[-1].number, batch[-1].digest
            position.failures, position.next_try_ms = 0, 0
        else:
            position.failures += 1
            position.next_try_ms = to_ms(self._clock() + pause(position.failures))
            log.warning("%s is away: %s", position.receiver, failure)
        position.lease, position.leased_until_ms = "", 0
        sign(position, sealer=self._sealer)
        with self._database.transaction() as session:
            stored = session.get(AuditPosition, (position.receiver, position.source))
            if stored is not None and stored.lease == self._lease:
                session.merge(position)


def pause(failures: int, *, chance: Callable[[int], int] = secrets.randbelow) -> timedelta:
    """Return how long to wait after so many failures in a row: half of it by chance, so that not all come at once."""
    whole = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(failures - 1, 20)))
    return whole / 2 + whole / 2 * chance(1001) / 1000


def _beginning(receiver: str, source: str) -> AuditPosition:
    return AuditPosition(
        receiver=receiver,
        source=source,
        sent_seq=0,
        sent_hash=FIRST_PREVIOUS,
        failures=0,
        next_try_ms=0,
        lease="",
        leased_until_ms=0,
    )


def _place(row: AuditPosition) -> tuple[str, int]:
    return row.receiver, row.sent_seq
