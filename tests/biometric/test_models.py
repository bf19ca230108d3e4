"""A model file is opened only if it is the one that was measured."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import pytest

from biometric.errors import ModelDigestMismatch, ModelMissing
from biometric.lock import Lock, ModelEntry, parse_lock, shipped_lock
from biometric.models import AcceptedConversion, ModelStore, site_record, write_site_record

SOURCE = b"the frozen graph"
CONVERTED = b"what TensorFlow made of it"
ELSEWHERE = b"what TensorFlow made of it on another CPU"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def entry(name, content, **origin):
    words = dict.fromkeys(("licence", "origin", "input", "output", "preprocessing"), "-")
    return ModelEntry(file=name, sha256=sha(content), size=len(content), **words, **origin)


@pytest.fixture
def lock():
    return Lock(
        archives={},
        models={
            "graph": entry("graph.pb", SOURCE, archive="a", member="m"),
            "net": entry("net.tflite", CONVERTED, source="graph", recipe="r1"),
        },
        pictures={},
    )


@pytest.fixture
def store(tmp_path, lock):
    (tmp_path / "graph.pb").write_bytes(SOURCE)
    (tmp_path / "net.tflite").write_bytes(CONVERTED)
    return ModelStore(tmp_path, lock=lock)


def record(**changes):
    honest = {"model": "net", "sha256": sha(ELSEWHERE), "source_sha256": sha(SOURCE), "recipe": "r1"}
    return AcceptedConversion(**(honest | {"tensorflow": "2.21.0", "least_cosine": 0.9996} | changes))


def test_the_right_bytes_are_given(store):
    assert store.read("net") == CONVERTED
    assert store.path("net").read_bytes() == CONVERTED


def test_a_missing_file_is_named_with_what_to_do(store):
    (store.folder / "net.tflite").unlink()
    with pytest.raises(ModelMissing, match="facestep models fetch"):
        store.read("net")


@pytest.mark.parametrize("at", [0, 7, len(CONVERTED) - 1])
def test_one_changed_byte_is_refused(store, at):
    changed = bytearray(CONVERTED)
    changed[at] ^= 1
    (store.folder / "net.tflite").write_bytes(changed)
    with pytest.raises(ModelDigestMismatch):
        store.read("net")
    with pytest.raises(ModelDigestMismatch):
        store.path("net")


@pytest.mark.parametrize("content", [b"", CONVERTED + b"\0", CONVERTED[:-1]])
def test_a_longer_or_shorter_file_is_refused(store, content):
    (store.folder / "net.tflite").write_bytes(content)
    with pytest.raises(ModelDigestMismatch):
        store.read("net")


def test_a_conversion_judged_here_is_believed(store):
    (store.folder / "net.tflite").write_bytes(ELSEWHERE)
    write_site_record(store.folder, record())
    assert store.read("net") == ELSEWHERE


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "graph"},
        {"sha256": sha(b"other bytes")},
        {"source_sha256": sha(b"another graph")},
        {"recipe": "r0"},
        {"least_cosine": 0.9989},
        {"least_cosine": float("nan")},
    ],
)
def test_a_site_record_for_anything_else_is_not_believed(store, changes):
    (store.folder / "net.tflite").write_bytes(ELSEWHERE)
    wrong = record(**changes)
    write_site_record(store.folder, wrong)
    site_record(store.folder, wrong.model).rename(site_record(store.folder, "net"))
    with pytest.raises(ModelDigestMismatch):
        store.read("net")


def test_each_converted_file_has_a_record_of_its_own(store, lock):
    lock.models["second"] = entry("second.tflite", CONVERTED, source="graph", recipe="r1")
    for name in ("net", "second"):
        (store.folder / f"{name}.tflite").write_bytes(ELSEWHERE)
        write_site_record(store.folder, record(model=name))
    assert [store.read(name) for name in ("net", "second")] == [ELSEWHERE, ELSEWHERE]


def test_a_site_record_never_covers_a_file_from_an_archive(store):
    (store.folder / "graph.pb").write_bytes(ELSEWHERE)
    write_site_record(store.folder, record(model="graph"))
    with pytest.raises(ModelDigestMismatch):
        store.read("graph")


def test_a_site_record_that_others_may_write_is_not_believed(store):
    (store.folder / "net.tflite").write_bytes(ELSEWHERE)
    write_site_record(store.folder, record())
    (store.folder / "accepted-net.json").chmod(0o666)
    with pytest.raises(ModelDigestMismatch):
        store.read("net")


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"model": "net"}', '{"unknown": 1}'])
def test_a_malformed_site_record_is_none(store, text):
    (store.folder / "net.tflite").write_bytes(ELSEWHERE)
    (store.folder / "accepted-net.json").write_text(text)
    with pytest.raises(ModelDigestMismatch):
        store.read("net")


def test_what_references_are_bound_to_follows_the_source_and_the_recipe(lock):
    same = lock.identity("net")
    lock.models["net"] = entry("net.tflite", ELSEWHERE, source="graph", recipe="r1")
    assert lock.identity("net") == same
    lock.models["net"] = entry("net.tflite", ELSEWHERE, source="graph", recipe="r2")
    assert lock.identity("net") != same
    assert lock.identity("graph") == sha(SOURCE)


def test_the_shipped_lock_is_whole():
    lock = shipped_lock()
    assert {"yunet", "sface_onnx", "sface", "face_mesh", "iris", "facenet_graph", "facenet"} == set(lock.models)
    assert len(lock.pictures) == 6


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('sha256 = "49f0', 'sha256 = "49F0'),
        ('archive = "mediapipe"', 'archive = "elsewhere"'),
        ('recipe = "litert-dynamic-int8-v1"\n', ""),
        ('source = "facenet_graph"', 'source = "nothing"'),
        ('licence = "Apache-2.0"', 'license = "Apache-2.0"'),
    ],
)
def test_a_lock_that_is_not_whole_is_refused(old, new):
    text = (files("biometric") / "models.lock").read_text()
    assert old in text
    with pytest.raises((ValueError, TypeError)):
        parse_lock(text.replace(old, new, 1))
