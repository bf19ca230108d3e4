"""What is read of simulated people who hold a pose: the angle, and the scores of recognition.

    python -m benchmarks.pose_scores --data ../shared/data/faces --json poses.json
    python -m benchmarks.pose_scores --data ../shared/data/faces --json quick.json --people 8

* `angles`  the yaw that is read, less what is read at rest, against the renderer's own; both sides
* `scores`  the fused score less the threshold: a pose against *another* picture of the same person, and of everybody
            else of the group: `same day` (london/: rendered at rest, compared with the smiling picture) or
            `years apart` (two people of the test pictures)

Every figure is simulated. No name and no picture leaves the program.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.progress import track

from benchmarks.face_measures import quantiles, spread
from biometric.compare import compare
from biometric.detect import only_face
from biometric.image import decode_image
from biometric.landmarks import five_points
from biometric.liveness import evidence
from biometric.liveness.cues.identity import POSE_SLACK
from biometric.liveness.measure import FaceMeasure, measure_face
from biometric.pipeline import FacePipeline
from tests.simulator import Pose, Sensor, encode
from tests.simulator.laboratory.people import TEST_PEOPLE, find_people, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometric.types import FaceEmbeddings, Image
    from tests.simulator.laboratory.people import Sitter

YAWS = (15, 20, 30, 35)
NEAR_M, AT_REST_M = 0.5 / 1.45, 0.5
POSES = {
    "0": [Pose()],
    **{str(yaw): [Pose(yaw=yaw), Pose(yaw=-yaw)] for yaw in YAWS},
    "smile": [Pose(smile=1.0)],
    "near": [Pose(distance_m=NEAR_M, y_m=Pose().y_m * NEAR_M / AT_REST_M)],
}
SHOWN_AS = {
    **dict.fromkeys(POSES, evidence.Pose.TURN),
    "0": evidence.Pose.FRONT,
    "smile": evidence.Pose.SMILE,
    "near": evidence.Pose.CLOSER,
}
ASKED = ("0", "20", "smile", "near")  # of these a login embeds a frame each; the turn near poses.TURN_YAW


@dataclass(frozen=True, slots=True, repr=False)
class Look:
    """What one picture shows."""

    face: FaceMeasure
    embeddings: FaceEmbeddings


def look(image: Image, pipeline: FacePipeline) -> Look:
    landmarks = pipeline.mesh.locate(image, only_face(pipeline.detector.detect(image)))
    return Look(measure_face(landmarks.points), pipeline.embedder.embed(image, five_points(landmarks)))


def looks_of(sitter: Sitter, pipeline: FacePipeline) -> dict[str, list[Look]]:
    """Return every pose of a simulated person, through a camera's noise and a page's JPEG."""
    sensor, subject = Sensor(seed=sitter.number), sitter.subject
    pictures = {name: [sensor.expose(subject.render(pose)) for pose in several] for name, several in POSES.items()}
    return {name: [look(decode_image(encode(one)), pipeline) for one in found] for name, found in pictures.items()}


def measure_poses(people: Sequence[Sitter], pipeline: FacePipeline) -> dict[str, object]:
    """Return what is read of each pose. Scores need a person of whom there is another picture."""
    looks = {sitter.number: looks_of(sitter, pipeline) for sitter in track(people, "poses")}
    angles = {}
    for yaw in YAWS:
        turns = [(one[str(yaw)], one["0"][0].face.yaw) for one in looks.values()]
        found = [side * (seen.face.yaw - rest) for two, rest in turns for seen, side in zip(two, (1, -1), strict=True)]
        angles[yaw] = {"n": len(found), "mean": round(float(np.mean(found)), 1), "sd": round(float(np.std(found)), 1)}
    known = [sitter for sitter in people if sitter.reference != sitter.shown]
    groups = {"same day": [one for one in known if one.number >= len(TEST_PEOPLE)]}
    groups["years apart"] = [one for one in known if one.number < len(TEST_PEOPLE)]
    scores = {name: measure_scores(group, looks, pipeline) for name, group in groups.items() if group}
    return {"people": len(people), "angles": angles, "scores": scores}


def measure_scores(
    people: Sequence[Sitter], looks: dict[int, dict[str, list[Look]]], pipeline: FacePipeline
) -> dict[str, object]:
    """Return fused scores less the threshold by pose, of the same people and of strangers.

    `within` counts who stays within what cues/identity.py allows in that pose, and `in_all` who does so in the front
    (where each model's floor counts too), in one of the turns, in the smile and near: who would be let in.
    """
    references = [pipeline.still(read(one.reference)).embeddings for one in people]

    def compared(seen: Look) -> list[tuple[float, bool]]:
        all_of = (compare(seen.embeddings, one, calibration=pipeline.calibration) for one in references)
        return [(one.fused_score - one.fused_threshold, one.match) for one in all_of]

    # by pose: sides x people x references x (margin, match)
    seen = {name: np.array([[compared(look) for look in looks[one.number][name]] for one in people]) for name in POSES}
    margins = {name: table[..., 0].swapaxes(0, 1) for name, table in seen.items()}
    same = np.eye(len(people), dtype=bool)
    rows: dict[str, object] = {"people": len(people)}
    passed = seen["0"][:, 0, :, 1].astype(bool)
    for name, margin in margins.items():
        slack = POSE_SLACK[SHOWN_AS[name]]
        within = margin >= -slack
        if name in ASKED:
            passed = passed & within.any(axis=0)
        strangers = margin[:, ~same]
        rows[name] = {
            "genuine": quantiles(margin[:, same].ravel()),
            "costs": quantiles((margins["0"][:, same] - margin[:, same]).ravel()),
            "genuine_within": int(within[:, same].sum()),
            "strangers": quantiles(strangers.ravel()),
            "strangers_above_threshold": int((strangers >= 0).sum()),
            "strangers_within": int(within[:, ~same].sum()),
        }
    rows["in_all"] = {"genuine": int(passed[same].sum()), "strangers": int(passed[~same].sum())}
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with london/")
    parser.add_argument("--people", type=int, help="spread over all; all of them unless given")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = FacePipeline.open(options.models_dir.expanduser())
    people = spread(find_people(options.data / "london"), options.people)
    measured = {"simulated": True, **measure_poses(people, pipeline)}
    print(json.dumps(measured, indent=1))
    options.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
