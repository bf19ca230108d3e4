"""Scores of encrypted vectors: CKKS through TenSEAL, from the extra 'he'. The one file that speaks it.

Three roles, and what each holds:
 * whoever encrypts holds the public context;
 * the matcher holds the public context and ciphertexts, and makes one encrypted score of two encrypted vectors;
 * the key service holds the secret key, and decrypts scores.

Rules:
 * A public context that has the secret key in it is refused: then the matcher could read everything.
 * A decrypted CKKS score carries its noise, which tells of the key (Li and Micciancio, 2021): it never leaves the key
   service; only what was decided does (plugin/encrypted).
 * N = 4096 with moduli of 37, 35 and 37 bits is within the 109 bits that 128-bit security allows (the Homomorphic
   Encryption Standard, table 1). One multiplication fits, and the scores err by some 1e-5.

Not here: what is decided, who may ask, HTTP (plugin/encrypted).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NewType

import numpy as np

from vault.interface import VaultError

if TYPE_CHECKING:
    from numpy.typing import NDArray

EncryptedVector = NewType("EncryptedVector", bytes)
EncryptedScore = NewType("EncryptedScore", bytes)

DEGREE: Final = 4096
MODULI_BITS: Final = (37, 35, 37)
SCALE: Final = 2.0**35
LARGEST_CIPHERTEXT: Final = 120_000
"""Bytes; a fresh one has 89,000, a score 48,000."""


class EncryptionUnavailable(VaultError):  # noqa: N818  (says what it is)
    """TenSEAL is not installed."""

    code = "he_unavailable"


class CiphertextRefused(VaultError):  # noqa: N818  (says what it is)
    """These bytes are no context or ciphertext of ours, or not of this role."""

    code = "he_refused"


@dataclass(frozen=True, slots=True, repr=False)
class KeyPair:
    """New keys: `secret` for the key service alone, `public` for everybody else."""

    secret: bytes
    public: bytes


def make_keys() -> KeyPair:
    """Return new keys; some 6.5 MB, nearly all of it what rotating ciphertexts needs."""
    ts = _tenseal()
    context = ts.context(ts.SCHEME_TYPE.CKKS, DEGREE, coeff_mod_bit_sizes=list(MODULI_BITS))
    context.global_scale = SCALE
    context.generate_galois_keys()
    context.generate_relin_keys()
    secret = context.serialize(
        save_public_key=False, save_secret_key=True, save_galois_keys=False, save_relin_keys=False
    )
    context.make_context_public()
    return KeyPair(secret=secret, public=context.serialize())


class PublicContext:
    """Encrypt vectors, and make a score of two that are encrypted."""

    def __init__(self, public: bytes) -> None:
        self._ts = _tenseal()
        self._context = _context(self._ts, public)
        if self._context.is_private():
            raise CiphertextRefused("this context holds the secret key; take public.ckks")

    def __repr__(self) -> str:
        return f"PublicContext(<CKKS {DEGREE}>)"

    def encrypt(self, vector: NDArray[np.float32]) -> EncryptedVector:
        """Return the vector, encrypted. The same vector looks different each time."""
        return EncryptedVector(self._ts.ckks_vector(self._context, vector.astype(np.float64).tolist()).serialize())

    def score(self, one: EncryptedVector, other: EncryptedVector) -> EncryptedScore:
        """Return the encrypted inner product. Raises CiphertextRefused."""
        try:
            product = _vector(self._ts, self._context, one).dot(_vector(self._ts, self._context, other))
            return EncryptedScore(product.serialize())
        except (ValueError, RuntimeError) as exc:
            raise CiphertextRefused(f"no score can be made of these: {exc}") from exc


class SecretContext:
    """Decrypt scores."""

    def __init__(self, secret: bytes) -> None:
        self._ts = _tenseal()
        self._context = _context(self._ts, secret)
        if not self._context.is_private():
            raise CiphertextRefused("this context has no secret key; take secret.ckks")

    def __repr__(self) -> str:
        return f"SecretContext(<CKKS {DEGREE}>)"

    def decrypt(self, score: EncryptedScore) -> float:
        """Return one number. Raises CiphertextRefused for what is not one encrypted score."""
        vector = _vector(self._ts, self._context, score)
        if vector.size() != 1:
            raise CiphertextRefused("this is not one score")
        value = float(vector.decrypt(self._context.secret_key())[0])
        if not np.isfinite(value):
            raise CiphertextRefused("this is no number")
        return value


def _tenseal() -> Any:
    """Return TenSEAL, bound to its own copy of protobuf.

    Loaded after TensorFlow it would otherwise call TensorFlow's protobuf of another version, and crash.
    """
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0))  # glibc has it, dlopen(3)
    try:
        import tenseal  # noqa: PLC0415  (an extra; see the module)
    except ImportError as exc:
        raise EncryptionUnavailable("TenSEAL is missing; install the extra 'he' of this package") from exc
    finally:
        sys.setdlopenflags(flags)
    return tenseal


def _context(ts: Any, stored: bytes) -> Any:
    try:
        return ts.context_from(stored)
    except (ValueError, RuntimeError, TypeError) as exc:
        raise CiphertextRefused("this is no context of ours") from exc


def _vector(ts: Any, context: Any, stored: bytes) -> Any:
    if len(stored) > LARGEST_CIPHERTEXT:
        raise CiphertextRefused("this is too large for a ciphertext of ours")
    try:
        return ts.ckks_vector_from(context, stored)
    except (ValueError, RuntimeError, TypeError) as exc:
        raise CiphertextRefused("this is no ciphertext of ours") from exc
