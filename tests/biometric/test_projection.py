"""The projection belongs to one calibration by digest, keeps unit vectors, and is learnt from nobody in particular."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from biometric.calibration import BOUND_MODELS, FRAMING, Calibration, ModelCalibration, projection_path
from biometric.compare import compare
from biometric.errors import CalibrationMismatch, CannotTell
from biometric.evaluation import learn
from biometric.evaluation.corpus import Corpus
from biometric.evaluation.learn import evened_out, learn_projection, refined
from biometric.projection import DIRECTIONS, Projection
from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings


class Models:
    def digests(self):
        return dict.fromkeys(BOUND_MODELS, "d")


def units(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def projection():
    return Projection.of(np.random.default_rng(3).normal(size=(DIRECTIONS, 512)).astype(np.float32))


@pytest.fixture
def calibration(projection):
    part = ModelCalibration(mean=0.0, deviation=0.1, floor=0.3, weight=0.5)
    digest = hashlib.sha256(projection.to_bytes()).hexdigest()
    made = Calibration("", FRAMING, dict.fromkeys(BOUND_MODELS, "d"), part, part, 4.0, {}, digest, projection)
    return dataclasses.replace(made, id=made.digest())


@pytest.fixture
def written(tmp_path, calibration):
    path = tmp_path / "own.json"
    path.write_text(calibration.to_json())
    projection_path(path).write_bytes(calibration.projection.to_bytes())
    return path


def test_what_was_written_is_read_bit_by_bit(calibration, written):
    read = Calibration.load(Models(), written)
    assert read == calibration
    assert np.array_equal(read.projection.matrix, calibration.projection.matrix)


def test_the_file_of_the_calibration_holds_no_matrix_but_its_digest(calibration):
    assert calibration.projection_sha256 in calibration.to_json()
    assert len(calibration.to_json()) < 2000


def test_a_changed_projection_stops_the_start(written):
    path = projection_path(written)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CalibrationMismatch, match="digest"):
        Calibration.load(Models(), written)


def test_another_projection_named_in_the_file_is_an_edit(calibration, written):
    other = dataclasses.replace(calibration, projection_sha256="0" * 64)
    written.write_text(other.to_json())
    with pytest.raises(CalibrationMismatch, match="edited"):
        Calibration.load(Models(), written)


def test_a_missing_projection_is_not_replaced_by_another_one(written):
    projection_path(written).unlink()
    with pytest.raises(CalibrationMismatch, match="digest"):  # the shipped one is there, and is not the one
        Calibration.load(Models(), written)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((DIRECTIONS, 512), np.float32),
        np.zeros((DIRECTIONS, 511), np.float16),
        np.full((DIRECTIONS, 512), np.nan, np.float16),
        np.array([{"a": 1}], object),
    ],
    ids=["type", "shape", "not finite", "pickle"],
)
def test_a_file_that_is_no_projection_is_refused(tmp_path, array):
    path = tmp_path / "p.npy"
    np.save(path, array, allow_pickle=True)
    content = path.read_bytes()
    with pytest.raises(CalibrationMismatch):
        Projection.from_bytes(content, expected_sha256=hashlib.sha256(content).hexdigest())


def test_bytes_that_are_no_array_are_refused():
    with pytest.raises(CalibrationMismatch, match="cannot be read"):
        Projection.from_bytes(b"no array", expected_sha256=hashlib.sha256(b"no array").hexdigest())


def test_unit_vectors_stay_unit_vectors(projection):
    rows = units(np.random.default_rng(0).normal(size=(5, 512)))
    assert np.allclose(np.linalg.norm(projection(rows), axis=1), 1, atol=1e-6)
    assert np.allclose(projection(rows[0]), projection(rows)[0], atol=1e-6)


def test_a_vector_outside_of_all_directions_is_no_match_but_an_error():
    matrix = np.zeros((DIRECTIONS, 512), np.float32)
    matrix[:, :DIRECTIONS] = np.eye(DIRECTIONS)
    nothing = np.zeros(512, np.float32)
    nothing[-1] = 1
    with pytest.raises(CannotTell):
        Projection.of(matrix)(nothing)


def test_a_comparison_is_made_in_the_projected_space(calibration, projection):
    rng = np.random.default_rng(1)
    one, two = units(rng.normal(size=(2, 512)))
    sface = Embedding(units(rng.normal(size=128)), SFACE)
    faces = [FaceEmbeddings(Embedding(vector, FACENET), sface) for vector in (one, two)]
    found = compare(*faces, calibration=calibration).facenet.similarity
    assert found == pytest.approx(float(projection(one) @ projection(two)), abs=1e-6)
    assert found != pytest.approx(float(one @ two), abs=1e-3)


def population(people=learn.LEAST_PEOPLE, pictures=2, seed=0, noise=0.5):
    """People who differ in 40 of 512 directions, much more in some than in others (simulated)."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(512, 40)))[0]
    strength = np.geomspace(3, 0.3, 40)
    who = rng.normal(size=(people, 40)) * strength
    rows = np.repeat(who, pictures, axis=0)
    rows = (rows + noise * strength * rng.normal(size=rows.shape)) @ axes.T + 0.01 * rng.normal(size=(len(rows), 512))
    number = np.repeat(np.arange(people), pictures).astype(np.int32)
    names = tuple(f"{position:04}" for position in range(people))
    return Corpus(names, number, units(rows), units(rows[:, :128]), len(number), {}, several_faces=0)


def test_few_people_teach_nothing():
    assert learn_projection(population(people=learn.LEAST_PEOPLE - 1)) is None


def test_the_same_people_teach_the_same():
    first, second = (learn_projection(population()) for _ in range(2))
    assert first.to_bytes() == second.to_bytes()
    assert len(first.to_bytes()) < 300_000


def test_a_person_with_many_pictures_counts_once():
    corpus = population(people=50)
    many = np.concatenate([np.arange(len(corpus.person)), np.zeros(500, np.int64)])
    flooded = dataclasses.replace(corpus, person=corpus.person[many], facenet=corpus.facenet[many])
    plain, weighted = (evened_out(one)[:, 0] for one in (corpus, flooded))
    assert abs(float(units(plain) @ units(weighted))) > 0.99


def missed_at(corpus, fmr):
    scores = corpus.facenet @ corpus.facenet.T
    left, right = np.triu_indices(len(scores), 1)
    same = corpus.person[left] == corpus.person[right]
    values = scores[left, right]
    return float(np.mean(values[same] < np.quantile(values[~same], 1 - fmr)))


def test_learning_helps_on_people_who_were_not_there():
    """Teachers and judged are different people of one kind, so what helps is not memory (simulated)."""
    everybody = population(people=900, seed=4, noise=0.6)
    teachers = everybody.part(lambda name: int(name) < 500)
    judged = everybody.part(lambda name: int(name) >= 500)
    before = missed_at(judged, 1e-3)
    after = missed_at(judged.projected(learn_projection(teachers)), 1e-3)
    assert after < 0.9 * before


def test_refining_lowers_refusals_of_those_it_learns_from():
    corpus = population(people=300, noise=0.7)
    rows = corpus.facenet.astype(np.float64) @ evened_out(corpus)
    before = dataclasses.replace(corpus, facenet=units(rows))
    after = dataclasses.replace(corpus, facenet=units(rows @ refined(rows, corpus.person)))
    assert missed_at(after, 1e-3) < missed_at(before, 1e-3)
