"""What a scraper sees, and everybody else does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from plugin.app import create_app
from plugin.ceremonies.types import Subject
from plugin.errors import SettingsError
from tests.plugin.factors.world import REALM

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "metrics-token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def measured(door, token_file):
    """The service with metrics, as a client."""
    settings = replace(door.services.settings, metrics_token_file=token_file, audit_forward_to="syslog+udp://[::1]")
    return create_app(settings, replace(door.services, settings=settings)).test_client()


def scrape(client, token=TOKEN):
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    families = text_string_to_metric_families(answer.text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}, answer


def test_what_the_log_says_is_counted_once_however_often_it_is_asked(door, measured):
    audit, alice = door.services.audit, Subject(REALM, "alice-id")
    for reason in ("many_lookups", "many_lookups", "frozen_by_owner"):
        audit.append(
            "helpdesk_alarm", at=door.services.clock(), issuer=REALM, subject=alice.subject, details={"reason": reason}
        )
    first, _ = scrape(measured)
    assert first["facestep_events_total", "helpdesk_alarm"] == 3
    assert first["facestep_helpdesk_alarms_total", "many_lookups"] == 2
    assert scrape(measured)[0] == first
    audit.append("helpdesk_refused", at=door.services.clock(), details={"code": "own_case"})
    after, _ = scrape(measured)
    assert after["facestep_helpdesk_refusals_total", "own_case"] == 1
    assert after["facestep_helpdesk_alarms_total", "many_lookups"] == 2


def test_every_worker_gives_the_same_answer(door, measured, token_file):
    door.services.audit.append("helpdesk_login", at=door.services.clock())
    first, _ = scrape(measured)
    settings = replace(door.services.settings, metrics_token_file=token_file, audit_forward_to="syslog+udp://[::1]")
    other = create_app(settings, replace(door.services, settings=settings)).test_client()
    assert scrape(other)[0] == first


def test_what_waits_is_shown(door, measured):
    found, answer = scrape(measured)
    assert found["facestep_helpdesk_cases", "open"] == 0
    assert found["facestep_letters",] == 0
    assert found["facestep_audit_unsent", "1"] == sum(
        count for (name, *_), count in found.items() if name == "facestep_events_total"
    )
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "header", [None, "", "Bearer ", f"bearer {TOKEN}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é"]
)
def test_without_the_token_it_is_as_if_there_were_none(door, measured, header):
    headers = {} if header is None else {"Authorization": header}
    answer = measured.get("/metrics", headers=headers)
    nothing = door.http.get("/metrics", headers=headers)
    assert (answer.status_code, answer.data) == (nothing.status_code, nothing.data)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("held", "mode", "said"), [("short", 0o600, "at least 32"), (TOKEN, 0o604, "read by everybody")]
)
def test_a_token_that_is_no_secret_stops_the_start(door, token_file, held, mode, said):
    token_file.write_text(held)
    token_file.chmod(mode)
    settings = replace(door.services.settings, metrics_token_file=token_file)
    with pytest.raises(SettingsError, match=said):
        create_app(settings, replace(door.services, settings=settings))
