"""A stricter threshold from the people who are enrolled: impostor scores only, in memory only.

Rules:
 * One reference a person, so there are pairs of strangers and no pair of one person: FMR can be looked at, FNMR cannot.
 * The result is the calibration in use with its fused threshold raised where these people ask for it (the best estimate
   of their tail, as for every small population in calibrate.py); it is never lowered. Floors, weights and the
   projection stay, since references fit them.
 * LEAST_PEOPLE: with 10,000 pairs the tail's threshold for FMR 1e-4 has a true FMR between 4e-5 and 3e-4 in nine of ten
   trials, with 3,000 between 2e-5 and 8e-4 (simulated, docs/calibration.md); 142 people make 10,011 pairs.

Not here: opening the references (the service's command does that).
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.errors import CannotTell
from biometric.evaluation.calibrate import extrapolated
from biometric.evaluation.corpus import Corpus
from biometric.evaluation.costs import decision_scorer, false_match_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometric.calibration import Calibration
    from biometric.types import FaceEmbeddings

LEAST_PEOPLE: Final = 142


class TooFewPeople(CannotTell):
    """Too few references to say anything about one stranger in ten thousand."""

    code = "too_few_people"


def stricter(
    faces: Sequence[FaceEmbeddings], calibration: Calibration, *, data: str, made_on: str, seed: int = 1
) -> Calibration:
    """Return a calibration that is at least as strict as `calibration`, with what these people showed as evidence.

    Args:
        faces: one reference for each of many different people.
        calibration: the one in use.
        data: what the people are, for the record; no name.
        made_on: ISO date.
        seed: of the bootstrap.

    Raises:
        TooFewPeople: fewer than LEAST_PEOPLE.
    """
    if len(faces) < LEAST_PEOPLE:
        raise TooFewPeople(f"{len(faces)} usable references of different people, at least {LEAST_PEOPLE} are needed")
    corpus = _corpus(faces).projected(calibration.projection)
    asked = extrapolated(corpus, calibration, rng=np.random.default_rng(seed))
    raised = replace(calibration, fused_threshold=max(calibration.fused_threshold, asked["asked"]))
    seen = {
        "before": asdict(false_match_rate(corpus, decision_scorer(calibration), seed=seed)),
        "after": asdict(false_match_rate(corpus, decision_scorer(raised), seed=seed)),
    }
    people = len(faces)
    evidence = calibration.evidence | {
        "enrolled": {
            "data": data,
            "made_on": made_on,
            "from_calibration": calibration.id,
            "people": people,
            "impostor_pairs": people * (people - 1) // 2,
            "threshold": asked,
            "fmr": seen,
        }
    }
    finished = replace(raised, evidence=evidence)
    return replace(finished, id=finished.digest())


def _corpus(faces: Sequence[FaceEmbeddings]) -> Corpus:
    people = len(faces)
    return Corpus(
        people=tuple(str(number) for number in range(people)),
        person=np.arange(people, dtype=np.int32),
        facenet=np.array([face.facenet.vector for face in faces], np.float32),
        sface=np.array([face.sface.vector for face in faces], np.float32),
        pictures=people,
        failures={},
        several_faces=0,
    )
