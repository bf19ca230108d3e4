"""What was wrong with a form of the helpdesk, and what to do: a sentence for each detail of "bad_request".

Only what whoever sent the form knows is in it: the name of a field and its limits, never what was typed.

Not here: every other error (plugin/errors.py).
"""

from __future__ import annotations

from typing import Final

from plugin.errors import ServiceError, public
from plugin.helpdesk.fields import LONGEST

_FIELDS: Final = {"name": "User name", "ticket": "Ticket number", "reason": "What happened"}
_WRONG: Final = {
    "missing": "The field “{field}” is empty. Go back and fill it in.",
    "too_long": "The field “{field}” is too long: at most {longest} characters. Go back and shorten it.",
    "unprintable": "The field “{field}” holds a character that cannot be shown, such as a line break or a tab. "
    "Go back and type it by hand.",
}
_OTHERS: Final = {
    "proof": "Choose a proof that is listed and not noted yet. Open the case again.",
    "action": "Choose what is to be done: one of what the case offers. Open the case again.",
    "target": "Choose what it is about: one of what the case offers. Open the case again.",
    "answer": "Choose one of the two answers. Open the page again and press its button.",
    "unstorable_text": "A field holds a character that cannot be kept. Go back and type it by hand.",
    "foreign_origin": "This form did not come from our own page, so nothing was done. Open the page anew.",
}


def sentence(error: ServiceError) -> str:
    """Return what to tell whoever sent a form; what we have no better words for reads as everywhere."""
    if error.code != "bad_request":
        return public(error.code).message
    wrong, _, name = error.detail.rpartition("_")
    if wrong in _WRONG and name in _FIELDS:
        return _WRONG[wrong].format(field=_FIELDS[name], longest=LONGEST[name])
    return _OTHERS.get(error.detail, public(error.code).message)
