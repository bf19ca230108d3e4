"""Frames that were used before: a recorded upload sent again, byte for byte, is refused in every later challenge.

Rules:
 * One frame of each upload is remembered by its digest, for thirty days (Ceremonies.purge forgets it then); a digest
   tells nothing of a face.
 * What the same challenge sent a moment ago does not count: uploads overlap by one frame on purpose.

It stops only who sends the very bytes again; whoever re-encodes them meets the challenge (biometric/liveness).

Not here: order, time and repetition inside one challenge (biometric/liveness/stream.py).
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import select

from plugin.store import dialects
from plugin.store.instants import to_ms
from plugin.store.tables import SeenFrame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from biometric.types import Frame
    from plugin.store.database import Database

KEEP: Final = timedelta(days=30)
_DIGEST_BYTES: Final = 16
_TABLE: Final = cast("Table", SeenFrame.__table__)
_REMEMBER: Final = dialects.for_each(lambda insert: insert(_TABLE).on_conflict_do_nothing())


class FrameMemory:
    """Remembers uploads over all ceremonies of this deployment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has_seen(self, frames: Sequence[Frame], *, challenge: str) -> bool:
        """Tell whether any of these frames was remembered from another challenge."""
        digests = [_digest(frame) for frame in frames]
        with self._database.reading() as session:
            found = session.scalars(
                select(SeenFrame.digest).where(SeenFrame.digest.in_(digests), SeenFrame.challenge != challenge)
            ).first()
        return found is not None

    @staticmethod
    def remember(session: Session, frames: Sequence[Frame], *, challenge: str, now: datetime) -> None:
        """Keep the last frame of this upload, in the caller's transaction."""
        if not frames:
            return
        expires_ms = to_ms(now + KEEP)
        row = {"digest": _digest(frames[-1]), "challenge": challenge, "expires_ms": expires_ms}
        session.execute(_REMEMBER[dialects.of(session)], row)


def _digest(frame: Frame) -> bytes:
    return hashlib.sha256(frame.jpeg).digest()[:_DIGEST_BYTES]
