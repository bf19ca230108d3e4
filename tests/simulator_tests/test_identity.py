"""The recognisers know a simulated person as the one in the photo, and as nobody else. All figures are simulated."""

from __future__ import annotations

import pytest

from biometric.compare import compare
from biometric.landmarks import five_points
from biometric.pipeline import FacePipeline
from tests.fixtures_cache import cache_folder, load_picture
from tests.simulator import Pose, Sensor

pytestmark = pytest.mark.models

POSES = {
    "front": Pose(),
    "half left": Pose(yaw=15.0),
    "left": Pose(yaw=27.0),
    "right": Pose(yaw=-27.0),
    "smile": Pose(smile=1.0),
    "near": Pose(distance_m=0.4),
}


@pytest.fixture(scope="module")
def pipeline():
    return FacePipeline.open(cache_folder() / "models")


@pytest.fixture(scope="module")
def photos(pipeline):
    names = ("person_a_2", "person_b_1", "person_b_2", "impostor_1", "impostor_2", "astronaut")
    return {name: pipeline.still(load_picture(name)).embeddings for name in names}


def _embed(pipeline, picture):
    face = pipeline.detector.detect(picture)[0]
    return pipeline.embedder.embed(picture, five_points(pipeline.mesh.locate(picture, face)))


@pytest.mark.parametrize("pose", POSES)
def test_every_pose_matches_the_photo_it_was_made_from(pipeline, photos, person_b, pose):
    picture = Sensor(seed=1).expose(person_b.render(POSES[pose]))
    result = compare(_embed(pipeline, picture), photos["person_b_1"], calibration=pipeline.calibration)
    assert result.match
    # simulated, measured over seven pictures: least 0.63 and 0.67 (the smallest photo, turned), usually 0.8 to 0.97
    assert result.facenet.similarity > result.facenet.threshold + 0.2
    assert result.sface.similarity > result.sface.threshold + 0.2


def test_a_picture_of_the_same_person_years_apart_matches_too(pipeline, photos, person_b):
    picture = Sensor(seed=1).expose(person_b.render(Pose()))
    assert compare(_embed(pipeline, picture), photos["person_b_2"], calibration=pipeline.calibration).match


def test_nobody_else_matches(pipeline, photos, person_b):
    seen = _embed(pipeline, Sensor(seed=1).expose(person_b.render(Pose())))
    strangers = [name for name in photos if not name.startswith("person_b")]
    results = [compare(seen, photos[name], calibration=pipeline.calibration) for name in strangers]
    assert not any(result.match for result in results)
    assert max(result.facenet.similarity for result in results) < 0.3
