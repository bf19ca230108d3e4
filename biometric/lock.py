"""models.lock, read strictly: every file we open, with its digest and where it comes from.

Rules:
 * An unknown key or a malformed digest is a broken package, not a setting: it raises at once.
 * An entry is taken out of an archive (`archive` + `member`) or derived from another entry (`source` + `recipe`).

Not here: opening the files (models.py), bringing them (fetch.py).
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Archive:
    """A distribution on the package index. The platform fields are empty for one that fits everywhere."""

    requirement: str
    file: str
    sha256: str
    size: int
    python_version: str = ""
    abi: str = ""
    platform: str = ""

    @property
    def is_source(self) -> bool:
        """True for a source distribution."""
        return self.file.endswith(".tar.gz")

    @property
    def label(self) -> str:
        """What a person is told while it is downloaded."""
        return f"{self.requirement} (source)" if self.is_source else self.requirement


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model file. `archive`/`member` or `source`/`recipe` is set, never both."""

    file: str
    sha256: str
    size: int
    licence: str
    origin: str
    input: str
    output: str
    preprocessing: str
    archive: str = ""
    member: str = ""
    source: str = ""
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture on which a conversion is judged."""

    archive: str
    member: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Lock:
    """The whole of models.lock."""

    archives: dict[str, Archive]
    models: dict[str, ModelEntry]
    pictures: dict[str, Picture]

    def identity(self, name: str) -> str:
        """Return what references and thresholds are bound to.

        For a file from an archive that is its digest. For a derived file it is the digest of its source and the
        recipe, since another CPU may round a constant differently while the model stays the same one.
        """
        entry = self.models[name]
        if not entry.source:
            return entry.sha256
        return converted_identity(self.models[entry.source].sha256, entry.recipe)


def converted_identity(source_sha256: str, recipe: str) -> str:
    """Return the identity of whatever `recipe` makes of the file with this digest."""
    return hashlib.sha256(f"{source_sha256}:{recipe}".encode()).hexdigest()


def parse_lock(text: str) -> Lock:
    """Return the lock in `text`; raise ValueError (or TypeError for an unknown key) if it is not whole."""
    tables = tomllib.loads(text)
    lock = Lock(
        archives={name: Archive(**table) for name, table in tables["archives"].items()},
        models={name: ModelEntry(**table) for name, table in tables["models"].items()},
        pictures={name: Picture(**table) for name, table in tables["pictures"].items()},
    )
    digests = [archive.sha256 for archive in lock.archives.values()]
    digests += [model.sha256 for model in lock.models.values()]
    digests += [picture.sha256 for picture in lock.pictures.values()]
    for digest in digests:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"not a SHA-256 digest: {digest!r}")
    for name, model in lock.models.items():
        if model.source:
            if model.archive or model.source not in lock.models or not model.recipe:
                raise ValueError(f"model {name} must have one origin")
        elif model.archive not in lock.archives or not model.member:
            raise ValueError(f"model {name} must have one origin")
    return lock


@cache
def shipped_lock() -> Lock:
    """Return the lock that this package was measured with."""
    return parse_lock((files("biometric") / "models.lock").read_text(encoding="utf-8"))
