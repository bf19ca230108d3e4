"""The helpdesk at a real Keycloak: sign-in, roles, look-up, sessions; letters go to a mail server on loopback."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from plugin.ceremonies.types import Subject
from tests.fakes.mailbox import Mailbox

if TYPE_CHECKING:
    from tests.integration.keycloak.conftest import House
    from tests.integration.keycloak.person import Person

pytestmark = pytest.mark.servers
AGENT, APPROVER, API = "facestep-helpdesk", "facestep-helpdesk-approver", "facestep-helpdesk-api"


@dataclass
class Desk:
    """A browser of somebody at /helpdesk."""

    house: House
    person: Person

    def __post_init__(self) -> None:
        self.browser = requests.Session()
        self.browser.trust_env = False

    def get(self, path: str = "", *, follow: bool = True) -> requests.Response:
        return self.browser.get(f"{self.house.door.url}/helpdesk{path}", allow_redirects=follow, timeout=30)

    def post(self, path: str, **form: str) -> requests.Response:
        headers = {"Origin": self.house.door.url}
        return self.browser.post(f"{self.house.door.url}/helpdesk{path}", data=form, headers=headers, timeout=30)

    def signs_in(self, at: str = "/login") -> requests.Response:
        """Go to the realm, give the password, pass the face step, come back."""
        assert self.person.visit(self.get(at, follow=False).headers["Location"]) == ""
        ceremony = self.house.door.arrive(self.person.give_password())
        return self.browser.get(self.person.visit(self.house.door.pass_check(ceremony)), timeout=30)


def link_in(mailbox: Mailbox, kind: str) -> str:
    """Return the newest link of this kind that came by mail."""
    return re.findall(rf"http\S+/helpdesk/{kind}/\S+", "\n".join(mailbox.letters))[-1]


def record_manager(house: House, person: Person, manager: str) -> None:
    """Write the manager into the person's record, as an administrator does."""
    user = house.admin.get(f"/users/{person.id}")
    attributes = {**user.get("attributes", {}), "facestepManager": [manager]}
    house.admin.put(f"/users/{person.id}", {**user, "attributes": attributes})


def give_role(house: House, person: Person, role: str) -> None:
    house.admin.post(f"/users/{person.id}/role-mappings/realm", [house.admin.get(f"/roles/{role}")])


@pytest.fixture(scope="module")
def mailbox(house):
    with Mailbox() as box:
        installed = house.facestep("install", "--helpdesk", "--json")
        assert installed.returncode == 0, installed.stderr
        house.door.stop()
        house.door.open_helpdesk(house.issuer, mail_port=box.port)
        house.door.start()
        yield box


@pytest.fixture
def staff(house, mailbox):
    """Return a function that signs in a new member of staff with these roles."""

    def hire(*roles: str) -> Desk:
        desk = Desk(house, house.new_person())
        for role in roles:
            give_role(house, desk.person, role)
        desk.answer = desk.signs_in()
        return desk

    return hire


def test_a_second_install_changes_nothing(house, mailbox):
    again = house.facestep("install", "--helpdesk")
    assert again.stdout.strip() == "nothing to change", again.stdout + again.stderr


def test_check_says_where_people_may_change_their_own_address(house, mailbox):
    """As Keycloak is shipped they may; and then it is no matter who has verified the new one."""

    def found():
        items = json.loads(house.facestep("check", "--helpdesk", "--json").stdout)["items"]
        return next(one for one in items if one["name"] == "e-mail addresses")

    assert found()["seen"] == "people may change their own, and nothing verifies the new one"
    profile = house.admin.get("/users/profile")
    (email,) = (one for one in profile["attributes"] if one["name"] == "email")
    email["permissions"]["edit"] = ["admin"]
    house.admin.put("/users/profile", profile)
    assert found()["right"]


def test_the_whole_way_back_in(house, mailbox, staff):
    ada, bob, alice = staff(AGENT), staff(APPROVER), house.new_person()
    before = alice.visit(house.door.pass_check(house.door.arrive(alice.log_in_to_the_step())))
    assert alice.tokens(before)["acr"] == "facestep"
    house.door.keep_a_face(Subject(house.issuer, alice.id))
    opened = ada.post("/cases", name=alice.username, ticket="T-1", reason="phone lost")
    assert opened.status_code == 200, opened.text
    case = re.search(r"/helpdesk(/cases/[\w-]+)$", opened.url)[1]
    ada.post(f"{case}/proofs", proof="call_back")
    assert "Link sent" in ada.post(f"{case}/face-check").text
    house.door.pass_helpdesk_check(link_in(mailbox, "check"))
    assert "Waits for a second person" in ada.post(f"{case}/ask").text
    assert "Pass sent" in bob.post(f"{case}/decide", answer="agree").text
    code = re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", "".join(mailbox.letters))[0]
    new = type(alice)(issuer=house.issuer, username=alice.username, password="correct horse")
    ceremony = house.door.arrive(new.log_in_to_the_step())
    assert house.door.use_pass(ceremony, code).status_code == 200
    back = house.door.finish_recovery(ceremony)
    assert house.admin.get(f"/users/{alice.id}/sessions") == []
    assert new.tokens(new.visit(back))["acr"] == "facestep"
    assert any("was set up for your account" in letter for letter in mailbox.letters)


def test_the_manager_on_record_confirms_with_their_own_login(house, mailbox, staff):
    ada, alice, mia = staff(AGENT), house.new_person(), Desk(house, house.new_person())
    record_manager(house, alice, mia.person.username)
    opened = ada.post("/cases", name=alice.username, ticket="T-2", reason="phone lost")
    case = re.search(r"/helpdesk(/cases/[\w-]+)$", opened.url)[1]
    assert "Link sent" in ada.post(f"{case}/manager").text
    path = urlsplit(link_in(mailbox, "confirm")).path.removeprefix("/helpdesk")
    assert alice.username not in mia.get(path).text
    shown = mia.signs_in(f"{path}/login")
    assert alice.username in shown.text
    assert ada.person.username in shown.text
    eve = Desk(house, house.new_person())
    assert eve.signs_in(f"{path}/login").status_code == 403
    assert "written down" in mia.post(path, answer="yes").text
    assert "Confirmed by the manager" in ada.get(case).text
    assert mia.get().status_code == 401
    noted = house.door.audited("helpdesk_proof_noted")[-1]
    assert (noted.subject, noted.details["agent"]) == (alice.id, mia.person.id)


def test_nobody_names_their_own_manager(house, mailbox):
    """Keycloak lets administrators alone write the attributes that `install --helpdesk` has declared."""
    declared = {one["name"]: one["permissions"] for one in house.admin.get("/users/profile")["attributes"]}
    for name in ("facestepManager", "facestepAddresses"):
        assert declared[name] == {"view": ["admin"], "edit": ["admin"]}


def test_somebody_without_a_role_is_no_staff(staff):
    assert staff().answer.status_code == 403


def test_an_agent_who_is_demoted_at_keycloak_is_out_at_once(house, staff):
    ada = staff(AGENT)
    assert ada.get().status_code == 200
    house.admin._request(
        "delete",
        f"/admin/realms/{house.admin.realm}/users/{ada.person.id}/role-mappings/realm",
        [house.admin.get(f"/roles/{AGENT}")],
    )
    assert ada.get().status_code == 403


def test_a_code_of_another_browser_signs_nobody_in(house, mailbox):
    eve, victim = Desk(house, house.new_person()), Desk(house, house.new_person())
    give_role(house, eve.person, AGENT)
    assert eve.person.visit(eve.get("/login", follow=False).headers["Location"]) == ""
    back = eve.person.visit(house.door.pass_check(house.door.arrive(eve.person.give_password())))
    victim.get("/login", follow=False)
    assert victim.browser.get(back, timeout=30).status_code == 403
    assert victim.get().status_code == 401


def _ticket_system(house, *, scope: bool = True, role: bool = True) -> str:
    """Make a client with a service account, as docs/helpdesk.md says; return an access token of it."""
    name = f"tickets-{len(house.admin.get('/clients'))}"
    body = {"clientId": name, "secret": "a-secret", "serviceAccountsEnabled": True, "standardFlowEnabled": False}
    client = house.admin.post("/clients", {**body, "publicClient": False, "fullScopeAllowed": False})
    account = house.admin.get(f"/clients/{client}/service-account-user")
    if role:
        house.admin.post(f"/users/{account['id']}/role-mappings/realm", [house.admin.get(f"/roles/{API}")])
    if scope:
        found = next(one for one in house.admin.get("/client-scopes") if one["name"] == API)
        house.admin.put(f"/clients/{client}/default-client-scopes/{found['id']}", {})
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": "a-secret"}
    return _token(house, form)


def _token(house, form: dict[str, str]) -> str:
    answer = requests.post(f"{house.issuer}/protocol/openid-connect/token", data=form, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def _opens(house, token: str, name: str) -> requests.Response:
    return requests.post(
        f"{house.door.url}/helpdesk/api/v1/cases",
        json={"name": name, "ticket": "T-1", "reason": "phone lost"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )


def test_a_ticket_system_opens_a_case_with_its_own_token(house, mailbox):
    opened = _opens(house, _ticket_system(house), house.new_person().username)
    assert opened.status_code == 201, opened.text
    assert opened.json()["state"] == "open"


def test_a_service_account_without_our_scope_or_role_opens_nothing(house, mailbox):
    for lacks in ({"scope": False}, {"role": False}):
        refused = _opens(house, _ticket_system(house, **lacks), house.new_person().username)
        assert (refused.status_code, refused.json()["error"]) == (401, "api_token")
