from dataclasses import replace

import pytest

from plugin.app import create_app
from plugin.doors import health
from plugin.errors import ServiceError, SettingsError
from vault.interface import VaultUnavailable


class Switch:
    """A database or sealer whose check can be told to fail."""

    def __init__(self, error=None):
        self.error = error
        self.calls = 0

    def check(self):
        self.calls += 1
        if self.error is not None:
            raise self.error


def app_with(door, **parts):
    return create_app(door.services.settings, replace(door.services, **parts)).test_client()


def test_a_running_process_is_live_even_when_it_is_not_ready(door):
    http = app_with(door, sealer=Switch(VaultUnavailable("sealed")))
    assert http.get("/health/live").json == {"status": "live"}


def test_ready_means_that_database_and_vault_answer(door):
    assert door.http.get("/health/ready").json == {"status": "ready"}


@pytest.mark.parametrize(
    ("part", "error", "code"),
    [
        ("sealer", VaultUnavailable("sealed"), "vault_unavailable"),
        ("database", SettingsError("the database is at revision none"), "store_unavailable"),
        ("database", ServiceError("store_busy", "locked"), "store_busy"),
    ],
)
def test_not_ready_says_which_part_and_nothing_else(door, part, error, code):
    response = app_with(door, **{part: Switch(error)}).get("/health/ready")
    assert response.status_code == 503
    assert response.json["error"] == code
    assert error.args[0] not in response.text


def test_a_good_answer_is_kept_for_a_second_and_a_bad_one_not_at_all(door, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(health.time, "monotonic", lambda: clock[0])
    switch = Switch()
    http = app_with(door, sealer=switch)
    for _ in range(5):
        assert http.get("/health/ready").status_code == 200
    assert switch.calls == 1
    clock[0] += 1.0
    switch.error = VaultUnavailable("sealed")
    assert http.get("/health/ready").status_code == 503
    switch.error = None
    assert http.get("/health/ready").status_code == 200
    assert switch.calls == 3
