"""What was looked at before: frames of an earlier challenge, and the state that a challenge stood at.

A recorded upload sent again, byte for byte, is refused in every later challenge. Of requests that come at the same
state at once, one has its frames looked at.

Rules:
 * One frame of each upload is remembered by its digest, for thirty days (Ceremonies.purge forgets it then); a digest
   tells nothing of a face.
 * What the same challenge sent a moment ago does not count: uploads overlap by one frame on purpose.
 * A state (a version of the ceremony) is looked at once, ever. Its claim has no end: a worker that dies over it has
   used the challenge up, and the person draws another. So no clock decides who may look, and on every host the same.

It stops only who sends the very bytes again; whoever re-encodes them meets the challenge (biometric/liveness).

A count of running requests, kept by each worker, would cost nothing and not hold: there are several workers, and a
request that has read the older state looks at it as soon as the one before is done.

Not here: order, time and repetition inside one challenge (biometric/liveness/stream.py).
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import BigInteger, LargeBinary, String, bindparam, select

from plugin.store import dialects
from plugin.store.instants import to_ms
from plugin.store.tables import Ceremony, SeenFrame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from biometric.types import Frame
    from plugin.ceremonies.types import CeremonyView
    from plugin.store.database import Database

KEEP: Final = timedelta(days=30)
_DIGEST_BYTES: Final = 16
_TABLE: Final = cast("Table", SeenFrame.__table__)
_REMEMBER: Final = dialects.for_each(lambda insert: insert(_TABLE).on_conflict_do_nothing())
_STATE: Final = select(
    bindparam("of_digest", type_=LargeBinary),
    bindparam("of_challenge", type_=String),
    bindparam("until", type_=BigInteger),
).where(
    select(Ceremony.id)
    .where(Ceremony.id == bindparam("of_id"), Ceremony.version == bindparam("of_version"), Ceremony.ended_ms.is_(None))
    .exists()
)
_CLAIM: Final = dialects.for_each(
    lambda insert: (
        insert(_TABLE)
        .from_select(["digest", "challenge", "expires_ms"], _STATE)
        .on_conflict_do_nothing()
        .returning(_TABLE.c.digest)
    )
)


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

    def claim(self, view: CeremonyView, *, challenge: str) -> bool:
        """Tell whether this request's frames may be looked at: the ceremony stands as in `view`, and it is the first.

        One small row, before anything is decoded. It need not outlive a power cut: what is lost then is the analysis
        too, and what ends the request is on the disk before anybody hears of it.
        """
        state = f"state|{view.id}|{view.version}".encode()
        claimed = {"of_digest": _short(state), "of_challenge": challenge, "until": to_ms(view.expires_at)}
        with self._database.transaction(lasting=False) as session:
            named = {**claimed, "of_id": view.id, "of_version": view.version}
            return session.execute(_CLAIM[dialects.of(session)], named).first() is not None

    @staticmethod
    def remember(session: Session, frames: Sequence[Frame], *, challenge: str, now: datetime) -> None:
        """Keep the last frame of this upload, in the caller's transaction."""
        if not frames:
            return
        expires_ms = to_ms(now + KEEP)
        row = {"digest": _digest(frames[-1]), "challenge": challenge, "expires_ms": expires_ms}
        session.execute(_REMEMBER[dialects.of(session)], row)


def _digest(frame: Frame) -> bytes:
    return _short(frame.jpeg)


def _short(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_DIGEST_BYTES]
