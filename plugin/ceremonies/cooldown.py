"""Refuse, for a time after a recovery, what an impostor would do next.

That is to change factors, unless somebody vouches anew with an invitation, and to step up: to reach a level above the
one at which everybody logs in.

Not here: how it is known that a recovery happened (store/cooling.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.ceremonies.levels import level_of
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused
from plugin.store.cooling import is_cooling

if TYPE_CHECKING:
    from datetime import datetime

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
