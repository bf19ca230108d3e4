"""Pictures made for the recognisers: the gradients are real, the attack works, and a yes or no gives nothing away."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from biometric.agreement import Agreement
from biometric.evaluation.adversarial_onnx import NetUnreadable, read_chain
from biometric.landmarks import five_points
from biometric.models import ModelStore
from biometric.pipeline import FacePipeline
from tests.fixtures_cache import load_picture

pytestmark = pytest.mark.models
tf = pytest.importorskip("tensorflow", reason="gradients need TensorFlow (the extra `convert`)")

from biometric.align import SFACE_TARGET, facenet_matrix, similarity, warp  # noqa: E402  (after the skip)
from biometric.evaluation.adversarial_attack import EPSILON, Attacker, Recipe, Target  # noqa: E402
from biometric.evaluation.adversarial_blackbox import blackbox  # noqa: E402
from biometric.evaluation.adversarial_logins import see, standard  # noqa: E402
from biometric.evaluation.adversarial_nets import GradientNets, least_cosines, sample  # noqa: E402


@pytest.fixture(scope="module")
def models():
    return Path(os.environ.get("FACESTEP_MODELS_DIR", "~/.cache/facestep/models")).expanduser()


@pytest.fixture(scope="module")
def pipeline(models):
    return FacePipeline.open(models)


@pytest.fixture(scope="module")
def nets(models):
    return GradientNets(ModelStore(models))


@pytest.fixture(scope="module")
def seen(pipeline):
    """Look at a picture in the size that is attacked."""

    def look(name):
        image = load_picture(name)
        return see(
            standard(image, five_points(pipeline.still(image).landmarks)), pipeline, rng=np.random.default_rng(1)
        )

    return {name: look(name) for name in ("impostor_1", "person_b_1")}


@pytest.fixture(scope="module")
def target(seen):
    return Target(seen["impostor_1"].image, seen["impostor_1"].five, seen["person_b_1"].embeddings)


def batch(one):
    pixels = tf.constant(one.image[None, :, :, ::-1].astype(np.float32))
    return pixels, tf.constant(facenet_matrix(one.five)[None]), tf.constant(similarity(one.five, SFACE_TARGET)[None])


def test_the_nets_with_gradients_say_what_the_served_ones_say(nets, seen):
    found = least_cosines(nets, [(one.image, one.five, one.embeddings) for one in seen.values()])
    assert min(found.values()) > 0.999


def test_nets_that_say_something_else_are_not_attacked(nets, seen):
    left, right = seen.values()
    with pytest.raises(NetUnreadable, match="served"):
        least_cosines(nets, [(left.image, left.five, right.embeddings)])


def test_a_crop_is_cut_as_opencv_cuts_it(seen):
    one = seen["impostor_1"]
    pixels, facenet_cut, _ = batch(one)
    ours = sample(pixels, facenet_cut, 160).numpy()[0, :, :, ::-1]
    assert np.abs(ours - warp(one.image, facenet_matrix(one.five), 160)).mean() < 1


@pytest.mark.parametrize("model", ["facenet", "sface"])
def test_a_gradient_is_the_slope_of_the_similarity(nets, seen, target, model):
    pixels, facenet_cut, sface_cut = batch(seen["impostor_1"])
    victim = getattr(target.victim, model).vector

    def like(at):
        net = nets.facenet if model == "facenet" else nets.sface
        return tf.reduce_sum(net(at, facenet_cut if model == "facenet" else sface_cut) * victim)

    with tf.GradientTape() as tape:
        tape.watch(pixels)
        start = like(pixels)
    slope = tape.gradient(start, pixels)
    step = 0.02 * slope / tf.norm(slope) * 255 / 8
    rise = float(like(pixels + step) - like(pixels - step))
    assert rise == pytest.approx(2 * float(tf.reduce_sum(slope * step)), rel=0.15)


def likeness(pipeline, image, victim):
    found = pipeline.still(image).embeddings
    return float(found.facenet.vector @ victim.facenet.vector), float(found.sface.vector @ victim.sface.vector)


@pytest.mark.parametrize(("facenet", "sface"), [(True, False), (True, True)])
def test_a_few_steps_make_the_attacked_models_see_the_victim(nets, pipeline, target, facenet, sface):
    recipe = Recipe("short", facenet=facenet, sface=sface, steps=6)
    (image,) = Attacker(nets).attack([target], recipe, rng=np.random.default_rng(2))
    before = likeness(pipeline, target.image, target.victim)
    after = likeness(pipeline, image, target.victim)
    assert after[0] > before[0] + 0.3
    assert not sface or after[1] > before[1] + 0.2
    assert np.abs(image.astype(int) - target.image.astype(int)).max() <= EPSILON


def odds(pipeline, image, victim):
    detector = Agreement.load(pipeline.calibration)
    looks = see(image, pipeline, rng=np.random.default_rng(4)).looks
    return detector.log_odds(detector.features(looks, victim)), detector.threshold


def test_the_shipped_detector_catches_a_picture_made_for_facenet_and_lets_genuine_ones_pass(nets, pipeline, target):
    recipe = Recipe("for one model", sface=False, steps=8)
    (image,) = Attacker(nets).attack([target], recipe, rng=np.random.default_rng(2))
    found, threshold = odds(pipeline, image, target.victim)
    assert found >= threshold
    for name in ("person_a", "person_b"):
        known = pipeline.still(load_picture(f"{name}_2")).embeddings
        found, threshold = odds(pipeline, load_picture(f"{name}_1"), known)
        assert found < threshold


def test_an_attack_on_the_detector_needs_the_detector(nets, target):
    with pytest.raises(ValueError, match="needs the detector"):
        Attacker(nets).attack([target], Recipe("blind", again=True, head=True, steps=1), rng=np.random.default_rng(1))


def test_yes_and_no_open_nothing_within_the_limit(pipeline, target):
    asked = []
    query = blackbox(
        target, pipeline, lambda image: asked.append(image) or True, queries=10, rng=np.random.default_rng(1)
    )
    assert query is None
    assert asked == []


def test_a_yes_would_be_noticed(pipeline, seen):
    own = Target(seen["person_b_1"].image, seen["person_b_1"].five, seen["person_b_1"].embeddings)
    assert blackbox(own, pipeline, lambda _: True, queries=3, rng=np.random.default_rng(1)) == 1


@pytest.mark.parametrize("content", [b"", b"no onnx", b"\x3a\x05ab", b"\x3a\x00"])
def test_another_file_is_not_guessed_at(content):
    with pytest.raises(NetUnreadable):
        read_chain(content)
