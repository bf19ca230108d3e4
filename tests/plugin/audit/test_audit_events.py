from __future__ import annotations

import json

import pytest

from plugin.audit.events import DETAILS, AuditMisuse, Kind, encode_details

SECRET = "marked secret"  # a space is in no code and no identifier


def name_of(kind):
    return next(name for name, found in DETAILS.items() if found is kind)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.CODE, "planarity"),
        (Kind.CODE, "2026-01"),
        (Kind.CODES, []),
        (Kind.CODES, ["face", "otp"]),
        (Kind.NUMBER, 0),
        (Kind.NUMBER, -0.25),
        (Kind.FLAG, True),
        (Kind.ID, "Zm9v-_"),
        (Kind.TEXT, "https://idp.example/realms/a b"),
    ],
)
def test_what_the_log_may_hold(kind, value):
    assert json.loads(encode_details({name_of(kind): value})) == {name_of(kind): value}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.CODE, SECRET),
        (Kind.CODE, ""),
        (Kind.CODE, "x" * 65),
        (Kind.CODE, 1),
        (Kind.CODE, "trailing\n"),
        (Kind.CODES, [SECRET]),
        (Kind.CODES, "face"),
        (Kind.CODES, ["x"] * 33),
        (Kind.CODES, [0.1] * 16),
        (Kind.NUMBER, True),
        (Kind.NUMBER, "1"),
        (Kind.NUMBER, float("nan")),
        (Kind.NUMBER, float("inf")),
        (Kind.NUMBER, [0.1] * 16),
        (Kind.FLAG, 1),
        (Kind.ID, SECRET),
        (Kind.ID, "x" * 81),
        (Kind.ID, b"bytes"),
        (Kind.TEXT, b"bytes"),
        (Kind.TEXT, None),
        (Kind.TEXT, ["a"]),
    ],
)
def test_what_it_may_not_and_the_value_is_not_repeated(kind, value):
    with pytest.raises(AuditMisuse) as refused:
        encode_details({name_of(kind): value})
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["embedding", "vector", "picture", "secret", "code_entered", "token", "display_name", ""]
)
def test_a_detail_that_is_not_listed_is_a_mistake(name):
    with pytest.raises(AuditMisuse, match="not an audit detail"):
        encode_details({name: "x"})


@pytest.mark.parametrize(
    "hostile",
    ["a\nb", "a\r\nb", "a\x00b", "a\x1b[2Jb", "a\u2028b", "a\u202eb", "a\u2066b", "a\u200bb", "a\ud800b", "a\ufeffb"],
    ids=ascii,
)
def test_what_somebody_else_chose_is_cleaned_and_never_keeps_the_entry_out(hostile):
    kept = json.loads(encode_details({name_of(Kind.TEXT): hostile}))[name_of(Kind.TEXT)]
    assert kept.startswith("a\ufffd")
    assert kept.encode("utf-8").decode("utf-8").isprintable()


def test_long_foreign_text_is_shortened():
    assert len(json.loads(encode_details({name_of(Kind.TEXT): "x" * 10_000}))[name_of(Kind.TEXT)]) == 512


def test_the_order_of_the_details_does_not_matter():
    assert encode_details({"factor": "totp", "code": "x"}) == encode_details({"code": "x", "factor": "totp"})
