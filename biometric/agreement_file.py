"""agreement.json: where a detector lies, how its arrays are written, and what a whole one holds.

Rules:
 * Written by `facestep train agreement` (or by `facestep calibrate`, which calls it) and by nobody's hand: `id` is a
   digest of everything else.
 * The shipped one lies in this package. One for a calibration of somebody's own lies beside that file and names it; an
   old one, or one of another calibration, is not believed there (Agreement.check).
 * What a file lacks is noticed when it is read, at the start, and not at the first login: shapes, and numbers that are
   not finite. A threshold that is not a number would never deny.

Not here: what the numbers mean (agreement.py), how they come about (training/agreement.py).
"""

from __future__ import annotations

import base64
import json
import math
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.errors import CalibrationMismatch
from biometric.types import FACENET, SFACE, VECTOR_SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from biometric.types import Floats

ARRAYS: Final = ("facenet_mean", "sface_mean", "map", "scale", "hidden", "output")
MOMENTS: Final = ("facenet", "sface", "promised", "recalled")


def agreement_path(calibration: Path) -> Path:
    """Return where the detector of this calibration file lies."""
    return calibration.with_name(calibration.stem + ".agreement.json")


def beside(calibration: Path | None) -> Path | None:
    """Return the detector's file beside a calibration file; None if there is none, or no such calibration.

    A name that is there and leads nowhere counts: reading it then fails, and the shipped one does not take its place.
    """
    if calibration is None:
        return None
    path = agreement_path(calibration)
    return path if path.exists() or path.is_symlink() else None


def advice(calibration: Path | None) -> str:
    """Return what an administrator does about a detector that does not fit, as the end of a sentence."""
    if calibration is None:
        return "make one with `facestep train agreement`"
    return f"make one: `facestep train agreement --images FACES --calibration {calibration}`"


def read(path: Path) -> str:
    """Return what the file says. Raises CalibrationMismatch."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as exc:
        raise CalibrationMismatch(f"the disagreement detector cannot be read: {exc!r}") from exc


def shipped() -> str:
    """Return what the shipped file says. Raises CalibrationMismatch."""
    try:
        return (files("biometric") / "agreement.json").read_text(encoding="utf-8")
    except OSError as exc:
        raise CalibrationMismatch("the disagreement detector is missing; reinstall this package") from exc


def table_of(text: str, *, features: int) -> dict[str, Any]:
    """Return what a detector is built from.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is not whole.
    """
    table = json.loads(text, parse_constant=_no_number)
    arrays = {name: _unpacked(table.pop(name)) for name in ARRAYS}
    units = arrays["output"].size - 1
    wanted = {
        "facenet_mean": (VECTOR_SIZE[FACENET],),
        "sface_mean": (VECTOR_SIZE[SFACE],),
        "map": (VECTOR_SIZE[FACENET], VECTOR_SIZE[SFACE]),
        "scale": (2, features),
        "hidden": (features + 1, units),
        "output": (units + 1,),
    }
    wrong = [name for name, shape in wanted.items() if arrays[name].shape != shape]
    if wrong:
        raise ValueError(f"{wrong[0]} has shape {arrays[wrong[0]].shape}, needed {wanted[wrong[0]]}")
    moments = {name: (float(mean), float(deviation)) for name, (mean, deviation) in table["moments"].items()}
    if set(moments) != set(MOMENTS) or not all(deviation > 0 for _, deviation in moments.values()):
        raise ValueError(f"moments are those of {', '.join(MOMENTS)}, with deviations above 0")
    if not (arrays["scale"][1] > 0).all():
        raise ValueError("a feature has no deviation")
    return {**table, **arrays, "moments": moments, "threshold": _finite(table["threshold"])}


def written(table: dict[str, Any]) -> str:
    """Return the file's content."""
    return json.dumps(table, indent=1, sort_keys=True) + "\n"


def packed(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table with its arrays as JSON; the map as float16, which is exact for what is kept."""
    return table | {name: _packed(table[name]) for name in ARRAYS}


def _packed(array: Floats) -> dict[str, Any]:
    kind = "<f2" if array.size > 1000 else "<f4"  # noqa: PLR2004  (the map alone is large)
    content = base64.b64encode(array.astype(kind).tobytes()).decode()
    return {"kind": kind, "shape": list(array.shape), "base64": content}


def _unpacked(table: dict[str, Any]) -> Floats:
    if table["kind"] not in {"<f2", "<f4"}:
        raise ValueError(f"an array of kind {table['kind']!r}")
    flat = np.frombuffer(base64.b64decode(table["base64"], validate=True), table["kind"])
    array: Floats = flat.reshape(table["shape"]).astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError("an array that is not finite")
    array.flags.writeable = False
    return array


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"the threshold is {value!r}")
    return float(value)
