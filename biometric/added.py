"""added.json: model files that an administrator has put beside the locked ones, by digest.

Rules:
 * The record lies in the models folder and names each file with its digest; a file whose digest differs is never
   opened. A record that is malformed, or that others than its owner may write, stops the start: a net that was to vote
   must not drop out unseen.
 * Nothing here loads a net. What a net may be added for, and what it must be able to do then, is in roles.py.

Not here: the locked files (lock.py, models.py), adding and removing (adding.py).
"""

from __future__ import annotations

import json
import re
import stat
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from biometric.errors import CannotTell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RECORD: Final = "added.json"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_FILE: Final = re.compile(r"added_[a-z]+_[0-9a-f]{12}\.[a-z]+")


class AddedUnreadable(CannotTell):
    """The record of added models cannot be trusted; nothing is opened."""

    code = "added_unreadable"


@dataclass(frozen=True, slots=True)
class AddedModel:
    """One file that an administrator added.

    Attributes:
        role: what it does, a key of roles.ROLES.
        file: its name in the models folder.
        sha256: its digest.
        size: bytes.
        origin: where it is from, in the administrator's words.
        source_sha256: digest of the file that was given; differs from `sha256` if that was converted.
        recipe: how it was converted, or empty.
        input: shape and meaning of the input, as checked.
        output: shape and meaning of the output, as checked.
        metadata: what the role needs to know besides (roles.Role.metadata).
        added_on: ISO date.
        source_file: the name in the models folder of the file that was given, where that is kept: what was converted
            has gradients, and the disagreement detector is trained with them. Empty if it is not.
    """

    role: str
    file: str
    sha256: str
    size: int
    origin: str
    source_sha256: str
    recipe: str
    input: str
    output: str
    metadata: dict[str, str]
    added_on: str
    source_file: str = ""

    @property
    def name(self) -> str:
        """How commands and reports call it."""
        return f"{self.role}-{self.sha256[:12]}"


def read_added(folder: Path) -> tuple[AddedModel, ...]:
    """Return what the record in `folder` names; () if there is no record.

    Raises:
        AddedUnreadable: it is malformed, or others than its owner may write it.
    """
    path = folder / RECORD
    try:
        if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise AddedUnreadable(f"{path} may be written by others than its owner; run `chmod 644` on it")
        table = json.loads(path.read_text(encoding="utf-8"))
        models = tuple(AddedModel(**entry) for entry in table["models"])
        for model in models:
            _check(model)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise AddedUnreadable(f"{path} cannot be read: {exc!r}") from exc
    return models


def write_added(folder: Path, models: Sequence[AddedModel]) -> None:
    """Write the record, readable by all and writable by its owner only."""
    partial = folder / (RECORD + ".partial")
    partial.write_text(json.dumps({"models": [asdict(model) for model in models]}, indent=2) + "\n", encoding="utf-8")
    partial.chmod(0o644)
    partial.replace(folder / RECORD)


def _check(model: AddedModel) -> None:
    if not isinstance(model.metadata, dict) or not isinstance(model.size, int):
        raise TypeError("metadata must be a table and size a number")
    for name in (model.file, model.source_file) if model.source_file != "" else (model.file,):
        if not _FILE.fullmatch(name):  # no way out of the folder
            raise ValueError(f"not a file name of ours: {name!r}")
    for digest in (model.sha256, model.source_sha256):
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"not a SHA-256 digest: {digest!r}")
