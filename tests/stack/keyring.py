"""A real sealer without a server, for tests: the embedded keyring, whose warning is expected here."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from vault.keyring import KeyringSealer, create_keyring
from vault.warning import UnsafeDevelopmentWarning

if TYPE_CHECKING:
    from pathlib import Path


def fresh_keyring(folder: Path) -> KeyringSealer:
    """Return a sealer with new keys in `folder`."""
    path = folder / "keyring.json"
    create_keyring(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnsafeDevelopmentWarning)
        return KeyringSealer(path)
