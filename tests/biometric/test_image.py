"""Pictures as they come in: whole, broken, and hostile."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from biometric.errors import ImageTooLarge, ImageUnreadable
from biometric.image import MAX_JPEG_SCANS, decode_image


def picture(width=64, height=48):
    ramp = np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    ramp[:8, :8] = (0, 0, 255)  # a red corner shows which way is up
    return ramp


def encoded(suffix, image=None, *options):
    return cv2.imencode(suffix, picture() if image is None else image, list(options))[1].tobytes()


def png_chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_claiming(width, height, *more):
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + body + png_chunk(b"IEND", b"")


def jpeg_claiming(width, height):
    data = bytearray(encoded(".jpg"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def with_orientation(jpeg, orientation):
    exif = (
        b"Exif\0\0" + b"II*\0\x08\0\0\0" + b"\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + b"\0\0\0\0"
    )
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_the_usual_formats_are_read_upright_and_frozen(suffix):
    image = decode_image(encoded(suffix))
    assert image.shape == (48, 64, 3)
    assert image.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0] = 0


def test_grey_and_transparent_pictures_become_three_channels():
    assert decode_image(encoded(".png", np.zeros((9, 7), np.uint8))).shape == (9, 7, 3)
    assert decode_image(encoded(".png", np.zeros((9, 7, 4), np.uint8))).shape == (9, 7, 3)


def test_exif_orientation_is_applied():
    image = decode_image(with_orientation(encoded(".jpg"), 6))
    assert image.shape == (64, 48, 3)
    assert image[4, -4, 2] > 200 > image[4, -4, 0] + 100  # the red corner went from top left to top right


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff", b"GIF89a" + b"\0" * 90, b"<svg/>", b"\0" * 4000]
)
def test_what_is_no_picture_is_unreadable(data):
    with pytest.raises(ImageUnreadable):
        decode_image(data)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_a_truncated_picture_is_unreadable(suffix, share):
    data = encoded(suffix)
    with pytest.raises(ImageUnreadable):
        decode_image(data[: int(len(data) * share)])


def test_a_picture_with_a_byte_less_is_unreadable():
    for suffix in (".jpg", ".png", ".webp"):
        with pytest.raises(ImageUnreadable):
            decode_image(encoded(suffix)[:-1])


@pytest.mark.parametrize("data", [png_claiming(60_000, 60_000), jpeg_claiming(65_500, 65_500)])
def test_a_bomb_is_refused_before_decoding(data, monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(ImageTooLarge):
        decode_image(data)


def test_a_webp_whose_canvas_and_picture_differ_counts_the_larger(monkeypatch):
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    still = encoded(".webp")[12:]
    for width in (1, 16_000):
        canvas = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (width - 1).to_bytes(3, "little") * 2
        body = b"WEBP" + canvas + still
        with pytest.raises(ImageTooLarge):
            decode_image(b"RIFF" + struct.pack("<I", len(body)) + body, max_pixels=2000)


def test_more_bytes_than_allowed_are_not_looked_at():
    with pytest.raises(ImageTooLarge):
        decode_image(b"\0" * 101, max_bytes=100)


def test_a_jpeg_of_endless_scans_is_refused():
    data = encoded(".jpg", None, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    assert decode_image(data).shape == (48, 64, 3)
    with pytest.raises(ImageTooLarge, match="scans"):
        decode_image(data[:-2] + scan * MAX_JPEG_SCANS + b"\xff\xd9")


def test_animations_are_no_stills():
    with pytest.raises(ImageUnreadable):
        decode_image(png_claiming(8, 8, png_chunk(b"acTL", b"\0" * 8)))
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + (63).to_bytes(3, "little") + (47).to_bytes(3, "little")
    body = b"WEBP" + canvas
    with pytest.raises(ImageUnreadable, match="animated"):
        decode_image(b"RIFF" + struct.pack("<I", len(body)) + body)


def test_a_jpeg_without_a_size_is_unreadable():
    with pytest.raises(ImageUnreadable):
        decode_image(jpeg_claiming(0, 0))


def test_any_flipped_byte_gives_a_picture_or_our_error():
    rng = np.random.default_rng(3)
    for suffix in (".jpg", ".png", ".webp"):
        whole = encoded(suffix)
        for _ in range(150):
            data = bytearray(whole)
            data[rng.integers(len(data))] ^= int(rng.integers(1, 256))
            try:
                assert decode_image(bytes(data), max_pixels=100_000).ndim == 3
            except (ImageUnreadable, ImageTooLarge):
                continue
