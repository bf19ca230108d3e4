"""The embedded keyring: AES-256-GCM under keys from a file. For development and demonstrations on one machine.

Rules:
 * Whoever can read the key file and the database can read everything; that is why production settings refuse it,
   and why opening it warns.
 * A key belongs to one purpose, issuer and subject (HKDF), so a value opens nowhere else.
 * A running process notices that the file has a new version of the keys before it seals or opens anything.
 * One version is for all purposes; rotating one rotates all.

Not here: the file (keyring_file.py), the order of a rotation (rotation.py).
"""

from __future__ import annotations

import hmac
import re
import secrets
import warnings
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vault import signatures
from vault.encoding import canonical
from vault.interface import (
    Ciphertext,
    Context,
    KeyTooOld,
    KeyVersions,
    Purpose,
    Signature,
    ToOpen,
    ToSeal,
    VaultError,
    WrongContext,
    WrongMac,
)
from vault.keyring_file import KEY_BYTES, create_keyring, exclusive, new_key, read_keys, replace_keys
from vault.warning import UnsafeDevelopmentWarning

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from vault.keyring_file import Keys

__all__ = ["KeyringSealer", "create_keyring"]

_NONCE_BYTES: Final = 12  # AES-GCM's own; random is fine, since each subject has a key of its own (NIST SP 800-38D 8.3)
_AUDIT_VERSION: Final = 1  # derived from the MAC key, which is pinned: what was signed must verify for as long
_SEALED: Final = re.compile(r"keyring:v(?P<version>[1-9][0-9]{0,8}):(?P<body>[A-Za-z0-9+/]+={0,2})")


class KeyringSealer:
    """A Sealer, AuditSigner and Rotator (interface.py) whose keys lie in a file."""

    one_key_for_all = True

    def __init__(self, path: Path) -> None:
        warnings.warn(f"secrets are sealed with the key file {path}", UnsafeDevelopmentWarning, stacklevel=2)
        self._path = path
        self._as_read = _state(path)
        self._keys = read_keys(path)
        self._label_keys: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"KeyringSealer({str(self._path)!r}, <{len(self._keys.seal)} keys>)"

    def seal(self, plaintext: bytes, *, context: Context, associated_data: bytes) -> Ciphertext:
        """Encrypt for exactly this context and associated data."""
        keys = self._current_keys()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = nonce + _cipher(keys.seal[keys.current], context).encrypt(nonce, plaintext, associated_data)
        return Ciphertext(f"keyring:v{keys.current}:{b64encode(body).decode('ascii')}")

    def open(self, sealed: Ciphertext, *, context: Context, associated_data: bytes) -> bytes:
        """Decrypt, or raise WrongContext."""
        keys = self._current_keys()
        version, body = _parse(sealed)
        if version not in keys.seal:
            raise WrongContext("the sealed value names a key that is not in the key file")
        if version < keys.oldest:
            raise KeyTooOld("the sealed value is of a key version that no longer opens; was an old copy put back?")
        try:
            cipher = _cipher(keys.seal[version], context)
            return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], associated_data)
        except InvalidTag as exc:
            raise WrongContext("the sealed value is not for this context, or was changed") from exc

    def seal_many(self, items: Sequence[ToSeal]) -> list[Ciphertext]:
        """Encrypt many values."""
        return [self.seal(item.plaintext, context=item.context, associated_data=item.associated_data) for item in items]

    def open_many(self, items: Sequence[ToOpen]) -> list[bytes]:
        """Decrypt many values; all or none."""
        return [self.open(item.sealed, context=item.context, associated_data=item.associated_data) for item in items]

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
        if not read_keys(self._path).continues(self._keys):
            raise VaultError(f"the key file {self._path} was replaced for {', '.join(purposes)}")

    def versions(self, _: Purpose) -> KeyVersions:
        """Return which versions there are."""
        keys = self._current_keys()
        return KeyVersions(newest=keys.current, oldest=keys.oldest)

    def add_version(self, purpose: Purpose) -> KeyVersions:
        """Put a new key into the file; it seals from now on, in every process."""
        with exclusive(self._path):
            keys = self._current_keys()
            newest = max(keys.seal) + 1
            replace_keys(self._path, replace(keys, current=newest, seal={**keys.seal, newest: new_key()}))
        return self.versions(purpose)

    def forget_older(self, _: Purpose, *, than: int) -> None:
        """Refuse from now on what older keys sealed, in every process."""
        with exclusive(self._path):
            keys = self._current_keys()
            if keys.oldest < than <= keys.current:
                replace_keys(self._path, replace(keys, oldest=than))

    def rewrap_many(self, items: Sequence[ToOpen]) -> list[Ciphertext | WrongContext]:
        """Return each value under the newest key, or why it does not open."""
        return [self._rewrapped(item) for item in items]

    def mark(self, version: int) -> str:
        """Return what every value begins with that this version sealed."""
        return f"keyring:v{version}:"

    def _rewrapped(self, item: ToOpen) -> Ciphertext | WrongContext:
        try:
            plaintext = self.open(item.sealed, context=item.context, associated_data=item.associated_data)
        except WrongContext as exc:
            return exc
        return self.seal(plaintext, context=item.context, associated_data=item.associated_data)

    def _current_keys(self) -> Keys:
        """Return the keys as the file has them now. Raises VaultError if it was replaced by another."""
        state = _state(self._path)
        if state != self._as_read:
            keys = read_keys(self._path)
            if not keys.continues(self._keys):
                raise VaultError(f"the key file {self._path} was replaced")
            self._keys, self._as_read = keys, state
        return self._keys

    def _audit_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(_derive(self._keys.mac, canonical("audit signing")))


def _state(path: Path) -> tuple[int, int, int]:
    """Return what changes when the file is replaced; looked at before the file is read, never after."""
    try:
        found = path.stat()
    except OSError as exc:
        raise VaultError(f"the key file {path} cannot be read: {exc.strerror}; run `facestep vault install`") from exc
    return found.st_ino, found.st_mtime_ns, found.st_size


def _cipher(key: bytes, context: Context) -> AESGCM:
    return AESGCM(_derive(key, canonical("seal", context.purpose.value, context.issuer, context.subject)))


def _derive(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


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
