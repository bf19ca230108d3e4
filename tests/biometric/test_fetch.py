"""Bringing model files: by digest, whole or not at all, and quiet when all is there."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile

import numpy as np
import pytest

from biometric import fetch
from biometric.errors import ModelDigestMismatch
from biometric.fetch import ConversionRefused, Fetcher, FetchFailed
from biometric.lock import Archive, Lock
from biometric.models import ModelStore, read_site_record
from biometric.recipes import FACENET_RECIPE
from tests.biometric.test_models import CONVERTED, ELSEWHERE, SOURCE, entry, sha

MEMBER = "package/graph.pb"


def wheel(path, content=SOURCE):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def downloads(tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


@pytest.fixture
def lock(downloads):
    digest = wheel(downloads / "package-1-py3-none-any.whl")
    archive = Archive(requirement="package==1", file="package-1-py3-none-any.whl", sha256=digest, size=10)
    net = entry("net.tflite", CONVERTED, source="graph", recipe=FACENET_RECIPE)
    return Lock({"a": archive}, {"graph": entry("graph.pb", SOURCE, archive="a", member=MEMBER), "net": net}, {})


@pytest.fixture
def converted(monkeypatch):
    """TensorFlow's place is taken: the test says what it makes and how close it is."""
    answer = {"content": CONVERTED, "least_cosine": 0.9997}

    def convert(graph, made, crops, *, recipe):
        assert recipe == FACENET_RECIPE
        assert graph.read_bytes() == SOURCE
        assert crops.is_file()
        made.write_bytes(answer["content"])
        return {"tensorflow": "2.21.0", "least_cosine": answer["least_cosine"]}

    monkeypatch.setattr(fetch, "_convert", convert)
    monkeypatch.setattr(Fetcher, "_judging_crops", lambda *_: np.zeros((1, 2, 2, 3), np.float32))
    return answer


@pytest.fixture
def fetcher(tmp_path, lock, downloads):
    return Fetcher(ModelStore(tmp_path / "models", lock=lock), downloads, report=lambda *_: None)


def pip_says(monkeypatch, program):
    monkeypatch.setattr(fetch, "_pip_command", lambda archive, partial: [sys.executable, "-c", program, str(partial)])


def test_everything_is_brought_once(fetcher, converted):
    assert fetcher.fetch() == ["graph", "net"]
    assert fetcher._store.read("net") == CONVERTED
    assert fetcher.fetch() == []
    assert sorted(path.name for path in fetcher._store.folder.iterdir()) == ["graph.pb", "net.tflite"]


def test_a_changed_file_is_brought_again(fetcher, converted):
    fetcher.fetch()
    (fetcher._store.folder / "graph.pb").write_bytes(b"changed")
    assert fetcher.fetch() == ["graph"]


def test_a_file_with_another_digest_in_the_right_archive_is_refused(fetcher, lock, converted):
    lock.models["graph"] = entry("graph.pb", b"what we thought it was", archive="a", member=MEMBER)
    with pytest.raises(ModelDigestMismatch):
        fetcher.fetch()
    assert list(fetcher._store.folder.iterdir()) == []


def test_an_archive_without_the_file_is_an_error_of_ours(fetcher, lock):
    lock.models["graph"] = entry("graph.pb", SOURCE, archive="a", member="package/other.pb")
    with pytest.raises(FetchFailed):
        fetcher.fetch()


def test_another_archive_under_the_right_name_is_downloaded_again_and_refused(fetcher, downloads, monkeypatch):
    wheel(downloads / "package-1-py3-none-any.whl", b"evil")
    program = "import sys, pathlib; p = pathlib.Path(sys.argv[1], 'out'); p.mkdir(); "
    program += "(p / 'package-1-py3-none-any.whl').write_bytes(b'evil')"
    pip_says(monkeypatch, program)
    with pytest.raises(ModelDigestMismatch):
        fetcher.fetch()
    assert not list(downloads.glob(".partial-*"))


def test_pips_own_word_is_passed_on_when_it_fails(fetcher, downloads, monkeypatch):
    (downloads / "package-1-py3-none-any.whl").unlink()
    pip_says(monkeypatch, "print('ERROR: No matching distribution found'); raise SystemExit(1)")
    with pytest.raises(FetchFailed, match="No matching distribution"):
        fetcher.fetch()
    assert list(downloads.iterdir()) == []


def test_a_conversion_with_other_bytes_and_the_same_answers_is_kept_with_a_record(fetcher, converted):
    converted["content"] = ELSEWHERE
    fetcher.fetch()
    assert fetcher._store.read("net") == ELSEWHERE
    assert read_site_record(fetcher._store.folder, "net").sha256 == sha(ELSEWHERE)
    assert fetcher.fetch() == []


@pytest.mark.parametrize("cosine", [0.9989, float("nan"), -1.0])
def test_a_conversion_that_says_something_else_is_thrown_away(fetcher, converted, cosine):
    converted["least_cosine"] = cosine
    with pytest.raises(ConversionRefused):
        fetcher.fetch()
    assert [path.name for path in fetcher._store.folder.iterdir()] == ["graph.pb"]


def test_pip_is_told_to_check_digests_and_to_leave_dependencies(tmp_path, lock):
    command = fetch._pip_command(lock.archives["a"], tmp_path)
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(command)
    source = Archive(requirement="package==1", file="package-1.tar.gz", sha256="0" * 64, size=1)
    assert "--no-build-isolation" in fetch._pip_command(source, tmp_path)


def test_a_failed_conversion_is_an_error_of_ours(tmp_path):
    with pytest.raises(FetchFailed, match="conversion failed"):
        fetch._convert(tmp_path / "no.pb", tmp_path / "out.tflite", tmp_path / "no.npy", recipe=FACENET_RECIPE)


def test_the_site_record_is_what_was_measured(fetcher, converted):
    converted["content"] = ELSEWHERE
    fetcher.fetch()
    written = json.loads((fetcher._store.folder / "accepted-net.json").read_text())
    assert written["source_sha256"] == sha(SOURCE)
    assert written["least_cosine"] == 0.9997


def test_folders_that_come_and_go_while_pip_works_do_no_harm(fetcher, downloads, monkeypatch):
    (downloads / "package-1-py3-none-any.whl").unlink()
    monkeypatch.setattr(fetch, "_POLL_S", 0.0)
    pip_says(
        monkeypatch,
        "import os, shutil, sys, time; end = time.monotonic() + 0.5\n"
        "while time.monotonic() < end: os.makedirs(sys.argv[1] + '/a/b/c'); shutil.rmtree(sys.argv[1] + '/a')\n"
        "print('ERROR: gone'); sys.exit(1)",
    )
    with pytest.raises(FetchFailed, match="gone"):
        fetcher.fetch()
