"""The seam to whatever keeps our keys: HashiCorp Vault / OpenBao transit, or the embedded keyring.

Rules:
 * A sealed value opens only for the same purpose, subject and associated data it was sealed with.
 * Whatever lies underneath, only `VaultError` and its children leave this package.
 * A `mac` is keyed inside the sealer; the key is never handed out.
 * A signature can be verified by everybody who has the public keys, made by nobody but the vault.
 * Nothing here prints a plaintext.

Not here: what is sealed (references.py, the service's store), the order of a rotation (rotation.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, NewType, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Ciphertext = NewType("Ciphertext", str)
"""`vault:v1:…` from transit, `keyring:v1:…` from the embedded keyring."""

Signature = NewType("Signature", str)
"""Ed25519 with the version of its key: `vault:v1:…` from transit, `keyring:v1:…` from the embedded keyring."""


class Purpose(StrEnum):
    """Which key is used. One key a purpose, so that a leak of one says nothing of another."""

    REFERENCE = "reference"
    FACTOR_SECRET = "factor-secret"  # noqa: S105  (a key name)
    CEREMONY = "ceremony"
    SIGNING_KEY = "signing-key"


@dataclass(frozen=True, slots=True)
class Context:
    """Who and what a sealed value belongs to. Every field is bound into the encryption (key derivation).

    Attributes:
        issuer: the identity provider, its issuer URL.
        subject: the subject id at that issuer.
        purpose: which key.
    """

    issuer: str
    subject: str
    purpose: Purpose


class Sealer(Protocol):
    """Two real implementations (transit.py, keyring.py) and one contract test (tests/contract/test_sealer.py)."""

    def seal(self, plaintext: bytes, *, context: Context, associated_data: bytes) -> Ciphertext:
        """Encrypt for exactly this context and associated data. Raises VaultError."""

    def open(self, sealed: Ciphertext, *, context: Context, associated_data: bytes) -> bytes:
        """Decrypt. Raises WrongContext if anything was changed or swapped, VaultUnavailable if nobody answers."""

    def mac(self, message: bytes, *, label: str) -> bytes:
        """Return 32 bytes of HMAC-SHA-256 under a key that never leaves the sealer; `label` separates uses."""

    def verify_mac(self, message: bytes, mac: bytes, *, label: str) -> None:
        """Raise WrongMac unless `mac` is what `mac()` returns for this message and label (constant time)."""

    def derive(self, message: bytes, *, label: str) -> bytes:
        """Return 32 bytes of key that only this sealer can make, from its root key and nothing that is kept here.

        Unlike `mac`, it is worked out inside the vault each time: reading this process shows only the keys in use.
        """

    def check(self, purposes: Collection[Purpose] = tuple(Purpose)) -> None:
        """Raise VaultError unless sealing and opening would work now for all of `purposes`.

        Start-up checks every purpose; /health/ready may name one, since each costs two calls.
        """


class AuditSigner(Protocol):
    """Signs the audit log's checkpoints. Two real implementations (transit.py, keyring.py)."""

    def sign(self, message: bytes, *, label: str) -> Signature:
        """Return an Ed25519 signature over `message`; `label` separates uses. Raises VaultError."""

    def verify_signature(self, message: bytes, signature: Signature, *, label: str) -> None:
        """Raise WrongSignature unless `sign` made it for this message and label. Worked out here, by public keys."""

    def public_keys(self) -> Mapping[int, bytes]:
        """Return the 32 raw bytes of each version's public key, for signatures.verify on a machine without a vault."""


class VaultKeys(Sealer, AuditSigner, Protocol):
    """Everything that keeps keys, in one object: what wiring.open_sealer returns."""


class VaultError(Exception):
    """Encryption or decryption could not be done. Never means that a user failed a check."""

    code: ClassVar[str] = "vault_error"


class VaultUnavailable(VaultError):  # noqa: N818
    """No answer in time, or the vault is sealed."""

    code = "vault_unavailable"


class VaultDenied(VaultError):  # noqa: N818
    """The vault answered, and said no: token or policy."""

    code = "vault_denied"


class WrongContext(VaultError):  # noqa: N818
    """The ciphertext is not for this subject, purpose or associated data, or was changed."""

    code = "vault_wrong_context"


class WrongMac(VaultError):  # noqa: N818
    """A stored row is not as we wrote it."""

    code = "vault_wrong_mac"


class WrongSignature(VaultError):  # noqa: N818
    """A signature was not made by our key for this message."""

    code = "vault_wrong_signature"
