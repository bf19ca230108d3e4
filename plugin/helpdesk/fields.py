"""What people and programs may write into a case: short text without control characters.

What is wrong is said with the field's name, and a sentence for each is in the pages' own words (pages/form_errors.py).

Not here: what it means (desk.py).
"""

from __future__ import annotations

from typing import Final

from plugin.errors import ServiceError

LONGEST: Final = {"name": 255, "ticket": 64, "reason": 500, "target": 64}


def field(name: str, value: str) -> str:
    """Return a required field without blanks around it.

    Raises:
        ServiceError: "bad_request"; the detail is missing_NAME, too_long_NAME or unprintable_NAME.
    """
    value = value.strip()
    wrong = "missing" if not value else "too_long" if len(value) > LONGEST[name] else ""
    if not wrong and not value.isprintable():
        wrong = "unprintable"
    if wrong:
        raise ServiceError("bad_request", f"{wrong}_{name}")
    return value


def target(value: str) -> str:
    """Return what an action is about, maybe nothing. Raises ServiceError("bad_request")."""
    if len(value) > LONGEST["target"] or not (value.isascii() and value.isprintable()):
        raise ServiceError("bad_request", "target")
    return value
