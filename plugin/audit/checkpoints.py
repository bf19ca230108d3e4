"""Signed checkpoints: the end of a stream at some time, under a key that lies in the vault and not in the database.

Rules:
 * What is signed names this deployment and the stream, so that a checkpoint of another one is worth nothing here.
 * Checkpoints are chained to each other: one that was taken out of the middle is missed.
 * Before one is signed, everything since the last one is verified. A log that was changed meanwhile is never signed.
 * Of two processes that sign at once, one wins; the other takes the winner's.

What checkpoints in the database cannot show by themselves: that the newest of them were removed together with the
entries that they cover. So keep some elsewhere: `facestep audit checkpoint` prints them, receivers of the log get them
(outbox.py), and `facestep audit verify --noted` compares.

Not here: when one is due (the service's housekeeping), the key (vault/).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import func, insert, select

from plugin.audit.chain import ENTRIES, FIRST_PREVIOUS, NOTHING_YET, ChainBroken, Found, Head
from plugin.audit.verify import VerifiedChain, verify_stream
from plugin.errors import ServiceError
from plugin.store.instants import from_ms, to_ms
from plugin.store.tables import AuditCheckpoint
from vault.encoding import canonical
from vault.interface import Signature, WrongSignature

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import RowMapping, Table

    from plugin.store.database import Database
    from vault.interface import AuditSigner

LABEL: Final = "audit checkpoint"
MOST_AT_ONCE: Final = 20_000
"""Entries that the housekeeping verifies for one checkpoint: a fraction of a second; the next one goes on."""
_TABLE: Final = cast("Table", AuditCheckpoint.__table__)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The row, as it is stored and as it is printed."""

    stream: str
    number: int
    deployment: str
    seq: int
    entry_hash: bytes
    at_ms: int
    previous_hash: bytes
    signature: str

    @property
    def head(self) -> Head:
        """Return the end of the stream that it signs."""
        return Head(seq=self.seq, entry_hash=self.entry_hash)

    @property
    def at(self) -> datetime:
        """Return when it was signed."""
        return from_ms(self.at_ms)

    def signed(self) -> bytes:
        """Return the bytes under the signature: everything else."""
        columns = asdict(self)
        del columns["signature"]
        return canonical("facestep audit checkpoint 1", columns)

    def digest(self) -> bytes:
        """Return what the next checkpoint names as the one before it."""
        return hashlib.sha256(canonical(self.signed(), self.signature)).digest()

    def as_json(self) -> dict[str, Any]:
        """Return what `facestep audit checkpoint --json` prints, and `--noted` reads."""
        return {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(self).items()}


def parse(text: str) -> Checkpoint:
    """Return the checkpoint that `as_json` wrote. Raises ServiceError for anything else."""
    try:
        values = json.loads(text)
        values |= {name: bytes.fromhex(values[name]) for name in ("entry_hash", "previous_hash")}
        made = Checkpoint(**values)
        if any(type(getattr(made, name)) is not int for name in ("number", "seq", "at_ms")):
            raise TypeError  # noqa: TRY301  (one answer to all that is wrong)
        made.signed()
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ServiceError("checkpoint_unreadable", "this is no checkpoint as facestep prints it") from exc
    return made


class Checkpoints:
    """The checkpoints of one stream of this deployment."""

    def __init__(self, database: Database, *, signer: AuditSigner, deployment: str, stream: str = "service") -> None:
        self._database = database
        self._signer = signer
        self._deployment = deployment
        self._stream = stream

    def make(self, *, now: datetime, most: int | None = None) -> Checkpoint | None:
        """Verify what is new, sign its end and return the newest checkpoint; None for an empty log.

        Args:
            now: the time to put on it.
            most: verify at most so many entries; a longer log gets its checkpoint in several calls.

        Raises:
            ChainBroken: nothing was signed.
            VaultError: the vault could not sign.
        """
        rows = self._rows(newest=1)
        last = self._checked(rows[-1]) if rows else None
        since = last.head if last else NOTHING_YET
        if last is not None:
            self._require(last)
        head = verify_stream(self._database, self._stream, since=since, most=most).head
        if head == since:
            return last
        unsigned = Checkpoint(
            stream=self._stream,
            number=last.number + 1 if last else 1,
            deployment=self._deployment,
            seq=head.seq,
            entry_hash=head.entry_hash,
            at_ms=to_ms(now),
            previous_hash=last.digest() if last else FIRST_PREVIOUS,
            signature="",
        )
        signature = self._signer.sign(unsigned.signed(), label=LABEL)
        return self._store(Checkpoint(**{**asdict(unsigned), "signature": signature}))

    def verify(
        self,
        *,
        noted: tuple[Checkpoint, ...] = (),
        expected_head: Head | None = None,
        report: Callable[[int], None] = lambda _seq: None,
    ) -> tuple[VerifiedChain, list[Checkpoint]]:
        """Return proof that the stream is as written and runs through every checkpoint; and these.

        Args:
            noted: checkpoints that were kept elsewhere.
            expected_head: a head that was noted elsewhere.
            report: is told the number reached, once a page.

        Raises:
            ChainBroken: the first thing that does not fit.
            VaultError: the vault's public key is not to be had.
        """
        # 1. each checkpoint is of this deployment and stream, and signed    2. numbered and chained without gaps
        # 3. what was noted elsewhere is signed, and is one of them          4. the chain of entries runs through all
        found = self._rows()
        before: Checkpoint | None = None
        for number, checkpoint in enumerate(found, start=1):
            if checkpoint.number != number:  # (2)
                raise ChainBroken(Found.CHECKPOINT, number, "missing")
            self._checked(checkpoint)  # (1)
            if checkpoint.previous_hash != (before.digest() if before else FIRST_PREVIOUS):  # (2)
                raise ChainBroken(Found.CHECKPOINT, number, "does not follow the one before it")
            before = checkpoint
        for kept in noted:
            self._checked(kept)  # (3)
            if kept not in found[kept.number - 1 : kept.number]:
                raise ChainBroken(Found.CHECKPOINT, kept.number, "was noted elsewhere and is not in the database")
        anchors = {checkpoint.seq: checkpoint.entry_hash for checkpoint in found}
        if expected_head is not None:
            seq, noted_hash = expected_head.seq, expected_head.entry_hash
            if anchors.setdefault(seq, noted_hash) != noted_hash:
                raise ChainBroken(Found.REWRITTEN, seq, "not the entry that was noted; the log was written anew")
        chain = verify_stream(self._database, self._stream, anchors=anchors, report=report)  # (4)
        return chain, found

    def newest(self) -> Checkpoint | None:
        """Return the newest one as it is stored, not verified."""
        rows = self._rows(newest=1)
        return rows[-1] if rows else None

    def after(self, number: int, *, limit: int) -> list[Checkpoint]:
        """Return up to `limit` checkpoints with a higher number, oldest first, not verified."""
        query = select(_TABLE).where(_TABLE.c.stream == self._stream, _TABLE.c.number > number)
        with self._database.reading() as session:
            rows = session.execute(query.order_by(_TABLE.c.number).limit(limit)).mappings().all()
        return [_checkpoint(row) for row in rows]

    def _rows(self, *, newest: int | None = None) -> list[Checkpoint]:
        query = select(_TABLE).where(_TABLE.c.stream == self._stream).order_by(_TABLE.c.number.desc()).limit(newest)
        with self._database.reading() as session:
            return [_checkpoint(row) for row in reversed(session.execute(query).mappings().all())]

    def _checked(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return a checkpoint that this deployment's vault has signed for this stream, or raise ChainBroken."""
        if (checkpoint.deployment, checkpoint.stream) != (self._deployment, self._stream):
            raise ChainBroken(Found.CHECKPOINT, checkpoint.number, f"is of {checkpoint.deployment!r}, not of this log")
        try:
            message = checkpoint.signed()
            self._signer.verify_signature(message, Signature(checkpoint.signature), label=LABEL)
        except (WrongSignature, TypeError) as exc:
            why = "its signature does not fit; it was forged or changed"
            raise ChainBroken(Found.CHECKPOINT, checkpoint.number, why) from exc
        return checkpoint

    def _require(self, checkpoint: Checkpoint) -> None:
        """Raise ChainBroken unless the entry that a checkpoint signed is still there."""
        query = select(ENTRIES.c.entry_hash).where(ENTRIES.c.stream == self._stream, ENTRIES.c.seq == checkpoint.seq)
        with self._database.reading() as session:
            stored = session.scalar(query)
        if stored is None:
            raise ChainBroken(Found.CUT_OFF, checkpoint.seq, "missing, though it was signed")
        if stored != checkpoint.entry_hash:
            raise ChainBroken(Found.REWRITTEN, checkpoint.seq, "not the entry that was signed")

    def _store(self, made: Checkpoint) -> Checkpoint:
        """Store it, unless somebody was faster; return the newest."""
        with self._database.transaction() as session:
            newest = select(func.max(_TABLE.c.number)).where(_TABLE.c.stream == self._stream)
            if (session.scalar(newest) or 0) == made.number - 1:
                session.execute(insert(_TABLE), asdict(made))
                return made
        return self._rows(newest=1)[-1]


def _checkpoint(row: RowMapping) -> Checkpoint:
    return Checkpoint(**dict(row))
