"""Times as the tables keep them: UTC epoch milliseconds. Integers compare the same on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(moment: datetime) -> int:
    """Return epoch milliseconds. A naive time is a mistake in our code: it would be read in the host's zone."""
    if moment.tzinfo is None:
        raise TypeError("a naive datetime was passed where UTC is needed")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time of epoch milliseconds."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
