"""The whole application on a World: every route, the doors included, one realm registered, the camera scripted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from plugin.app import create_app
from plugin.ceremonies.types import Purpose
from plugin.doors.housekeeping import Housekeeping
from plugin.doors.keys import KeyCache
from plugin.doors.registry import Registry
from plugin.doors.seen import SeenJtis
from plugin.doors.signed_request import SignedMessages
from plugin.doors.signer import Signer
from plugin.wiring import Services
from tests.fakes.door import ASSERTION_TYPE
from tests.fakes.realm import VERIFIER, FakeJwks, Realm
from tests.plugin.api.web import Browser, parts_of
from tests.plugin.factors.world import REALM

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.plugin.factors.world import Person, World


@dataclass
class Whole:
    """The application, its realm, and what the two say to each other."""

    app: Flask
    world: World
    realm: Realm

    def browser(self, person: Person | None = None) -> Browser:
        return Browser(self.app, person or self.world.person())

    def request(self, person: Person, purpose: Purpose) -> str:
        """What the realm signs when this person has given the password."""
        return self.realm.request(aud=self._issuer, sub=person.owner.subject, purpose=purpose.value)

    def arrives(self, browser: Browser, purpose: Purpose = Purpose.LOGIN) -> TestResponse:
        """Follow the realm's redirect to /authorize; the browser keeps the cookie."""
        query = {"client_id": REALM, "request": self.request(browser.person, purpose)}
        answer = browser.client.get("/authorize", query_string=query, base_url=self._issuer)
        if answer.status_code == 303:
            browser.person.ceremony_id = urlsplit(answer.headers["Location"]).path.rpartition("/")[2]
            browser.person.cookie = browser.client.get_cookie(f"facestep_{browser.person.ceremony_id[:8]}").value
        return answer

    def assertion(self) -> str:
        return self.realm.assertion(aud=self._issuer)

    def post(self, path: str, **fields: str) -> TestResponse:
        """A call over the back channel."""
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
        return self.app.test_client().post(path, data=form | fields, base_url=self._issuer)

    def redeem(self, code: str, **changes: str) -> TestResponse:
        right = {"redirect_uri": self.realm.redirect_uri, "code_verifier": VERIFIER}
        return self.post("/token", grant_type="authorization_code", code=code, **(right | changes))

    @property
    def _issuer(self) -> str:
        return self.world.settings.issuer


def open_whole(world: World) -> Whole:
    """Return the application over the world's services."""
    realm, jwks = Realm(REALM, lambda: world.now), FakeJwks()
    realm.publish(jwks)
    registry = Registry(database=world.database, keys=KeyCache(jwks), audit=world.audit)
    registry.add(REALM, now=world.now)
    issuer = world.settings.issuer
    services = Services(
        **parts_of(world),
        registry=registry,
        messages=SignedMessages(registry=registry, seen=SeenJtis(world.database), audience=issuer),
        signer=Signer.open(database=world.database, sealer=world.sealer, issuer=issuer, now=world.now),
        housekeeping=Housekeeping(world.ceremonies.purge, world.lifecycle.expire),
    )
    return Whole(app=create_app(world.settings, services), world=world, realm=realm)


def code_in(answer: dict[str, Any]) -> str:
    """Return the result code in the address that an answer leads back to."""
    return parse_qs(urlsplit(answer["redirect"]).query)["code"][0]
