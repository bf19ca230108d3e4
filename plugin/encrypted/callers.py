"""Who may ask the key service: named callers with a token each, of which only the digest is kept.

Rules:
 * A token has 256 bits, is made here and shown once, in a file that only its owner can read.
 * All digests are compared, in constant time each, whether one fits or not.
 * The file of digests is read at the start; a caller that is added needs a restart.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING, Final

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
UNUSABLE: Final = "key_service_files"


class Callers:
    """Names by token."""

    def __init__(self, digests: dict[str, str]) -> None:
        self._digests = {name: bytes.fromhex(digest) for name, digest in digests.items()}

    @classmethod
    def load(cls, path: Path) -> Callers:
        """Return the callers of a file. Raises ServiceError."""
        return cls(_read(path))

    def named(self, token: str) -> str | None:
        """Return whose token this is, or None."""
        digest = hashlib.sha256(token.encode()).digest()
        found = None
        for name, known in self._digests.items():
            if hmac.compare_digest(known, digest):
                found = name
        return found


def add_caller(path: Path, name: str, *, token_file: Path) -> None:
    """Make a token for `name`, write it into a new file, and keep its digest. Raises ServiceError."""
    if _NAME.fullmatch(name) is None:
        raise ServiceError(UNUSABLE, "a caller's name is letters, digits, dots, dashes and underscores, at most 64")
    known = _read(path)
    token = secrets.token_urlsafe(32)
    write_private(token_file, token.encode() + b"\n")
    known[name] = hashlib.sha256(token.encode()).hexdigest()
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    write_private(partial, json.dumps(known, indent=2).encode())
    partial.replace(path)


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read. Raises ServiceError if it is there already."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        raise ServiceError(UNUSABLE, f"{path} cannot be made: {exc.strerror}") from exc


def read_private(path: Path) -> bytes:
    """Return a file's content. Raises ServiceError if it is not there or others can read it."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ServiceError(UNUSABLE, f"{path} can be read by others; run `chmod 600 {path}`")
        return path.read_bytes()
    except OSError as exc:
        raise ServiceError(UNUSABLE, f"{path} cannot be read: {exc.strerror}; `facestep key-service init`") from exc


def _read(path: Path) -> dict[str, str]:
    try:
        found = dict(json.loads(read_private(path)))
        whole = all(len(bytes.fromhex(digest)) == hashlib.sha256().digest_size for digest in found.values())
    except (ValueError, TypeError) as exc:
        raise ServiceError(UNUSABLE, f"{path} is damaged") from exc
    if not whole:
        raise ServiceError(UNUSABLE, f"{path} is damaged")
    return found
