"""liveness.json: by which numbers the cues of life and the quality gate decide, and what these were measured on.

Rules:
 * Written by `facestep calibrate liveness` and by nobody's hand: `id` is a digest of everything else in the file, so an
   edit shows.
 * It belongs to the model files that the measured numbers depend on, and to one way of measuring them (MEASURES). With
   any other, `check_models` raises, and nothing starts.
 * Every limit lies within POSSIBLE: what is outside would switch its cue off, or refuse everybody.
 * A quick measurement is good for a look and for tests, and is never believed here.

Not here: how limits are chosen (evaluation/limits.py), equations and physical constants (the cues' own files), the
texture net's threshold (weights/texture.json), the recognisers' (calibration.json, agreement.json).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from biometric.calibration import record_digest
from biometric.errors import LimitsMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from biometric.models import ModelStore

FILE: Final = "liveness.json"
MEASURES: Final = "skin-anew-v1"
"""Changes whenever a number that a limit is compared with would come out differently."""

BOUND_MODELS: Final = ("yunet", "face_mesh")


@dataclass(frozen=True, slots=True)
class ContinuityLimits:
    """What no head does, from one frame to the next or before it was asked to come closer."""

    yaw_per_s: float  # degrees
    move_per_s: float  # outer-eye distances
    growth: float  # from frame to frame
    cut_both: float  # spikes of face and scene, in units of liveness/cuts.py
    cut_scene: float
    cut_twice: float
    cut_swap: float
    cut_gap: float
    distance: float  # times the size at rest, or its inverse


@dataclass(frozen=True, slots=True)
class RepetitionLimits:
    """How alike two runs of movement may be, in units of the mesh's own shake."""

    forward: float
    backward: float


@dataclass(frozen=True, slots=True)
class PlanarityLimits:
    """What a turn shows of depth (geometry.py)."""

    flat: float  # relief below which nothing stands out
    round: float  # relief that confirms
    nose: float  # bump that a bent sheet does not have
    bent: float  # narrower than this a head does not become
    wide: float  # hardly narrower than a head
    stiff: float  # residual of the best homography


@dataclass(frozen=True, slots=True)
class PerspectiveLimits:
    """What coming closer shows of depth (approach.py)."""

    flat: float
    round: float


@dataclass(frozen=True, slots=True)
class ColourLimits:
    """What the screen's colours show on a head (cues/colour.py)."""

    follows: float
    gain: float
    relief: float
    behind: float


@dataclass(frozen=True, slots=True)
class SurfaceLimits:
    """What looks at paper and glass show, held over many looks (cues/surface.py)."""

    bezel: float
    moire: float


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What is asked of a face before it is compared (quality.py)."""

    least_eye_distance_px: float
    most_face_share: float
    most_turn: float
    least_light: float
    most_light: float
    least_sharpness: float
    most_off_centre: float


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of a process."""

    id: str
    models: Mapping[str, str]
    continuity: ContinuityLimits
    repetition: RepetitionLimits
    planarity: PlanarityLimits
    perspective: PerspectiveLimits
    colour: ColourLimits
    surface: SurfaceLimits
    still: QualityLimits
    live: QualityLimits

    def check_models(self, models: ModelStore) -> None:
        """Raise LimitsMismatch unless these limits were measured with the models in use."""
        in_use = models.digests() | {"texture": texture_digest()}
        for name in (*BOUND_MODELS, "texture"):
            if self.models.get(name) != in_use[name]:
                raise LimitsMismatch(f"the liveness limits were measured with another {name} file")


PARTS: Final[Mapping[str, type[Any]]] = {
    "continuity": ContinuityLimits,
    "repetition": RepetitionLimits,
    "planarity": PlanarityLimits,
    "perspective": PerspectiveLimits,
    "colour": ColourLimits,
    "surface": SurfaceLimits,
    "still": QualityLimits,
    "live": QualityLimits,
}
NAMES: Final = tuple(f"{part}.{one.name}" for part, kind in PARTS.items() for one in fields(kind))
_QUALITY: Final = {
    "least_eye_distance_px": (10, 120),
    "most_face_share": (0.5, 2),
    "most_turn": (0.2, 2),
    "least_light": (5, 100),
    "most_light": (160, 250),
    "least_sharpness": (0.3, 5),
    "most_off_centre": (0.1, 1),
}
POSSIBLE: Final[Mapping[str, tuple[float, float]]] = {
    "continuity.yaw_per_s": (200, 700),
    "continuity.move_per_s": (3, 25),
    "continuity.growth": (1.1, 1.5),
    "continuity.cut_both": (0.5, 2),
    "continuity.cut_scene": (0.5, 2),
    "continuity.cut_twice": (0.8, 3),
    "continuity.cut_swap": (0.5, 2),
    "continuity.cut_gap": (0.5, 3),
    "continuity.distance": (1.2, 1.8),
    "repetition.forward": (0.3, 2),
    "repetition.backward": (0.5, 2.4),
    "planarity.flat": (0.15, 0.6),
    "planarity.round": (0.3, 1),
    "planarity.nose": (0.1, 0.6),
    "planarity.bent": (0.03, 0.14),
    "planarity.wide": (0, 0.06),
    "planarity.stiff": (0.015, 0.06),
    "perspective.flat": (0, 0.5),
    "perspective.round": (0.4, 1.5),
    "colour.follows": (0.7, 0.95),
    "colour.gain": (0.01, 0.03),
    "colour.relief": (0.05, 0.5),
    "colour.behind": (0.1, 0.6),
    "surface.bezel": (0.5, 0.95),
    "surface.moire": (0.002, 0.05),
    **{f"{part}.{name}": ends for part in ("still", "live") for name, ends in _QUALITY.items()},
}
"""Least and greatest value of each limit that means something."""


@cache
def shipped() -> Limits:
    """Return the limits of this package, read once. Raises LimitsMismatch."""
    return read(files("biometric") / "weights" / FILE)


def read(source: Traversable) -> Limits:
    """Return the limits that a file holds, whole and unchanged; whose models they are is `Limits.check_models`'.

    Raises:
        LimitsMismatch: it is missing, edited, quick, of another way of measuring, or holds what cannot be.
    """
    try:
        table = json.loads(source.read_text(encoding="utf-8"), parse_constant=_no_number)
        if table["id"] != record_digest(table):
            raise LimitsMismatch("the liveness limits were edited")
        if table["measures"] != MEASURES:
            raise LimitsMismatch(f"the liveness limits are of measures {table['measures']!r}, not {MEASURES!r}")
        if table["quick"] is not False:
            raise LimitsMismatch("the liveness limits are a quick measurement, which nothing may be decided by")
        values = {name: entry["value"] for name, entry in table["limits"].items()}
        return limits_of(values, id=str(table["id"]), models=dict(table["models"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as exc:
        raise LimitsMismatch(f"the liveness limits cannot be read: {exc!r}") from exc


def limits_of(values: Mapping[str, float], *, id: str = "", models: Mapping[str, str] | None = None) -> Limits:  # noqa: A002  (the file's word)
    """Return limits from a value for each of NAMES.

    Raises:
        LimitsMismatch: one is missing, unknown, no number or outside of what is possible.
    """
    wrong = sorted(set(values) ^ set(NAMES))
    if wrong:
        raise LimitsMismatch(f"the liveness limits lack or do not know {wrong[0]}")
    for name, value in values.items():
        low, high = POSSIBLE[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise LimitsMismatch(f"the liveness limit {name} is {value!r}, not between {low} and {high}")
    made = {
        part: kind(**{one.name: values[f"{part}.{one.name}"] for one in fields(kind)}) for part, kind in PARTS.items()
    }
    return Limits(id=id, models=models or {}, **made)


def values_of(limits: Limits) -> dict[str, float]:
    """Return a value for each of NAMES."""
    return {name: getattr(getattr(limits, name.partition(".")[0]), name.partition(".")[2]) for name in NAMES}


def texture_digest() -> str:
    """Return the digest of the shipped texture net, as its record says."""
    record = (files("biometric") / "weights" / "texture.json").read_text(encoding="utf-8")
    return str(json.loads(record)["sha256"])


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")
