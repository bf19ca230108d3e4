"""What a net can be added for, and what it must be able to do then.

Rules:
 * A role is one line of ROLES; its `prepare` looks at the offered file, converts it if need be, runs it, and raises
   ModelUnfit with the reason if it does not do what the role needs.
 * `prepare` is run when a file is added, never while serving; afterwards the digest speaks for the file.

Not here: the record of added files (added.py), the steps of adding (adding.py).
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometric.errors import BiometricError
from biometric.lite import LiteNet
from biometric.lock import shipped_lock
from biometric.texture import ADDED_KEYS
from biometric.types import FACENET, VECTOR_SIZE

FACENET_RECIPE: Final = "litert-dynamic-int8-v1"
FACENET_INPUT: Final = (1, 160, 160, 3)

Crops = NDArray[np.float32]
Convert = Callable[[Path, Path, Crops], Mapping[str, object]]


class ModelUnfit(BiometricError):  # noqa: N818  (says what it is)
    """The offered file cannot do what the role needs; nothing was changed."""

    code = "model_unfit"


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that is to be added.

    Attributes:
        path: where it lies.
        content: its bytes, read once; the digest was taken of these.
        metadata: what the administrator says about it, the keys of Role.metadata.
        portraits: returns FaceNet inputs (Nx160x160x3) of the locked portraits of LABELS, on which a net is judged.
        convert: a frozen TensorFlow graph to LiteRT (fetch.convert).
    """

    path: Path
    content: bytes
    metadata: Mapping[str, str]
    portraits: Callable[[], Crops]
    convert: Convert


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that is fit for its role."""

    content: bytes
    suffix: str
    recipe: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Role:
    """What a net can be added for.

    Attributes:
        about: one line for --help.
        suffixes: which kinds of file.
        most: how many can be in use at once.
        replaces: the name in models.lock of the file that it takes the place of, or empty.
        metadata: key and meaning of what must be said about such a net; all are required, no other is taken.
        prepare: look at the offer; return what is written, or raise ModelUnfit.
    """

    about: str
    suffixes: tuple[str, ...]
    most: int
    replaces: str
    metadata: Mapping[str, str]
    prepare: Callable[[Offer], Prepared]


def prepare_facenet(offer: Offer) -> Prepared:
    """Return a FaceNet that takes 160x160 RGB as (x - 127.5) / 128 and tells the locked portraits apart.

    A frozen TensorFlow graph (.pb with input:0 and embeddings:0) is converted, a .tflite is taken as it is.
    """
    content, recipe = offer.content, ""
    if offer.path.suffix == ".pb":
        if hashlib.sha256(content).hexdigest() == shipped_lock().models["facenet_graph"].sha256:
            raise ModelUnfit("this is the graph that `facestep models fetch` brings; it is in use already")
        content, recipe = _converted(offer), FACENET_RECIPE
    _check_facenet(content, offer.portraits())
    return Prepared(
        content, ".tflite", recipe, input="1x160x160x3 float32 RGB, (x - 127.5) / 128", output="1x512, one direction"
    )


def _converted(offer: Offer) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        graph, made = Path(name) / "graph.pb", Path(name) / "made.tflite"
        graph.write_bytes(offer.content)
        offer.convert(graph, made, offer.portraits())
        return made.read_bytes()


def _check_facenet(content: bytes, portraits: Crops) -> None:
    try:
        net = LiteNet(content)
    except (RuntimeError, ValueError) as exc:
        raise ModelUnfit(f"LiteRT cannot open it: {exc}") from exc
    if net.input_shape != FACENET_INPUT or net.input_type != np.float32:
        raise ModelUnfit(f"its input is {net.input_shape} {net.input_type}, needed {FACENET_INPUT} float32")
    try:
        (output,) = net.outputs_by_size(VECTOR_SIZE[FACENET])
    except KeyError as exc:
        raise ModelUnfit(f"it has no output of {VECTOR_SIZE[FACENET]} numbers") from exc
    vectors = np.array([net.run(portrait)[output].ravel() for portrait in portraits], np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.isfinite(vectors).all() or not (lengths > 1e-6).all():  # noqa: PLR2004  (no direction at all)
        raise ModelUnfit("its answers have no direction (zero or not finite)")
    units = vectors / lengths[:, None]
    _check_apart(units @ units.T)


SAME_PERSON: Final = ((0, 1), (2, 3))
"""Of the locked portraits, in the order of models.lock: two of one person, two of another, two strangers."""


def _check_apart(cosines: NDArray[np.float64]) -> None:
    """Raise unless both pairs of one person are more alike than any two people.

    A net that wants to be fed otherwise than we feed it, or was trained for something else, does not manage this.
    """
    left, right = np.triu_indices(len(cosines), 1)
    same = np.array([pair in SAME_PERSON for pair in zip(left.tolist(), right.tolist(), strict=True)])
    least, most = float(cosines[left, right][same].min()), float(cosines[left, right][~same].max())
    if not least > most:
        raise ModelUnfit(
            f"it does not tell the locked portraits apart when fed (x - 127.5) / 128 RGB: two pictures of one person "
            f"are {least:.2f} alike, of two people {most:.2f}"
        )


def _prepare_texture(offer: Offer) -> Prepared:
    from biometric.texture_role import prepare_texture  # noqa: PLC0415  (it imports this file)

    return prepare_texture(offer)


ROLES: Final[dict[str, Role]] = {
    "facenet": Role(
        about="a FaceNet in place of the shipped one: frozen TensorFlow graph (.pb) or .tflite, 160x160 in, 512 out",
        suffixes=(".pb", ".tflite"),
        most=1,
        replaces="facenet",
        metadata={},
        prepare=prepare_facenet,
    ),
    "texture": Role(
        about="one more deny vote beside our texture net (docs/texture.md): .tflite, or .onnx that OpenCV reads",
        suffixes=(".tflite", ".onnx"),
        most=4,
        replaces="",
        metadata=ADDED_KEYS,
        prepare=_prepare_texture,
    ),
}
"""To let nets be added for something else, add a line."""
