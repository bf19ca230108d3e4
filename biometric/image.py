"""Encoded bytes to pixels, with the header looked at before anything is decoded.

Rules:
 * JPEG, PNG and WebP stills only, told by their own bytes and never by a name.
 * The number of pixels is read from the header first: a small file that unfolds into gigabytes is refused unopened.
 * A truncated file is refused, though decoders would fill the missing part with grey.
 * A JPEG with more scans than any camera writes is refused: each scan costs a pass over all pixels.
 * The EXIF orientation is applied (by OpenCV).

Not here: what is in the picture (detect.py).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from biometric.errors import ImageTooLarge, ImageUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from biometric.types import Image

MAX_BYTES: Final = 20_000_000
MAX_PIXELS: Final = (
    40_000_000  # a 40-megapixel portrait is 120 MB of pixels for a moment; more is nobody's passport photo
)
MAX_JPEG_SCANS: Final = 32  # progressive encoders write about 10

_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN: Final = 0xDA
_WEBP_ANIMATION: Final = 0x02


def decode_image(data: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Image:
    """Return the picture, BGR, upright.

    Raises:
        ImageTooLarge: more bytes, pixels or scans than allowed; nothing was decoded.
        ImageUnreadable: no JPEG, PNG or WebP still, or a truncated one.
    """
    if len(data) > max_bytes:
        raise ImageTooLarge(f"{len(data)} bytes, at most {max_bytes}")
    width, height = _dimensions(data)
    if width <= 0 or height <= 0:
        raise ImageUnreadable("the header tells no size")
    if width * height > max_pixels:
        raise ImageTooLarge(f"{width}x{height} pixels, at most {max_pixels}")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as exc:
        raise ImageUnreadable("the decoder refused it") from exc
    if image is None:
        raise ImageUnreadable("the decoder refused it")
    pixels: Image = np.ascontiguousarray(image, dtype=np.uint8)
    pixels.flags.writeable = False
    return pixels


def overwrite(image: Image) -> None:
    """Fill a picture of `decode_image` with zeros, when nobody needs it any more."""
    image.flags.writeable = True
    image.fill(0)


def _dimensions(data: bytes) -> tuple[int, int]:
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError) as exc:
        raise ImageUnreadable("truncated") from exc
    raise ImageUnreadable("neither JPEG nor PNG nor WebP")


def _jpeg(data: bytes) -> tuple[int, int]:
    size = (0, 0)
    position = 2
    while True:
        while data[position] == 0xFF and data[position + 1] == 0xFF:  # noqa: PLR2004  (fill bytes)
            position += 1
        prefix, marker = data[position], data[position + 1]
        if prefix != 0xFF:  # noqa: PLR2004  (every marker begins so)
            raise ImageUnreadable("a JPEG marker is missing")
        position += 2
        if marker in _STANDALONE:
            continue
        (length,) = struct.unpack_from(">H", data, position)
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, position + 3)
            size = max(size, (width, height), key=lambda wh: wh[0] * wh[1])
        if marker == _START_OF_SCAN:
            break
        position += length
    # Within coded data 0xFF is always followed by 0x00 or a restart marker, so what is found here are real markers.
    if data.rfind(b"\xff\xd9", position) < 0:  # from behind, where it stands in a whole file
        raise ImageUnreadable("truncated")
    if data.count(b"\xff\xda", position) + 1 > MAX_JPEG_SCANS:
        raise ImageTooLarge("more scans than any camera writes")
    return size


def _png(data: bytes) -> tuple[int, int]:
    names = []
    position = 8
    while position < len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        position += 12 + length
        if position > len(data):
            raise ImageUnreadable("truncated")
        names.append(name)
        if name == b"IEND":
            break
    if not names or names[0] != b"IHDR" or names[-1] != b"IEND" or b"acTL" in names:
        raise ImageUnreadable("no whole PNG still")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _webp(data: bytes) -> tuple[int, int]:
    (declared,) = struct.unpack_from("<I", data, 4)
    if declared + 8 > len(data):
        raise ImageUnreadable("truncated")
    # A canvas and the picture in it both tell a size; the larger one counts.
    return max(_webp_sizes(data, declared + 8), key=lambda wh: wh[0] * wh[1], default=(0, 0))


def _webp_sizes(data: bytes, end: int) -> Iterator[tuple[int, int]]:
    position = 12
    while position + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, position)
        body = position + 8
        if body + length > end:
            raise ImageUnreadable("truncated")
        if name == b"VP8X":
            if data[body] & _WEBP_ANIMATION:
                raise ImageUnreadable("animated")
            yield (
                int.from_bytes(data[body + 4 : body + 7], "little") + 1,
                int.from_bytes(data[body + 7 : body + 10], "little") + 1,
            )
        elif name == b"VP8 ":
            width, height = struct.unpack_from("<HH", data, body + 6)
            yield width & 0x3FFF, height & 0x3FFF
        elif name == b"VP8L":
            (bits,) = struct.unpack_from("<I", data, body + 1)
            yield (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        position = body + length + (length & 1)
