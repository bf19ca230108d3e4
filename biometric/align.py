"""Crops for the two recognisers, from the five points of the detector.

Rules:
 * FaceNet was trained on MTCNN boxes squeezed to a square, so its target is stretched sideways: a similarity is
   fitted to the target with 0.798 x, then x is scaled by 1/0.798 (docs/calibration.md has what the framings cost).
 * FaceNet's standardisation is fixed, (x-127.5)/128. Per-picture prewhitening loses 20 points of TAR at FMR 1e-4.
 * SFace takes OpenCV's 112-pixel crop; its target is the one inside FaceRecognizerSF::alignCrop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.detect import warp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.types import Image, Matrix, Points

FACENET_SIDE_PX: Final = 160
SFACE_SIDE_PX: Final = 112

STRETCH: Final = 0.798  # width by height of an MTCNN box, learnt from 200 LFW pictures
# Right eye, left eye, nose, right and left mouth corner (the person's own sides) at 160 px; learnt likewise.
FACENET_TARGET: Final = np.array([[54.3, 65.9], [110.0, 65.1], [82.2, 90.5], [59.3, 110.5], [107.0, 110.3]], np.float32)
# OpenCV 4.14, modules/objdetect/src/face_recognize.cpp, getSimilarityTransformMatrix.
SFACE_TARGET: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
_STANDARDISED: Final = ((np.arange(256, dtype=np.float32) - 127.5) / 128).astype(np.float32)  # looked up: quicker


def similarity(source: Points, target: Points) -> Matrix:
    """Return the 2x3 least-squares rotation, scale and shift from source to target; it never mirrors."""
    z = source[:, 0] + 1j * source[:, 1]
    w = target[:, 0] + 1j * target[:, 1]
    centred = z - z.mean()
    factor = np.vdot(centred, w - w.mean()) / max(float(np.vdot(centred, centred).real), 1e-9)
    shift = w.mean() - factor * z.mean()
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]], np.float32)


def facenet_matrix(five: Points) -> Matrix:
    """Return the stretched mapping from the picture to FaceNet's crop."""
    squeeze = np.array([STRETCH, 1], np.float32)
    return (similarity(five, FACENET_TARGET * squeeze) / squeeze[:, None]).astype(np.float32)


def facenet_crop(image: Image, five: Points) -> Image:
    """Return FaceNet's crop, 160x160 BGR."""
    return warp(image, facenet_matrix(five), FACENET_SIDE_PX)


def sface_crop(image: Image, five: Points) -> Image:
    """Return SFace's crop, 112x112 BGR."""
    return warp(image, similarity(five, SFACE_TARGET), SFACE_SIDE_PX)


def sface_input(crop: Image) -> NDArray[np.float32]:
    """Return the crop as SFace wants it: RGB, 0 to 255."""
    return cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32)


def facenet_input(crop: Image) -> NDArray[np.float32]:
    """Return the crop as FaceNet wants it: RGB, fixed standardisation."""
    return np.asarray(cv2.LUT(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB), _STANDARDISED), np.float32)
