"""Refuse, for a time after a recovery, what an impostor would do next.

That is to change factors, unless somebody vouches anew with an invitation, and to step up: to reach a level above the
one at which everybody logs in. Another recovery of one's own is such a change; and a login that steps up is no place
to begin one.

Refuse everything to somebody who is suspended; and whatever began before a recovery or a stop and would go on after it:
it was begun with what is lost now, or by whom the person has stopped.

Nothing of this is asked before the transaction in which something begins or goes on, but in it, after its entry in the
log: the entry waits for a recovery or a suspension that is just being written, so either it is seen here, or it sees
what was written here and ends it (helpdesk/suspension.py).

Not here: how it is known that a recovery or a suspension happened (store/cooling.py, stopped.py, suspended.py).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from plugin.ceremonies.levels import level_of
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused
from plugin.store.cooling import BOUND, is_cooling
from plugin.store.overtaken import overtaken_by
from plugin.store.stopped import is_stopped
from plugin.store.suspended import is_suspended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from plugin.ceremonies.types import AuditSink, CeremonyView, VerifiedRequest
    from plugin.settings import Settings
    from plugin.store.database import Database


@contextmanager
def beginning(
    request: VerifiedRequest, stage: Stage, *, database: Database, audit: AuditSink, settings: Settings, now: datetime
) -> Iterator[Session]:
    """Open the transaction in which `request` begins at `stage`; undo it, audited, for whoever may not begin that.

    1. not suspended; but a check lets nobody in, and who lifts a suspension must know whom they lift it for
    2. no change of factors and no step-up while the person cools down

    Raises:
        CeremonyRefused: suspended (1), cooling_down (2).
    """
    with database.transaction() as session:
        yield session
        refused = _not_now(request, stage, session=session, settings=settings, now=now)
        if refused is None:
            return
        session.rollback()
    _refuse(request, refused, audit=audit, now=now)


def _not_now(
    request: VerifiedRequest, stage: Stage, *, session: Session, settings: Settings, now: datetime
) -> str | None:
    who = {"issuer": request.issuer, "subject": request.subject}
    if request.purpose is not Purpose.CHECK and is_suspended(session, **who):  # (1)
        return "suspended"
    changes_factors = request.purpose is Purpose.ENROL and stage is Stage.POSSESSION
    least = settings.least_level
    steps_up = request.purpose is Purpose.LOGIN and level_of(request.acr, least=least) != least
    if (changes_factors or steps_up) and is_cooling(session, **who, hours=settings.cool_down_h, now=now):  # (2)
        return "cooling_down"
    return None


@contextmanager
def going_on(view: CeremonyView, *, database: Database, audit: AuditSink, now: datetime) -> Iterator[Session]:
    """Open the transaction in which a ceremony goes on; undo it, audited, if a recovery or a stop was quicker.

    Raises:
        CeremonyRefused: since this one began another ceremony of this person has bound something (cooling_down), or
            the person has stopped everything (recovery_stopped).
    """
    with database.transaction() as session:
        yield session
        event = overtaken_by(session, issuer=view.issuer, subject=view.subject, ceremony_id=view.id)
        if event is None:
            return
        session.rollback()
    _refuse(view, "cooling_down" if event == BOUND else "recovery_stopped", audit=audit, now=now)


def refuse_recovery_here(
    view: CeremonyView, *, database: Database, audit: AuditSink, settings: Settings, now: datetime
) -> None:
    """Let a login be turned into a recovery of one's own, or raise CeremonyRefused, audited.

    1. not a login that asks for more than everybody's level      2. no recovery of a short time ago
    3. not within a week of a stop: whoever was stopped would begin again; the helpdesk can still issue a pass
    """
    refuse_recovery_at_level(view, audit=audit, settings=settings, now=now)  # (1)
    who = {"issuer": view.issuer, "subject": view.subject}
    with database.reading() as session:
        cooling = is_cooling(session, **who, hours=settings.cool_down_h, now=now)
        stopped = is_stopped(session, **who, now=now)
    if cooling:  # (2)
        _refuse(view, "cooling_down", audit=audit, now=now)
    if stopped:  # (3)
        _refuse(view, "recovery_stopped", audit=audit, now=now)


def refuse_recovery_at_level(view: CeremonyView, *, audit: AuditSink, settings: Settings, now: datetime) -> None:
    """Let a login at everybody's level pass, or raise CeremonyRefused("recovery_not_here"), audited.

    What a recovery has just bound is worth no more than everybody's level, whoever opened the recovery.
    """
    if level_of(view.acr, least=settings.least_level) != settings.least_level:
        _refuse(view, "recovery_not_here", audit=audit, now=now)


def _refuse(about: VerifiedRequest | CeremonyView, code: str, *, audit: AuditSink, now: datetime) -> NoReturn:
    details = {"code": code, "purpose": about.purpose.value}
    audit.append("request_refused", at=now, issuer=about.issuer, subject=about.subject, details=details)
    raise CeremonyRefused(code, about.purpose.value)
