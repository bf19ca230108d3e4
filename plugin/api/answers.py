"""How a call answers that moved the ceremony: by telling the page where to go next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, jsonify, url_for

if TYPE_CHECKING:
    from plugin.ceremonies.types import CeremonyView


def next_page(view: CeremonyView) -> Response:
    """Send the person to the ceremony's page, which shows whatever stage the ceremony has reached."""
    return jsonify(next=url_for("pages.show", ceremony_id=view.id))
