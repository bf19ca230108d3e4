"""A ticket system opens a case, people prove and decide; and the description says what the calls do."""

from __future__ import annotations

import pytest

from plugin.api import helpdesk
from plugin.api.helpdesk_openapi import SCHEMAS, document
from plugin.errors import PUBLIC
from plugin.helpdesk.policy import Rule
from plugin.helpdesk.types import Action, CaseState
from tests.plugin.api.web import make_app
from tests.plugin.helpdesk.console import open_console
from tests.plugin.helpdesk.program import Program

BODIES = {"NewCase": helpdesk.OPEN, "Proof": helpdesk.PROOF, "Wish": helpdesk.ASK, "Nothing": helpdesk.CLOSE}


@pytest.fixture
def app(office, world):
    world.person().has_face()
    return make_app(world)


@pytest.fixture
def tickets(office, app):
    office.allows(default=Rule(frozenset({"call_back"}), four_eyes=True))
    return Program(app, office)


def test_a_program_opens_a_person_proves_and_another_decides(tickets, office, app, world):
    path = tickets.opens()
    ada, bob = open_console(office, app=app), open_console(office, app=app)
    ada.signs_in("ada")
    bob.signs_in("bob")
    assert ada.post(f"{path}/proofs", proof="call_back").status_code == 303
    asked = tickets.calls(f"{path}/ask", {"action": "pass", "target": ""})
    assert (asked.status_code, asked.get_json()["state"]) == (200, "waiting")
    assert bob.post(f"{path}/decide", answer="agree").status_code == 303
    seen = tickets.calls(path)
    assert seen.get_json()["state"] == "issued"
    assert office.letters.the_pass() not in seen.text
    assert "alice@example.org" not in seen.text


def test_a_program_learns_what_is_possible_and_closes(tickets):
    path = tickets.opens()
    case = tickets.calls(path).get_json()
    assert {"action": "reset_factor", "target": "app", "missing": ["call_back"]} in case["possible"]
    assert tickets.calls(f"{path}/close", {}).get_json()["state"] == "closed"


def test_a_program_notes_what_policy_lets_it_note(tickets, office):
    office.allows(api_proofs=frozenset({"document"}))
    noted = tickets.calls(f"{tickets.opens()}/proofs", {"proof": "document"})
    assert noted.get_json()["proofs"] == ["document"]


def test_a_program_has_the_face_and_the_manager_asked_and_notes_neither(tickets, office):
    path = tickets.opens()
    for proof in ("live_face", "manager"):
        asked = tickets.calls(f"{path}/proofs", {"proof": proof})
        assert asked.status_code == 200, asked.text
    case = tickets.calls(path).get_json()
    assert case["proofs"] == []
    assert {"proof": "live_face", "state": "sent"} in case["standing"]
    assert {"proof": "manager", "state": "sent"} in case["standing"]
    assert tickets.calls(f"{path}/proofs", {"proof": "live_face"}).status_code == 409
    for kind in ("check", "confirm"):
        assert office.letters.token(kind) not in asked.text


def test_the_description_names_every_route_and_no_other(tickets, app):
    told = tickets.calls("/openapi.json", token="").get_json()
    described = {(path, method) for path, item in told["paths"].items() for method in item if method != "parameters"}
    routes = {
        (str(rule).removeprefix("/helpdesk/api/v1").replace("<case_id>", "{case_id}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("helpdesk_api.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == routes
    assert told["openapi"].startswith("3.1.")
    assert told["servers"] == [{"url": "http://localhost:8100/helpdesk/api/v1"}]


def test_the_description_has_the_fields_that_the_calls_take_and_give(tickets):
    for name, schema in BODIES.items():
        assert set(SCHEMAS[name]["properties"]) == set(schema)
        for field, kind in schema.items():
            said = SCHEMAS[name]["properties"][field]
            assert said.get("maxLength", max(map(len, said.get("enum", ())), default=0)) <= kind.longest
    case = tickets.calls(tickets.opens()).get_json()
    assert list(SCHEMAS["Case"]["properties"]) == SCHEMAS["Case"]["required"]
    assert set(case) == set(SCHEMAS["Case"]["properties"])
    assert set(case["possible"][0]) == set(SCHEMAS["Case"]["properties"]["possible"]["items"]["properties"])
    assert set(case["standing"][0]) == set(SCHEMAS["Case"]["properties"]["standing"]["items"]["properties"])
    assert SCHEMAS["Case"]["properties"]["state"]["enum"] == list(CaseState)
    assert SCHEMAS["Wish"]["properties"]["action"]["enum"] == [one for one in Action if one is not Action.BREAK_GLASS]


def test_the_description_holds_together():
    """Every reference leads somewhere, every call has a name of its own, every status is one that we answer."""
    told = document("https://face.example/helpdesk/api/v1")
    calls = [call for item in told["paths"].values() for method, call in item.items() if method != "parameters"]
    assert len({call["operationId"] for call in calls}) == len(calls)
    text = str(told)
    for part in text.split("#/components/schemas/")[1:]:
        assert part.split("'")[0] in SCHEMAS
    statuses = {int(status) for call in calls for status in call["responses"]} - {200, 201}
    assert statuses <= {public.status for public in PUBLIC.values()}
