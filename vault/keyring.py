"""The embedded keyring: AES-256-GCM under keys from a file. For development and demonstrations on one machine.

Rules:
 * Whoever can read the key file and the database can read everything; that is why production settings refuse it,
   and why opening it warns.
 * A key belongs to one purpose, issuer and subject (HKDF), so a value opens nowhere else.
 * The file is never made in passing: a lost key file must be an error, not a new key.

The file is JSON: {"format": "facestep-keyring-1", "current": 1, "seal_keys": {"1": base64}, "mac_key": base64}.

Not here: rotation; a higher version is read and used, nothing makes one yet.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import stat
import warnings
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault import signatures
from vault.encoding import canonical
from vault.interface import Ciphertext, Context, Purpose, Signature, VaultError, WrongContext, WrongMac
from vault.warning import UnsafeDevelopmentWarning

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

_FORMAT: Final = "facestep-keyring-1"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12  # AES-GCM's own; random is fine, since each subject has a key of its own (NIST SP 800-38D 8.3)
_AUDIT_VERSION: Final = 1  # derived from the MAC key, which is pinned: what was signed must verify for as long
_SEALED: Final = re.compile(r"keyring:v(?P<version>[1-9][0-9]{0,8}):(?P<body>[A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True, repr=False)
class _Keys:
    """What the file holds: sealing keys by version, which of them seals now, and the root of all MACs."""

    current: int
    seal: dict[int, bytes]
    mac: bytes

    def __post_init__(self) -> None:
        keys = [self.mac, *self.seal.values()]
        if self.current not in self.seal or any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError("a key is missing or has the wrong size")


class KeyringSealer:
    """A Sealer (interface.py) whose keys lie in a file."""

    def __init__(self, path: Path) -> None:
        warnings.warn(f"secrets are sealed with the key file {path}", UnsafeDevelopmentWarning, stacklevel=2)
        self._path = path
        self._keys = _read(path)
        self._label_keys: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"KeyringSealer({str(self._path)!r}, <{len(self._keys.seal)} keys>)"

    def seal(self, plaintext: bytes, *, context: Context, associated_data: bytes) -> Ciphertext:
        """Encrypt for exactly this context and associated data."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = nonce + self._cipher(self._keys.current, context).encrypt(nonce, plaintext, associated_data)
        return Ciphertext(f"keyring:v{self._keys.current}:{b64encode(body).decode('ascii')}")

    def open(self, sealed: Ciphertext, *, context: Context, associated_data: bytes) -> bytes:
        """Decrypt, or raise WrongContext."""
        version, body = _parse(sealed)
        if version not in self._keys.seal:
            raise WrongContext("the sealed value names a key that is not in the key file")
        try:
            cipher = self._cipher(version, context)
            return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], associated_data)
        except InvalidTag as exc:
            raise WrongContext("the sealed value is not for this context, or was changed") from exc

    def mac(self, message: bytes, *, label: str) -> bytes:
        """Return HMAC-SHA-256 of the message under the key of this label."""
        key = self._label_keys.get(label)
        if key is None:
            key = self._label_keys[label] = _derive(self._keys.mac, canonical("mac", label))
        return hmac.digest(key, message, "sha256")

    def verify_mac(self, message: bytes, mac: bytes, *, label: str) -> None:
        """Raise WrongMac unless `mac` is ours."""
        if not hmac.compare_digest(self.mac(message, label=label), mac):
            raise WrongMac(f"the {label} MAC does not fit")

    def derive(self, message: bytes, *, label: str) -> bytes:
        """Return 32 bytes of key for this message and label."""
        return _derive(self._keys.mac, canonical("derive", label, message))

    def sign(self, message: bytes, *, label: str) -> Signature:
        """Return an Ed25519 signature over `message`; `label` separates uses."""
        body = self._audit_key().sign(signatures.signed_bytes(message, label=label))
        return Signature(f"keyring:v{_AUDIT_VERSION}:{b64encode(body).decode('ascii')}")

    def verify_signature(self, message: bytes, signature: Signature, *, label: str) -> None:
        """Raise WrongSignature unless `signature` is ours."""
        signatures.verify(self.public_keys(), message, signature, label=label)

    def public_keys(self) -> Mapping[int, bytes]:
        """Return the public key of each version."""
        return {_AUDIT_VERSION: self._audit_key().public_key().public_bytes_raw()}

    def check(self, purposes: Collection[Purpose] = tuple(Purpose)) -> None:
        """Raise VaultError unless the key file still holds the keys we opened it with."""
        if _read(self._path) != self._keys:
            raise VaultError(f"the key file {self._path} was replaced for {', '.join(purposes)}")

    def _audit_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(_derive(self._keys.mac, canonical("audit signing")))

    def _cipher(self, version: int, context: Context) -> AESGCM:
        info = canonical("seal", context.purpose.value, context.issuer, context.subject)
        return AESGCM(_derive(self._keys.seal[version], info))


def create_keyring(path: Path) -> None:
    """Make a new key file, mode 0600. An existing one is left alone and an error."""
    content = {
        "format": _FORMAT,
        "current": 1,
        "seal_keys": {"1": b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")},
        "mac_key": b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii"),
    }
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        raise VaultError(f"the key file {path} cannot be made: {exc.strerror}") from exc


def _derive(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(key)


def _parse(sealed: Ciphertext) -> tuple[int, bytes]:
    shape = _SEALED.fullmatch(sealed)
    try:
        if shape is not None:
            body = b64decode(shape["body"], validate=True)
            if len(body) >= _NONCE_BYTES:
                return int(shape["version"]), body
    except Base64Error as exc:
        raise WrongContext("the sealed value is damaged") from exc
    raise WrongContext("the sealed value was not made by a keyring, or was changed")


def _read(path: Path) -> _Keys:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise VaultError(f"the key file {path} can be read by others; run `chmod 600 {path}`")
        content = json.loads(path.read_text(encoding="ascii"))
        if content["format"] != _FORMAT:
            raise VaultError(f"the key file {path} has the unknown format {content['format']!r}")
        return _Keys(
            current=int(content["current"]),
            seal={int(version): b64decode(text, validate=True) for version, text in content["seal_keys"].items()},
            mac=b64decode(content["mac_key"], validate=True),
        )
    except FileNotFoundError as exc:
        raise VaultError(f"the key file {path} does not exist; run `facestep vault install`") from exc
    except OSError as exc:
        raise VaultError(f"the key file {path} cannot be read: {exc.strerror}") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise VaultError(f"the key file {path} is damaged") from exc
