"""Adding a texture net: what is told of it is tried out on the locked portraits before it is believed."""

from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from biometric.errors import ModelDigestMismatch
from biometric.roles import ModelUnfit, Offer
from biometric.texture import RECORD, TextureSpec
from biometric.texture_role import added_net, prepare_texture

WEIGHTS = files("biometric") / "weights"
SHIPPED = (WEIGHTS / "texture.tflite").read_bytes()


@pytest.fixture
def told():
    """What an administrator would say of the shipped net, were it theirs."""
    spec = TextureSpec.from_json((WEIGHTS / RECORD).read_text(encoding="utf-8"))
    return {
        "size": str(spec.size),
        "scales": ",".join(str(scale) for scale in spec.scales),
        "channels": spec.channels,
        "low": str(spec.low),
        "high": str(spec.high),
        "edge": spec.edge,
        "activation": spec.activation,
        "spoof_index": str(spec.spoof_index),
        "deny_at": str(spec.deny_at),
    }


@pytest.fixture
def offer(picture):
    """Offers as `facestep models add` makes them; FaceNet's inputs stand in for its portraits."""

    def portraits():
        found = [cv2.resize(picture(name), (160, 160))[..., ::-1] for name in ("person_a_1", "person_b_1", "astronaut")]
        return ((np.array(found, np.float32) - 127.5) / 128).astype(np.float32)

    def make(metadata, content=SHIPPED, name="net.tflite"):
        return Offer(Path(name), content, metadata, portraits=portraits, convert=lambda *_: {})

    return make


def test_a_net_that_answers_as_told_is_taken(offer, told):
    prepared = prepare_texture(offer(told))
    assert prepared.content == SHIPPED
    assert prepared.input == "96x96x6 float32 RGB, 0 to 1"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"size": "128"}, "no answer"),
        ({"scales": "2.0"}, "no answer"),
        ({"spoof_index": "3"}, "no answer"),
        ({"channels": "grey"}, "no answer"),
        ({"deny_at": "0"}, "no answer"),
        ({"low": "-90000", "high": "-80000"}, "whatever it sees|probabilities|sure that every"),
    ],
)
def test_what_was_told_wrongly_is_refused(offer, told, wrong, reason):
    with pytest.raises(ModelUnfit, match=reason):
        prepare_texture(offer(told | wrong))


def test_something_unsaid_is_refused(offer, told):
    del told["edge"]
    with pytest.raises(ModelUnfit, match="edge"):
        prepare_texture(offer(told))


@pytest.mark.parametrize("name", ["net.tflite", "net.onnx"])
def test_a_file_that_is_no_net_is_refused(offer, told, name):
    with pytest.raises(ModelUnfit, match="no answer"):
        prepare_texture(offer(told, content=b"not a net at all", name=name))


def test_an_added_net_is_opened_by_digest(told):
    with pytest.raises(ModelDigestMismatch):
        added_net(SHIPPED + b"x", told, name="texture-1", sha256="0" * 64, suffix=".tflite")
