"""Browsers at the helpdesk's pages, through Flask's test client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from plugin.web.cookies import cookie_name
from tests.plugin.api.web import Browser, make_app

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.plugin.helpdesk.office import Office


@dataclass
class Console:
    """One browser of one member of staff."""

    app: Flask
    office: Office

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    @property
    def url(self) -> str:
        return self.office.world.settings.issuer

    def get(self, path: str = "") -> TestResponse:
        return self.client.get(f"/helpdesk{path}", base_url=self.url)

    def post(self, path: str, **fields: str) -> TestResponse:
        headers = {"Origin": fields.pop("origin", self.url)}
        return self.client.post(f"/helpdesk{path}", data=fields, headers=headers, base_url=self.url)

    def signs_in(self, name: str, *, at: str = "/login") -> TestResponse:
        self.office.login.who = f"{name}-id"
        state = parse_qs(urlsplit(self.get(at).headers["Location"]).query)["state"][0]
        return self.get(f"/callback?state={state}&code=a-code")

    def opens(self, about: str = "alice", reason: str = "phone lost") -> str:
        """Open a case; return its path."""
        answer = self.post("/cases", name=about, ticket="T-1", reason=reason)
        assert answer.status_code == 303, answer.text
        return urlsplit(answer.headers["Location"]).path.removeprefix("/helpdesk")

    def begins_check(self, token: str) -> Browser:
        """Press the button of a check's link; return this browser in front of the camera."""
        answer = self.post(f"/check/{token}", answer="begin")
        assert answer.status_code == 303, answer.text
        person = self.office.world.person()
        person.ceremony_id = urlsplit(answer.headers["Location"]).path.rpartition("/")[2]
        person.cookie = self.client.get_cookie(cookie_name(person.ceremony_id)).value
        browser = Browser(self.app, person)
        browser.client = self.client
        return browser

    def proves(self, path: str) -> None:
        """Let everything be proven that the case at this path demands."""
        case = self.office.desk.case(self.office.agent(), path.rpartition("/")[2], now=self.office.world.now)
        self.office.proves(case)


def open_console(office: Office, *, app: Flask | None = None) -> Console:
    return Console(app or make_app(office.world, pipeline=None), office)
