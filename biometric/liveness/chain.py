"""A chain over the frames of one challenge, keyed by it.

    tag(n) = HMAC-SHA-256(key, tag(n-1) || seq || captured_ms || SHA-256(jpeg)),      tag(-1) = 32 zero bytes

seq is four bytes, captured_ms eight, both big-endian. The service draws the key with the challenge; the page that asked
for it gets it in the answer and tags its frames in order (plugin/static/js/face/frame_chain.js).

What it stops: anybody between page and service (a proxy, another tab, a second client with the same cookie) who drops,
inserts, swaps or re-times frames, or sends frames for a challenge that somebody else asked for. What it does not stop:
the browser belongs to whoever sits before it, and what reads the answer of face/start can tag anything. It binds frames
to a challenge; it does not say that a camera took them.

Not here: when a broken chain is refused (stream.py, rule 11).
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometric.types import Frame

KEY_BYTES: Final = 32
TAG_BYTES: Final = 32
START: Final = bytes(TAG_BYTES)
_SEQ_BYTES: Final = 4
_MS_BYTES: Final = 8


def next_tag(key: bytes, before: bytes, frame: Frame) -> bytes:
    """Return the tag that `frame` must carry after a frame tagged `before`."""
    place = frame.seq.to_bytes(_SEQ_BYTES, "big") + frame.captured_ms.to_bytes(_MS_BYTES, "big")
    return hmac.digest(key, before + place + sha256(frame.jpeg).digest(), "sha256")


def is_tag(tag: bytes, expected: bytes) -> bool:
    """Return whether they are equal, in constant time."""
    return hmac.compare_digest(tag, expected)


def sign_frames(frames: Sequence[Frame], *, key: bytes, before: bytes = START) -> list[Frame]:
    """Return the frames with their tags, as the page does it."""
    signed: list[Frame] = []
    for frame in frames:
        before = next_tag(key, before, frame)
        signed.append(replace(frame, tag=before))
    return signed
