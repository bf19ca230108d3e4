"""How a call answers that moved the ceremony: by telling the page where to go next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, jsonify, url_for

from plugin.web.context import helpdesk_of, now

if TYPE_CHECKING:
    from plugin.ceremonies.types import CeremonyView


def next_page(view: CeremonyView) -> Response:
    """Send the person to the ceremony's page, which shows whatever stage the ceremony has reached."""
    return jsonify(next=url_for("pages.show", ceremony_id=view.id))


def next_page_after_setup(view: CeremonyView) -> Response:
    """Go on after a possession factor was set up; in a recovery the person is told, and old sessions end."""
    desk = helpdesk_of(view)
    if view.purpose.replaces_possession and desk is not None:
        desk.aftermath.bound(view, now=now())
    return next_page(view)
