"""Overwrite what was secret when it is no longer needed, where Python lets us.

What it reaches: arrays that we own. What it does not: `bytes` and `str`, which cannot be changed, copies that a library
made, and memory that was swapped out; against those stand short lives and no core dumps (docs/protection.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def wipe(*arrays: NDArray[np.generic] | bytearray) -> None:
    """Fill with zeros, in place; what cannot be written to (a view of bytes) is left as it is."""
    for array in arrays:
        if isinstance(array, bytearray):
            array[:] = bytes(len(array))
        elif _made_writable(array):
            array[...] = 0


def _made_writable(array: NDArray[Any]) -> bool:
    try:
        array.flags.writeable = True
    except ValueError:
        return False
    return True
