"""Who has a role is put together from what Keycloak's admin interface tells, here by a server that answers as it does.

That a real Keycloak answers so is tests/integration/keycloak/test_break_glass.py's.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from plugin.errors import ServiceError
from plugin.keycloak.directory import KeycloakDirectory

ROLE, OTHER = "facestep-helpdesk-breakglass", "facestep-helpdesk-approver"
ABOVE = "/admin/realms/staff/"


def user(name: str, *, enabled: bool = True, verified: bool = True, further: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "id": f"{name}-id",
        "username": name,
        "enabled": enabled,
        "email": f"{name}@example.org",
        "emailVerified": verified,
        "attributes": {"facestepAddresses": list(further)},
    }


class Realm:
    """Lists by path; an address that is not listed is 404, and everything is 403 to who may not look."""

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {"roles": []}
        self.asked: list[str] = []
        self.denies = False
        for role in (ROLE, OTHER):
            self.role(role)

    def role(self, name: str, *, holds: tuple[str, ...] = (), client_role: bool = False) -> None:
        self.lists["roles"].append({"id": f"{name}-id", "name": name, "composite": bool(holds)})
        self.lists[f"roles-by-id/{name}-id/composites"] = [{"name": one, "clientRole": client_role} for one in holds]
        for what in ("users", "groups"):
            self.lists[f"roles/{name}/{what}"] = []

    def group(self, name: str, *members: dict[str, Any], below: tuple[str, ...] = ()) -> dict[str, Any]:
        self.lists[f"groups/{name}/members"] = list(members)
        self.lists[f"groups/{name}/children"] = [{"id": one} for one in below]
        return {"id": name}

    def answer(self, target: str) -> tuple[int, Any]:
        parts = urlsplit(target)
        path, query = (
            unquote(parts.path.removeprefix(ABOVE)),
            {key: one[0] for key, one in parse_qs(parts.query).items()},
        )
        self.asked.append(path)
        if self.denies or path not in self.lists:
            return (403 if self.denies else 404), {"error": "no"}
        first = int(query.get("first", 0))
        page = self.lists[path][first : first + int(query.get("max", 100))]
        if query.get("briefRepresentation", "true").casefold() != "false":
            page = [{key: value for key, value in one.items() if key != "attributes"} for one in page]
        return 200, page


@pytest.fixture(scope="module")
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = self.server.realm.answer(self.path)
            sent = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def realm(server):
    server.realm = Realm()
    return server.realm


@pytest.fixture
def holders(server, realm):
    """Ask a directory over this realm; return the addresses of each holder by name."""
    directory = KeycloakDirectory(
        f"http://127.0.0.1:{server.server_port}/realms/staff",
        token=lambda: {"access_token": "a-token", "expires_in": 300, "token_type": "Bearer"},
        clock=lambda: datetime(2026, 3, 1, tzinfo=UTC),
    )
    return lambda *roles: {
        one.owner.subject.removesuffix("-id"): one.addresses for one in directory.holders(roles or (ROLE,))
    }


def test_who_has_a_role_directly_with_every_address(realm, holders):
    realm.lists[f"roles/{ROLE}/users"] = [user("grace", further=("grace@home.example",)), user("heidi")]
    assert holders() == {"grace": ("grace@example.org", "grace@home.example"), "heidi": ("heidi@example.org",)}


def test_each_is_there_once_however_often_they_have_it(realm, holders):
    realm.lists[f"roles/{ROLE}/users"] = realm.lists[f"roles/{OTHER}/users"] = [user("grace")]
    realm.lists[f"roles/{ROLE}/groups"] = [realm.group("desk", user("grace"))]
    assert list(holders(ROLE, OTHER)) == ["grace"]


def test_members_of_a_group_with_the_role_and_of_the_groups_below(realm, holders):
    realm.lists[f"roles/{ROLE}/groups"] = [realm.group("desk", user("grace"), below=("night",))]
    realm.group("night", user("heidi"), below=("sunday",))
    realm.group("sunday", user("ivan"))
    assert set(holders()) == {"grace", "heidi", "ivan"}


def test_who_has_it_by_a_role_that_holds_it_and_by_one_that_holds_that(realm, holders):
    realm.role("lead", holds=(ROLE,))
    realm.role("head/of it", holds=("lead",))
    realm.role("another", holds=("offline_access",))
    realm.role("of-a-client", holds=(ROLE,), client_role=True)
    for name, who in (("lead", "grace"), ("head/of it", "heidi"), ("another", "eve"), ("of-a-client", "eve")):
        realm.lists[f"roles/{name}/users"] = [user(who)]
    assert set(holders()) == {"grace", "heidi"}


def test_roles_that_hold_each_other_are_no_endless_loop(realm, holders):
    realm.role("one", holds=("two", ROLE))
    realm.role("two", holds=("one",))
    realm.lists["roles/two/users"] = [user("grace")]
    assert set(holders()) == {"grace"}


def test_more_than_one_page_of_members(realm, holders):
    realm.lists[f"roles/{ROLE}/users"] = [user(f"person-{number}") for number in range(250)]
    assert len(holders()) == 250


def test_who_is_locked_or_cannot_be_written_to_is_left_out(realm, holders):
    mute = {**user("mute"), "email": None}
    unsure = user("unsure", verified=False, further=("unsure@home.example",))
    unread = [user("gone", enabled=False), mute, user("own", verified=False)]
    realm.lists[f"roles/{ROLE}/users"] = [*unread, unsure, user("grace")]
    assert holders() == {"grace": ("grace@example.org",), "unsure": ("unsure@home.example",)}


@pytest.mark.parametrize("trouble", ["denied", "no such role", "half of it"])
def test_what_cannot_be_told_is_no_empty_list(realm, holders, trouble):
    """Nobody is left unwritten to because Keycloak kept something back."""
    realm.denies = trouble == "denied"
    if trouble == "no such role":
        del realm.lists[f"roles/{ROLE}/users"]
    if trouble == "half of it":
        realm.lists[f"roles/{ROLE}/users"] = [user("grace")]
        realm.lists[f"roles/{ROLE}/groups"] = [{"id": "unseen"}]
    with pytest.raises(ServiceError, match="keycloak_unavailable"):
        holders()
