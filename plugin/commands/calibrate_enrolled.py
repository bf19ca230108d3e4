"""The references of one deployment, opened in memory for `facestep calibrate --enrolled`.

Rules:
 * The audit log has an entry before the first one is opened: opening everybody's is not done unseen.
 * A row is believed after its MAC fits; one that does not fit stops the command, as it stops a login.
 * Expired references and those of other models are left out and counted.
 * Vectors are neither written nor printed; they are gone when the command ends.

Not here: what is made of them (biometric/evaluation/enrolled.py).
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from biometric.calibration import Calibration
from biometric.models import ModelStore
from plugin.audit.log import AuditLog
from plugin.errors import ServiceError
from plugin.factors.references import References
from plugin.hardening import forbid_core_dumps
from plugin.store import integrity
from plugin.store.tables import Reference
from plugin.wiring import open_database, open_sealer
from vault.references import ReferenceExpired, ReferenceOutdated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from biometric.types import FaceEmbeddings
    from plugin.settings import Settings
    from plugin.store.database import Database


@dataclass(frozen=True, slots=True, repr=False)
class EnrolledFaces:
    """What was opened.

    Attributes:
        faces: one of each person.
        left_out: how many rows were expired or of other models.
        issuer: whose people they are.
        calibration: the one in use, which made them comparable.
    """

    faces: tuple[FaceEmbeddings, ...]
    left_out: int
    issuer: str
    calibration: Calibration


def open_all(
    settings: Settings, *, issuer: str | None, now: datetime, report: Callable[[int, int], None]
) -> EnrolledFaces:
    """Return the valid references of one issuer's people.

    Raises:
        ServiceError: issuer_unknown, if nobody is enrolled there or it must be named.
        SettingsError, CalibrationMismatch, VaultError, WrongMac: the deployment is not in order.
    """
    forbid_core_dumps()
    calibration = Calibration.load(ModelStore(settings.models_dir), settings.calibration_file)
    sealer = open_sealer(settings)
    with closing(open_database(settings)) as database:
        rows = _rows(database, issuer)
        AuditLog(database).append(
            "references_opened",
            at=now,
            issuer=rows[0].issuer,
            details={"count": len(rows), "calibration": calibration.id},
        )
        references = References(
            database=database, sealer=sealer, calibration=calibration, ttl_days=settings.reference_ttl_days
        )
        faces = []
        for done, row in enumerate(rows, start=1):
            integrity.check(row, sealer=sealer)
            with suppress(ReferenceExpired, ReferenceOutdated):
                faces.append(references.open(row, now=now).embeddings)
            report(done, len(rows))
    return EnrolledFaces(tuple(faces), len(rows) - len(faces), rows[0].issuer, calibration)


def _rows(database: Database, issuer: str | None) -> Sequence[Reference]:
    with database.reading() as session:
        found = session.scalars(select(Reference).order_by(Reference.id)).all()
    issuers = sorted({row.issuer for row in found})
    if not issuers:
        raise ServiceError("issuer_unknown", "nobody is enrolled in this deployment")
    if issuer is None and len(issuers) > 1:
        raise ServiceError("issuer_unknown", f"people of {len(issuers)} issuers are enrolled; name one: --issuer URL")
    chosen = issuer or issuers[0]
    if chosen not in issuers:
        raise ServiceError("issuer_unknown", f"nobody is enrolled for {chosen}; there are {', '.join(issuers)}")
    return [row for row in found if row.issuer == chosen]
