"""Erase everything of somebody who asked for it, here or at their identity provider.

Within a cool-down the person's sessions end too: who has got back in by a recovery and deletes everything would take
the owner's stop links with it, and go on in the session of the moment.

Not here: what is erased (factors/enrolment.py), how sessions end (helpdesk/stopping.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.store.cooling import is_cooling
from plugin.web.context import helpdesk_of, now, services

if TYPE_CHECKING:
    from plugin.ceremonies.types import Subject


def erase(owner: Subject) -> bool:
    """Erase, and return whether there was anything."""
    found, desk = services(), helpdesk_of(owner)
    erased = found.enrolment.erase(owner, now=now())
    who = {"issuer": owner.issuer, "subject": owner.subject}
    with found.database.reading() as session:
        cooling = is_cooling(session, **who, hours=found.settings.cool_down_h, now=now())
    if cooling and desk is not None:
        desk.aftermath.end_sessions(owner, now=now())
    return erased
