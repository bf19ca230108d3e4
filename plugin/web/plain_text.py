"""Addresses and forms whose text can be stored (plugin/storable.py), for every route at once.

Not here: JSON bodies (api/parsing.py), signed messages (doors/jws.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import request

from plugin.errors import ServiceError
from plugin.storable import is_storable

if TYPE_CHECKING:
    from flask import Flask

_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def register_plain_text(app: Flask, *, parses_itself: str) -> None:
    """Refuse unstorable text before a view runs; paths that end with `parses_itself` read their own form."""

    @app.before_request
    def refuse_unstorable_text() -> None:
        parts = [request.path, dict(request.args.lists())]
        if request.mimetype in _FORMS and not request.path.endswith(parses_itself):
            parts.append(dict(request.form.lists()))
        if not is_storable(parts):
            raise ServiceError("bad_request", "unstorable_text")
