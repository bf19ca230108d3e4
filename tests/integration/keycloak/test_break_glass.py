"""Break glass at a real Keycloak: who has the role, however they have it, and the whole way to a new factor."""

from __future__ import annotations

import re

import pytest

from plugin.ceremonies.types import Subject
from plugin.wiring import utc_now
from tests.integration.keycloak.test_helpdesk import AGENT, APPROVER, give_role, mailbox, staff

__all__ = ["mailbox", "staff"]
pytestmark = pytest.mark.servers
BREAK_GLASS = "facestep-helpdesk-breakglass"


def make_group(house, name: str, *, above: str = "", member: str) -> str:
    group = house.admin.post(f"/groups/{above}/children" if above else "/groups", {"name": name})
    house.admin.put(f"/users/{member}/groups/{group}", {})
    return group


def test_everybody_who_has_the_role_is_found_however_they_have_it(house, mailbox):
    direct, grouped, below, held, other = (house.new_person() for _ in range(5))
    role = house.admin.get(f"/roles/{BREAK_GLASS}")
    give_role(house, direct, BREAK_GLASS)
    give_role(house, other, AGENT)
    group = make_group(house, "desk", member=grouped.id)
    make_group(house, "night", above=group, member=below.id)
    house.admin.post(f"/groups/{group}/role-mappings/realm", [role])
    house.admin.post("/roles", {"name": "lead/of it"})
    lead = next(one for one in house.admin.get("/roles") if one["name"] == "lead/of it")
    house.admin.post(f"/roles-by-id/{lead['id']}/composites", [role])
    house.admin.post(f"/users/{held.id}/role-mappings/realm", [lead])
    record = house.admin.get(f"/users/{direct.id}")
    further = {**record.get("attributes", {}), "facestepAddresses": ["direct@home.example"]}
    house.admin.put(f"/users/{direct.id}", {**record, "attributes": further})
    directory = house.door.services.helpdesk.directory
    found = {one.owner.subject: one.addresses for one in directory.holders({BREAK_GLASS})}
    assert {direct.id, grouped.id, below.id, held.id} <= set(found)
    assert other.id not in found
    assert found[direct.id] == (f"{direct.username}@example.org", "direct@home.example")
    for one in (direct, grouped, below, held):
        assert BREAK_GLASS in directory.person(one.id).roles


def test_two_people_break_glass_and_the_person_gets_back_in(house, mailbox, staff):
    grace, heidi, bob, alice = staff(BREAK_GLASS), staff(BREAK_GLASS), staff(APPROVER), house.new_person()
    house.door.keep_a_face(Subject(house.issuer, alice.id))
    before = len(mailbox.heads)
    asked = grace.post("/break-glass", name=alice.username, ticket="T-9", reason="mail is down", confirm="yes")
    assert asked.status_code == 200, asked.text
    case = re.search(r"/helpdesk(/cases/[\w-]+)$", asked.url)[1]
    assert bob.post(f"{case}/decide", answer="agree").status_code == 403
    assert heidi.post(f"{case}/decide", answer="agree").status_code == 200
    shown = grace.post(f"{case}/show")
    code = re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", shown.text)[0]
    house.door.services.helpdesk.chores.run(now=utc_now())
    for one in (grace.person, heidi.person, bob.person, alice):
        assert sum(head.startswith(f"{one.username}@example.org:") for head in mailbox.heads[before:]) == 2
    assert code not in "".join(mailbox.letters)
    ceremony = house.door.arrive(alice.log_in_to_the_step())
    assert house.door.use_pass(ceremony, code).status_code == 200
    back = house.door.finish_recovery(ceremony)
    assert alice.tokens(alice.visit(back))["acr"] == "facestep"
