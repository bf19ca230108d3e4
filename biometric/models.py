"""Model files are opened only after their digest matched; the bytes that were digested are the bytes that are parsed.

Rules:
 * The digest comes from models.lock. One exception: a file derived here (facenet, sface) may differ by CPU; then
   `facestep models fetch` leaves a site record, which is believed for that one file only, and only for the locked
   source and recipe.
 * What an administrator added (added.py) has its digest in added.json; a file added for a role that replaces a locked
   one is served in its place, and its identity then says so.
 * Nothing is downloaded, converted or unpickled here.

Not here: bringing the files (fetch.py), thresholds (calibration.py).
"""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from biometric.added import AddedModel, read_added
from biometric.errors import ModelDigestMismatch, ModelMissing
from biometric.lock import Lock, converted_identity, shipped_lock

if TYPE_CHECKING:
    from pathlib import Path

LEAST_COSINE: Final = (
    0.999  # to the source's own output; measured 0.9997 (FaceNet), 1.0000 (SFace; docs/calibration.md)
)
SERVED: Final = ("yunet", "sface", "face_mesh", "iris", "facenet")


@dataclass(frozen=True, slots=True)
class AcceptedConversion:
    """Written by `facestep models fetch` where the conversion differs from the locked bytes but is as good."""

    model: str
    sha256: str
    source_sha256: str
    recipe: str
    tensorflow: str
    least_cosine: float


class ModelStore:
    """The model files of one folder."""

    def __init__(self, models_dir: Path, *, lock: Lock | None = None) -> None:
        self.folder = models_dir.expanduser()
        self.lock = lock or shipped_lock()

    def path(self, name: str) -> Path:
        """Return where `name` lies after its digest matched. To open it use `read`, which leaves no gap."""
        self.read(name)
        return self.folder / self.lock.models[name].file

    def read(self, name: str) -> bytes:
        """Return the bytes of `name`.

        Raises:
            ModelMissing: there is no such file.
            ModelDigestMismatch: it is not the file that was measured.
        """
        entry = self.lock.models[name]
        try:
            content = (self.folder / entry.file).read_bytes()
        except OSError as exc:
            raise ModelMissing(
                f"{name}: {self.folder / entry.file} cannot be read; run `facestep models fetch`"
            ) from exc
        digest = hashlib.sha256(content).hexdigest()
        if digest != entry.sha256 and not self._accepted_here(name, digest):
            raise ModelDigestMismatch(f"{name}: {self.folder / entry.file} has digest {digest}, not {entry.sha256}")
        return content

    def serving(self, name: str) -> bytes:
        """Return the bytes of what is served as `name`: the file added for that role, else the locked one.

        Raises:
            ModelMissing, ModelDigestMismatch, AddedUnreadable: as `read` and `added`.
        """
        return self.read_added(self.added(name)[0]) if self.added(name) else self.read(name)

    def added(self, role: str | None = None) -> tuple[AddedModel, ...]:
        """Return what was added for `role` (None: for any), in the order of adding; files not yet read.

        Raises:
            AddedUnreadable: the record is malformed or not ours alone.
        """
        return tuple(model for model in read_added(self.folder) if role in {None, model.role})

    def read_added(self, model: AddedModel) -> bytes:
        """Return the bytes of an added model.

        Raises:
            ModelMissing: there is no such file.
            ModelDigestMismatch: it is not the file that was added.
        """
        return self._added_file(model, model.file, model.sha256)

    def read_source(self, model: AddedModel) -> bytes | None:
        """Return the bytes that an added model was converted from; None if they were not kept.

        Raises:
            ModelMissing, ModelDigestMismatch: as read_added.
        """
        return self._added_file(model, model.source_file, model.source_sha256) if model.source_file else None

    def _added_file(self, model: AddedModel, name: str, sha256: str) -> bytes:
        path = self.folder / name
        try:
            content = path.read_bytes()
        except OSError as exc:
            raise ModelMissing(
                f"{model.name}: {path} cannot be read; add it again or run `facestep models remove {model.name}`"
            ) from exc
        digest = hashlib.sha256(content).hexdigest()
        if digest != sha256:
            raise ModelDigestMismatch(f"{model.name}: {path} has digest {digest}, not {sha256}")
        return content

    def digests(self) -> dict[str, str]:
        """Return the identity of each served model: what references and thresholds are bound to (Lock.identity)."""
        return {name: self._identity(name) for name in SERVED}

    def _identity(self, name: str) -> str:
        added = self.added(name)
        if not added:
            return self.lock.identity(name)
        model = added[0]
        return converted_identity(model.source_sha256, model.recipe) if model.recipe else model.sha256

    def _accepted_here(self, name: str, digest: str) -> bool:
        entry = self.lock.models[name]
        if not entry.source:
            return False
        record = read_site_record(self.folder, name)
        return (
            record is not None
            and record.model == name
            and record.sha256 == digest
            and record.source_sha256 == self.lock.models[entry.source].sha256
            and record.recipe == entry.recipe
            and record.least_cosine >= LEAST_COSINE
        )


def site_record(folder: Path, model: str) -> Path:
    """Return where the site record of a model lies."""
    return folder / f"accepted-{model}.json"


def read_site_record(folder: Path, model: str) -> AcceptedConversion | None:
    """Return a model's site record; None if there is none, it is malformed, or others than its owner may write it."""
    path = site_record(folder, model)
    try:
        if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return None
        record = AcceptedConversion(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return record if isinstance(record.least_cosine, float) else None


def write_site_record(folder: Path, record: AcceptedConversion) -> None:
    """Write the site record, readable by all and writable by its owner only."""
    path = site_record(folder, record.model)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    partial.chmod(0o644)
    partial.replace(path)
