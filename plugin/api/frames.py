"""One upload of camera frames: multipart with `meta` (JSON) and the files f0, f1, … in that order.

`meta` is {"frames": [{"seq", "captured_ms", "tag"}, …], "light_ms": when the page began to show the colours, or null};
`tag` is 64 hexadecimal digits, the frame's place in the challenge's chain (biometric/liveness/chain.py).

Rules:
 * Frames stay in memory: the parser's usual habit of spooling large files to disk is replaced.
 * Count and size are limited while reading, and the application limits the whole body.
 * Exactly the announced files are there, and nothing else.

Not here: whether the frames are a person (biometric/), whether they follow the frames before (biometric/liveness).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser

from biometric.types import Frame
from plugin.api.parsing import load_json
from plugin.errors import ServiceError

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage, MultiDict

BATCH: Final = 6
"""New frames in a usual upload: at 15 frames a second the person sees a reaction every 0.4 s."""
MOST_NEW: Final = 11
"""New frames in the largest upload, for a page that has fallen behind."""
MOST_FRAMES: Final = MOST_NEW + 1
"""The last frame of the upload before is repeated."""
_MAX_META_BYTES: Final = 4096
_TAG: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_READ_BYTES: Final = 64 * 1024
_MAX_PARSER_BYTES: Final = 2 * _READ_BYTES
"""Werkzeug's limit holds for a text part and for what it has read but not yet cut into parts, so two reads must fit."""
_MAX_SEQ: Final = 10_000
_MAX_MS: Final = 600_000
_Entry = tuple[int, int, bytes]


class _MemoryFile(BytesIO):
    """A file part that stays in memory and refuses to grow beyond one frame."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > self._max_bytes:
            raise RequestEntityTooLarge
        return super().write(data)


@dataclass(frozen=True, slots=True)
class Upload:
    """What one request brought."""

    frames: list[Frame]
    light_ms: int | None


def read_frames(*, max_frame_bytes: int) -> Upload:
    """Return the frames of the current request. Raises ServiceError for anything but a well-formed upload."""
    if request.mimetype != "multipart/form-data" or request.args:
        _refuse("not_multipart")

    def in_memory(
        total_content_length: int | None,  # noqa: ARG001  (what a part says of itself is not believed)
        content_type: str | None,  # noqa: ARG001
        filename: str | None,  # noqa: ARG001
        content_length: int | None = None,  # noqa: ARG001
    ) -> IO[bytes]:
        return _MemoryFile(max_frame_bytes)

    parser = MultiPartParser(
        stream_factory=in_memory,
        max_form_memory_size=_MAX_PARSER_BYTES,
        max_form_parts=MOST_FRAMES + 1,
        buffer_size=_READ_BYTES,
    )
    try:
        boundary = request.mimetype_params.get("boundary", "").encode("ascii")
        form, files = parser.parse(request.stream, boundary, request.content_length)
    except RequestEntityTooLarge as exc:
        raise ServiceError("too_large", "frames") from exc
    except ValueError as exc:
        raise ServiceError("bad_request", "multipart_unreadable") from exc
    entries, light_ms = _read_meta(form)
    return Upload(_pair(entries, files), light_ms)


def _read_meta(form: MultiDict[str, str]) -> tuple[list[_Entry], int | None]:
    if list(form) != ["meta"] or len(form.getlist("meta")) != 1:
        _refuse("form_fields")
    if len(form["meta"]) > _MAX_META_BYTES:
        _refuse("meta_too_long")
    meta = load_json(form["meta"])
    if not isinstance(meta, dict) or set(meta) != {"frames", "light_ms"} or not isinstance(meta["frames"], list):
        _refuse("meta")
    if not 1 <= len(meta["frames"]) <= MOST_FRAMES:
        _refuse("meta_count")
    light_ms = meta["light_ms"] if meta["light_ms"] is None else _whole(meta["light_ms"], _MAX_MS)
    return [_read_entry(entry) for entry in meta["frames"]], light_ms


def _read_entry(entry: Any) -> _Entry:
    if not isinstance(entry, dict) or set(entry) != {"seq", "captured_ms", "tag"}:
        _refuse("meta_frame")
    tag = entry["tag"]
    if not isinstance(tag, str) or _TAG.fullmatch(tag) is None:
        _refuse("meta_tag")
    return _whole(entry["seq"], _MAX_SEQ), _whole(entry["captured_ms"], _MAX_MS), bytes.fromhex(tag)


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:  # a bool is an int to isinstance
        _refuse("meta_number")
    return value


def _pair(meta: list[_Entry], files: MultiDict[str, FileStorage]) -> list[Frame]:
    uploads = list(files.items(multi=True))
    if [name for name, _ in uploads] != [f"f{index}" for index in range(len(meta))]:
        _refuse("files")
    return [
        Frame(seq=seq, captured_ms=captured_ms, jpeg=upload.stream.read(), tag=tag)
        for (seq, captured_ms, tag), (_, upload) in zip(meta, uploads, strict=True)
    ]


def _refuse(why: str) -> NoReturn:
    raise ServiceError("bad_request", why)
