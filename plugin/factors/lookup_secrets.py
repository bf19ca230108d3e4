"""Secrets that a person reads from paper: how they look, and how they are hashed.

Rules:
 * 32 signs without I, L, O and U (Crockford): what is misread is read as what was meant.
 * Stored with Argon2id, since they are shorter than 112 bits (NIST SP 800-63B-4 3.1.2, OWASP ASVS 5.0 6.5.2).
 * A miss costs as much time as a hit: where there is no row, a decoy is verified.

Not here: which codes there are (recovery_codes.py, invitation.py).
"""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS_PER_SIGN: Final = 5
GROUP: Final = 4
_MEANT: Final = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})

# OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane. About 25 ms on one core of the 2-core machine of
# docs/calibration.md; our codes hold 60 bits and more, so the hash is the second line of defence, not the first.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def draw(length: int, *, choose: Callable[[str], str] = secrets.choice) -> str:
    """Return `length` random signs."""
    return "".join(choose(ALPHABET) for _ in range(length))


def grouped(code: str) -> str:
    """Return the code as people read it: groups of four."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def normal(typed: str, *, length: int) -> str | None:
    """Return what was meant, or None if it cannot be such a code."""
    code = typed.upper().translate(_MEANT)
    return code if len(code) == length and set(code) <= set(ALPHABET) else None


def hashed(code: str) -> str:
    """Return the Argon2id hash with its own salt."""
    return _HASHER.hash(code)


def fits(code: str, code_hash: str | None) -> bool:
    """Tell whether `code` is what was hashed. Without a hash it is not, which takes as long to find out."""
    try:
        return _HASHER.verify(code_hash or _decoy(), code) and code_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    return hashed(draw(16))
