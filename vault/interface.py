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
    from collections.abc import Collection, Mapping, Sequence

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


@dataclass(frozen=True, slots=True, repr=False)
class ToSeal:
    """One of many values to seal."""

    plaintext: bytes
    context: Context
    associated_data: bytes


@dataclass(frozen=True, slots=True)
class ToOpen:
    """One of many sealed values to open or to re-wrap."""

    sealed: Ciphertext
    context: Context
    associated_data: bytes


@dataclass(frozen=True, slots=True)
class KeyVersions:
    """Which versions of a key there are: `newest` seals, from `oldest` on they open."""

    newest: int
    oldest: int


class Sealer(Protocol):
    """Two real implementations (transit.py, keyring.py) and one contract test (tests/contract/test_sealer.py)."""

    def seal(self, plaintext: bytes, *, context: Context, associated_data: bytes) -> Ciphertext:
        """Encrypt for exactly this context and associated data. Raises VaultError."""

    def open(self, sealed: Ciphertext, *, context: Context, associated_data: bytes) -> bytes:
        """Decrypt. Raises WrongContext if anything was changed or swapped, VaultUnavailable if nobody answers."""

    def seal_many(self, items: Sequence[ToSeal]) -> list[Ciphertext]:
        """Encrypt many values in few calls; the results are in the order of `items`. Raises VaultError."""

    def open_many(self, items: Sequence[ToOpen]) -> list[bytes]:
        """Decrypt many values in few calls. Raises WrongContext if one of them does not open."""

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


class Rotator(Protocol):
    """Moves sealed values to a new version of their key, without opening them where that can be done.

    Attributes:
        one_key_for_all: the purposes share their versions, so none is refused before all are done.
    """

    one_key_for_all: bool

    def versions(self, purpose: Purpose) -> KeyVersions:
        """Return which versions of the key of `purpose` there are. Raises VaultError."""

    def add_version(self, purpose: Purpose) -> KeyVersions:
        """Make a new version, which seals from now on."""

    def forget_older(self, purpose: Purpose, *, than: int) -> None:
        """Refuse from now on what older versions than this one sealed. The keys are archived, not destroyed."""

    def rewrap_many(self, items: Sequence[ToOpen]) -> list[Ciphertext | WrongContext]:
        """Return each value under the newest version, or why it does not open. In the order of `items`."""

    def mark(self, version: int) -> str:
        """Return what every value begins with that this version sealed."""


class VaultKeys(Sealer, AuditSigner, Protocol):
    """Everything that keeps keys, in one object: what plugin/sealing.py opens."""


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


class KeyTooOld(WrongContext):
    """The ciphertext was sealed by a version of the key that no longer opens anything: an old copy was put back."""

    code = "vault_key_too_old"


class WrongMac(VaultError):  # noqa: N818
    """A stored row is not as we wrote it."""

    code = "vault_wrong_mac"


class WrongSignature(VaultError):  # noqa: N818
    """A signature was not made by our key for this message."""

    code = "vault_wrong_signature"
