"""Evidence and the observer's trail as bytes, and back.

Format: b"FSL" + version byte, u32 length of a JSON header, header, then the arrays one after another. The header
names each array with its type and shape; types are from a fixed list, sizes are bounded, and every byte must be
accounted for.

Not here: secrecy. The bytes hold embeddings; the caller seals them.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.errors import FramesInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC: Final = b"FSL\x04"
MAX_BYTES: Final = 1_000_000  # five times what a full challenge takes
_TYPES: Final[dict[str, np.dtype[np.uint8] | np.dtype[np.float32]]] = {
    "u1": np.dtype(np.uint8),
    "f4": np.dtype(np.float32),
}
_NAMES: Final = {dtype.str: name for name, dtype in _TYPES.items()}

Arrays = dict[str, "NDArray[np.float32] | NDArray[np.uint8]"]


def pack(header: dict[str, Any], arrays: Arrays) -> bytes:
    """Return one byte string."""
    layout = [[name, _NAMES[array.dtype.str], list(array.shape)] for name, array in arrays.items()]
    head = json.dumps({"values": header, "arrays": layout}, separators=(",", ":"), allow_nan=False).encode()
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
    return MAGIC + struct.pack("<I", len(head)) + head + body


def unpack(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """Return header and arrays.

    Raises:
        FramesInvalid: not these bytes, another version, cut short or too long.
    """
    if not data.startswith(MAGIC) or len(data) > MAX_BYTES:
        raise FramesInvalid("the state of the challenge is not of this version")
    try:
        (length,) = struct.unpack_from("<I", data, len(MAGIC))
        position = len(MAGIC) + 4
        head = json.loads(data[position : position + length])
        position += length
        arrays: Arrays = {}
        for name, kind, shape in head["arrays"]:
            dtype, count = _TYPES[kind], int(np.prod(shape, dtype=np.int64))
            arrays[name] = np.frombuffer(data, dtype, count, position).reshape(shape)
            position += count * dtype.itemsize
    except (ValueError, KeyError, TypeError, struct.error) as exc:
        raise FramesInvalid("the state of the challenge is damaged") from exc
    if position != len(data):
        raise FramesInvalid("the state of the challenge is damaged")
    return head["values"], arrays
