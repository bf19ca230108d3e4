"""The pages of a ceremony: one address, and the server decides by the stage which page is shown.

Rules:
 * Reloading is safe: a page shows where the ceremony stands and changes nothing that a second look would break.
 * `?way=` chooses among equal ways of one stage; it never changes the stage, and an unknown value is ignored.

Not here: what forms and scripts send (plugin/api/), the error page (app.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import Blueprint, render_template, request

from plugin.ceremonies.levels import demands_light, level_of
from plugin.ceremonies.types import Purpose, Stage
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.factors.policy import available
from plugin.pages.texts import browser_texts
from plugin.web.context import helpdesk_of, load_ceremony, now, offers_new_codes, services

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.blueprints import BlueprintSetupState

    from plugin.ceremonies.types import CeremonyView

bp = Blueprint("pages", __name__)

SETUP_PAGES: Final = {"passkey": "setup_passkey.html", "totp": "setup_totp.html"}
POSSESSION_PAGES: Final = {
    "passkey": "possession_passkey.html",
    "totp": "possession_totp.html",
    "recovery": "possession_recovery.html",
    "stuck": "possession_stuck.html",
    "lost": "possession_lost.html",
    "new_face": "possession_new_face.html",
    "pass": "possession_pass.html",
}
"""In the order we offer them: only the first one is resistant to phishing (NIST SP 800-63B-4 2.2).

From "stuck" on they lead into a recovery, and that page lists them.
"""


class Progress(NamedTuple):
    """Where the person is, as shown on top of the page."""

    now: int
    total: int


_PROGRESS: Final = {
    (Purpose.LOGIN, Stage.POSSESSION): Progress(1, 2),
    (Purpose.LOGIN, Stage.FACE): Progress(2, 2),
    (Purpose.ENROL, Stage.INVITATION): Progress(1, 5),
    (Purpose.ENROL, Stage.POSSESSION): Progress(1, 5),
    (Purpose.ENROL, Stage.CONSENT): Progress(2, 5),
    (Purpose.ENROL, Stage.POSSESSION_SETUP): Progress(3, 5),
    (Purpose.ENROL, Stage.RECOVERY_CODES): Progress(4, 5),
    (Purpose.ENROL, Stage.FACE): Progress(5, 5),
    (Purpose.RECOVER, Stage.FACE): Progress(2, 4),
    (Purpose.RECOVER, Stage.POSSESSION_SETUP): Progress(3, 4),
    (Purpose.RECOVER, Stage.RECOVERY_CODES): Progress(4, 4),
    (Purpose.NEW_FACE, Stage.POSSESSION): Progress(1, 4),
    (Purpose.NEW_FACE, Stage.MAILED_CODE): Progress(2, 4),
    (Purpose.NEW_FACE, Stage.CONSENT): Progress(3, 4),
    (Purpose.NEW_FACE, Stage.FACE): Progress(4, 4),
    (Purpose.START_OVER, Stage.MAILED_CODE): Progress(2, 6),
    (Purpose.START_OVER, Stage.CONSENT): Progress(3, 6),
    (Purpose.START_OVER, Stage.POSSESSION_SETUP): Progress(4, 6),
    (Purpose.START_OVER, Stage.RECOVERY_CODES): Progress(5, 6),
    (Purpose.START_OVER, Stage.FACE): Progress(6, 6),
}
_BEFORE_A_RECOVERY: Final = dict.fromkeys(("lost", "new_face", "pass"), Progress(1, 4))
"""They turn a login of two steps into a recovery of four."""


@bp.record_once
def _speak(state: BlueprintSetupState) -> None:
    """Let pages mark their sentences with `_()`; a catalogue can replace the null translation later."""
    environment: Any = state.app.jinja_env  # the i18n extension adds methods that Jinja's own types do not know
    environment.add_extension("jinja2.ext.i18n")
    environment.install_null_translations(newstyle=True)


@bp.get("/ceremony/<ceremony_id>")
def show(ceremony_id: str) -> str:
    """Render the page of the stage that the ceremony has reached."""
    view = load_ceremony(ceremony_id)
    return _RENDER[view.stage](view)


def _page(name: str, view: CeremonyView, *, progress: Progress | None = None, **more: Any) -> str:
    progress = progress or _PROGRESS.get((view.purpose, view.stage))
    return render_template(name, view=view, progress=progress, browser_texts=browser_texts(str), **more)


def _invitation(view: CeremonyView) -> str:
    return _page("invitation.html", view)


def _consent(view: CeremonyView) -> str:
    settings = services().settings
    times: dict[str, Any] = {"retention_days": settings.reference_ttl_days, "grace_days": settings.reference_grace_days}
    return _page("consent.html", view, consent_version=CONSENT_TEXT_VERSION, **times)


def _possession_setup(view: CeremonyView) -> str:
    page = SETUP_PAGES.get(request.args.get("way", ""), "possession_setup.html")
    return _page(page, view, may_keep=view.purpose is Purpose.ENROL and bool(view.amr))


def _recovery_codes(view: CeremonyView) -> str:
    shown = services().recovery_codes.show(view, now=now())
    return _page("recovery_codes.html", view, recovery_codes=shown.codes)


def _possession(view: CeremonyView) -> str:
    """Offer what this person has; somebody who has nothing yet sees the same page as somebody with an app."""
    options = available(view.owner, database=services().database)
    has = {"passkey": options.webauthn, "totp": options.totp, "recovery": options.recovery}
    if view.purpose is Purpose.LOGIN:
        desk = helpdesk_of(view)
        new_face = desk is not None and desk.own_recovery.is_offered
        recoveries = {"lost": options.recovery, "new_face": new_face, "pass": desk is not None}
        has |= recoveries | {"stuck": any(recoveries.values())}
    ways = [way for way in POSSESSION_PAGES if has.get(way)] or ["totp"]
    asked = request.args.get("way", "")
    way = asked if asked in ways else ways[0]
    return _page(POSSESSION_PAGES[way], view, progress=_BEFORE_A_RECOVERY.get(way), ways=ways)


def _mailed_code(view: CeremonyView) -> str:
    desk = helpdesk_of(view)
    return _page("mailed_code.html", view, sent=desk is not None and desk.own_recovery.was_sent(view))


def _face(view: CeremonyView) -> str:
    if request.args.get("way") == "other":
        return _page("other_way.html", view)
    level = level_of(view.acr, least=services().settings.least_level)
    return _page("face.html", view, light_demanded=demands_light(level))


def _done(view: CeremonyView) -> str:
    renew_by = services().lifecycle.renew_by(view, now=now())
    codes = services().recovery_codes.show(view, now=now()).codes if offers_new_codes(view) else ()
    return _page("done.html", view, renew_by=renew_by, recovery_codes=codes)


_RENDER: Final[dict[Stage, Callable[[CeremonyView], str]]] = {
    Stage.INVITATION: _invitation,
    Stage.CONSENT: _consent,
    Stage.POSSESSION_SETUP: _possession_setup,
    Stage.RECOVERY_CODES: _recovery_codes,
    Stage.POSSESSION: _possession,
    Stage.MAILED_CODE: _mailed_code,
    Stage.FACE: _face,
    Stage.DONE: _done,
}
