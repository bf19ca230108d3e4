"""Adding and removing model files of one's own.

Steps of `add`, each of which may refuse:
 1. the role is known, and so are all its metadata, and no others
 2. the file can be read and has a suffix of the role
 3. it has the expected digest, if one was given
 4. there is room for one more of this role, and this very file is not there yet
 5. it does what the role needs (roles.py)
Then the file is written under a name of ours, then what it was converted from (gradients for the detector's training
need that), then the record; a file without a record is never opened.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from biometric.added import AddedModel, read_added, write_added
from biometric.errors import ModelDigestMismatch, ModelMissing
from biometric.files import write_whole
from biometric.roles import ROLES, ModelUnfit, Offer, Role

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from biometric.fetch import Fetcher
    from biometric.models import ModelStore

MOST_BYTES: Final = 500_000_000


def add_model(
    store: ModelStore,
    fetcher: Fetcher,
    *,
    role: str,
    path: Path,
    origin: str,
    added_on: str,
    metadata: Mapping[str, str],
    expected_sha256: str | None = None,
) -> AddedModel:
    """Add `path` for `role`; see the steps above.

    Raises:
        ModelUnfit, ModelMissing, ModelDigestMismatch, FetchFailed, ConversionRefused, AddedUnreadable: nothing changed.
    """
    wanted = _role(role, metadata)  # (1)
    content = _content(path, wanted)  # (2)
    digest = hashlib.sha256(content).hexdigest()
    if expected_sha256 is not None and digest != expected_sha256.lower():  # (3)
        raise ModelDigestMismatch(f"{path} has digest {digest}, not {expected_sha256}")
    others = read_added(store.folder)
    alike = [model for model in others if model.role == role]
    _check_room(alike, wanted, path, digest)  # (4)
    offer = Offer(path, content, metadata, portraits=fetcher.judging_crops, convert=fetcher.convert)
    prepared = wanted.prepare(offer)  # (5)
    made = AddedModel(
        role=role,
        file=_file_name(role, prepared.content, prepared.suffix),
        sha256=hashlib.sha256(prepared.content).hexdigest(),
        size=len(prepared.content),
        origin=origin,
        source_sha256=digest,
        recipe=prepared.recipe,
        input=prepared.input,
        output=prepared.output,
        metadata=dict(metadata),
        added_on=added_on,
        source_file=_file_name(role, content, path.suffix) if prepared.recipe else "",
    )
    _write_files(store.folder, made, content=prepared.content, source=content)
    write_added(store.folder, [*others, made])
    return made


def remove_model(store: ModelStore, name: str) -> AddedModel:
    """Take `name` out of the record and delete its file.

    Raises:
        ModelMissing: no such model was added.
    """
    models = read_added(store.folder)
    chosen = [model for model in models if model.name == name]
    if not chosen:
        known = ", ".join(model.name for model in models) or "none"
        raise ModelMissing(f"no added model is called {name} (added: {known})")
    write_added(store.folder, [model for model in models if model.name != name])
    for file in filter(None, (chosen[0].file, chosen[0].source_file)):
        (store.folder / file).unlink(missing_ok=True)
    return chosen[0]


def _write_files(folder: Path, made: AddedModel, *, content: bytes, source: bytes) -> None:
    write_whole(folder / made.file, content)
    if made.source_file:
        write_whole(folder / made.source_file, source)


def _role(name: str, metadata: Mapping[str, str]) -> Role:
    if name not in ROLES:
        raise ModelUnfit(f"there is no role {name!r}; there are {', '.join(ROLES)}")
    role = ROLES[name]
    missing = sorted(set(role.metadata) - set(metadata))
    unknown = sorted(set(metadata) - set(role.metadata))
    if missing:
        raise ModelUnfit(f"say --meta {missing[0]}=…: {role.metadata[missing[0]]}")
    if unknown:
        raise ModelUnfit(f"role {name} knows no {unknown[0]!r}; it knows {', '.join(role.metadata) or 'none'}")
    return role


def _check_room(alike: list[AddedModel], role: Role, path: Path, digest: str) -> None:
    if any(digest in {model.sha256, model.source_sha256} for model in alike):
        raise ModelUnfit(f"{path} is added already")
    if len(alike) >= role.most:
        raise ModelUnfit(f"{alike[0].name} has this role; `facestep models remove {alike[0].name}` first")


def _content(path: Path, role: Role) -> bytes:
    if path.suffix not in role.suffixes:
        raise ModelUnfit(f"{path.name}: this role takes {' or '.join(role.suffixes)}")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ModelUnfit(f"{path} has more than {MOST_BYTES // 1_000_000} MB")
        return path.read_bytes()
    except OSError as exc:
        raise ModelMissing(f"{path} cannot be read: {exc.strerror or exc}") from exc


def _file_name(role: str, content: bytes, suffix: str) -> str:
    return f"added_{role}_{hashlib.sha256(content).hexdigest()[:12]}{suffix}"
