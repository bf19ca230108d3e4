"""The end of a face challenge: the verdict, and what follows from it in one transaction.

Rules:
 * A login is compared with the stored face over the very frames that prove life; an enrolment stores their mean.
 * Who enrols again must look like the stored face, as long as that is held: with a stolen password and a stolen phone
   one could otherwise put one's own face in its place. A reference never follows a face by itself.
 * A face that has changed too much is replaced after two other proofs (ceremonies/stages.py), and all hear of it.
 * It is enrolled again a bounded number of times: each step may differ a little, and many steps differ a lot. After
   that somebody has to vouch for the person anew.
 * Vectors are overwritten when the verdict is reached.
 * Without a reference the camera has run all the same, and the answer is the same no.
 * Scores and cues go to the audit log, vectors go nowhere.

Not here: challenges, frames and tries (face.py).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from biometric.compare import compare
from biometric.errors import FaceRejected
from plugin.ceremonies.attempts import Counted
from plugin.ceremonies.types import Amr
from plugin.errors import FactorRejected
from plugin.factors.enrolment import find_consent
from plugin.factors.gate import UsedMeanwhile
from plugin.factors.references import NotTheNewest, is_still, replace
from plugin.store.cooling import FACE_REPLACED
from vault.memory import wipe
from vault.references import ReferenceExpired, ReferenceOutdated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from biometric.calibration import Calibration
    from biometric.liveness.session import FaceSession, LiveFace
    from biometric.types import Comparison, FaceEmbeddings
    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.types import CeremonyView
    from plugin.factors.gate import Gate
    from plugin.factors.references import Enrolled, References
    from plugin.store.database import Database


_NOT_A_CODE: Final = re.compile(r"[^A-Za-z0-9_.:+\-]+")
_LONGEST_CODE: Final = 64  # what the audit log takes (audit/events.py)
_SHOWN_DIGITS: Final = 16  # as the id of a calibration; enough to tell files apart in a log


class FaceDenied(Exception):  # noqa: N818  (an outcome)
    """The verdict is no; everything in it is for the audit log."""

    def __init__(self, reasons: Sequence[str], likeness: Comparison | None = None) -> None:
        super().__init__(", ".join(reasons))
        self.code = FaceRejected.code
        self.reasons = tuple(reasons)
        self.likeness = likeness


class FaceVerdict:
    """Verify or enrol the face of a finished challenge, which the caller has already consumed."""

    def __init__(
        self,
        *,
        gate: Gate,
        references: References,
        database: Database,
        attempts: Attempts,
        calibration: Calibration,
        renewals_max: int,
    ) -> None:
        self._gate = gate
        self._renewals_max = renewals_max
        self._references = references
        self._database = database
        self._attempts = attempts
        self._calibration = calibration

    def verify(
        self, view: CeremonyView, session: FaceSession, *, demanded: frozenset[str], now: datetime
    ) -> CeremonyView:
        """Compare with the stored face and move on.

        1. a face is enrolled, its row is as we wrote it, and it is neither expired nor of other models
        2. live, and the same person (liveness/fusion.py): one verdict over the same frames
        3. the reference was not erased or replaced meanwhile

        Raises:
            FaceDenied: with the reason.
        """
        enrolled = self._enrolled(view, now=now)
        if enrolled is None:  # (1)
            raise FaceDenied(["not_enrolled"])
        with _wiped(enrolled.embeddings):
            live = self._live(session, enrolled, demanded=demanded)  # (2)
        with _wiped(live.embeddings):
            judged = self._judged(live, live.comparison)

        def within(transaction: Session) -> None:
            if not is_still(transaction, enrolled.row):  # (3)
                raise UsedMeanwhile("reference_replaced")

        try:
            return self._gate.commit(
                view,
                Counted.FACE,
                now=now,
                proven=Amr.FACE.value,
                within=within,
                event="factor_accepted",
                details=judged | noted(session.risks()),
            )
        except UsedMeanwhile as exc:
            raise FaceDenied([exc.check]) from exc

    def enrol(
        self, view: CeremonyView, session: FaceSession, *, demanded: frozenset[str], now: datetime
    ) -> CeremonyView:
        """Store the face in place of an older one and move on.

        1. consent of this enrolment, and not enrolled again too often
        2. live, and one person in all poses
        3. the same person as before, if a reference of these models is held; in a recovery of a changed face, where
           stages.py has asked for two other proofs, the likeness is only noted

        Raises:
            FaceDenied: with the reason.
        """
        consent_id = self.require_may_enrol(view, now=now)  # (1)
        live = self._live(session, None, demanded=demanded)  # (2)
        with _wiped(live.embeddings):
            likeness = self._compare_for_renewal(view, live.embeddings, now=now)
            if likeness is not None and not likeness.match and not view.purpose.is_recovery:  # (3)
                raise FaceDenied(["not_the_enrolled_person"], likeness)
            row = self._references.new_row(view.owner, live.embeddings, consent_id=consent_id, now=now)

        def within(transaction: Session) -> None:
            replace(transaction, row)
            self._attempts.reset(view.owner, [Counted.FACE, Counted.FACE_ENROL], session=transaction)
            if view.purpose.is_recovery:  # the cool-down begins, and what stops a recovery finds it (store/cooling.py)
                said = {"factor": Counted.FACE.value}
                self._gate.log(FACE_REPLACED, view, now=now, details=said, session=transaction)
                self._gate.bound(view, Counted.FACE, now=now, session=transaction)

        kept = {"reference_id": row.id, "consent_id": consent_id, "expires_ms": row.expires_ms}
        return self._gate.commit(
            view,
            Counted.FACE_ENROL,
            now=now,
            proven=Amr.FACE.value,
            within=within,
            event="enrolled",
            details=kept | self._judged(live, likeness) | noted(session.risks()),
            reference_id=row.id,
        )

    def _live(self, session: FaceSession, expected: Enrolled | None, *, demanded: frozenset[str]) -> LiveFace:
        reference = expected.embeddings if expected is not None else None
        try:
            return session.verdict(reference=reference, calibration=self._calibration, demanded=demanded)
        except FaceRejected as exc:
            raise FaceDenied(exc.reasons, self._compare(session.evidence.front(), expected)) from exc

    def require_may_enrol(self, view: CeremonyView, *, now: datetime) -> str:
        """Return the id of the consent that was given in this enrolment; asked before the camera and before storing.

        Raises:
            FactorRejected: "consent_missing", or "renewals_used_up".
            WrongMac: the consent's row is not as we wrote it; audited.
        """
        consent = find_consent(view, database=self._database)
        self._gate.believe(consent, view, now=now)
        renewals = self._references.find(view.owner).history.renewals
        if renewals >= self._renewals_max:
            self._gate.log("face_refused", view, now=now, details={"check": "renewals_used_up", "count": renewals})
            raise FactorRejected("renewals_used_up", f"after_{renewals}")
        return consent.id

    def _enrolled(self, view: CeremonyView, *, now: datetime, for_renewal: bool = False) -> Enrolled | None:
        """Return the valid reference of this subject, or None; an expired or outdated one counts as none, audited.

        Raises:
            WrongMac: the row is not as we wrote it, or not the newest that we wrote; audited.
        """
        found = self._references.find(view.owner)
        if found.row is not None:
            self._gate.believe(found.row, view, now=now)
        try:
            found.require_newest()
        except NotTheNewest as exc:
            details = {"table": "face_references", "check": exc.check}
            self._gate.log("integrity_failed", view, now=now, details=details)
            raise
        if found.row is None:
            return None
        try:
            return self._references.open(found.row, now=now, for_renewal=for_renewal)
        except (ReferenceExpired, ReferenceOutdated) as exc:
            details = {"check": exc.code, "reference_id": found.row.id}
            self._gate.log("face_refused", view, now=now, details=details)
            return None

    def _compare_for_renewal(self, view: CeremonyView, face: FaceEmbeddings, *, now: datetime) -> Comparison | None:
        """Return how alike the new face is to the one that is held, or None if none is."""
        before = self._enrolled(view, now=now, for_renewal=True)
        if before is None:
            return None
        with _wiped(before.embeddings):
            return self._compare(face, before)

    def _compare(self, face: FaceEmbeddings | None, expected: Enrolled | None) -> Comparison | None:
        if face is None or expected is None:
            return None
        return compare(face, expected.embeddings, calibration=self._calibration)

    def _judged(self, live: LiveFace, likeness: Comparison | None) -> dict[str, Any]:
        """Return what the audit log may keep of a decision."""
        return {"confirmed_by": list(live.confirmed_by)} | versions(self._calibration) | scores(likeness)


@contextmanager
def _wiped(face: FaceEmbeddings) -> Iterator[None]:
    """Overwrite the vectors of `face` when the block ends, however it ends."""
    try:
        yield
    finally:
        wipe(face.facenet.vector, face.sface.vector)


def as_code(reason: str) -> str:
    """Return a reason as one word for the log; some come from error messages."""
    return _NOT_A_CODE.sub("_", reason).lstrip("_.:+-")[:_LONGEST_CODE] or "unnamed"


def noted(risks: Sequence[str]) -> dict[str, list[str]]:
    """Return the risk codes of a challenge, for the audit log only; nothing where there are none."""
    return {"risk": list(risks)} if risks else {}


def versions(calibration: Calibration) -> dict[str, Any]:
    """Return which thresholds and which model files decided: each file by the beginning of its digest."""
    models = [f"{name}:{digest[:_SHOWN_DIGITS]}" for name, digest in sorted(calibration.models.items())]
    return {"calibration": calibration.id, "models": models}


def scores(likeness: Comparison | None) -> dict[str, float]:
    """Return the numbers of a comparison, for the audit log only."""
    if likeness is None:
        return {}
    return {
        "similarity_facenet": likeness.facenet.similarity,
        "threshold_facenet": likeness.facenet.threshold,
        "similarity_sface": likeness.sface.similarity,
        "threshold_sface": likeness.sface.threshold,
        "fused_score": likeness.fused_score,
        "fused_threshold": likeness.fused_threshold,
    }
