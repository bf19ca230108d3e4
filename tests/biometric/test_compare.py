"""Whose face it is: the fused score decides, no model may object, and nothing unlike is compared."""

from __future__ import annotations

import numpy as np
import pytest

from biometric.calibration import Calibration, ModelCalibration
from biometric.compare import compare
from biometric.errors import CannotTell
from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings


@pytest.fixture
def calibration():
    part = ModelCalibration(mean=0.0, deviation=0.1, floor=0.4, weight=0.5)
    return Calibration(id="x", framing="f", models={}, facenet=part, sface=part, fused_threshold=5.0, evidence={})


def unit(size, cosine=1.0):
    vector = np.zeros(size, np.float32)
    vector[:2] = cosine, np.sqrt(1 - cosine**2)
    return vector


def face(facenet=1.0, sface=1.0):
    return FaceEmbeddings(Embedding(unit(512, facenet), FACENET), Embedding(unit(128, sface), SFACE))


def test_the_fused_score_is_the_weighted_sum_of_z_scores(calibration):
    comparison = compare(face(0.7, 0.5), face(), calibration=calibration)
    assert comparison.fused_score == pytest.approx(0.5 * 7 + 0.5 * 5, abs=1e-5)
    assert comparison.match


@pytest.mark.parametrize(("facenet", "sface"), [(0.55, 0.44), (0.0, 0.0), (-1.0, -1.0)])
def test_too_low_a_fused_score_is_no_match(calibration, facenet, sface):
    assert not compare(face(facenet, sface), face(), calibration=calibration).match


@pytest.mark.parametrize(("facenet", "sface"), [(1.0, 0.39), (0.39, 1.0)])
def test_one_model_fooled_thoroughly_is_not_enough(calibration, facenet, sface):
    comparison = compare(face(facenet, sface), face(), calibration=calibration)
    assert comparison.fused_score > comparison.fused_threshold
    assert not comparison.match


def test_order_does_not_matter(calibration):
    left, right = face(0.7, 0.6), face(0.1, 0.9)
    forth, back = (compare(*pair, calibration=calibration).fused_score for pair in ((left, right), (right, left)))
    assert forth == pytest.approx(back)


@pytest.mark.parametrize(
    "damaged",
    [
        Embedding(unit(128), FACENET),
        Embedding(unit(512), SFACE),
        Embedding(unit(512) * 2, FACENET),
        Embedding(np.zeros(512, np.float32), FACENET),
        Embedding(np.full(512, np.nan, np.float32), FACENET),
        Embedding(np.full(512, np.inf, np.float32), FACENET),
    ],
)
def test_a_damaged_or_foreign_vector_is_never_compared(calibration, damaged):
    other = FaceEmbeddings(damaged, face().sface)
    for pair in ((other, face()), (face(), other), (other, other)):
        with pytest.raises(CannotTell):
            compare(*pair, calibration=calibration)


def test_scores_that_are_no_numbers_do_not_match(calibration):
    broken = Calibration(
        **{name: getattr(calibration, name) for name in ("id", "framing", "models", "facenet", "sface", "evidence")},
        fused_threshold=float("nan"),
    )
    assert not compare(face(), face(), calibration=broken).match


@pytest.mark.models
@pytest.mark.parametrize("person", ["person_a", "person_b"])
def test_one_person_years_apart_matches(person, picture, pipeline):
    faces = [pipeline.still(picture(f"{person}_{number}")).embeddings for number in (1, 2)]
    assert compare(*faces, calibration=pipeline.calibration).match


@pytest.mark.models
def test_no_two_people_match(picture, pipeline):
    names = ("person_a_1", "person_b_2", "impostor_1", "impostor_2", "astronaut")
    faces = [pipeline.still(picture(name)).embeddings for name in names]
    for position, left in enumerate(faces):
        for right in faces[position + 1 :]:
            assert not compare(left, right, calibration=pipeline.calibration).match


@pytest.mark.models
def test_vectors_have_length_one_and_do_not_print(picture, pipeline):
    embeddings = pipeline.still(picture("person_a_1")).embeddings
    for embedding, size in ((embeddings.facenet, 512), (embeddings.sface, 128)):
        assert embedding.vector.shape == (size,)
        assert np.linalg.norm(embedding.vector) == pytest.approx(1, abs=1e-5)
        assert str(float(embedding.vector[0]))[:6] not in repr(embedding) + repr(embeddings)


@pytest.mark.models
def test_the_same_picture_always_gives_the_same_vectors(picture, pipeline):
    once, again = (pipeline.still(picture("impostor_1")).embeddings for _ in range(2))
    assert np.array_equal(once.facenet.vector, again.facenet.vector)
    assert np.array_equal(once.sface.vector, again.sface.vector)


@pytest.mark.models
def test_facenet_sees_a_mirrored_face_alike(picture, pipeline):
    image = picture("person_b_1")
    straight = pipeline.still(image).embeddings.facenet.vector
    mirrored = pipeline.still(np.ascontiguousarray(image[:, ::-1])).embeddings.facenet.vector
    assert float(straight @ mirrored) > 0.97
