"""The audit entry of a request that ended in a fault of ours."""

import pytest

from plugin.errors import ServiceError
from vault.interface import VaultDenied, VaultError, VaultUnavailable, WrongContext

SECRET = "s3cret-detail"


def failing(error):
    def fail(*_, **__):
        raise error

    return fail


def refuse_pages(door, monkeypatch, error):
    """Begin a login whose page then fails with this error."""
    path = door.authorize().headers["Location"]
    monkeypatch.setattr("plugin.pages.ceremony.available", failing(error))
    return path.rpartition("/")[2], door.http.get(path)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (VaultUnavailable(SECRET), "vault_unavailable"),
        (VaultDenied(SECRET), "vault_denied"),
        (VaultError(SECRET), "vault_error"),
        (WrongContext(SECRET), "vault_wrong_context"),
        (RuntimeError(SECRET), "internal"),
        (ServiceError("a_code_nobody_listed", SECRET), "a_code_nobody_listed"),
    ],
    ids=str,
)
def test_a_fault_within_a_ceremony_names_the_person_the_call_and_the_code(door, monkeypatch, error, code):
    ceremony_id, answer = refuse_pages(door, monkeypatch, error)
    assert answer.status_code >= 500
    (entry,) = door.audited("request_failed")
    assert (entry.issuer, entry.subject, entry.ceremony_id) == (door.realm.issuer, "user-1", ceremony_id)
    assert entry.details == {"code": code, "call": "pages.show", "stage": "possession"}


@pytest.mark.parametrize("code", ["store_busy", "store_unavailable"])
def test_a_database_that_is_the_fault_is_not_waited_for_again(door, monkeypatch, code):
    refuse_pages(door, monkeypatch, ServiceError(code, SECRET))
    assert door.audited("request_failed") == []


def test_a_refusal_is_no_fault(door, monkeypatch):
    refuse_pages(door, monkeypatch, ServiceError("bad_request", SECRET))
    assert door.audited("request_failed") == []


def test_a_log_that_cannot_be_written_does_not_change_the_answer(door, monkeypatch, caplog):
    path = door.authorize().headers["Location"]
    monkeypatch.setattr("plugin.pages.ceremony.available", failing(VaultDenied(SECRET)))
    monkeypatch.setattr(type(door.services.audit), "append", failing(OSError(SECRET)))
    answer = door.http.get(path)
    assert answer.status_code == 503
    assert "no audit entry of vault_denied at pages.show: OSError" in caplog.text


def test_a_login_that_cannot_begin_is_written_down_for_its_person(door, monkeypatch):
    monkeypatch.setattr(door.services.ceremonies, "begin", failing(VaultUnavailable(SECRET)))
    assert door.authorize().status_code == 503
    (entry,) = door.audited("request_failed")
    assert (entry.issuer, entry.subject, entry.ceremony_id) == (door.realm.issuer, "user-1", "")
    assert entry.details["call"] == "provider.authorize"


def test_a_provider_that_could_not_be_served_is_written_down(door, monkeypatch):
    monkeypatch.setattr(door.services.enrolment, "erase", failing(VaultUnavailable(SECRET)))
    assert door.erase("user-1").status_code == 503
    (entry,) = door.audited("request_failed")
    assert (entry.issuer, entry.subject) == (door.realm.issuer, "")


def test_a_ceremony_that_cannot_be_checked_is_written_down_by_its_id_alone(door, monkeypatch):
    path = door.authorize().headers["Location"]
    monkeypatch.setattr(type(door.services.sealer), "verify_mac", failing(VaultUnavailable(SECRET)))
    assert door.http.get(path).status_code == 503
    door.http.delete_cookie(f"facestep_{path.rpartition('/')[2][:8]}")
    assert door.http.get(path).status_code == 410  # a stranger, who fills no log
    (entry,) = door.audited("request_failed")
    assert (entry.issuer, entry.subject, entry.ceremony_id) == ("", "", path.rpartition("/")[2])


def test_a_strangers_request_that_fails_fills_no_log(door, monkeypatch):
    monkeypatch.setattr(door.services.database, "check", failing(ServiceError("vault_error", SECRET)))
    assert door.http.get("/health/ready").status_code == 503
    assert door.audited("request_failed") == []
