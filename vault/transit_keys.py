"""The names and shapes of our keys in transit, and the encodings that everything about transit shares.

Rules:
 * One derived key a purpose. Issuer, subject and associated data are the derivation context, so that every record has
   a key of its own: what is swapped or edited asks for another key, and does not open. `rewrap` takes a context but no
   associated data, so only what is bound this way can be re-wrapped without being opened (docs/adr/0002).
 * The MAC key's version is pinned: rows and transforms made with it must fit after the key was rotated.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

from vault.encoding import canonical
from vault.interface import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.interface import Context

MAC_KEY: Final = "facestep-mac"
MAC_KEY_VERSION: Final = 1
AUDIT_KEY: Final = "facestep-audit"
DEFAULT_MOUNT: Final = "transit"

_SHAPE: Final = {"exportable": False, "allow_plaintext_backup": False}


def key_name(purpose: Purpose) -> str:
    """Return the name of the key of a purpose."""
    return f"facestep-{purpose.value}"


def key_shapes() -> Mapping[str, Mapping[str, object]]:
    """Return every key we need, by name, with what it must be."""
    sealing = {key_name(purpose): {**_SHAPE, "type": "aes256-gcm96", "derived": True} for purpose in Purpose}
    return {
        **sealing,
        MAC_KEY: {**_SHAPE, "type": "aes256-gcm96", "derived": False},
        AUDIT_KEY: {**_SHAPE, "type": "ed25519", "derived": False},
    }


def derivation(context: Context, associated_data: bytes) -> str:
    """Return the derivation context of a value, as the API wants it."""
    return text(canonical("facestep 2", context.issuer, context.subject, associated_data))


def mac_input(label: str) -> str:
    """Return what `transit/hmac` is asked for the MAC key of a label; policies name it (policies/)."""
    return text(canonical("mac", label))


def text(data: bytes) -> str:
    """Return bytes as the API takes them."""
    return b64encode(data).decode("ascii")
