"""Ed25519 signatures as both implementations write them, and how anybody verifies them without a vault.

Rules:
 * What is signed is the label and the message, encoded so that no other pair gives the same bytes.
 * A signature names the version of its key; a version without a public key is refused.

Not here: who signs (transit.py, keyring.py), what is signed (plugin/audit).
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vault.encoding import canonical
from vault.interface import Signature, WrongSignature

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHAPE: Final = re.compile(r"(?:vault|keyring):v(?P<version>[1-9][0-9]{0,8}):(?P<body>[A-Za-z0-9+/]{86}==)")


def signed_bytes(message: bytes, *, label: str) -> bytes:
    """Return what the key signs for `message` under `label`."""
    return canonical("facestep signature 1", label, message)


def verify(public_keys: Mapping[int, bytes], message: bytes, signature: Signature, *, label: str) -> None:
    """Raise WrongSignature unless one of `public_keys` (32 raw bytes, by version) made it for message and label."""
    version, raw = _parse(signature)
    key = public_keys.get(version)
    if key is None:
        raise WrongSignature(f"the signature names version {version} of the key, which is not known here")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(raw, signed_bytes(message, label=label))
    except InvalidSignature as exc:
        raise WrongSignature(f"the {label} signature does not fit") from exc
    except ValueError as exc:
        raise WrongSignature(f"version {version} of the key is no Ed25519 public key") from exc


def version_of(signature: Signature) -> int:
    """Return the version of the key that the signature names. Raises WrongSignature for what is none."""
    return _parse(signature)[0]


def _parse(signature: Signature) -> tuple[int, bytes]:
    shape = _SHAPE.fullmatch(signature)
    if shape is None:
        raise WrongSignature("this is no signature of a vault or keyring")
    try:
        return int(shape["version"]), b64decode(shape["body"], validate=True)
    except Base64Error as exc:
        raise WrongSignature("the signature is damaged") from exc
