import json
import tempfile

import pytest
from flask import Flask
from urllib3 import encode_multipart_formdata

from plugin.api.frames import MOST_FRAMES, read_frames
from plugin.errors import ServiceError

MAX_FRAME = 10_000
TAG = "ab" * 32


def meta(count, first=0):
    entries = [{"seq": first + i, "captured_ms": (first + i) * 66, "tag": f"{first + i:064x}"} for i in range(count)]
    return {"frames": entries, "light_ms": None}


def upload(entries, *, files=None, extra=None, max_frame_bytes=MAX_FRAME, path="/"):
    text = entries if isinstance(entries, str) else json.dumps(entries)
    parts = [("meta", text), *(extra or {}).items()]
    parts += [(name, (f"{name}.jpg", content, "image/jpeg")) for name, content in files or []]
    body, kind = encode_multipart_formdata(parts)
    with Flask("test").test_request_context(path, method="POST", data=body, content_type=kind):
        return read_frames(max_frame_bytes=max_frame_bytes).frames


def some_files(count, size=100):
    return [(f"f{i}", bytes([i]) * size) for i in range(count)]


def refused(*args, **more):
    with pytest.raises(ServiceError) as caught:
        upload(*args, **more)
    return caught.value.code


def test_frames_arrive_in_order_with_their_bytes():
    frames = upload(meta(3, first=5), files=some_files(3))
    assert [(frame.seq, frame.captured_ms) for frame in frames] == [(5, 330), (6, 396), (7, 462)]
    assert [frame.tag for frame in frames] == [bytes(31) + bytes([seq]) for seq in (5, 6, 7)]
    assert [frame.jpeg for frame in frames] == [content for _, content in some_files(3)]


def test_the_largest_upload_passes():
    assert len(upload(meta(MOST_FRAMES), files=some_files(MOST_FRAMES, size=MAX_FRAME))) == MOST_FRAMES


def test_no_frame_touches_the_disk(monkeypatch):
    def no_file(*_, **__):
        raise AssertionError("a frame was written to a temporary file")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, no_file)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", no_file)
    big = 900_000
    assert len(upload(meta(2), files=some_files(2, size=big), max_frame_bytes=big)) == 2


def test_a_frame_above_its_limit_is_refused():
    assert refused(meta(1), files=some_files(1, size=MAX_FRAME + 1)) == "too_large"


def test_more_frames_than_an_upload_may_hold_are_refused():
    assert refused(meta(MOST_FRAMES + 1), files=some_files(MOST_FRAMES + 1)) == "too_large"


@pytest.mark.parametrize(
    ("entries", "files"),
    [
        (meta(2), some_files(1)),
        (meta(1), some_files(2)),
        (meta(0), []),
        (meta(2), [("f1", b"b"), ("f0", b"a")]),
        (meta(2), [("f0", b"a"), ("f0", b"b")]),
        (meta(2), [("f0", b"a"), ("f01", b"b")]),
        (meta(1), [("picture", b"a")]),
    ],
    ids=["one_missing", "one_more", "none", "other_order", "same_name", "other_name", "foreign_name"],
)
def test_files_must_be_exactly_the_announced_ones(entries, files):
    assert refused(entries, files=files) == "bad_request"


@pytest.mark.parametrize(
    "entry",
    [
        {"seq": 0, "tag": TAG},
        {"seq": 0, "captured_ms": 1},
        {"seq": 0, "captured_ms": 1, "tag": TAG, "width": 640},
        {"seq": "0", "captured_ms": 1, "tag": TAG},
        {"seq": True, "captured_ms": 1, "tag": TAG},
        {"seq": 0.0, "captured_ms": 1, "tag": TAG},
        {"seq": -1, "captured_ms": 1, "tag": TAG},
        {"seq": 0, "captured_ms": -1, "tag": TAG},
        {"seq": 10**9, "captured_ms": 1, "tag": TAG},
        {"seq": 0, "captured_ms": 10**9, "tag": TAG},
        {"seq": None, "captured_ms": 1, "tag": TAG},
        {"seq": 0, "captured_ms": 1, "tag": None},
        {"seq": 0, "captured_ms": 1, "tag": ""},
        {"seq": 0, "captured_ms": 1, "tag": TAG[:-2]},
        {"seq": 0, "captured_ms": 1, "tag": TAG.upper()},
        {"seq": 0, "captured_ms": 1, "tag": TAG + "\n"},
        [0, 1, TAG],
    ],
    ids=str,
)
def test_what_is_said_about_a_frame_is_two_whole_numbers_in_range_and_a_tag(entry):
    assert refused({"frames": [entry], "light_ms": None}, files=some_files(1)) == "bad_request"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"frames": {}, "light_ms": null}',
        '{"frames": [], "light_ms": null, "score": 1}',
        json.dumps(meta(1)) + " " * 5000,
    ],
    ids=["empty", "cut", "list", "no_list", "unknown_field", "long"],
)
def test_unreadable_meta_is_refused(text):
    assert refused(text, files=some_files(1)) == "bad_request"


def test_an_unknown_form_field_is_refused():
    assert refused(meta(1), files=some_files(1), extra={"score": "1"}) == "bad_request"


def test_parameters_in_the_address_are_refused():
    assert refused(meta(1), files=some_files(1), path="/?live=true") == "bad_request"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"meta=1", "application/x-www-form-urlencoded"),
        (b"--x\r\n", "multipart/form-data"),
        (b"--x\r\nContent-Disposition: form-data; name=meta\r\n\r\n{", "multipart/form-data; boundary=x"),
        (b"not a form at all", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"A" * 300_000, "multipart/form-data; boundary=x"),
        ("--ü".encode(), "multipart/form-data; boundary=ü"),
    ],
    ids=["json", "urlencoded", "no_boundary", "cut", "no_form", "empty", "endless_header", "odd_boundary"],
)
def test_anything_but_a_whole_multipart_form_is_refused(body, kind):
    context = Flask("test").test_request_context("/", method="POST", data=body, content_type=kind)
    with context, pytest.raises(ServiceError) as caught:
        read_frames(max_frame_bytes=MAX_FRAME)
    assert caught.value.code in {"bad_request", "too_large"}
