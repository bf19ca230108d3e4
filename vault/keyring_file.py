"""The key file of the embedded keyring: made once, read strictly, replaced as a whole.

Rules:
 * The file is never made in passing: a lost key file must be an error, not a new key.
 * It is replaced atomically (written beside, synced, renamed) under a lock; after a crash it is the old or the new.
 * Keys are only ever added. A version below `oldest` is kept, like an archived one of transit, and opens nothing.

    {"format": "facestep-keyring-1", "current": 2, "oldest": 1, "seal_keys": {"1": base64, "2": …}, "mac_key": base64}

Not here: what is done with the keys (keyring.py).
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from base64 import b64decode, b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vault.interface import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY_BYTES: Final = 32
_FORMAT: Final = "facestep-keyring-1"


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What the file holds: sealing keys by version, which one seals, from which on they open, the root of all MACs."""

    current: int
    oldest: int
    seal: dict[int, bytes]
    mac: bytes

    def __post_init__(self) -> None:
        keys = [self.mac, *self.seal.values()]
        if any(len(key) != KEY_BYTES for key in keys) or not {self.current, self.oldest} <= set(self.seal):
            raise ValueError("a key is missing or has the wrong size")
        if self.oldest > self.current:
            raise ValueError("the current key does not open what it seals")

    def continues(self, earlier: Keys) -> bool:
        """Tell whether these are the `earlier` keys or the same with new versions: nothing sealed was lost."""
        return self.mac == earlier.mac and earlier.seal.items() <= self.seal.items()


def create_keyring(path: Path) -> None:
    """Make a new key file, mode 0600. An existing one is left alone and an error."""
    keys = Keys(current=1, oldest=1, seal={1: new_key()}, mac=new_key())
    try:
        _write(path, keys)
    except OSError as exc:
        raise VaultError(f"the key file {path} cannot be made: {exc.strerror}") from exc


def replace_keys(path: Path, keys: Keys) -> None:
    """Put `keys` in place of what the file holds. Only under `exclusive`."""
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.unlink(missing_ok=True)  # of a run that was cut off; we hold the lock
        _write(beside, keys)
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        raise VaultError(f"the key file {path} cannot be replaced: {exc.strerror}") from exc


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the file's lock: two rotations at once would each lose the other's key."""
    try:
        descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise VaultError(f"the lock beside the key file {path} cannot be made: {exc.strerror}") from exc
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def new_key() -> bytes:
    """Return a new random key."""
    return secrets.token_bytes(KEY_BYTES)


def read_keys(path: Path) -> Keys:
    """Return what the file holds. Raises VaultError for a missing, damaged or widely readable file."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise VaultError(f"the key file {path} can be read by others; run `chmod 600 {path}`")
        content: Any = json.loads(path.read_text(encoding="ascii"))
        if content["format"] != _FORMAT:
            raise VaultError(f"the key file {path} has the unknown format {content['format']!r}")
        seal = {int(version): b64decode(text, validate=True) for version, text in content["seal_keys"].items()}
        return Keys(
            current=int(content["current"]),
            oldest=int(content.get("oldest", min(seal, default=1))),
            seal=seal,
            mac=b64decode(content["mac_key"], validate=True),
        )
    except FileNotFoundError as exc:
        raise VaultError(f"the key file {path} does not exist; run `facestep vault install`") from exc
    except OSError as exc:
        raise VaultError(f"the key file {path} cannot be read: {exc.strerror}") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise VaultError(f"the key file {path} is damaged") from exc


def _write(path: Path, keys: Keys) -> None:
    content = {
        "format": _FORMAT,
        "current": keys.current,
        "oldest": keys.oldest,
        "seal_keys": {str(version): b64encode(key).decode("ascii") for version, key in keys.seal.items()},
        "mac_key": b64encode(keys.mac).decode("ascii"),
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
