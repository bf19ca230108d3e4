"""What every view needs: the services, and one "now" a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, g

from plugin.ceremonies.types import Purpose, Stage
from plugin.web.cookies import browser_token
from vault.interface import VaultError

if TYPE_CHECKING:
    from datetime import datetime

    from plugin.ceremonies.types import CeremonyView, Subject
    from plugin.helpdesk.parts import Helpdesk
    from plugin.wiring import Services


def services() -> Services:
    """Return the services of the running application."""
    found: Services = current_app.extensions["facestep"]
    return found


def now() -> datetime:
    """Return the instant of this request; every check of one request sees the same one."""
    if "now" not in g:
        g.now = services().clock()
    moment: datetime = g.now
    return moment


def helpdesk_of(about: CeremonyView | Subject) -> Helpdesk | None:
    """Return the helpdesk of this person's realm, if it has one."""
    desk = services().helpdesk
    return desk if desk is not None and desk.realm == about.issuer else None


def offers_new_codes(view: CeremonyView) -> bool:
    """Tell whether a login that has come to its end offers new recovery codes, in place of a set with used ones."""
    found = services()
    cool_down_h = found.settings.cool_down_h
    at_its_end = view.purpose is Purpose.LOGIN and view.stage is Stage.DONE
    return at_its_end and found.recovery_codes.are_used(view.owner, cool_down_h=cool_down_h, now=now())


def load_ceremony(ceremony_id: str) -> CeremonyView:
    """Return the ceremony this browser began. Raises CeremonyRefused, the same for unknown, used and expired."""
    try:
        view = services().ceremonies.load(ceremony_id, browser_token(ceremony_id), now=now())
    except VaultError:  # the browser holds the cookie, but nothing that the row says is proven
        g.unproven_ceremony_id = ceremony_id
        raise
    g.ceremony = view  # both for the audit entry of a fault (web/faults.py)
    return view
