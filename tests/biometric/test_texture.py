"""How a texture net is fed and read. Each golden value stands for a way of feeding it wrongly that goes unnoticed."""

import hashlib
import json
from dataclasses import replace
from importlib.resources import files

import cv2
import numpy as np
import pytest

from biometric.errors import ModelDigestMismatch, ModelMissing
from biometric.texture import (
    ADDED_KEYS,
    RECORD,
    Activation,
    Channels,
    Edge,
    Runtime,
    TextureNet,
    TextureSpec,
    calibrated,
    crop,
    face_square,
    prepare,
    spoof_probability,
)

SPEC = TextureSpec(
    name="texture",
    sha256="0" * 64,
    runtime=Runtime.LITERT,
    size=8,
    scales=(2.0, 1.0),
    channels=Channels.RGB,
    low=0.0,
    high=1.0,
    edge=Edge.INSIDE,
    activation=Activation.PROBABILITY,
    spoof_index=0,
    deny_at=0.95,
)
TOLD = {
    "size": "128",
    "scales": "1.62",
    "channels": "rgb",
    "low": "0",
    "high": "1",
    "edge": "reflect",
    "activation": "logits",
    "spoof_index": "1",
    "deny_at": "0.9",
}
FACE = np.array([[40, 30], [60, 30], [40, 70], [60, 70]], np.float32)  # 20 wide, 40 high, middle (50, 50)


def plain(blue=10, green=100, red=200):
    return np.full((100, 100, 3), (blue, green, red), np.uint8)


def test_the_face_is_a_square_round_the_middle_of_its_points():
    assert face_square(FACE) == (50.0, 50.0, 40.0)


def test_each_crop_has_its_own_scale_and_they_are_stacked_in_order():
    picture = plain(0, 0, 0)
    picture[30:70, 30:70] = 255  # just the face
    value = prepare(picture, FACE, SPEC)
    assert value.shape == (8, 8, 6)
    assert value.dtype == np.float32
    assert value[1, 1].tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("channels", "low", "high", "golden"),
    [
        (Channels.RGB, 0.0, 1.0, [200 / 255, 100 / 255, 10 / 255]),
        (Channels.BGR, 0.0, 255.0, [10, 100, 200]),
        (Channels.RGB, -1.0, 1.0, [200 / 127.5 - 1, 100 / 127.5 - 1, 10 / 127.5 - 1]),
    ],
)
def test_channel_order_and_range_are_the_record_s(channels, low, high, golden):
    value = prepare(plain(), FACE, replace(SPEC, scales=(1.0,), channels=channels, low=low, high=high))
    assert value[3, 3].tolist() == pytest.approx(golden, abs=1e-5)


def test_the_shipped_net_is_fed_rgb_from_0_to_1_in_two_crops():
    spec = TextureSpec.from_json((files("biometric") / "weights" / RECORD).read_text(encoding="utf-8"))
    value = prepare(plain(), FACE, spec)
    assert value.shape == (96, 96, 6)
    assert value[50, 50].tolist() == pytest.approx([200 / 255, 100 / 255, 10 / 255] * 2, abs=1e-5)
    assert (spec.scales, spec.edge) == ((2.0, 0.8), Edge.INSIDE)


def test_a_crop_beyond_the_border_moves_inside_and_holds_no_padding():
    picture = plain(50, 50, 50)
    seen = crop(picture, (5.0, 5.0, 40.0), scale=2.0, size=16, edge=Edge.INSIDE)
    assert np.unique(seen).tolist() == [50]
    picture[:4, :4] = 255
    assert crop(picture, (5.0, 5.0, 40.0), scale=2.0, size=80, edge=Edge.INSIDE)[1, 1].tolist() == [255, 255, 255]


def test_a_crop_larger_than_the_picture_shrinks():
    picture = cv2.resize(np.arange(100, dtype=np.uint8).reshape(10, 10), (100, 100))
    whole = crop(np.dstack([picture] * 3), (50.0, 50.0, 90.0), scale=2.0, size=50, edge=Edge.INSIDE)
    assert whole.shape == (50, 50, 3)
    assert abs(int(whole[25, 25, 0]) - int(picture[50, 50])) <= 2


def test_a_mirrored_border_keeps_the_face_in_the_middle():
    picture = plain(0, 0, 0)
    picture[0:10, 0:10] = 200
    seen = crop(picture, (5.0, 5.0, 20.0), scale=2.0, size=40, edge=Edge.REFLECT)
    assert seen[20, 20].tolist() == [200, 200, 200]


def test_outputs_are_read_as_the_record_says():
    logits = np.array([1.0, 3.0], np.float32)
    assert spoof_probability(logits, replace(SPEC, activation=Activation.LOGITS, spoof_index=1)) == pytest.approx(
        0.8808, abs=1e-4
    )
    assert spoof_probability(logits, replace(SPEC, activation=Activation.LOGIT, spoof_index=0)) == pytest.approx(
        0.7311, abs=1e-4
    )
    assert spoof_probability(np.array([0.25], np.float32), SPEC) == 0.25
    with pytest.raises(ValueError, match="no number"):
        spoof_probability(np.array([np.nan], np.float32), SPEC)


def test_a_record_says_everything_and_nothing_else():
    assert TextureSpec.from_json(SPEC.to_json()) == SPEC
    told = json.loads(SPEC.to_json())
    with pytest.raises(ValueError, match="edge"):
        TextureSpec.from_json(json.dumps({key: value for key, value in told.items() if key != "edge"}))
    with pytest.raises(ValueError, match="mean"):
        TextureSpec.from_json(json.dumps(told | {"mean": 0.5}))
    with pytest.raises(ValueError, match="deny_at"):
        TextureSpec.from_json(json.dumps(told | {"deny_at": 1.5}))


def test_what_an_administrator_types_becomes_a_record():
    assert set(TOLD) == set(ADDED_KEYS)
    spec = TextureSpec.from_texts(TOLD, name="n", sha256="0" * 64, runtime=Runtime.OPENCV)
    assert (spec.scales, spec.edge, spec.activation, spec.spoof_index) == ((1.62,), Edge.REFLECT, Activation.LOGITS, 1)
    with pytest.raises(ValueError, match="scales"):
        TextureSpec.from_texts(
            {k: v for k, v in TOLD.items() if k != "scales"}, name="n", sha256="", runtime=Runtime.LITERT
        )


def test_calibrated_votes_meet_at_one_half():
    assert calibrated(0.9, 0.9) == 0.5
    assert calibrated(0.95, 0.95) == 0.5
    assert (calibrated(0.0, 0.9), calibrated(1.0, 0.9)) == (0.0, 1.0)
    assert np.diff([calibrated(x, 0.7) for x in np.linspace(0, 1, 50)]).min() > 0


@pytest.fixture
def shipped(tmp_path):
    """A copy of the shipped folder that a test may spoil."""
    for name in ("texture.json", "texture.tflite"):
        (tmp_path / name).write_bytes((files("biometric") / "weights" / name).read_bytes())
    return tmp_path


def test_changed_weights_are_not_opened(shipped):
    content = bytearray((shipped / "texture.tflite").read_bytes())
    content[-1] ^= 1
    (shipped / "texture.tflite").write_bytes(content)
    with pytest.raises(ModelDigestMismatch, match="digest"):
        TextureNet.open(shipped)


def test_missing_weights_and_a_broken_record_are_told(shipped):
    (shipped / RECORD).write_text("{}", encoding="utf-8")
    with pytest.raises(ModelMissing):
        TextureNet.open(shipped)
    with pytest.raises(ModelMissing):
        TextureNet.open(shipped / "nowhere")


def test_the_shipped_net_answers_probabilities_and_is_small():
    content = (files("biometric") / "weights" / "texture.tflite").read_bytes()
    assert len(content) <= 2_000_000
    net = TextureNet.open()
    assert hashlib.sha256(content).hexdigest() == net.spec.sha256
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 256, (100, 100, 3), dtype=np.uint8)
    scores = {net.score(picture, FACE), net.score(plain(), FACE)}
    assert len(scores) == 2
    assert all(0 <= score <= 1 for score in scores)


@pytest.mark.models
def test_living_people_s_portraits_are_not_refused(pipeline, picture):
    net = TextureNet.open()
    for name in ("person_a_1", "person_a_2", "person_b_1", "person_b_2", "astronaut"):
        image = picture(name)
        assert net.score(image, pipeline.still(image).landmarks.points) < net.spec.deny_at, name
