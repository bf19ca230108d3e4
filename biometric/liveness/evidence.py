"""What the frames of one challenge have shown so far: numbers and embeddings, no pixels worth the name.

Rules:
 * Cues read evidence and nothing else, so a verdict can be explained, repeated and tested without pictures.
 * A frame in which no face was found is a row of NaN with presence 0, never left out: gaps are evidence too.
 * Two grey thumbnails of each of the last four frames, 32x32 and 32x24, are kept between requests (for the comparison
   with the next one); whole frames are not.
 * The bytes are versioned and hold plain arrays; nothing is executed to read them. They contain embeddings: whoever
   keeps them seals them.

Not here: how rows come about (observe.py), what they mean (steps/, cues/).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.chain import START
from biometric.liveness.regions import REGION_COLUMNS
from biometric.types import FaceEmbeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.challenge import Colour, Step

MEASURES: Final = (
    "yaw",
    "pitch",
    "roll",
    "scale",
    "x",
    "y",
    "ear_right",
    "ear_left",
    "mouth_width",
    "mouth_open",
    "corners_up",
)
COLUMNS: Final = (
    "captured_ms",  # the page's clock
    "presence",  # the mesh net's opinion, 0 to 1; 0 where nothing was found
    *MEASURES,
    "light",  # mean grey of the face, 0 to 255
    "face_change",  # 1 - correlation of the aligned face with the last frame that showed one
    "scene_change",  # 1 - correlation of the whole picture with that frame
    "face_back",  # the least of face_change against the second to the fourth last of these
    "scene_back",
    "tracked",  # skin patches still followed from the front, of those begun
    "relief",  # apparent relief under the turn, 1 = the average head, 0 = flat (geometry.py)
    "bump",  # what is left of it beyond a bend
    "narrow",  # how much narrower than a head would be
    "residual",  # of the best homography, by outer-eye distance
    "near_relief",  # apparent relief while coming closer, 1 = the average head, 0 = flat (approach.py)
    "near_tracked",  # skin patches still followed while coming closer, of those begun
    "texture",  # what the texture net thinks, 0 live to 1 spoof; only at a look of the detector, as the three below
    "texture_extra",  # the greatest vote of an organisation's own nets
    "moire",  # surface.py
    "bezel",
    "gloss",
    "unchanged",  # share of the half-size picture that equals the frame before, to the grey level
    *REGION_COLUMNS,  # mean colours, 0 to 255 (regions.py)
)
_INDEX: Final = {name: position for position, name in enumerate(COLUMNS)}

CENTRE: Final = -1  # index of the opening phase, which is no step


class Mode(StrEnum):
    """What the challenge is for."""

    LOGIN = "login"
    ENROL = "enrol"


class Pose(StrEnum):
    """Where a face was embedded."""

    FRONT = "front"
    TURN = "turn"
    BLINK = "blink"
    SMILE = "smile"
    CLOSER = "closer"
    FLASH = "flash"
    AGAIN = "again"  # a second look at a frame that was embedded as another pose (agreement_looks.py)


# From the front: simulated turns and smiles shake the second look so much that people were taken for an attack.
LOOKED_AT_AGAIN: Final = frozenset({Pose.BLINK, Pose.CLOSER})


@dataclass(frozen=True, slots=True, repr=False)
class PoseSample:
    """A face embedded during the challenge."""

    pose: Pose
    captured_ms: float
    yaw: float
    embeddings: FaceEmbeddings

    def __repr__(self) -> str:
        return f"PoseSample({self.pose}, {self.captured_ms:.0f} ms, yaw={self.yaw:.0f})"


@dataclass(frozen=True, slots=True)
class Baseline:
    """This person, at rest, looking at the camera."""

    captured_ms: float
    yaw: float
    pitch: float
    scale: float
    ear: float
    mouth_width: float
    corners_up: float


@dataclass(frozen=True, slots=True)
class StepMark:
    """When a step was revealed and done, on the page's clock; done_ms is None while it runs."""

    revealed_ms: float
    done_ms: float | None = None


@dataclass(slots=True, repr=False)
class Evidence:
    """All that is known of one challenge. Only session.py, observe.py, stream.py and poses.py write to it."""

    steps: tuple[Step, ...]
    pauses_ms: tuple[int, ...]
    mode: Mode
    rows: list[NDArray[np.float32]] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    baseline: Baseline | None = None
    marks: list[StepMark] = field(default_factory=list)
    poses: list[PoseSample] = field(default_factory=list)
    colours: tuple[Colour, ...] = ()  # what the screen shows in the step FLASH
    light_ms: int | None = None  # when the page began to show them, on its own clock
    looks: int = 0  # times the detector looked at a whole picture
    crowded_looks: int = 0  # of these, with more than one face of comparable size
    served_ms: int = 0  # server time of the last batch
    chain_key: bytes = b""  # of the frames' chain; without one, as in evaluation, no tags are checked
    chain_tag: bytes = START  # of the last frame
    camera_risks: tuple[str, ...] = ()  # codes of what the page said of its camera (risk.py)
    size: tuple[int, int] = (0, 0)  # width and height of the first frame
    broken: str = ""  # the stream rule that was broken
    failed: str = ""  # why the challenge ended before its last step

    def __repr__(self) -> str:
        return f"Evidence(<{len(self.rows)} frames, {len(self.marks)} of {len(self.steps)} steps begun>)"

    def column(self, name: str) -> NDArray[np.float32]:
        """Return one column over all frames."""
        position = _INDEX[name]
        return np.array([row[position] for row in self.rows], np.float32)

    def columns(self, *names: str) -> NDArray[np.float32]:
        """Return framesxnames."""
        positions = [_INDEX[name] for name in names]
        return np.array([row[positions] for row in self.rows], np.float32).reshape(len(self.rows), len(names))

    @property
    def last_ms(self) -> float:
        """Capture time of the last frame."""
        return float(self.rows[-1][0]) if self.rows else 0.0

    @property
    def done(self) -> bool:
        """Whether every step was done."""
        return len(self.marks) == len(self.steps) and all(mark.done_ms is not None for mark in self.marks)

    @property
    def near_ms(self) -> float:
        """When the person was first asked to be nearer than at rest; infinity if not yet."""
        marks = zip(self.steps, self.marks, strict=False)
        return next((mark.revealed_ms for step, mark in marks if step.kind.is_near), float("inf"))

    def front(self) -> FaceEmbeddings | None:
        """Return the mean of what was embedded from the front, or None."""
        frontal = [sample.embeddings for sample in self.poses if sample.pose in {Pose.FRONT, Pose.BLINK}]
        return FaceEmbeddings.mean(frontal) if frontal else None


def make_row(**values: float) -> NDArray[np.float32]:
    """Return a frame's row; what is not given is NaN."""
    row = np.full(len(COLUMNS), np.nan, np.float32)
    for name, value in values.items():
        row[_INDEX[name]] = value
    return row
