"""Refuse, for a time after a recovery, what an impostor would do next.

That is to change factors, unless somebody vouches anew with an invitation, and to step up: to reach a level above the
one at which everybody logs in.

Refuse everything to somebody who is suspended.

Not here: how it is known that a recovery or a suspension happened (store/cooling.py, store/suspended.py).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from plugin.ceremonies.levels import level_of
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused
from plugin.store.cooling import is_cooling
from plugin.store.suspended import is_suspended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import AuditSink, VerifiedRequest
    from plugin.settings import Settings
    from plugin.store.database import Database


def refuse_while_cooling(
    request: VerifiedRequest, stage: Stage, *, database: Database, audit: AuditSink, settings: Settings, now: datetime
) -> None:
    """Let a request that would begin at `stage` pass, or raise CeremonyRefused("cooling_down"), audited."""
    changes_factors = request.purpose is Purpose.ENROL and stage is Stage.POSSESSION
    least = settings.least_level
    steps_up = request.purpose is Purpose.LOGIN and level_of(request.acr, least=least) != least
    if not (changes_factors or steps_up):
        return
    issuer, subject = request.issuer, request.subject
    with database.reading() as session:
        if not is_cooling(session, issuer=issuer, subject=subject, hours=settings.cool_down_h, now=now):
            return
    details = {"code": "cooling_down", "purpose": request.purpose.value}
    audit.append("request_refused", at=now, issuer=issuer, subject=subject, details=details)
    raise CeremonyRefused("cooling_down", request.purpose.value)


@contextmanager
def refusing_suspended(
    request: VerifiedRequest, *, database: Database, audit: AuditSink, now: datetime
) -> Iterator[Session]:
    """Open the transaction in which something begins, and undo it for somebody who is suspended, audited.

    A check lets nobody in, and who lifts a suspension must know whom they lift it for.

    That is asked last: the entry that is written before waits for a suspension that is just being written, so either
    this sees it, or it ends what has begun here (helpdesk/suspension.py).

    Raises:
        CeremonyRefused: "suspended".
    """
    with database.transaction() as session:
        yield session
        suspended = is_suspended(session, issuer=request.issuer, subject=request.subject)
        if request.purpose is Purpose.CHECK or not suspended:
            return
        session.rollback()
    details = {"code": "suspended", "purpose": request.purpose.value}
    audit.append("request_refused", at=now, issuer=request.issuer, subject=request.subject, details=details)
    raise CeremonyRefused("suspended", request.purpose.value)
