"""What a ceremony must remember between two requests, as bytes for the sealer.

An unconfirmed TOTP secret, a WebAuthn challenge, the analysis of a running face challenge: named parts in one value.
Layout: 4 bytes length of the header, header (JSON: [[name, size], …]), then the parts.

Not here: sealing (service.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Scratch:
    """Immutable named parts; `repr` shows their names only."""

    parts: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def __repr__(self) -> str:
        return f"Scratch({', '.join(sorted(self.parts))})"

    def get(self, name: str) -> bytes | None:
        """Return a part, or None if there is none."""
        return self.parts.get(name)

    def with_part(self, name: str, value: bytes) -> Scratch:
        """Return a copy that holds `value` under `name`."""
        return replace(self, parts=MappingProxyType({**self.parts, name: value}))

    def without(self, *names: str) -> Scratch:
        """Return a copy in which these parts are consumed."""
        return replace(self, parts=MappingProxyType({k: v for k, v in self.parts.items() if k not in names}))

    def to_bytes(self) -> bytes:
        """Return the value to seal."""
        header = json.dumps([[name, len(part)] for name, part in self.parts.items()]).encode()
        return b"".join((len(header).to_bytes(_LENGTH, "big"), header, *self.parts.values()))

    @classmethod
    def from_bytes(cls, data: bytes) -> Scratch:
        """Return what `to_bytes` took; the sealer has already proven that nobody changed it."""
        start = _LENGTH + int.from_bytes(data[:_LENGTH], "big")
        parts: dict[str, bytes] = {}
        for name, size in json.loads(data[_LENGTH:start]):
            parts[name] = data[start : start + size]
            start += size
        return cls(MappingProxyType(parts))
