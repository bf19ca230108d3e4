"""One frame of a login becomes one row of evidence.

Rules:
 * The detector searches the whole picture only when the face is not known or LOOK_EVERY_MS have passed (to see
   whether somebody else is there); in between the mesh follows its own points.
 * Skin is tracked only while a turn is asked for, from the last straight frame on, and while the person comes closer.
 * Between requests the trail keeps points and thumbnails. The frames themselves are gone; the next batch repeats the
   last one (stream.py).

Not here: whether frames may come at all (stream.py), when a step is done (steps/), what to conclude (cues/).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.detect import SEARCH_SIDE_PX, only_face, side_beside
from biometric.errors import NoFace, SeveralFaces
from biometric.landmarks import LOST
from biometric.liveness import approach, geometry
from biometric.liveness.evidence import MEASURES, make_row
from biometric.liveness.measure import FaceMeasure, measure_face
from biometric.liveness.regions import measure_regions
from biometric.liveness.surface import inspect_surface
from biometric.liveness.tracking import begin_track, follow_track
from biometric.texture import texture_columns
from biometric.types import Landmarks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometric.liveness.evidence import Evidence
    from biometric.liveness.tracking import Grey, SkinTrack
    from biometric.pipeline import FacePipeline
    from biometric.types import DetectedFace, Frame, Image, Points

LOOK_EVERY_MS: Final = 900.0
THUMB: Final = 32
SCENE: Final = (32, 24)  # width, height
REMEMBERED: Final = 4  # frames
BEGIN_YAW: Final = 5.0  # degrees from the person's straight look within which tracking begins anew
RENEW_FRAMES: Final = 6
STEADY: Final = 0.97  # width by height, against the beginning of the track
STAYED: Final = 1.04  # size, against the beginning of the track
DARK: Final = 8  # grey levels below it and above BRIGHT, where a sensor's noise is cut off
BRIGHT: Final = 247


class Follow(StrEnum):
    """What the skin is followed through."""

    NOTHING = "nothing"
    TURN = "turn"
    APPROACH = "approach"


@dataclass(slots=True, repr=False)
class Trail:
    """What must be remembered of the frames before; thumbnails of the last ones that showed a face, newest first."""

    points: Points | None = None
    faces: list[Grey] = field(default_factory=list)
    scenes: list[Grey] = field(default_factory=list)
    track: SkinTrack | None = None
    looked_ms: float = -LOOK_EVERY_MS


@dataclass(frozen=True, slots=True, repr=False)
class Look:
    """A frame while its request lasts."""

    captured_ms: float
    image: Image
    landmarks: Landmarks | None
    face: FaceMeasure | None


def half_grey(image: Image) -> Grey:
    """Return the half-size grey picture that skin is tracked in."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    size = (image.shape[1] // 2, image.shape[0] // 2)
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


class Observer:
    """Looks at the frames of one batch, one after another."""

    def __init__(self, evidence: Evidence, trail: Trail, pipeline: FacePipeline, *, follow: Follow) -> None:
        self._evidence = evidence
        self._trail = trail
        self._pipeline = pipeline
        self._following = follow
        self._before: Grey | None = None

    def recall(self, image: Image) -> None:
        """Take up the last frame of the batch before, so that tracking goes on where it was."""
        self._before = half_grey(image)

    def observe(self, frame: Frame, image: Image) -> Look:
        """Add the frame's row to the evidence and return what was seen."""
        grey = half_grey(image)
        landmarks = self._find(frame.captured_ms, image)
        face = measure_face(landmarks.points) if landmarks is not None else None
        row = {"captured_ms": float(frame.captured_ms), "presence": 0.0, **self._changes(grey, face)}
        if landmarks is not None and face is not None:
            row |= {"presence": landmarks.presence, "light": _light(grey, landmarks.points)}
            row |= {name: getattr(face, name) for name in MEASURES}
            row |= measure_regions(image, landmarks.points)
            if self._trail.looked_ms == frame.captured_ms:
                row |= inspect_surface(image, landmarks.points)
                nets = self._pipeline.texture, self._pipeline.texture_extra
                row |= texture_columns(image, landmarks.points, *nets)
        row |= {"unchanged": _unchanged(grey, self._before)} | self._follow(grey, landmarks, face)
        self._evidence.rows.append(make_row(**row))
        self._trail.points = landmarks.points if landmarks is not None else None
        self._before = grey
        return Look(float(frame.captured_ms), image, landmarks, face)

    def _find(self, captured_ms: int, image: Image) -> Landmarks | None:
        known, trail = self._trail.points, self._trail
        followed = self._pipeline.mesh.track(image, Landmarks(known, 1.0)) if known is not None else None
        if followed is not None and followed.presence < LOST:
            followed = None
        if followed is not None and captured_ms - trail.looked_ms < LOOK_EVERY_MS:
            return followed
        trail.looked_ms = float(captured_ms)
        self._evidence.looks += 1
        try:
            found = only_face(self._pipeline.detector.detect(image, longest_side=_side(image, followed)))
        except SeveralFaces:
            self._evidence.crowded_looks += 1
            return followed
        except NoFace:
            return followed
        if followed is not None:
            self._evidence.crowded_looks += int(not _shows(found, followed))
            return followed
        located = self._pipeline.mesh.locate(image, found)
        return located if located.presence >= LOST else None

    def _changes(self, grey: Grey, face: FaceMeasure | None) -> dict[str, float]:
        """Return how much face and scene differ from the frames before; nothing where there is no face."""
        if face is None:
            return {}
        trail = self._trail
        scene = cv2.resize(grey, SCENE, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        changes: dict[str, float] = {}
        for name, thumb, before in (("face", _aligned(grey, face), trail.faces), ("scene", scene, trail.scenes)):
            last, *back = _differences(thumb, before) or [float("nan")]
            changes |= {f"{name}_change": last, f"{name}_back": min(back, default=float("nan"))}
            before.insert(0, thumb)
            del before[REMEMBERED:]
        return changes

    def _follow(self, grey: Grey, landmarks: Landmarks | None, face: FaceMeasure | None) -> dict[str, float]:
        """Follow the skin while depth can be seen; return what it tells of it."""
        trail, baseline = self._trail, self._evidence.baseline
        if self._following is Follow.NOTHING or landmarks is None or face is None or baseline is None:
            trail.track = None
            return {}
        if trail.track is not None and self._before is not None:
            trail.track = follow_track(trail.track, self._before, grey)
        if self._following is Follow.APPROACH:
            return self._approach(grey, landmarks, face)
        if abs(face.yaw - baseline.yaw) < BEGIN_YAW and _worn(trail.track):
            trail.track = begin_track(grey, landmarks.points, face)
        if trail.track is None:
            return {}
        depth = geometry.measure_depth(trail.track, yaw=face.yaw, pitch=face.pitch)
        if depth is None:
            return {}
        return {
            "tracked": len(trail.track.current) / trail.track.begun,
            "relief": depth.relief,
            "bump": depth.bump,
            "narrow": depth.narrow,
            "residual": depth.residual,
        }

    def _approach(self, grey: Grey, landmarks: Landmarks, face: FaceMeasure) -> dict[str, float]:
        """Begin anew until the face grows; then return what its growth tells of depth."""
        trail = self._trail
        growth = None if trail.track is None else approach.measure_growth(trail.track)
        if trail.track is None or (trail.track.age >= RENEW_FRAMES and (growth is None or growth < STAYED)):
            trail.track = begin_track(grey, landmarks.points, face, wide=True)
            return {}
        relief = approach.measure_near_relief(trail.track, longer_side=max(grey.shape))
        if relief is None:
            return {}
        return {"near_relief": relief, "near_tracked": len(trail.track.current) / trail.track.begun}


def _shows(found: DetectedFace, followed: Landmarks) -> bool:
    """Whether the face that was found, by far the largest, is the one that is followed."""
    left, top, width, height = found.box
    x, y = (float(middle) for middle in followed.points.mean(axis=0))
    return left <= x <= left + width and top <= y <= top + height


def _side(image: Image, followed: Landmarks | None) -> int:
    """Return how large a copy is searched: a known face leaves nothing to find but a second one of comparable size."""
    if followed is None:
        return SEARCH_SIDE_PX
    size = followed.points.max(axis=0) - followed.points.min(axis=0)
    return side_beside(float(size.max()), longest_px=max(image.shape[:2]))


def _unchanged(grey: Grey, before: Grey | None) -> float:
    """Return the share of pixels that equal those of the frame before; NaN without one. Blown-out ones do not count."""
    if before is None or before.shape != grey.shape:
        return float("nan")
    now, then = grey[::4, ::4], before[::4, ::4]  # one pixel in sixteen is enough
    lit = (now > DARK) & (now < BRIGHT)
    count = np.count_nonzero(lit)
    return float(np.count_nonzero(lit & (now == then)) / count) if count else float("nan")


def _worn(track: SkinTrack | None) -> bool:
    """Whether a track begins anew while the face looks straight; not while it narrows (a turned sheet).

    One that is too old to be believed does in any case. What is left of it after a turn to the wrong side, and a wait,
    lies on one half of the face and may seem narrow for ever: the turn that was asked would never be seen.
    """
    if track is None or track.age > geometry.OLDEST_FRAMES:
        return True
    squeeze = geometry.measure_squeeze(track) if track.age >= RENEW_FRAMES else 0.0
    return squeeze is None or squeeze > STEADY


def _light(grey: Grey, points: Points) -> float:
    (left, top), (right, bottom) = (
        np.maximum(end / 2, 0).astype(int).tolist() for end in (points.min(axis=0), points.max(axis=0))
    )
    inside = grey[top : bottom + 1 : 4, left : right + 1 : 4]
    return float(inside.mean()) if inside.size else float("nan")


def _aligned(grey: Grey, face: FaceMeasure) -> Grey:
    """Return the face upright and of fixed size."""
    zoom = THUMB / (2.2 * face.scale / 2)
    cos, sin = np.cos(np.radians(face.roll)) * zoom, np.sin(np.radians(face.roll)) * zoom
    turn = np.array([[cos, sin], [-sin, cos]])
    shift = np.array([THUMB / 2, THUMB * 0.35]) - turn @ np.array([face.x / 2, face.y / 2])
    matrix = np.column_stack([turn, shift])
    smooth = cv2.blur(grey, (3, 3)) if zoom < 0.5 else grey  # noqa: PLR2004  (a large face is sampled sparsely)
    return cv2.warpAffine(smooth, matrix, (THUMB, THUMB), flags=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _differences(now: Grey, before: Sequence[Grey]) -> list[float]:
    """Return 1 minus the correlation with each of these thumbnails; NaN where one has no contrast."""
    if not before:
        return []
    a, others = now.ravel().astype(np.float64), np.stack(before).reshape(len(before), -1).astype(np.float64)
    count, sum_a, sums = a.size, float(a.sum()), others.sum(axis=1)  # whole numbers below 2**53: nothing is rounded
    powers = (count * float(a @ a) - sum_a**2) * (count * np.einsum("ij,ij->i", others, others) - sums**2)
    sizes = np.sqrt(powers) / count
    with np.errstate(divide="ignore", invalid="ignore"):
        differences = 1 - (others @ a - sum_a * sums / count) / sizes
    return [float(value) for value in np.where(sizes > 1, differences, np.nan)]
