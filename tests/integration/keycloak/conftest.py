"""One Keycloak and one service for all tests here; each test has a person of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from pytest_socket import enable_socket

from plugin.keycloak.admin import RealmAdmin
from plugin.keycloak.realm import RealmSetup
from plugin.wiring import utc_now
from tests.fakes.live_door import LiveDoor
from tests.integration.keycloak.application import CLIENT_ID, REDIRECT
from tests.integration.keycloak.person import Person
from tests.stack.keycloak import Keycloak
from tests.stack.process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugin.keycloak.findings import Finding

REALM = "staff"
PASSWORD = "correct horse"
_numbers = count(1)


@dataclass
class House:
    """What the tests share."""

    keycloak: Keycloak
    door: LiveDoor
    admin: RealmAdmin

    @property
    def issuer(self) -> str:
        return f"{self.keycloak.url}/realms/{REALM}"

    def facestep(
        self, *arguments: str, realm: str = "", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess:
        """Run `facestep keycloak …` as an admin would."""
        where = ["--server", self.keycloak.url, "--realm", realm or REALM, "--facestep-url", self.door.url]
        return subprocess.run(
            [sys.executable, "-m", "plugin.cli", "keycloak", *arguments, *where],
            env={**os.environ, **self.keycloak.admin_environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def setup(self) -> RealmSetup:
        """Return what the command line uses, without a new process each time."""
        return RealmSetup(self.admin, facestep_url=self.door.url, clients=None)

    def check(self) -> dict[str, Finding]:
        """Return the findings by name."""
        return {one.name: one for one in self.setup().check()}

    def new_person(self, *, enrolled: bool = True, otp: bool = False) -> Person:
        """Create an account; an enrolled one has the credential that the required action would have left."""
        username = f"person{next(_numbers)}"
        credentials: list[dict[str, Any]] = [{"type": "password", "value": PASSWORD, "temporary": False}]
        if enrolled:
            secret = json.dumps({"reference_id": "reference-0"})
            credentials.append({"type": "facestep", "secretData": secret, "credentialData": "{}"})
        if otp:
            code = {"subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1"}
            secret = json.dumps({"value": "a-secret-of-keycloak"})
            credentials.append({"type": "otp", "secretData": secret, "credentialData": json.dumps(code)})
        body = {"username": username, "enabled": True, "email": f"{username}@example.org", "emailVerified": True}
        user_id = self.admin.post("/users", {**body, "firstName": "A", "lastName": "B", "credentials": credentials})
        person = Person(issuer=self.issuer, username=username, password=PASSWORD)
        person.id = user_id
        return person

    def face_credentials(self, person: Person) -> list[dict[str, Any]]:
        return [one for one in self.admin.get(f"/users/{person.id}/credentials") if one["type"] == "facestep"]

    def failures(self, person: Person) -> int:
        """Return Keycloak's own count of wrong tries."""
        return int(self.admin.get(f"/attack-detection/brute-force/users/{person.id}")["numFailures"])

    def login_errors(self, person: Person, kind: str = "LOGIN_ERROR") -> list[dict[str, Any]]:
        return list(self.admin.get(f"/events?type={kind}&user={person.id}"))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    enable_socket()
    folder = tmp_path_factory.mktemp("keycloak")
    door = LiveDoor(folder, port=free_port())
    door.start()
    try:
        with Keycloak(folder / "keycloak", port=free_port()) as keycloak:
            admin = RealmAdmin(keycloak.url, REALM, user=keycloak.admin_user, password=keycloak.admin_password)
            made = House(keycloak, door, admin)
            installed = made.facestep("install", "--create-realm", "--json")
            assert installed.returncode == 0, installed.stderr
            door.services.registry.add(made.issuer, now=utc_now())
            admin.update({"eventsEnabled": True, "quickLoginCheckMilliSeconds": 0})
            admin.post("/clients", {"clientId": CLIENT_ID, "publicClient": True, "redirectUris": [REDIRECT]})
            yield made
    finally:
        door.stop()


@pytest.fixture(autouse=True)
def honest(house: House) -> Iterator[None]:
    """Every test begins and ends with a service that runs and does not lie."""
    yield
    house.door.forge(None)
    house.door.stop()
    house.door.start()
