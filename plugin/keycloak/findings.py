"""What a look at the realm says, and the shape of an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table.

    Attributes:
        name: what was looked at.
        right: whether it is as it should be.
        seen: how it is, in a few words.
        mend: what to do; empty when it is right.
    """

    name: str
    right: bool
    seen: str
    mend: str = ""


class Item(Protocol):
    """One wish for a realm."""

    name: str

    def look(self) -> Finding:
        """Say how it is. Raises ServiceError if that cannot be told."""


class MendableItem(Item, Protocol):
    """A wish that a program may fulfil. `mend` is called only after `look` found it wrong."""

    def mend(self) -> None:
        """Make it right. Raises ServiceError."""
