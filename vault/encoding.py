"""One way to turn values into bytes that are signed, bound or derived from.

Rules:
 * Unambiguous: every value carries its type and length, so no two different inputs give the same bytes
   (("ab", "c") is not ("a", "bc"), 1 is not True, None is not "").
 * Stable: the bytes are stored in effect (MACs, associated data), so they change only with a new version of their user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Value = None | bool | int | str | bytes | Sequence["Value"] | Mapping[str, "Value"]
"""What a column or a binding may hold. There is no float: two databases may not agree on its bytes."""


def canonical(*values: Value) -> bytes:
    """Return the one encoding of `values`, in order. Raises TypeError for a type that has none."""
    return b"".join(_encode(value) for value in values)


def _encode(value: Value) -> bytes:
    if value is None:
        tag, body = b"n", b""
    elif isinstance(value, bool):  # before int: True is an int in Python
        tag, body = b"t", b"\x01" if value else b"\x00"
    elif isinstance(value, int):
        tag, body = b"i", str(value).encode("ascii")
    elif isinstance(value, str):
        tag, body = b"s", value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes):
        tag, body = b"b", value
    elif isinstance(value, Mapping):
        tag, body = b"m", b"".join(_encode(key) + _encode(value[key]) for key in sorted(value))
    elif isinstance(value, Sequence):
        tag, body = b"l", canonical(*value)
    else:
        raise TypeError(f"a {type(value).__name__} has no canonical encoding")
    return tag + len(body).to_bytes(4, "big") + body
