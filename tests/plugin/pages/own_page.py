"""People's own page over a World: real parts; only the realm is scripted, its real side has its own tests."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

from plugin.ceremonies.types import Subject
from plugin.errors import ServiceError
from plugin.helpdesk.cases import Cases
from plugin.helpdesk.own_page import OwnPage
from plugin.helpdesk.sessions import PEOPLE, Sessions
from plugin.helpdesk.stopping import Stopping
from tests.plugin.api.web import make_app
from tests.plugin.factors.world import REALM

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.plugin.factors.world import World


@dataclass
class Realm:
    """The production protocol Login; says that whom the test names has shown the face just now."""

    world: World
    issuer: str = REALM
    who: str = "alice-id"
    name: str = "alice"

    def begin(self, token: str, *, anew: bool = False) -> str:
        return f"{self.issuer}/protocol/openid-connect/auth?state={self._state(token)}{'&prompt=login' * anew}"

    def began(self, token: str, *, state: str) -> bool:
        return bool(token) and state == self._state(token)

    def signed_in(self, token: str, *, state: str, code: str, now: datetime) -> SimpleNamespace:
        if not self.began(token, state=state):
            raise ServiceError("me_login_refused", "state")
        return SimpleNamespace(owner=Subject(self.issuer, self.who), seen_at=now, name=self.name)

    def _state(self, token: str) -> str:
        return f"{self.issuer[-4:]}-{token[:8]}"


def open_own_page(world: World, *realms: Realm) -> list[Realm]:
    """Give the world a page for these realms; without any, for the one of the tests."""
    listed = list(realms) or [Realm(world)]
    stored = {"database": world.database, "sealer": world.sealer}
    world.me = OwnPage(
        sessions=Sessions(PEOPLE, **stored, audit=world.audit),
        stopping=Stopping(cases=Cases(**stored), **stored, audit=world.audit),
        realms=lambda: [one.issuer for one in listed],
        login={one.issuer: one for one in listed}.__getitem__,
    )
    return listed


@dataclass
class Own:
    """One browser at /me."""

    app: Flask
    realm: Realm

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    @property
    def url(self) -> str:
        return self.realm.world.settings.issuer

    def get(self, path: str = "") -> TestResponse:
        return self.client.get(f"/me{path}", base_url=self.url)

    def post(self, path: str, *, origin: str = "", **fields: str) -> TestResponse:
        return self.client.post(f"/me{path}", data=fields, headers={"Origin": origin or self.url}, base_url=self.url)

    def signs_in(self, who: str = "alice", query: str = "") -> TestResponse:
        self.realm.who, self.realm.name = f"{who}-id", who
        state = self.get(f"/login{query}").headers["Location"].partition("state=")[2].partition("&")[0]
        return self.get(f"/callback?state={state}&code=a-code")


def browser_at(world: World, *realms: Realm) -> Own:
    """Return a browser at a page of its own application."""
    listed = open_own_page(world, *realms)
    return Own(make_app(world), listed[0])
