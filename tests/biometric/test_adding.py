"""A model file of one's own: by digest, checked before it is written, and never opened without its record."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from biometric import adding, fetch, roles
from biometric.added import RECORD, AddedUnreadable, read_added
from biometric.adding import add_model, remove_model
from biometric.errors import ModelDigestMismatch, ModelMissing
from biometric.lock import Lock, converted_identity
from biometric.models import SERVED, ModelStore
from biometric.roles import FACENET_RECIPE, ModelUnfit, Prepared, Role, prepare_facenet
from tests.biometric.test_models import entry, sha

CONTENT = b"a net of our own"


def as_given(offer):
    if offer.content.startswith(b"bad"):
        raise ModelUnfit("it says nothing")
    return Prepared(offer.content, ".net", "", input="-", output="-")


@pytest.fixture(autouse=True)
def vote(monkeypatch):
    """A role of the test's own, which takes two files and wants one word about each."""
    role = Role("a vote", (".net",), most=2, replaces="", metadata={"live": "which output"}, prepare=as_given)
    facenet = Role("faces", (".net",), most=1, replaces="facenet", metadata={}, prepare=as_given)
    monkeypatch.setattr(adding, "ROLES", {"vote": role, "facenet": facenet})


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    lock = Lock({}, {name: entry(f"{name}.bin", name.encode(), archive="a", member="m") for name in SERVED}, {})
    for name in SERVED:
        (folder / f"{name}.bin").write_bytes(name.encode())
    return ModelStore(folder, lock=lock)


class NoFetcher:
    """Nothing here needs portraits or a conversion."""

    judging_crops = convert = None


@pytest.fixture
def add(store, tmp_path):
    def added(content=CONTENT, role="vote", name="mine.net", metadata=None, **more):
        path = tmp_path / name
        path.write_bytes(content)
        said = {"live": "1"} if metadata is None and role == "vote" else metadata or {}
        words = {"origin": "-", "added_on": "2025-01-01", "metadata": said} | more
        return add_model(store, NoFetcher(), role=role, path=path, **words)

    return added


def test_an_added_file_is_found_by_its_role_and_read_by_its_digest(store, add):
    made = add()
    (found,) = store.added("vote")
    assert found == made
    assert found.metadata == {"live": "1"}
    assert store.read_added(found) == CONTENT
    assert store.added("facenet") == ()


def test_a_changed_file_is_not_opened(store, add):
    made = add()
    (store.folder / made.file).write_bytes(CONTENT + b"!")
    with pytest.raises(ModelDigestMismatch, match=made.name):
        store.read_added(made)
    (store.folder / made.file).unlink()
    with pytest.raises(ModelMissing, match="models remove"):
        store.read_added(made)


def test_one_that_replaces_a_locked_file_is_served_and_changes_its_identity(store, add):
    before = store.digests()
    add(role="facenet")
    assert store.serving("facenet") == CONTENT
    assert store.read("facenet") == b"facenet"
    assert store.serving("sface") == b"sface"
    assert store.digests() == before | {"facenet": sha(CONTENT)}


def test_a_converted_file_is_known_by_what_it_was_made_of(store, add, monkeypatch):
    role = Role("-", (".net",), 1, "facenet", {}, lambda _: Prepared(b"made", ".net", "r1", input="-", output="-"))
    monkeypatch.setitem(adding.ROLES, "facenet", role)
    made = add(role="facenet")
    assert (made.sha256, made.source_sha256) == (sha(b"made"), sha(CONTENT))
    assert store.digests()["facenet"] == converted_identity(sha(CONTENT), "r1")
    assert store.read_source(made) == CONTENT


def test_what_a_file_was_converted_from_is_kept_by_digest_and_goes_with_it(store, add, monkeypatch):
    role = Role("-", (".net",), 1, "facenet", {}, lambda _: Prepared(b"made", ".net", "r1", input="-", output="-"))
    monkeypatch.setitem(adding.ROLES, "facenet", role)
    made = add(role="facenet")
    (store.folder / made.source_file).write_bytes(CONTENT + b"!")
    with pytest.raises(ModelDigestMismatch, match=made.name):
        store.read_source(made)
    remove_model(store, made.name)
    assert not list(store.folder.glob("added_*"))


def test_what_was_not_converted_is_not_kept_twice(store, add):
    made = add(role="facenet")
    assert store.read_source(made) is None
    assert len(list(store.folder.glob("added_*"))) == 1


def test_a_record_from_before_sources_were_kept_is_still_read(store, add):
    made = add(role="facenet")
    table = json.loads((store.folder / RECORD).read_text())
    del table["models"][0]["source_file"]
    (store.folder / RECORD).write_text(json.dumps(table))
    assert store.added("facenet") == (made,)


def test_removing_brings_the_locked_file_back(store, add):
    before = store.digests()
    made = add(role="facenet")
    remove_model(store, made.name)
    assert store.digests() == before
    assert store.serving("facenet") == b"facenet"
    assert not (store.folder / made.file).exists()
    with pytest.raises(ModelMissing, match="added: none"):
        remove_model(store, made.name)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"role": "nothing"}, ModelUnfit, "there are vote, facenet"),
        ({"metadata": {}}, ModelUnfit, "--meta live=…: which output"),
        ({"metadata": {"live": "1", "other": "2"}}, ModelUnfit, "knows no 'other'"),
        ({"name": "mine.onnx"}, ModelUnfit, "takes .net"),
        ({"expected_sha256": "0" * 64}, ModelDigestMismatch, sha(CONTENT)),
        ({"content": b"bad"}, ModelUnfit, "says nothing"),
    ],
    ids=["role", "missing word", "unknown word", "suffix", "digest", "unfit"],
)
def test_what_is_not_right_changes_nothing(store, add, changes, error, says):
    before = sorted(store.folder.iterdir())
    with pytest.raises(error, match=says):
        add(**changes)
    assert sorted(store.folder.iterdir()) == before


def test_the_same_file_twice_and_one_too_many_are_refused(add):
    add()
    with pytest.raises(ModelUnfit, match="added already"):
        add()
    add(b"a second")
    with pytest.raises(ModelUnfit, match="models remove"):
        add(b"a third")


def test_a_file_that_is_not_there_is_one_clear_line(store, tmp_path):
    with pytest.raises(ModelMissing, match="No such file"):
        add_model(
            store,
            NoFetcher(),
            role="facenet",
            path=tmp_path / "none.net",
            origin="-",
            added_on="-",
            metadata={},
        )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda table: table["models"][0].update(file="../outside.net"),
        lambda table: table["models"][0].update(source_file="../outside.pb"),
        lambda table: table["models"][0].update(source_file=None),
        lambda table: table["models"][0].update(sha256="short"),
        lambda table: table["models"][0].update(unknown=1),
        lambda table: table["models"][0].pop("role"),
        lambda table: table["models"][0].update(metadata=None),
        lambda table: table.pop("models"),
    ],
    ids=["a way out", "another way out", "no name", "digest", "unknown key", "missing key", "metadata", "nothing"],
)
def test_a_record_that_is_not_whole_stops_everything(store, add, spoil):
    add()
    record = store.folder / RECORD
    table = json.loads(record.read_text())
    spoil(table)
    record.write_text(json.dumps(table))
    with pytest.raises(AddedUnreadable):
        store.digests()


def test_a_record_that_others_may_write_is_not_believed(store, add):
    add()
    (store.folder / RECORD).chmod(0o666)
    with pytest.raises(AddedUnreadable, match="chmod 644"):
        read_added(store.folder)


TINY = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
tf.disable_control_flow_v2()
with tf.Graph().as_default() as graph:
    queue = tf.FIFOQueue(4, [tf.float32], shapes=[(160, 160, 3)])
    crop = tf.identity(queue.dequeue_up_to(2), "input")
    training = tf.placeholder(tf.bool, (), "phase_train")
    small = tf.reshape(tf.nn.avg_pool2d(crop, 40, 40, "VALID"), (-1, 48))
    weights = tf.constant(np.random.default_rng(1).normal(size=(48, SIZE)), tf.float32)
    noisy = tf.cond(training, lambda: small * 0.0, lambda: small)
    tf.matmul(noisy, weights, name="embeddings")
    open(sys.argv[1], "wb").write(graph.as_graph_def().SerializeToString())
"""


@pytest.fixture(scope="module")
def tiny_graph(tmp_path_factory):
    """Return a function that makes a graph as the training code freezes it: queue and training switch left in."""
    folder = tmp_path_factory.mktemp("graphs")

    def make(size=512):
        path = folder / f"tiny_{size}.pb"
        if not path.exists():
            script = TINY.replace("SIZE", str(size))
            subprocess.run([sys.executable, "-c", script, str(path)], check=True, capture_output=True, timeout=300)
        return path

    return make


@pytest.fixture(scope="module")
def converted(tiny_graph, tmp_path_factory):
    """Return a function that converts one of them as the product does; (answer, bytes)."""
    if find_spec("tensorflow") is None:
        pytest.skip("the extra 'convert' is not installed")

    folder = tmp_path_factory.mktemp("converted")

    def convert(size=512):
        np.save(folder / "crops.npy", portraits())
        answer = fetch._convert(
            tiny_graph(size), folder / f"{size}.tflite", folder / "crops.npy", recipe=FACENET_RECIPE
        )
        return answer, (folder / f"{size}.tflite").read_bytes()

    return convert


def portraits():
    return np.random.default_rng(4).uniform(-1, 1, size=(6, 160, 160, 3)).astype(np.float32)


def test_a_graph_with_a_training_switch_and_an_open_batch_is_converted_for_use(converted):
    answer, content = converted()
    assert answer["least_cosine"] > 0.99
    vector = roles.LiteNet(content).run(portraits()[0])[0]
    assert vector.shape == (1, 512)
    assert np.linalg.norm(vector) > 0  # with the switch set to training it would be all zeros


def offered(tmp_path, content, pictures):
    return roles.Offer(tmp_path / "net.tflite", content, {}, portraits=lambda: pictures, convert=None)


def test_a_net_that_tells_no_portraits_apart_is_refused(converted, tmp_path):
    with pytest.raises(ModelUnfit, match="apart"):
        prepare_facenet(offered(tmp_path, converted()[1], portraits()))


def test_a_net_that_answers_another_size_is_refused(converted, tmp_path):
    with pytest.raises(ModelUnfit, match="no output of 512"):
        prepare_facenet(offered(tmp_path, converted(128)[1], portraits()))


def test_a_net_that_tells_them_apart_is_taken_as_it_is(converted, tmp_path):
    pictures = portraits()
    pictures[1], pictures[3] = pictures[0], pictures[2]
    content = converted()[1]
    assert prepare_facenet(offered(tmp_path, content, pictures)).content == content


def test_bytes_that_are_no_net_are_refused(tmp_path):
    with pytest.raises(ModelUnfit, match="LiteRT cannot open it"):
        prepare_facenet(offered(tmp_path, b"no net at all", portraits()))


@pytest.mark.models
def test_a_net_of_another_shape_is_refused(tmp_path, models_dir):
    mesh = ModelStore(models_dir).read("face_mesh")
    with pytest.raises(ModelUnfit, match="its input is"):
        prepare_facenet(offered(tmp_path, mesh, portraits()))


@pytest.mark.models
def test_the_shipped_graph_is_not_added_a_second_time(tmp_path, models_dir):
    offer = roles.Offer(tmp_path / "g.pb", ModelStore(models_dir).read("facenet_graph"), {}, portraits, None)
    with pytest.raises(ModelUnfit, match="in use already"):
        prepare_facenet(offer)
