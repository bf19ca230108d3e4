import logging

import pytest

from biometric.errors import NoFace, QualityTooLow
from plugin.errors import CeremonyRefused, LockedOut, ServiceError
from vault.interface import VaultDenied, WrongMac

SECRET = "s3cret-detail"


@pytest.fixture
def failing(door):
    """Two routes, a page and an API call, that raise whatever a test says."""
    app = door.http.application
    holder = {}

    def fail():
        raise holder["error"]

    app._got_first_request = False
    for path in ("/page-fails", "/api/fails"):
        app.add_url_rule(path, endpoint=path, view_func=fail)

    def call(path, error):
        holder["error"] = error
        return door.http.get(path)

    return call


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CeremonyRefused("ceremony_refused", SECRET), 410, "ceremony_refused"),
        (ServiceError("bad_request", SECRET), 400, "bad_request"),
        (ServiceError("a_code_nobody_listed", SECRET), 500, "a_code_nobody_listed"),
        (NoFace(SECRET), 422, "no_face"),
        (QualityTooLow("too_dark"), 422, "quality_too_low"),
        (VaultDenied(SECRET), 503, "vault_denied"),
        (WrongMac(SECRET), 500, "vault_wrong_mac"),
        (RuntimeError(SECRET), 500, "internal"),
        (KeyError(SECRET), 500, "internal"),
    ],
    ids=str,
)
def test_an_error_is_one_public_sentence(failing, error, status, code):
    response = failing("/api/fails", error)
    assert response.status_code == status
    assert response.json.keys() == {"error", "message"}
    assert response.json["error"] == code
    page = failing("/page-fails", error)
    assert page.status_code == status
    assert page.mimetype == "text/html"
    assert SECRET not in response.text + page.text
    assert "Traceback" not in page.text


def test_a_lock_says_how_long_to_wait(failing):
    response = failing("/api/fails", LockedOut("locked_for_now", retry_after_s=30))
    assert (response.status_code, response.headers["Retry-After"]) == (429, "30")
    assert "Retry-After" not in failing("/api/fails", LockedOut("factor_off", retry_after_s=None)).headers


def test_the_log_of_an_unknown_error_does_not_quote_it(failing, caplog):
    failing("/api/fails", RuntimeError(SECRET))
    assert "unexpected RuntimeError at" in caplog.text
    assert SECRET not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


def test_a_fault_of_ours_is_logged_with_its_code(failing, caplog):
    failing("/api/fails", VaultDenied("403 from the vault"))
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == ["vault_denied 403 from the vault"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/api/nothing", 404, "not_found"),
        ("POST", "/jwks", 405, "not_found"),
        ("PUT", "/token", 405, "not_found"),
    ],
)
def test_http_errors_look_like_ours(door, method, path, status, code):
    response = door.http.open(path, method=method)
    assert response.status_code == status
    if response.is_json:
        assert response.json["error"] == code
    else:
        assert code in response.text


def test_a_body_that_is_too_large_is_refused_everywhere_but_with_frames(door):
    assert door.http.post("/token", data={"x": "y" * 70_000}).status_code == 413
    assert door.http.application.config["MAX_CONTENT_LENGTH"] == 12 * 400_000 + 64 * 1024
