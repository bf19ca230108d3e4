"""Keep the memory of this process out of files: no core dumps, and nobody else of the same user may look into it.

Faces, secrets and keys are plain in memory while a request lasts. A crash must not write them to a disk, where they
would stay (RLIMIT_CORE), and another process of the same user must not attach to this one (PR_SET_DUMPABLE; Linux).
Both are inherited by workers that are forked afterwards.

What it does not stop: root, swap (encrypt it, or have none), and a hypervisor's snapshot.
"""

from __future__ import annotations

import ctypes
import resource
import sys
from typing import Final

from plugin.errors import ServiceError

_PR_GET_DUMPABLE: Final = 3  # linux/prctl.h
_PR_SET_DUMPABLE: Final = 4


def forbid_core_dumps() -> None:
    """Forbid them for this process and those it forks. Raises ServiceError if the system does not let us."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError) as exc:
        raise ServiceError("core_dumps", f"core dumps cannot be switched off: {exc}") from exc
    if sys.platform == "linux" and _prctl(_PR_SET_DUMPABLE) != 0:
        raise ServiceError("core_dumps", "the process cannot be made undumpable")


def is_dumpable() -> bool:
    """Tell whether the system would write this process's memory to a file, or let another process read it."""
    if resource.getrlimit(resource.RLIMIT_CORE)[0] != 0:
        return True
    return sys.platform == "linux" and _prctl(_PR_GET_DUMPABLE) != 0


def _prctl(option: int) -> int:
    return int(ctypes.CDLL(None, use_errno=True).prctl(option, 0, 0, 0, 0))
