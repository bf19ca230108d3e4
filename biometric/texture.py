"""The texture net: does the skin in this picture look like skin, or like paper or a screen?

Rules:
 * One deny vote, never the gate: small passive nets err on cameras they never saw (docs/texture.md).
 * A net is opened only after its digest matched the one in its record; the record also says how it is fed.
 * A record is complete: size, crop, channel order, range and which output means spoof. Each was wrong once in
   somebody's product (FIELD 2.0, trap 2); tests/biometric/test_texture.py holds golden values.
 * The face is given by points: the bounds of the 468-point mesh. A crop's scale is the side of the square around the
   face's middle as a multiple of the longer side of these bounds.

Not here: when a login is refused (liveness/cues/texture.py), how the net was made (training/).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import cache
from importlib.resources import files
from threading import Lock as Mutex
from typing import TYPE_CHECKING, Any, Final, Protocol

import cv2
import numpy as np

from biometric.detect import warp
from biometric.errors import ModelDigestMismatch, ModelMissing
from biometric.lite import LiteNet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from biometric.types import Floats, Image, Points

RECORD: Final = "texture.json"
_LEAST_SIDE_PX: Final = 8.0
_MOST_SIDE_PX: Final = 1024
_FULL: Final = 255.0
_MOST_LOGIT: Final = 60.0


class Runtime(StrEnum):
    """What runs the file: LiteRT takes NxHxWxC, OpenCV's reader of ONNX takes NxCxHxW."""

    LITERT = "litert"
    OPENCV = "opencv"


class Channels(StrEnum):
    """The channel order that the net was trained with."""

    RGB = "rgb"
    BGR = "bgr"


class Edge(StrEnum):
    """What a crop does at the picture's border: move and shrink until it is inside, or mirror the picture."""

    INSIDE = "inside"
    REFLECT = "reflect"


class Activation(StrEnum):
    """What the net's output is: a probability, one logit, or one logit a class."""

    PROBABILITY = "probability"
    LOGIT = "logit"
    LOGITS = "logits"


ADDED_KEYS: Final[Mapping[str, str]] = {
    "size": "side of the square input in pixels, for example 128",
    "scales": "side of the crop in longer sides of the mesh's bounds (a detector's box is about 1.08 of that): 1.62",
    "channels": "rgb or bgr",
    "low": "input value of a black pixel, for example 0",
    "high": "input value of a white pixel, for example 1 or 255",
    "edge": "what a crop does at the border: inside or reflect",
    "activation": "what the output is: probability, logit or logits",
    "spoof_index": "position of the spoof class in the output, from 0",
    "deny_at": "P(spoof) from which the net is sure, for example 0.9",
}
"""What must be said of a net that an administrator adds (`facestep models add --role texture --meta KEY=VALUE`)."""


@dataclass(frozen=True, slots=True)
class TextureSpec:
    """How a texture net is fed and read.

    Attributes:
        name: what reports call it.
        sha256: digest of the file.
        runtime: litert or opencv.
        size: side of the square input in pixels.
        scales: one crop for each; several are stacked along the channels in this order.
        channels: rgb or bgr, in each crop.
        low: input value of a black pixel.
        high: input value of a white pixel.
        edge: inside or reflect.
        activation: what the output is.
        spoof_index: position of the spoof class in the output.
        deny_at: P(spoof) from which the net is sure; chosen on people that were not trained on.
    """

    name: str
    sha256: str
    runtime: Runtime
    size: int
    scales: tuple[float, ...]
    channels: Channels
    low: float
    high: float
    edge: Edge
    activation: Activation
    spoof_index: int
    deny_at: float

    def __post_init__(self) -> None:
        """Refuse nonsense with ValueError."""
        if not (0 < self.size <= _MOST_SIDE_PX and self.scales and all(0 < scale < 10 for scale in self.scales)):  # noqa: PLR2004  (ten faces wide is no face)
            raise ValueError("a texture net needs a size and scales")
        if not self.low < self.high or not 0 < self.deny_at < 1 or self.spoof_index < 0:
            raise ValueError("a texture net needs low < high, 0 < deny_at < 1 and an output")

    @classmethod
    def from_json(cls, text: str) -> TextureSpec:
        """Return the record in `text`; raise ValueError if it is not whole or says more than it may."""
        told = json.loads(text)
        if not isinstance(told, dict):
            raise ValueError("a texture net's record is a table")  # noqa: TRY004  (one kind of error for a bad record)
        return cls._from_table(told)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], *, name: str, sha256: str, runtime: Runtime) -> TextureSpec:
        """Return the record of an added net: ADDED_KEYS as an administrator types them, scales as "2.0,0.8".

        Raises:
            ValueError: a key is missing or unknown, or a value is nonsense; the message says which.
        """
        table: dict[str, object] = {**texts, "name": name, "sha256": sha256, "runtime": runtime}
        if "scales" in texts:
            table["scales"] = texts["scales"].split(",")
        return cls._from_table(table)

    @classmethod
    def _from_table(cls, told: Mapping[str, Any]) -> TextureSpec:
        wanted = {field.name for field in fields(cls)}
        if set(told) != wanted:
            raise ValueError(f"not told or not known: {', '.join(sorted(wanted ^ set(told)))}")
        return cls(
            name=str(told["name"]),
            sha256=str(told["sha256"]),
            runtime=Runtime(told["runtime"]),
            size=int(told["size"]),
            scales=tuple(float(scale) for scale in told["scales"]),
            channels=Channels(told["channels"]),
            low=float(told["low"]),
            high=float(told["high"]),
            edge=Edge(told["edge"]),
            activation=Activation(told["activation"]),
            spoof_index=int(told["spoof_index"]),
            deny_at=float(told["deny_at"]),
        )

    def to_json(self) -> str:
        """Return what `from_json` reads."""
        return json.dumps(asdict(self), indent=2) + "\n"


def face_square(points: Points) -> tuple[float, float, float]:
    """Return the middle and the longer side of the bounds of a face's points, in pixels."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    return float(middle[0]), float(middle[1]), max(float((high - low).max()), _LEAST_SIDE_PX)


def crop(image: Image, square: tuple[float, float, float], *, scale: float, size: int, edge: Edge) -> Image:
    """Return the sizexsize BGR crop whose side is `scale` times the face's."""
    x, y, side = square
    side *= scale
    height, width = image.shape[:2]
    if edge is Edge.REFLECT:
        beyond = max(side / 2 - x, side / 2 - y, x + side / 2 - width, y + side / 2 - height, 0.0)
        border = min(int(np.ceil(beyond)) + 1 if beyond else 0, _MOST_SIDE_PX)
        if border:
            around = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REFLECT_101)
            image = np.asarray(around, np.uint8)
            x, y = x + border, y + border
    else:
        side = min(side, width, height)
        x = min(max(x, side / 2), width - side / 2)
        y = min(max(y, side / 2), height - side / 2)
    zoom = size / side
    matrix = np.array([[zoom, 0, size / 2 - zoom * x], [0, zoom, size / 2 - zoom * y]], np.float32)
    return warp(image, matrix, size)


def prepare(image: Image, points: Points, spec: TextureSpec) -> Floats:
    """Return the net's input, size x size x (3 for each scale), float32 in low to high."""
    parts = [crop(image, face_square(points), scale=scale, size=spec.size, edge=spec.edge) for scale in spec.scales]
    if spec.channels is Channels.RGB:
        parts = [cv2.cvtColor(part, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False) for part in parts]
    return np.asarray(cv2.LUT(np.concatenate(parts, axis=2), _values(spec.low, spec.high)), np.float32)


@cache
def _values(low: float, high: float) -> Floats:  # of each grey level
    return (np.arange(256, dtype=np.float32) * ((high - low) / _FULL) + low).astype(np.float32)


def spoof_probability(output: Floats, spec: TextureSpec) -> float:
    """Return P(spoof) from the net's raw output."""
    values = output.ravel().astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{spec.name} answered no number")
    if spec.activation is Activation.PROBABILITY:
        return float(values[spec.spoof_index])
    if spec.activation is Activation.LOGIT:
        return float(1 / (1 + np.exp(-np.clip(values[spec.spoof_index], -_MOST_LOGIT, _MOST_LOGIT))))
    raised = np.exp(values - values.max())
    return float(raised[spec.spoof_index] / raised.sum())


class _Net(Protocol):
    def run(self, value: Floats) -> list[Floats]:
        """Return the outputs for one input."""


class _OpenCvNet:
    """An ONNX file in OpenCV; same manners as LiteNet."""

    def __init__(self, content: bytes) -> None:
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))

    def run(self, value: Floats) -> list[Floats]:
        self._net.setInput(np.ascontiguousarray(value.transpose(2, 0, 1)[None]))
        return [np.asarray(self._net.forward(), np.float32)]


class TextureNet:
    """One net; one per process, safe to share between threads."""

    def __init__(self, content: bytes, spec: TextureSpec) -> None:
        """Open `content`.

        Raises:
            ModelDigestMismatch: it is not the file that the record was written for.
        """
        digest = hashlib.sha256(content).hexdigest()
        if digest != spec.sha256:
            raise ModelDigestMismatch(f"{spec.name}: the file has digest {digest}, not {spec.sha256}")
        self.spec = spec
        self._net: _Net = LiteNet(content) if spec.runtime is Runtime.LITERT else _OpenCvNet(content)
        self._mutex = Mutex()

    @classmethod
    def open(cls, folder: Traversable | None = None) -> TextureNet:
        """Return the shipped net, or the one in `folder` (`facestep train texture` writes such a folder).

        Raises:
            ModelMissing: a file is not there, or its record cannot be read.
            ModelDigestMismatch: the file is not the one of the record.
        """
        where = folder if folder is not None else files("biometric") / "weights"
        try:
            spec = TextureSpec.from_json((where / RECORD).read_text(encoding="utf-8"))
            content = (where / f"{spec.name}.tflite").read_bytes()
        except (OSError, ValueError, TypeError) as exc:
            raise ModelMissing(f"the texture net in {where} cannot be read: {exc}") from exc
        return cls(content, spec)

    def score(self, image: Image, points: Points) -> float:
        """Return P(spoof), 0 to 1, for the face whose mesh points are given."""
        value = prepare(image, points, self.spec)
        with self._mutex:
            outputs = self._net.run(value)
        return spoof_probability(outputs[0], self.spec)

    def vote(self, image: Image, points: Points) -> float:
        """Return `score` bent so that 0.5 is where this net is sure: what different nets are compared by."""
        return calibrated(self.score(image, points), self.spec.deny_at)


def calibrated(score: float, deny_at: float) -> float:
    """Return a score on the scale on which 0.5 means *sure*; monotone, 0 stays 0 and 1 stays 1."""
    if score < deny_at:
        return score / deny_at / 2
    return 0.5 + (score - deny_at) / (1 - deny_at) / 2


def texture_columns(
    image: Image, points: Points, net: TextureNet, extra: tuple[TextureNet, ...] = ()
) -> Mapping[str, float]:
    """Return what one look adds to its row of evidence; without extra nets there is no texture_extra."""
    columns = {"texture": net.score(image, points)}
    if extra:
        columns["texture_extra"] = max(other.vote(image, points) for other in extra)
    return columns
