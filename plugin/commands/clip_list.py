"""The list of `facestep evaluate ceremony`: a CSV, one row a clip.

Rules:
 * The whole list is understood before the first clip is played. What is not understood is refused with its line; a
   label that means nothing must not become an attack, nor a misspelt column be left out.
 * Paths are absolute, or lie beside the list, or else in the working folder. Whether they can be opened shows when the
   clip is played.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from biometric.evaluation.ceremony import ATTACK, GENUINE, ClipRow
from biometric.liveness.challenge import parse_steps
from plugin.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLUMNS: Final = ("clip", "reference", "label", "species", "steps")
NEEDED: Final = ("clip", "reference", "label", "steps")


class ClipListError(ServiceError):
    """The list cannot be understood; the detail says where."""

    def __init__(self, detail: str) -> None:
        super().__init__("clips_invalid", detail)


def read_rows(path: Path) -> list[ClipRow]:
    """Return the rows of the list.

    Raises:
        ClipListError: something in it is not understood.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle, skipinitialspace=True, strict=True)
            columns = _columns(path, next(reader, []))
            rows = [
                _row(columns, cells, folder=path.parent, where=f"{path}, line {line}") for line, cells in _lines(reader)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise ClipListError(f"{path} cannot be read: {exc}") from exc
    if not rows:
        raise ClipListError(f"{path} holds no clip")
    return rows


def _columns(path: Path, header: Sequence[str]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    for name in NEEDED:
        if name not in columns:
            raise ClipListError(f"{path} has no column {name!r}")
    for name in columns:
        if name not in COLUMNS:
            raise ClipListError(f"{path} has an unknown column {name!r}; known ones are {', '.join(COLUMNS)}")
        if columns.count(name) > 1:
            raise ClipListError(f"{path} has the column {name!r} twice")
    return columns


def _lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _row(columns: Sequence[str], cells: Sequence[str], *, folder: Path, where: str) -> ClipRow:
    if len(cells) > len(columns):
        raise ClipListError(f"{where}: {len(cells)} cells under {len(columns)} columns")
    row = dict.fromkeys(COLUMNS, "") | {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
    for name in NEEDED:
        if not row[name]:
            raise ClipListError(f"{where}: no {name}")
    label = row["label"].lower()
    if label not in {GENUINE, ATTACK}:
        raise ClipListError(f"{where}: unknown label {row['label']!r}; it must be {GENUINE} or {ATTACK}")
    try:
        parse_steps(row["steps"])
    except ValueError as exc:
        raise ClipListError(f"{where}: steps {row['steps']!r}: {exc}") from exc
    return ClipRow(
        clip=row["clip"],
        clip_path=_located(row["clip"], folder),
        reference_path=_located(row["reference"], folder),
        label=label,
        species=row["species"],
        steps=row["steps"],
    )


def _located(name: str, folder: Path) -> Path:
    beside = folder / name
    return beside if beside.exists() or not Path(name).exists() else Path(name)
