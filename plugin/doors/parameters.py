"""Parameters of a request, each once.

Two readers of `a=1&a=2` could take different values (RFC 6749, 3.1 and 3.2 forbid it), so nobody reads it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.errors import ClientRefused

if TYPE_CHECKING:
    from collections.abc import Collection

    from werkzeug.datastructures import MultiDict


def check_once(parameters: MultiDict[str, str], *, required: tuple[str, ...] = ()) -> None:
    """Raise ClientRefused for a parameter that occurs twice or one that is required and missing."""
    if any(len(values) != 1 for _, values in parameters.lists()):
        raise ClientRefused("client_refused", "parameter_twice")
    for name in required:
        if not parameters.get(name):
            raise ClientRefused("client_refused", f"no_{name}")


def check_none(parameters: Collection[str], *, check: str) -> None:
    """Raise ClientRefused if there is any of these parameters."""
    if parameters:
        raise ClientRefused("client_refused", check)
