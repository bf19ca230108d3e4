"""The stored face of a subject: one row, replaced as a whole.

Rules:
 * A row is believed after its MAC fits, and opens only as what it was sealed as (vault/references.py).
 * It is believed only while it is the newest: an older row of ours put back, or one taken away, disagrees with the
   audit log (plugin/store/history.py).
 * It names the models that made it; with others it is not compared.
 * Who enrols again must be like the stored face even when that is past its time, as long as it is still held.

Not here: when a face may be stored or replaced (face.py).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, exists, select

from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings
from plugin.store.history import History, history_of
from plugin.store.instants import to_ms
from plugin.store.integrity import sign
from plugin.store.tables import Reference
from vault.interface import WrongMac
from vault.noise import blurred
from vault.references import ReferenceBinding, SealedReference, open_reference, seal_reference
from vault.schemes import NAMES
from vault.transform import VERSION as ROTATION

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from biometric.calibration import Calibration
    from plugin.ceremonies.types import Subject
    from plugin.settings import Settings
    from plugin.store.database import Database
    from vault.interface import Sealer
    from vault.references import Vectors


class NotTheNewest(WrongMac):
    """What is stored is ours, and not what we stored last: an older row was put back, or the row was taken away."""

    def __init__(self, check: str) -> None:
        super().__init__(f"face_references: {check}; the audit log says otherwise")
        self.check = check


@dataclass(frozen=True, slots=True)
class Protection:
    """How new references are kept; older ones open as they were sealed.

    Attributes:
        transform_version: one of vault.schemes.SCHEMES.
        noise_sigma: noise on each coordinate before that; 0 adds none (vault/noise.py).
    """

    transform_version: int = ROTATION
    noise_sigma: float = 0.0

    def applied(self, vectors: Vectors) -> Vectors:
        """Return the vectors as they are sealed."""
        if not self.noise_sigma:
            return vectors
        rng = np.random.default_rng(secrets.randbits(256))
        return {name: blurred(vector, sigma=self.noise_sigma, rng=rng) for name, vector in vectors.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """What one snapshot of the database says about a subject: the row, not yet believed, and the log's word on it."""

    row: Reference | None
    history: History

    def require_newest(self) -> None:
        """Raise NotTheNewest unless the stored row is the one that was enrolled last, or none is due.

        After an invitation the row may be missing: somebody vouched for the person anew.
        """
        if self.row is not None and self.row.id != self.history.reference_id:
            raise NotTheNewest("not_the_newest")
        if self.row is None and self.history.reference_id is not None and not self.history.vouched:
            raise NotTheNewest("missing")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A reference that was opened, and the row it came from."""

    row: Reference
    embeddings: FaceEmbeddings


class References:
    """Find, open and make reference rows. Nothing is written here but by the caller's transaction."""

    def __init__(
        self,
        *,
        database: Database,
        sealer: Sealer,
        calibration: Calibration,
        ttl_days: int,
        protection: Protection | None = None,
    ) -> None:
        self._database = database
        self._protection = protection or Protection()
        self._sealer = sealer
        self._models = models_id(calibration)
        self._ttl = timedelta(days=ttl_days)

    @classmethod
    def of(cls, settings: Settings, *, database: Database, sealer: Sealer, calibration: Calibration) -> References:
        """Return what the settings ask for."""
        return cls(
            database=database,
            sealer=sealer,
            calibration=calibration,
            ttl_days=settings.reference_ttl_days,
            protection=Protection(NAMES[settings.reference_protection], settings.reference_noise),
        )

    def find(self, owner: Subject) -> Found:
        """Return the row, not yet believed, and what the log says of it, both of one instant."""
        query = select(Reference).filter_by(issuer=owner.issuer, subject=owner.subject)
        with self._database.reading() as session:
            row = session.scalar(query)
            return Found(row, history_of(session, issuer=owner.issuer, subject=owner.subject))

    def open(self, row: Reference, *, now: datetime, for_renewal: bool = False) -> Enrolled:
        """Return the face of a row whose MAC was checked.

        Args:
            row: the believed row.
            now: the request's one instant.
            for_renewal: it will only be compared with the face that takes its place, so it may be past its time.

        Raises:
            ReferenceExpired, ReferenceOutdated: it must be enrolled again.
            VaultError: it cannot be opened.
        """
        vectors = open_reference(
            SealedReference(row.sealed_embeddings),
            sealer=self._sealer,
            binding=binding_of(row),
            expected_model_digests=self._models,
            now=now,
            for_renewal=for_renewal,
        )
        embeddings = FaceEmbeddings(
            facenet=Embedding(vectors["facenet"], FACENET), sface=Embedding(vectors["sface"], SFACE)
        )
        return Enrolled(row=row, embeddings=embeddings)

    def new_row(self, owner: Subject, embeddings: FaceEmbeddings, *, consent_id: str, now: datetime) -> Reference:
        """Return a sealed and signed row."""
        row = Reference(
            id=secrets.token_urlsafe(32),
            issuer=owner.issuer,
            subject=owner.subject,
            model_digests=self._models,
            transform_version=self._protection.transform_version,
            consent_id=consent_id,
            created_ms=to_ms(now),
            expires_ms=to_ms(now + self._ttl),
        )
        vectors = self._protection.applied({"facenet": embeddings.facenet.vector, "sface": embeddings.sface.vector})
        row.sealed_embeddings = seal_reference(vectors, sealer=self._sealer, binding=binding_of(row))
        sign(row, sealer=self._sealer)
        return row


def replace(session: Session, row: Reference) -> None:
    """Store `row` in place of whatever this subject had."""
    session.execute(delete(Reference).filter_by(issuer=row.issuer, subject=row.subject))
    session.add(row)


def is_still(session: Session, row: Reference) -> bool:
    """Tell whether `row` is what is stored: not erased and not replaced since it was read."""
    return bool(session.scalar(select(exists().where(Reference.id == row.id, Reference.mac == row.mac))))


def models_id(calibration: Calibration) -> str:
    """Return one digest of every model file and of the framing; vectors with different ones are never compared."""
    made_by = json.dumps([calibration.framing, calibration.models], sort_keys=True)
    return hashlib.sha256(made_by.encode()).hexdigest()


def binding_of(row: Reference) -> ReferenceBinding:
    """Return what the row's ciphertext is bound to."""
    return ReferenceBinding(
        record_id=row.id,
        issuer=row.issuer,
        subject=row.subject,
        consent_id=row.consent_id,
        model_digests=row.model_digests,
        created_ms=row.created_ms,
        expires_ms=row.expires_ms,
        transform_version=row.transform_version,
    )
