import pytest
from werkzeug.datastructures import Headers

from plugin.api.guard import check_own_page, own_origin
from plugin.errors import ServiceError

OURS = "https://face.example"
GOOD = {"X-Facestep": "1", "Origin": OURS, "Sec-Fetch-Site": "same-origin"}


def refused(headers):
    with pytest.raises(ServiceError) as caught:
        check_own_page(Headers(headers), expected_origin=OURS)
    assert caught.value.code == "bad_request"
    return caught.value.detail


def test_our_own_page_may_call():
    check_own_page(Headers(GOOD), expected_origin=OURS)


def test_a_browser_without_fetch_metadata_may_call():
    check_own_page(Headers({"X-Facestep": "1", "Origin": OURS}), expected_origin=OURS)


@pytest.mark.parametrize("value", [None, "", "0", "true", "1, 1"])
def test_a_call_without_our_header_is_refused(value):
    headers = {name: v for name, v in (GOOD | {"X-Facestep": value}).items() if v is not None}
    assert refused(headers) == "no_own_header"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "",
        "https://evil.example",
        "http://face.example",
        "https://face.example:444",
        "https://face.example.evil.example",
        "https://face.example/",
        "HTTPS://face.example",
    ],
)
def test_a_call_from_another_origin_is_refused(origin):
    headers = {name: v for name, v in (GOOD | {"Origin": origin}).items() if v is not None}
    assert refused(headers) == "foreign_origin"


def test_two_origins_are_refused_even_if_one_is_ours():
    assert refused([("X-Facestep", "1"), ("Origin", OURS), ("Origin", "https://evil.example")]) == "foreign_origin"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_a_call_that_the_browser_calls_foreign_is_refused(site):
    assert refused(GOOD | {"Sec-Fetch-Site": site}) == "cross_site"


@pytest.mark.parametrize(
    ("issuer", "origin"),
    [
        ("https://face.example", "https://face.example"),
        ("https://Face.Example:443/step", "https://face.example"),
        ("http://localhost:8100", "http://localhost:8100"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8100", "http://[::1]:8100"),
    ],
)
def test_our_origin_is_written_as_browsers_write_it(issuer, origin):
    assert own_origin(issuer) == origin
