import pytest
from flask import g

from tests.fakes.door import open_door

PATHS = ["/jwks", "/authorize", "/health/live", "/nothing-here", "/static/css/nothing.css", "/api/ceremony/x/cancel"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers(door, path):
    headers = door.http.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "form-action 'self'; frame-ancestors 'none'; base-uri 'none'" in policy
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "camera=(self)" in headers["Permissions-Policy"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Server" not in headers


def test_a_page_may_name_the_one_provider_that_its_form_leads_back_to(door):
    app = door.http.application
    with app.test_request_context("/"):
        g.redirect_origin = "https://sso.example"
        headers = app.process_response(app.response_class("x")).headers
    assert "form-action 'self' https://sso.example; frame-ancestors" in headers["Content-Security-Policy"]


def test_plain_http_on_loopback_does_not_promise_https(tmp_path):
    door = open_door(tmp_path, issuer="http://localhost:8100")
    assert "Strict-Transport-Security" not in door.http.get("/health/live").headers


@pytest.mark.parametrize("path", ["/authorize", "/health/live", "/nothing-here"])
def test_nothing_is_cached_unless_the_view_says_so(door, path):
    assert door.http.get(path).headers["Cache-Control"] == "no-store"
