"""Adding a texture net: what is told of it is tried out on the locked portraits before it is believed."""

import hashlib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from biometric.added import AddedModel, AddedUnreadable, write_added
from biometric.errors import ModelDigestMismatch
from biometric.models import ModelStore
from biometric.roles import ModelUnfit, Offer
from biometric.texture import RECORD, TextureNet, TextureSpec, texture_columns
from biometric.texture_role import added_nets, prepare_texture

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


@pytest.fixture
def store(tmp_path, told):
    """A models folder to which two nets were added: the shipped one, once as it is and once under another threshold."""
    models = []
    for number, deny_at in enumerate((told["deny_at"], "0.5")):
        name = f"added_texture_{number:012x}.tflite"
        (tmp_path / name).write_bytes(SHIPPED)
        digest = hashlib.sha256(SHIPPED).hexdigest()
        said = told | {"deny_at": deny_at}
        models.append(AddedModel("texture", name, digest, len(SHIPPED), "", digest, "", "", "", said, "2026-01-01"))
    write_added(tmp_path, models)
    return ModelStore(tmp_path)


def test_added_nets_vote_on_the_scale_on_which_one_half_is_sure(store):
    nets = added_nets(store)
    image, points = np.full((100, 100, 3), 90, np.uint8), np.array([[30, 30], [70, 70]], np.float32)
    own = TextureNet.open()
    columns = texture_columns(image, points, own, nets)
    assert columns["texture"] == own.score(image, points)
    assert columns["texture_extra"] == max(net.vote(image, points) for net in nets) == nets[1].vote(image, points)
    assert set(texture_columns(image, points, own)) == {"texture"}


def test_a_changed_added_net_is_not_opened(store):
    path = store.folder / store.added("texture")[1].file
    path.write_bytes(SHIPPED[:-1] + b"x")
    with pytest.raises(ModelDigestMismatch):
        added_nets(store)


def test_an_added_net_whose_record_is_not_whole_stops_the_start(store):
    models = [replace(model, metadata={}) for model in store.added("texture")]
    write_added(store.folder, models)
    with pytest.raises(AddedUnreadable, match="not told"):
        added_nets(store)
