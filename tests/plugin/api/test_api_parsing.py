import json

import pytest
from flask import Flask

from plugin.api.parsing import MAX_JSON_BYTES, Flag, Text, TextList, json_body
from plugin.errors import ServiceError

SCHEMA = {
    "code": Text(8),
    "agree": Flag(),
    "inner": {"handle": Text(4, nullable=True), "transports": TextList(2, 4)},
}
GOOD = {"code": "123456", "agree": True, "inner": {"handle": None, "transports": ["usb"]}}


def parse(body, *, content_type="application/json", path="/"):
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    with Flask("test").test_request_context(path, method="POST", data=data, content_type=content_type):
        return json_body(SCHEMA)


def refused(body, **more):
    with pytest.raises(ServiceError) as caught:
        parse(body, **more)
    return caught.value.code


def test_a_body_of_exactly_the_right_shape_passes_unchanged():
    assert parse(GOOD) == GOOD


@pytest.mark.parametrize(
    "body",
    [
        GOOD | {"debug": True},
        {name: value for name, value in GOOD.items() if name != "agree"},
        GOOD | {"inner": {"handle": None, "transports": [], "x": 1}},
        GOOD | {"inner": []},
        [GOOD],
        "null",
        "123456",
        '"code"',
    ],
    ids=["unknown", "missing", "unknown_inside", "list_for_object", "array", "null", "number", "string"],
)
def test_any_other_set_of_fields_is_refused(body):
    assert refused(body) == "bad_request"


@pytest.mark.parametrize(
    "change",
    [
        {"code": 123456},
        {"code": None},
        {"code": "123456789"},
        {"agree": "true"},
        {"agree": 1},
        {"agree": None},
        {"inner": {"handle": 7, "transports": []}},
        {"inner": {"handle": None, "transports": "usb"}},
        {"inner": {"handle": None, "transports": ["usb", "nfc", "ble"]}},
        {"inner": {"handle": None, "transports": ["smart-card"]}},
        {"inner": {"handle": None, "transports": [1]}},
    ],
    ids=str,
)
def test_a_value_of_another_type_or_size_is_refused(change):
    assert refused(GOOD | change) == "bad_request"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"{'code': 1}",
        b'{"code": NaN}',
        b'{"code": "1", "code": "2", "agree": true, "inner": {"handle": null, "transports": []}}',
        b"[" * 20_000,
    ],
    ids=["empty", "cut", "no_utf8", "no_json", "nan", "repeated_field", "deep"],
)
def test_unreadable_json_is_refused(raw):
    assert refused(raw) == "bad_request"


def test_a_large_body_is_refused():
    assert refused(b" " * MAX_JSON_BYTES + json.dumps(GOOD).encode()) == "too_large"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_a_body_that_does_not_call_itself_json_is_refused(kind):
    assert refused(GOOD, content_type=kind) == "bad_request"


def test_parameters_in_the_address_are_refused():
    assert refused(GOOD, path="/?code=1") == "bad_request"
