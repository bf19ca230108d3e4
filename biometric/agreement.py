"""Do both recognisers, and all looks at one face, tell the same story? A small head trained on attacks answers.

Rules:
 * It sees embeddings only: the looks of one login (or one enrolment) and what they are compared with.
 * One linear map (ridge) brings FaceNet's vectors into SFace's space. Where a picture was made for one model, or for
   both at once, what the map promises and what SFace says drift apart.
 * A head of a few hundred weights turns the features (`FEATURES`) into one log-odds; at or above the threshold the
   looks are called adversarial. It was trained with adversarial pictures (training/agreement.py, docs/adversarial.md).
 * It belongs to model files and to one FRAMING, and one that was made for a calibration of somebody's own to that one
   too; with any other, loading raises.
 * The file holds sums over people: a map, means, weights. No vector of any person.

Not here: the file (agreement_file.py), the vote (liveness/cues/agreement.py), the random changes of the looks
(agreement_looks.py).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric import agreement_file
from biometric.calibration import BOUND_MODELS, FRAMING, record_digest
from biometric.errors import CalibrationMismatch, CannotTell
from biometric.types import FACENET, SFACE, VECTOR_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from biometric.calibration import Calibration
    from biometric.types import Embedding, FaceEmbeddings, Floats, ModelName

FEATURES: Final = (
    "facenet",  # z-score of FaceNet's similarity to the reference, mean over the looks
    "sface",  # the same of SFace's
    "pairing",  # cosine between the map's promise of a look and what SFace says of it, less that of the reference
    "promised",  # z-score of the map's promise against the reference's SFace vector
    "recalled",  # z-score of the look's SFace vector against the map's promise of the reference
    "drop",  # what FaceNet's z-score loses in the second look, mean
    "worst_drop",  # the same, the most
    "apart",  # 1 - cosine between look and second look, FaceNet, mean
    "pairing_drop",  # what the pairing loses in the second look, mean
    "promised_drop",  # what the promise loses, mean
)


LIMIT: Final = 8.0  # deviations; a feature further out counts as this far


@dataclass(frozen=True, slots=True)
class Look:
    """One frame seen twice: by both recognisers as it is, and by FaceNet through a random change."""

    plain: FaceEmbeddings
    again: Embedding


@dataclass(frozen=True, slots=True, repr=False)
class Agreement:
    """The map, the head, and what they were made with.

    Attributes:
        id: digest of everything else, 16 hex digits.
        framing, models: as in Calibration; whatever changes a vector makes this file useless.
        facenet_mean, sface_mean: means of unit vectors over many people, shapes (512,) and (128,).
        map: FaceNet to SFace after the means were taken off, shape (512, 128).
        moments: mean and deviation of impostor similarities by kind: facenet, sface, promised, recalled.
        scale: mean and deviation of each feature, shape (2, features).
        hidden, output: the head's weights, shapes (features + 1, units) and (units + 1,); the last row is the bias.
        threshold: log-odds from which on a login is called adversarial, as shipped.
        evidence: data, counts and measured rates; for people, not for the decision.
        calibration: id of the calibration it was made for; empty if it goes with every one of its model files.
    """

    id: str
    framing: str
    models: dict[str, str]
    facenet_mean: Floats
    sface_mean: Floats
    map: Floats
    moments: dict[str, tuple[float, float]]
    scale: Floats
    hidden: Floats
    output: Floats
    threshold: float
    evidence: dict[str, Any]
    calibration: str = ""

    @classmethod
    def load(cls, calibration: Calibration, path: Path | None = None) -> Agreement:
        """Return the detector that goes with `calibration`: of `path`, or opened before, or beside it, or the shipped.

        Raises:
            CalibrationMismatch: it is unreadable, edited, or belongs to other model files, another framing or another
                calibration.
        """
        if path is None and calibration.agreement is not None:
            agreement, beside = calibration.agreement, None
        else:
            beside = None if path is not None else agreement_file.beside(calibration.source)
            file = path or beside
            agreement = _shipped() if file is None else cls.from_json(agreement_file.read(file))
        agreement.check(calibration, beside=beside is not None)
        return agreement

    @classmethod
    def from_json(cls, text: str) -> Agreement:
        """Return what `text` says after its digest matched; `load` checks the rest."""
        try:
            agreement = cls(**agreement_file.table_of(text, features=len(FEATURES)))
            whole = agreement.id == agreement.digest()
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            raise CalibrationMismatch(f"the disagreement detector cannot be read: {exc!r}") from exc
        if not whole:
            raise CalibrationMismatch(
                "the disagreement detector was edited; make a new one with `facestep train agreement`"
            )
        return agreement

    def check(self, calibration: Calibration, *, beside: bool = False) -> None:
        """Raise CalibrationMismatch, with what to do, unless this detector goes with `calibration`.

        1. framing      another cut of the face gives other vectors
        2. model files  likewise
        3. calibration  what lies beside a calibration file was made for that very one, and says so
        """
        if self.framing != calibration.framing:  # (1)
            raise CalibrationMismatch(
                f"the disagreement detector was made with framing {self.framing!r}, not {calibration.framing!r}"
            )
        advice = agreement_file.advice(calibration.source)
        if self.models != calibration.models:  # (2)
            raise CalibrationMismatch(f"the disagreement detector was made with other model files; {advice}")
        if self.calibration != calibration.id and (beside or self.calibration):  # (3)
            raise CalibrationMismatch(
                f"the disagreement detector was made for calibration {self.calibration or '(none)'}, "
                f"not {calibration.id}; {advice}"
            )

    def bound_to(self, calibration: Calibration) -> Agreement:
        """Return the same detector, made out to a calibration of the same model files."""
        made = replace(self, calibration=calibration.id)
        return replace(made, id=made.digest())

    def to_json(self) -> str:
        """Return the file's content."""
        return agreement_file.written(self._table())

    def digest(self) -> str:
        """Return the digest of everything but `id`."""
        return record_digest(self._table())

    def _table(self) -> dict[str, Any]:
        """Return what the file holds; without a calibration of its own there is no word of one."""
        table = agreement_file.packed(asdict(self))
        if not self.calibration:
            del table["calibration"]
        return table

    def promise(self, facenet: Floats) -> Floats:
        """Return the unit vectors in SFace's space that the map makes of FaceNet's (Nx512 to Nx128)."""
        return _units(np.asarray((facenet - self.facenet_mean) @ self.map, np.float32))

    def centred(self, sface: Floats) -> Floats:
        """Return SFace's vectors as unit vectors around their mean (Nx128)."""
        return _units(sface - self.sface_mean)

    def features(self, looks: Sequence[Look], reference: FaceEmbeddings) -> NDArray[np.float64]:
        """Return the FEATURES of one login's looks against its reference.

        Raises:
            CannotTell: there is no look, or a vector is of another model.
        """
        if not looks:
            raise CannotTell("no frame was looked at twice")
        plain = Rows.of([look.plain for look in looks])
        again = np.stack([checked(look.again, FACENET) for look in looks])
        return self.measure(plain, again, Rows.of([reference]))

    def measure(self, plain: Rows, again: Floats, reference: Rows) -> NDArray[np.float64]:
        """Return the FEATURES of rows of vectors; `reference` has one row."""
        centred, known = self.centred(plain.sface), self.centred(reference.sface)[0]
        promised, promised_again = self.promise(plain.facenet), self.promise(again)
        known_promise = self.promise(reference.facenet)[0]
        like = self._z("facenet", plain.facenet @ reference.facenet[0])
        drop = like - self._z("facenet", again @ reference.facenet[0])
        pairing = (promised * centred).sum(axis=1)
        to_known = self._z("promised", promised @ known)
        values = {
            "facenet": like.mean(),
            "sface": self._z("sface", plain.sface @ reference.sface[0]).mean(),
            "pairing": pairing.mean() - known_promise @ known,
            "promised": to_known.mean(),
            "recalled": self._z("recalled", centred @ known_promise).mean(),
            "drop": drop.mean(),
            "worst_drop": drop.max(),
            "apart": 1 - (plain.facenet * again).sum(axis=1).mean(),
            "pairing_drop": (pairing - (promised_again * centred).sum(axis=1)).mean(),
            "promised_drop": (to_known - self._z("promised", promised_again @ known)).mean(),
        }
        return np.array([values[name] for name in FEATURES], np.float64)

    def log_odds(self, features: NDArray[np.float64]) -> float:
        """Return how sure the head is that the looks are adversarial."""
        return float(head(features[None], scale=self.scale, hidden=self.hidden, output=self.output)[0])

    def _z(self, kind: str, similarity: Floats) -> Floats:
        mean, deviation = self.moments[kind]
        z: Floats = (similarity - mean) / deviation
        return z


def head(
    features: NDArray[np.float64], *, scale: NDArray[Any], hidden: NDArray[Any], output: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the log-odds of rows of features (N x features): standardised, one layer of tanh, one output."""
    standard = (features - scale[0]) / scale[1]
    units = np.tanh(np.clip(standard, -LIMIT, LIMIT) @ hidden[:-1] + hidden[-1])
    log_odds: NDArray[np.float64] = units @ output[:-1] + output[-1]
    return log_odds


@dataclass(frozen=True, slots=True, repr=False)
class Rows:
    """Vectors of some looks as rows: Nx512 and Nx128."""

    facenet: Floats
    sface: Floats

    @classmethod
    def of(cls, faces: Sequence[FaceEmbeddings]) -> Rows:
        """Return both models' vectors as rows.

        Raises:
            CannotTell: a vector is not of the model it stands for.
        """
        return cls(
            np.stack([checked(face.facenet, FACENET) for face in faces]),
            np.stack([checked(face.sface, SFACE) for face in faces]),
        )


def checked(embedding: Embedding, model: ModelName) -> Floats:
    """Return the vector of an embedding that is of `model`.

    Raises:
        CannotTell: it is not.
    """
    if embedding.model != model or embedding.vector.shape != (VECTOR_SIZE[model],):
        raise CannotTell(f"a vector is not one of {model}'s")
    return embedding.vector


def _units(vectors: Floats) -> Floats:
    units: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return units


def shipped_knows(models: Mapping[str, str]) -> bool:
    """Return whether the shipped detector was made with the very nets of `models` (ModelStore.digests)."""
    shipped = _shipped()
    return shipped.framing == FRAMING and all(models[name] == shipped.models.get(name) for name in BOUND_MODELS)


@cache
def _shipped() -> Agreement:
    return Agreement.from_json(agreement_file.shipped())
