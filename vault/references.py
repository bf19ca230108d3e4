"""Seal a face reference: protect by a keyed scheme, encode, pad, encrypt, and open it again only as what it was.

Rules:
 * A reference is bound to everything its row says: record, issuer, subject, consent, model digests, transform version,
   creation and expiry. If one of them was changed, it does not open.
 * Its transform key belongs to this one record; enrolling again gives a record that cannot be linked to the old one.
 * All references have one size, so a ciphertext does not tell which models made it.
 * Vectors are plain only in memory, in what these functions take and return. Nothing here prints one.

Not here: the row and its MAC (rows.py and the service's store), the schemes (schemes.py), what the vectors mean
(biometric/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NewType

import numpy as np
from numpy.typing import NDArray

from vault import transform
from vault.encoding import canonical
from vault.interface import Ciphertext, Context, Purpose, VaultError, WrongContext
from vault.memory import wipe
from vault.schemes import SCHEMES

if TYPE_CHECKING:
    from vault.interface import Sealer
    from vault.schemes import Scheme

SealedReference = NewType("SealedReference", str)
"""The ciphertext of one reference."""

Vectors = Mapping[str, NDArray[np.float32]]
"""One unit vector a model, by model name."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SIZE: Final = 2048  # bytes; FaceNet's 512 and SFace's 128 half floats take 1,307
_UNIT_TOLERANCE: Final = 1e-3  # half floats move a unit vector's length by at most 5e-4 (2^-11)


class ReferenceExpired(VaultError):  # noqa: N818  (says what it is)
    """The reference is past its time; the person must enrol again."""

    code = "reference_expired"


class ReferenceOutdated(VaultError):  # noqa: N818  (says what it is)
    """The reference was made by other models or another transform than this version uses."""

    code = "reference_outdated"


@dataclass(frozen=True, slots=True)
class ReferenceBinding:
    """What a reference belongs to: the columns of its row, bound into its encryption.

    Attributes:
        record_id: of the row.
        issuer: the identity provider.
        subject: whose face it is, at that issuer.
        consent_id: the consent it was taken under.
        model_digests: which model files made it.
        created_ms: when, UTC epoch milliseconds.
        expires_ms: from when on it must not be used.
        transform_version: how it was transformed (schemes.py).
    """

    record_id: str
    issuer: str
    subject: str
    consent_id: str
    model_digests: str
    created_ms: int
    expires_ms: int
    transform_version: int = transform.VERSION

    def context(self) -> Context:
        """Return whose key it is sealed with."""
        return Context(self.issuer, self.subject, Purpose.REFERENCE)

    def associated_data(self) -> bytes:
        """Return the bytes that are authenticated with it."""
        return canonical(
            "facestep reference 1",
            self.record_id,
            self.consent_id,
            self.model_digests,
            self.transform_version,
            self.created_ms,
            self.expires_ms,
        )


def seal_reference(vectors: Vectors, *, sealer: Sealer, binding: ReferenceBinding) -> SealedReference:
    """Return the sealed reference. Raises ValueError for what is no set of unit vectors, VaultError otherwise."""
    scheme = SCHEMES.get(binding.transform_version)
    if scheme is None:
        raise ValueError(f"this version knows no transform {binding.transform_version}")
    for name, vector in vectors.items():
        _require_unit(name, vector.astype(np.float64))
    encoded = _encode(vectors, scheme=scheme, key=_transform_key(sealer, binding))
    sealed = sealer.seal(encoded, context=binding.context(), associated_data=binding.associated_data())
    return SealedReference(sealed)


def open_reference(
    sealed: SealedReference,
    *,
    sealer: Sealer,
    binding: ReferenceBinding,
    expected_model_digests: str,
    now: datetime,
    for_renewal: bool = False,
) -> dict[str, NDArray[np.float32]]:
    """Return the unit vectors that were sealed, by model name.

    Args:
        sealed: what `seal_reference` returned.
        sealer: the same vault.
        binding: what the row says now, after its MAC was checked.
        expected_model_digests: of the models this process runs.
        now: the request's one instant.
        for_renewal: it is only compared with the face that takes its place, so it may be past its time.

    Raises:
        ReferenceExpired, ReferenceOutdated: the person must enrol again.
        WrongContext: the row or the ciphertext is not as it was sealed.
        VaultError: the vault cannot serve.
    """
    # 0. the row's MAC         the caller's, see plugin/store/integrity.py
    # 1. transform known       an unknown one would give a vector that matches nobody, or worse
    # 2. same models           vectors of different models must never be compared
    # 3. not expired           a reference must not outlive its consent and its quality; renewals still compare
    # 4. everything as sealed  subject by the key, the rest as associated data
    # 5. whole                 unit vectors in our format, nothing else
    scheme = SCHEMES.get(binding.transform_version)
    if scheme is None:  # (1)
        raise ReferenceOutdated(f"transform {binding.transform_version} is unknown to this version")
    if binding.model_digests != expected_model_digests:  # (2)
        raise ReferenceOutdated("made by other model files")
    if not for_renewal and now >= _EPOCH + timedelta(milliseconds=binding.expires_ms):  # (3)
        raise ReferenceExpired("past its time")
    context = binding.context()
    plain = sealer.open(Ciphertext(sealed), context=context, associated_data=binding.associated_data())  # (4)
    return _decode(plain, scheme=scheme, key=_transform_key(sealer, binding))  # (5)


def _transform_key(sealer: Sealer, binding: ReferenceBinding) -> bytes:
    identity = canonical(binding.issuer, binding.subject, binding.record_id, binding.transform_version)
    return sealer.derive(identity, label="transform")


def _encode(vectors: Vectors, *, scheme: Scheme, key: bytes) -> bytes:
    """Return the scheme's mark, count, then name, size and what is kept of each vector, padded with zeros."""
    parts = [scheme.mark, bytes([len(vectors)])]
    for name in sorted(vectors):
        label = name.encode("ascii")
        parts += [bytes([len(label)]), label, vectors[name].size.to_bytes(2, "big")]
        parts.append(scheme.write(vectors[name], key=key, name=name))
    body = b"".join(parts)
    if len(body) > _SIZE:
        raise ValueError(f"the vectors take {len(body)} bytes, more than {_SIZE}")
    return body.ljust(_SIZE, b"\x00")


def _decode(plain: bytes, *, scheme: Scheme, key: bytes) -> dict[str, NDArray[np.float32]]:
    """Return the vectors of `_encode`. It was authentic, so anything odd is a version we do not know."""
    reader = _Reader(plain)
    if len(plain) != _SIZE or reader.take(len(scheme.mark)) != scheme.mark:
        raise WrongContext("the sealed reference has an unknown format")
    vectors = {}
    for _ in range(reader.number(1)):
        name = reader.take(reader.number(1)).decode("ascii", errors="replace")
        size = reader.number(2)
        kept = reader.take(scheme.length(size))
        vectors[name] = _recovered(name, kept, size=size, scheme=scheme, key=key)
    if any(reader.rest()):
        raise WrongContext("the sealed reference has something after its end")
    return vectors


class _Reader:
    """Cut bytes from the front, never beyond the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, count: int) -> bytes:
        taken, self._data = self._data[:count], self._data[count:]
        if len(taken) != count:
            raise WrongContext("the sealed reference ends too early")
        return taken

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def rest(self) -> bytes:
        return self._data


def _recovered(name: str, kept: bytes, *, size: int, scheme: Scheme, key: bytes) -> NDArray[np.float32]:
    try:
        vector = scheme.read(kept, size=size, key=key, name=name)
        unit: NDArray[np.float32] = (vector / _require_unit(name, vector)).astype(np.float32)
    except ValueError as exc:
        raise WrongContext(f"the sealed reference holds no {name} vector of length 1") from exc
    wipe(vector)
    return unit


def _require_unit(name: str, vector: NDArray[np.float64]) -> float:
    length = float(np.linalg.norm(vector))
    if vector.ndim != 1 or not abs(length - 1.0) <= _UNIT_TOLERANCE:  # written so that NaN fails
        raise ValueError(f"{name} is no unit vector")
    return length
