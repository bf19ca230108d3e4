"""Ways of Keycloak's own around the cool-down: account console, required actions, another factor, offline tokens.

Somebody has just got back in by a recovery, an impostor perhaps, and holds a session of the realm.
"""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
import requests

from plugin.ceremonies.types import Subject
from plugin.keycloak.realm import RealmSetup
from tests.fakes.mailbox import Mailbox
from tests.integration.keycloak import application
from tests.integration.keycloak.test_erasure import erased, wait_until
from tests.integration.keycloak.test_own_page import begins, shows_the_face
from tests.plugin.factors.soft_key import SoftKey

if TYPE_CHECKING:
    from tests.integration.keycloak.conftest import House
    from tests.integration.keycloak.person import Person

pytestmark = pytest.mark.servers


@dataclass
class Insider:
    """Whoever holds a session of the realm during the cool-down, with the password and the factors of today."""

    house: House
    person: Person
    token: str

    def account(self, method: str, path: str = "/", body: dict[str, Any] | None = None) -> requests.Response:
        """Call what stands behind Keycloak's account console."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        address = f"{self.house.issuer}/account{path}"
        return requests.request(method, address, headers=headers, json=body, timeout=20)

    def asks_for(self, action: str) -> str:
        """Have a required action of Keycloak's begun, as any application may; return where the browser is sent."""
        return self.person.open_login(more=f"&kc_action={action}")

    def logs_in_anew(self, *, password: str | None = None) -> tuple[str, dict[str, Any]]:
        """Log in up to the service; return the ceremony that has begun there, and how it began."""
        assert self.person.open_login(prompt="login") == ""
        address = self.person.give_password(password)
        assert address.startswith(self.house.door.url), self.person.sentence() or address
        ceremony = self.house.door.arrive(address)
        (begun,) = (one for one in self.house.door.audited("ceremony_begun") if one.ceremony_id == ceremony)
        return ceremony, begun.details

    def credentials(self) -> list[str]:
        return sorted(one["type"] for one in self.house.admin.get(f"/users/{self.person.id}/credentials"))


@pytest.fixture(scope="module")
def door(house):
    """Return the service with helpdesk and own page; nobody reads its letters here."""
    list(RealmSetup(house.admin, facestep_url=house.door.url, clients=None, helpdesk=True).install())
    with Mailbox() as box:
        house.door.stop()
        house.door.open_helpdesk(house.issuer, mail_port=box.port)
        house.door.open_own_page()
        house.door.start()
        yield house.door


@pytest.fixture
def insider(house, door):
    person = house.new_person()
    door.has_just_recovered(Subject(house.issuer, person.id))
    back = person.visit(door.pass_check(door.arrive(person.log_in_to_the_step())))
    return Insider(house, person, person.access_token(back))


def test_deleting_the_face_in_the_account_console_leads_to_an_invitation_alone(house, door, insider):
    """No fresh enrolment: everything is gone, sessions too, and what is asked for next comes from an administrator."""
    face = house.face_credentials(insider.person)[0]["id"]
    assert insider.account("DELETE", f"/credentials/{face}").status_code == 204
    assert wait_until(lambda: erased(house, insider.person))
    assert wait_until(lambda: house.admin.get(f"/users/{insider.person.id}/sessions") == [])
    assert insider.account("GET").status_code == 401
    ceremony, begun = insider.logs_in_anew()
    assert begun == {"purpose": "enrol", "stage": "invitation"}
    for path, body in (
        ("consent", {"text_version": "2026-3"}),
        ("recovery/pass", {"code": "A" * 16}),
        ("recovery/lost", {"code": "A" * 16}),
        ("recovery/new-face", {}),
    ):
        assert 400 <= door.call(ceremony, path, body).status_code < 500, path
    assert insider.person.visit(door.refuse_check(ceremony, code="cancelled")) == ""
    assert "facestep-try-again" in insider.person.page
    assert insider.credentials() == ["password"]


def test_deleting_it_by_required_action_leads_there_too(house, insider):
    face = house.face_credentials(insider.person)[0]["id"]
    assert insider.asks_for(f"delete_credential:{face}") == ""
    insider.person.submit({"accept": ""})
    assert wait_until(lambda: erased(house, insider.person))
    assert wait_until(lambda: house.admin.get(f"/users/{insider.person.id}/sessions") == [])
    assert insider.logs_in_anew()[1] == {"purpose": "enrol", "stage": "invitation"}


def test_our_own_action_binds_no_new_factor(house, insider):
    answer = requests.get(insider.asks_for("facestep-enrol"), allow_redirects=False, timeout=20)
    assert answer.status_code == 403
    assert house.door.audited("request_refused")[-1].details["code"] == "cooling_down"
    assert house.door.audited("ceremony_begun")[-1].details["purpose"] == "login"
    assert insider.logs_in_anew()[1] == {"purpose": "login", "stage": "possession"}


def written_on_the_page(insider: Insider, name: str) -> str:
    """Return what a script of Keycloak's page is told."""
    return re.search(rf'{name}\s?: [\'"]([^\'"]+)[\'"]', insider.person.page)[1]


def sets_up_an_app(insider: Insider) -> None:
    assert insider.asks_for("CONFIGURE_TOTP") == ""
    secret = re.search(r'name="totpSecret" value="([^"]+)"', insider.person.page)[1]
    shown = pyotp.TOTP(base64.b32encode(secret.encode()).decode()).now()
    added = insider.person.submit({"totp": shown, "totpSecret": secret, "userLabel": "theirs"})
    assert "kc_action_status=success" in added, insider.person.sentence()


def registers_a_passkey(insider: Insider, action: str) -> SoftKey:
    assert insider.asks_for(action) == ""
    user, key = {"id": written_on_the_page(insider, "userid")}, SoftKey(origin=insider.house.keycloak.url)
    made = key.create(json.dumps({"challenge": written_on_the_page(insider, "challenge"), "user": user}))
    form = {name: made["response"][name] for name in ("clientDataJSON", "attestationObject")}
    added = insider.person.submit({**form, "publicKeyCredentialId": made["id"], "authenticatorLabel": "theirs"})
    assert "kc_action_status=success" in added, insider.person.sentence()
    return key


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("CONFIGURE_TOTP", "otp"),
        ("webauthn-register", "webauthn"),
        ("webauthn-register-passwordless", "webauthn-passwordless"),
    ],
)
def test_a_factor_of_keycloaks_own_leaves_nothing_out(house, door, insider, action, kind):
    """It can be set up, and no flow asks for it: the step comes next, no other way is offered, no level is higher."""
    sets_up_an_app(insider) if kind == "otp" else registers_a_passkey(insider, action)
    assert insider.credentials() == sorted(["facestep", "password", kind])
    ceremony, begun = insider.logs_in_anew()
    assert begun == {"purpose": "login", "stage": "possession"}
    assert insider.person.visit(door.refuse_check(ceremony, code="cancelled")) == ""
    assert 'id="try-another-way"' not in insider.person.page
    again = door.arrive(insider.person.submit({"try-again": ""}))
    claims = insider.person.tokens(insider.person.visit(door.pass_check(again, possession="hwk")))
    assert (claims["acr"], set(claims["amr"])) == ("facestep", {"face", "hwk"})


def test_a_new_password_opens_no_login_without_the_step(house, door, insider):
    assert insider.asks_for("UPDATE_PASSWORD") == ""
    new = "another horse"
    assert "kc_action_status=success" in insider.person.submit({"password-new": new, "password-confirm": new})
    assert insider.logs_in_anew(password=new)[1] == {"purpose": "login", "stage": "possession"}


def test_a_borrowed_session_changes_no_password_after_some_minutes_without_the_step(house, insider):
    """Keycloak asks anew then (its own default is five minutes); what it asks is our flow."""
    path = "/authentication/required-actions/UPDATE_PASSWORD"
    shipped = house.admin.get(path)
    house.admin.put(path, {**shipped, "config": {"max_auth_age": "0"}})
    try:
        wait_until(lambda: 'name="password"' in (insider.asks_for("UPDATE_PASSWORD") or insider.person.page))
        assert insider.person.give_password().startswith(house.door.url)
    finally:
        house.admin.put(path, shipped)


def let_passkeys_log_in(house, *, allowed: bool) -> None:
    """Keycloak takes the switch only together with the policy that it is part of."""
    policy = {name: value for name, value in house.admin.representation().items() if "PolicyPasswordless" in name}
    house.admin.update({**policy, "webAuthnPolicyPasswordlessPasskeysEnabled": allowed})


def test_a_passkey_in_place_of_the_password_leads_to_the_step(house, insider):
    """Where the realm lets passkeys open its login page."""
    key = registers_a_passkey(insider, "webauthn-register-passwordless")
    let_passkeys_log_in(house, allowed=True)
    try:
        assert insider.person.open_login(prompt="login") == ""
        said = key.get(json.dumps({"challenge": written_on_the_page(insider, "challenge")}))
        address = insider.person.submit({**said["response"], "credentialId": said["id"]})
        assert address.startswith(house.door.url), insider.person.sentence() or address
    finally:
        let_passkeys_log_in(house, allowed=False)


@pytest.fixture
def editable(house):
    """Return a function that says who may edit addresses in the realm; it is as it was afterwards."""
    before = house.admin.get("/users/profile")

    def by(*who: str) -> None:
        profile = house.admin.get("/users/profile")
        (email,) = (one for one in profile["attributes"] if one["name"] == "email")
        email["permissions"]["edit"] = list(who)
        house.admin.put("/users/profile", profile)

    yield by
    house.admin.put("/users/profile", before)


@pytest.fixture
def update_email(house):
    """Switch Keycloak's action for a new address on, which is off in a new realm."""
    path = "/authentication/required-actions/UPDATE_EMAIL"
    shipped = house.admin.get(path)
    house.admin.put(path, {**shipped, "enabled": True})
    yield
    house.admin.put(path, shipped)


def mailbox_of(house, person: Person) -> str:
    """Return where the helpdesk sends what lets somebody in."""
    return house.door.services.helpdesk.directory.person(person.id).mailbox


def test_another_mailbox_gets_nothing_where_people_may_change_theirs(house, insider, editable):
    """By the account console. Nothing is sent to the new one, which nobody has verified, nor to one of before."""
    editable("admin", "user")
    theirs = f"{insider.person.username}@evil.example"
    assert insider.account("POST", body={**insider.account("GET").json(), "email": theirs}).status_code == 204
    assert mailbox_of(house, insider.person) == ""


@pytest.mark.usefixtures("update_email")
def test_nobody_changes_a_mailbox_that_administrators_alone_write(house, insider, editable):
    """By the account console, nor by the two required actions that could."""
    editable("admin")
    mine, theirs = (f"{insider.person.username}@{host}" for host in ("example.org", "evil.example"))
    assert insider.account("POST", body={**insider.account("GET").json(), "email": theirs}).status_code == 400
    assert insider.asks_for("UPDATE_PROFILE") == ""
    insider.person.submit({"email": theirs, "firstName": "A", "lastName": "B"})
    assert insider.asks_for("UPDATE_EMAIL").startswith(application.REDIRECT), "nothing is asked"
    assert mailbox_of(house, insider.person) == mine


def test_a_session_of_the_realm_changes_nothing_at_our_own_doors(house, door, insider):
    """New codes at the own page, and every way to replace a factor from a login."""
    with requests.Session() as browser:
        browser.trust_env = False
        assert insider.person.visit(begins(browser, house, anew="1")) == ""
        assert browser.get(shows_the_face(door, insider.person), timeout=30).status_code == 200
        ours = {"Origin": door.url}
        assert browser.post(f"{door.url}/me/codes", headers=ours, timeout=30).status_code == 403
    ceremony, _ = insider.logs_in_anew()
    for path, body in (("recovery/lost", {"code": "A" * 16}), ("recovery/new-face", {})):
        refused = door.call(ceremony, path, body)
        assert (refused.status_code, refused.json()["error"]) == (403, "cooling_down"), path


def with_an_offline_token(house, person: Person) -> dict[str, str]:
    """Log in at an application that wants to go on without the person."""
    person.login = application.begin(house.issuer, scope="openid offline_access", prompt="login")
    assert person.visit(person.login.url) == ""
    back = person.visit(house.door.pass_check(house.door.arrive(person.give_password())))
    return application.tokens(house.issuer, person.login, back)


def refreshed(house, tokens: dict[str, str]) -> requests.Response:
    form = {"grant_type": "refresh_token", "client_id": application.CLIENT_ID}
    address = f"{house.issuer}/protocol/openid-connect/token"
    return requests.post(address, data={**form, "refresh_token": tokens["refresh_token"]}, timeout=20)


def test_an_offline_token_does_not_outlive_a_recovery(house, door):
    """Nor one refreshed in the very second of it: a log-out is compared by whole seconds, and a thief can be quick."""
    thief = house.new_person()
    tokens = with_an_offline_token(house, thief)
    time.sleep(1 - time.time() % 1)
    at_once = refreshed(house, tokens)
    assert at_once.status_code == 200
    door.has_just_recovered(Subject(house.issuer, thief.id))
    for kept in (tokens, at_once.json()):
        refused = refreshed(house, kept)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert house.admin.get(f"/users/{thief.id}/consents") == []
