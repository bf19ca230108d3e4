"""The role of texture nets that an administrator adds: what is told of them is tried out before it is believed.

 1. The record is whole and the file opens in its runtime (.tflite in LiteRT, .onnx in OpenCV).
 2. Fed as told, the net answers probabilities for the locked portraits, and not one and the same: a net that is fed in
    the wrong range often answers a constant.
 3. It calls at least one of the locked portraits live. They are photographs of living people; a net that is sure of a
    spoof on each of them is fed wrongly or does not fit pictures like a login's.

Not here: how good the net is; `facestep evaluate texture --net RECORD FILE` measures that.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.added import AddedUnreadable
from biometric.errors import CannotTell
from biometric.roles import ModelUnfit, Offer, Prepared
from biometric.texture import Runtime, TextureNet, TextureSpec

if TYPE_CHECKING:
    from biometric.added import AddedModel
    from biometric.models import ModelStore
    from biometric.types import Image

RUNTIMES: Final = {".tflite": Runtime.LITERT, ".onnx": Runtime.OPENCV}
_LEAST_CHANGE: Final = 1e-4
_FACE: Final = np.array([[32, 24], [128, 24], [32, 140], [128, 140]], np.float32)  # in FaceNet's 160 px framing


def prepare_texture(offer: Offer) -> Prepared:
    """Return a texture net that answers sensibly when fed as told; raise ModelUnfit with the reason otherwise."""
    runtime = RUNTIMES[offer.path.suffix]
    try:
        spec = TextureSpec.from_texts(
            offer.metadata, name="offered", sha256=hashlib.sha256(offer.content).hexdigest(), runtime=runtime
        )
        net = TextureNet(offer.content, spec)
        scores = [net.score(portrait, _FACE) for portrait in _portraits(offer)]
    except (ValueError, TypeError, RuntimeError, IndexError, cv2.error, CannotTell) as exc:
        raise ModelUnfit(f"fed as told it gives no answer: {exc}") from exc
    _check(scores, spec)
    channels = 3 * len(spec.scales)
    return Prepared(
        offer.content,
        offer.path.suffix,
        "",
        input=f"{spec.size}x{spec.size}x{channels} float32 {spec.channels.upper()}, {spec.low:g} to {spec.high:g}",
        output=f"{spec.activation}, spoof at {spec.spoof_index}",
    )


def _portraits(offer: Offer) -> list[Image]:
    """Return the locked portraits as pictures: FaceNet's inputs are RGB, (x - 127.5) / 128."""
    pixels = np.clip(offer.portraits() * 128 + 127.5, 0, 255).astype(np.uint8)
    return [np.ascontiguousarray(portrait[..., ::-1]) for portrait in pixels]


def _check(scores: list[float], spec: TextureSpec) -> None:
    if not all(0 <= score <= 1 for score in scores):  # (2)
        raise ModelUnfit(f"its answers are no probabilities ({min(scores):.3g} to {max(scores):.3g})")
    if max(scores) - min(scores) < _LEAST_CHANGE:  # (2)
        raise ModelUnfit(f"it answers {scores[0]:.4f} whatever it sees; is it fed in its own range and channel order?")
    if min(scores) >= spec.deny_at:  # (3)
        raise ModelUnfit("it is sure that every locked portrait is a spoof; is spoof_index right?")


def added_nets(store: ModelStore) -> tuple[TextureNet, ...]:
    """Return the nets that an administrator added, for serving; () if there are none.

    Raises:
        AddedUnreadable, ModelMissing, ModelDigestMismatch: one of them cannot be opened, so none votes.
    """
    return tuple(_open(model, store.read_added(model)) for model in store.added("texture"))


def _open(model: AddedModel, content: bytes) -> TextureNet:
    runtime = RUNTIMES[f".{model.file.rpartition('.')[2]}"]
    try:
        spec = TextureSpec.from_texts(model.metadata, name=model.name, sha256=model.sha256, runtime=runtime)
        return TextureNet(content, spec)
    except (ValueError, TypeError) as exc:
        raise AddedUnreadable(f"{model.name}: its metadata is not whole: {exc}") from exc
