r"""Text that every database of ours can keep: no NUL, which PostgreSQL refuses, and no half of a surrogate pair.

JSON can spell both ("\u0000", "\ud800"), a form and a path the first ("%00"). They are refused where a request comes
in, so that a stranger's request is a bad one and no fault of ours, and the same on each database.
"""

from __future__ import annotations

import re
from typing import Any, Final

_UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")


def is_storable(value: Any) -> bool:
    """Tell whether every text in a text, or in parsed JSON, can be kept."""
    if isinstance(value, str):
        return _UNSTORABLE.search(value) is None
    if isinstance(value, dict):
        return all(is_storable(name) and is_storable(inner) for name, inner in value.items())
    return not isinstance(value, list) or all(map(is_storable, value))
