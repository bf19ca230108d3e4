"""The public page that says what is kept, why, and for how long (BIPA 15(a), GDPR 13): no login, nothing personal.

Every number on it is a setting or a constant of the code that deletes, so it cannot say something else than happens.

Not here: the consent text (templates/consent_text.html), what is held about one person (factors/held.py).
"""

from __future__ import annotations

from flask import Blueprint, render_template

from plugin.ceremonies.service import KEEP_ENDED
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.factors.frame_memory import KEEP
from plugin.helpdesk.sessions import PEOPLE
from plugin.helpdesk.stopping import LINK_LIFE
from plugin.store.letters import LIFE as LETTER_LIFE
from plugin.web.context import services

bp = Blueprint("retention", __name__)


@bp.get("/retention")
def show() -> str:
    """Render the schedule."""
    settings, helpdesk = services().settings, services().helpdesk
    return render_template(
        "retention.html",
        days=settings.reference_ttl_days,
        grace_days=settings.reference_grace_days,
        reminder_days=settings.reference_reminder_days,
        ended_days=KEEP_ENDED.days,
        frame_days=(KEEP + KEEP_ENDED).days,
        case_days=helpdesk.policy.keep_days if helpdesk else 0,
        letter_hours=int(LETTER_LIFE.total_seconds() // 3600),
        own_page_minutes=int(PEOPLE.life.total_seconds() // 60),
        stop_link_days=LINK_LIFE.days,
        consent_version=CONSENT_TEXT_VERSION,
    )
