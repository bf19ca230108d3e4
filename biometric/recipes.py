"""How a served net is made of another file: which program, and on which crops the result is judged.

A recipe's name stands in models.lock and is part of the net's identity (Lock.identity): whatever makes other vectors
needs another name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from biometric.align import facenet_crop, facenet_input, sface_crop, sface_input
from biometric.roles import FACENET_RECIPE

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from biometric.types import Image, Points

SFACE_RECIPE: Final = "litert-float32-v1"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way of converting.

    Attributes:
        program: module that is run as `python -m program SOURCE TARGET CROPS` and prints one JSON line.
        judge: what the result is compared with.
        look: returns the net's input for the face with these five points.
    """

    program: str
    judge: str
    look: Callable[[Image, Points], NDArray[np.float32]]


RECIPES: Final = {
    FACENET_RECIPE: Recipe(
        "biometric.convert", "TensorFlow", lambda image, five: facenet_input(facenet_crop(image, five))
    ),
    SFACE_RECIPE: Recipe("biometric.convert_sface", "OpenCV", lambda image, five: sface_input(sface_crop(image, five))),
}
