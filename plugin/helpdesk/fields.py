"""What people and programs may write into a case: short text without control characters.

Not here: what it means (desk.py).
"""

from __future__ import annotations

from typing import Final

from plugin.errors import ServiceError

LONGEST: Final = {"name": 255, "ticket": 64, "reason": 500, "target": 64}


def field(name: str, value: str) -> str:
    """Return a required field without blanks around it. Raises ServiceError("bad_request")."""
    value = value.strip()
    if not 0 < len(value) <= LONGEST[name] or not value.isprintable():
        raise ServiceError("bad_request", f"field_{name}")
    return value


def target(value: str) -> str:
    """Return what an action is about, maybe nothing. Raises ServiceError("bad_request")."""
    if len(value) > LONGEST["target"] or not (value.isascii() and value.isprintable()):
        raise ServiceError("bad_request", "field_target")
    return value
