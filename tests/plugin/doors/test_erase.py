from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from plugin.store.instants import to_ms
from plugin.store.tables import RecoveryCode, TotpSecret


def add_rows(door, issuer, subject):
    common = {"id": f"{issuer[-5:]}-{subject}", "issuer": issuer, "subject": subject, "mac": b""}
    common["created_ms"] = to_ms(door.clock())
    with door.services.database.transaction() as session:
        session.add(TotpSecret(**common, sealed_secret="x", last_step=0))
        session.add(RecoveryCode(**common, code_hash="x"))


def rows(door):
    with door.services.database.reading() as session:
        return sorted((row.issuer, row.subject) for table in (TotpSecret, RecoveryCode) for row in session.query(table))


def test_everything_of_the_subject_goes(door):
    add_rows(door, door.realm.issuer, "user-1")
    response = door.erase("user-1")
    assert (response.status_code, response.json) == (200, {"erased": True})
    assert rows(door) == []
    assert door.audited("erased")[-1].subject == "user-1"


def test_erasing_twice_is_not_an_error(door):
    add_rows(door, door.realm.issuer, "user-1")
    door.erase("user-1")
    assert door.erase("user-1").json == {"erased": False}


def test_the_same_id_at_another_realm_is_another_person(door):
    other = door.new_realm("https://sso.example/realms/other")
    add_rows(door, door.realm.issuer, "user-1")
    assert door.erase("user-1", realm=other).json == {"erased": False}
    assert rows(door) == [(door.realm.issuer, "user-1")] * 2


@pytest.fixture
def ended(door):
    """Open a helpdesk for the realm, of which this call needs one thing; return whose sessions it has ended."""
    gone: list[str] = []
    aftermath = SimpleNamespace(end_sessions=lambda owner, *, now: gone.append(owner.subject))
    services = door.http.application.extensions["facestep"]
    helpdesk = SimpleNamespace(realm=door.realm.issuer, aftermath=aftermath)
    door.http.application.extensions["facestep"] = replace(services, helpdesk=helpdesk)
    return gone


def test_who_has_just_recovered_and_deletes_everything_keeps_no_session(door, ended):
    about = {"issuer": door.realm.issuer, "ceremony_id": "a recovery", "details": {"factor": "totp"}}
    for subject, ago in (("user-1", timedelta(hours=1)), ("user-2", timedelta(hours=25))):
        door.services.audit.append("recovery_bound", at=door.clock() - ago, subject=subject, **about)
    for subject in ("user-1", "user-2", "user-3"):
        assert door.erase(subject).status_code == 200
    assert ended == ["user-1"]


def test_other_people_of_the_realm_stay(door):
    add_rows(door, door.realm.issuer, "user-1")
    add_rows(door, door.realm.issuer, "user-2")
    door.erase("user-1")
    assert {subject for _, subject in rows(door)} == {"user-2"}


@pytest.mark.parametrize(
    ("changes", "status", "check"),
    [
        ({"client_assertion": ""}, 401, "no_client_assertion"),
        ({"client_assertion_type": "urn:x"}, 401, "no_client_assertion"),
        ({"client_assertion": "a.b.c"}, 401, "jws_payload"),
        ({"subject": ""}, 400, "no_subject"),
        ({"subject": "x" * 256}, 400, "no_subject"),
    ],
    ids=["no assertion", "other type", "no jws", "no subject", "long subject"],
)
def test_a_bad_call_erases_nothing_and_is_written_down(door, changes, status, check):
    add_rows(door, door.realm.issuer, "user-1")
    response = door.erase("user-1", **changes)
    assert response.status_code == status
    assert response.json.keys() == {"error", "message"}
    assert len(rows(door)) == 2
    assert door.last_refusal()[0] == check
    assert door.audited("request_refused")[-1].details["door"] == "erase"


def test_an_id_token_of_the_realm_erases_nothing(door):
    add_rows(door, door.realm.issuer, "user-1")
    token = door.realm.sign(door.realm.assertion_claims(), typ="JWT")
    assert door.erase("user-1", client_assertion=token).status_code == 401
    assert len(rows(door)) == 2


def test_an_assertion_that_was_used_erases_nothing(door):
    assertion = door.realm.assertion()
    door.erase("user-2", client_assertion=assertion)
    add_rows(door, door.realm.issuer, "user-1")
    assert door.erase("user-1", client_assertion=assertion).status_code == 401
    assert len(rows(door)) == 2


def test_the_subject_is_not_taken_from_the_address(door):
    response = door.http.post("/idp/erase?subject=user-1", data={})
    assert response.status_code == 400
    assert door.last_refusal()[0] == "query_string"


def test_two_subjects_are_none(door):
    response = door.http.post("/idp/erase", data={"subject": ["user-1", "user-2"]})
    assert response.status_code == 400
    assert door.last_refusal()[0] == "parameter_twice"
