"""How the entries of a stream are chained, and what may be found wrong with a chain.

Rules:
 * An entry's hash covers every column and the hash of the entry before, in one unambiguous encoding.
 * A value of a type that we never write has no hash: it fits nothing.

Not here: writing (log.py), walking a stream (verify.py).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, cast

from plugin.errors import ServiceError
from plugin.store.tables import AuditEntry
from vault.encoding import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Table

ENTRIES: Final = cast("Table", AuditEntry.__table__)
FIRST_PREVIOUS: Final = bytes(32)
"""What the first entry of a stream names as the hash before it."""

COLUMNS: Final = tuple(column.key for column in ENTRIES.columns)
_VERSION: Final = "facestep audit 1"
_HASHED: Final = tuple(sorted(set(COLUMNS) - {"entry_hash"}))
_BEGINNING: Final = canonical(_VERSION)
_KEYS: Final = tuple(canonical(name) for name in _HASHED)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a stream at some time; worth noting outside of the database."""

    seq: int
    entry_hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.entry_hash.hex()}"


NOTHING_YET: Final = Head(seq=0, entry_hash=FIRST_PREVIOUS)


class Found(StrEnum):
    """What somebody did to the log."""

    EDITED = "edited"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    CUT_OFF = "cut_off"  # the end is missing
    REWRITTEN = "rewritten"  # the chain holds, but is not the one that was noted or signed
    CHECKPOINT = "checkpoint"  # a checkpoint is not as we signed it


class ChainBroken(ServiceError):  # noqa: N818  (what was found, not a fault of ours)
    """The log is not as we wrote it.

    Attributes:
        found: what was done.
        first: the first entry that is concerned (for CHECKPOINT: the number of the checkpoint).
        last: the last one.
        why: the sentence for people.
    """

    def __init__(self, found: Found, first: int, why: str, *, last: int | None = None) -> None:
        self.found = found
        self.first = first
        self.last = first if last is None else last
        self.why = why
        what = "checkpoint" if found is Found.CHECKPOINT else "entry"
        where = f"{what} {first}" if self.last == first else f"entries {first} to {self.last}"
        super().__init__("audit_chain_broken", f"{where}: {why}")

    def as_json(self) -> dict[str, Any]:
        """Return what `facestep audit verify --json` prints."""
        return {"intact": False, "found": self.found.value, "first": self.first, "last": self.last, "why": self.why}


def hash_of(entry: Mapping[str, Any]) -> bytes | None:
    """Return the hash of an entry's columns (`entry_hash` is not looked at); None if it can have none.

    The bytes are those of `canonical("facestep audit 1", columns)`, put together by hand, since millions are hashed.
    """
    parts: list[bytes] = []
    for key, name in zip(_KEYS, _HASHED, strict=True):
        value = entry[name]
        kind = type(value)
        if kind is str:
            raw = value.encode("utf-8", "surrogatepass")
            parts += (key, b"s", len(raw).to_bytes(4, "big"), raw)
        elif kind is int:
            raw = b"%d" % value
            parts += (key, b"i", len(raw).to_bytes(4, "big"), raw)
        elif kind is bytes:
            parts += (key, b"b", len(value).to_bytes(4, "big"), value)
        else:
            return None
    body = b"".join(parts)
    return hashlib.sha256(b"".join((_BEGINNING, b"m", len(body).to_bytes(4, "big"), body))).digest()


def fits_as(entry: Mapping[str, Any], seq: int) -> bool:
    """Tell whether an entry is as it was written when it had the number `seq`."""
    return bool(hash_of({**entry, "seq": seq}) == entry["entry_hash"])
