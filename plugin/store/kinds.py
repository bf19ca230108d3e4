"""What a transaction is for. Each kind has an engine of its own (sqlite.py, postgresql.py)."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What the transactions of a connection promise."""

    LASTING = "lasting"  # on the disk when it returns
    ORDERED = "ordered"  # seen by everybody when it returns, on the disk with the next lasting one
    READING = "reading"  # one snapshot, no write lock, and a write is an error
