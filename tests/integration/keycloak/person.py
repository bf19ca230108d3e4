"""A person with a browser without scripts, at Keycloak's own pages."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests

from tests.integration.keycloak import application

if TYPE_CHECKING:
    from tests.integration.keycloak.application import Login

MOST_HOPS = 10


class Person:
    """Follows redirects by hand and stops where Keycloak sends the browser away."""

    def __init__(self, *, issuer: str, username: str, password: str) -> None:
        self.issuer = issuer
        self.username = username
        self._password = password
        self.login: Login | None = None
        self.page = ""
        self._browser = requests.Session()

    def open_login(self, *, acr: str | None = None, prompt: str | None = None, more: str = "") -> str:
        """Begin at the application; return where the browser is sent, or "" when a page of Keycloak is shown."""
        self.login = application.begin(self.issuer, acr_values=acr, prompt=prompt)
        return self.visit(self.login.url + more)

    def give_password(self, password: str | None = None) -> str:
        """Fill in Keycloak's form. A person whom Keycloak knows already is not asked for the name."""
        form = {"username": self.username, "password": password or self._password, "credentialId": ""}
        return self.submit(form)

    def log_in_to_the_step(self, **options: str | None) -> str:
        """Return the address of the service that the password leads to."""
        assert self.open_login(**options) == ""
        address = self.give_password()
        assert address or "facestep" in self.page, self.sentence()
        return address

    def submit(self, form: dict[str, str]) -> str:
        """Send the form of the page that is shown."""
        return self._follow(self._browser.post(self._action(), data=form, allow_redirects=False, timeout=20))

    def visit(self, address: str) -> str:
        """Open an address."""
        return self._follow(self._browser.get(address, allow_redirects=False, timeout=20))

    def tokens(self, address: str) -> dict[str, object]:
        """Return the verified claims of the id_token for the code in `address`."""
        assert self.login is not None
        answer = application.tokens(self.issuer, self.login, address)
        return application.claims(self.issuer, self.login, answer["id_token"])

    def access_token(self, address: str) -> str:
        """Return the access token for the code in `address`."""
        assert self.login is not None
        return application.tokens(self.issuer, self.login, address)["access_token"]

    def link(self, part: str) -> str:
        """Return the address of the link on the page that has `part` in it."""
        found = re.search(rf'href="([^"]*{re.escape(part)}[^"]*)"', self.page)
        assert found, self.sentence()
        return urljoin(self.issuer, unescape(found.group(1)))

    def sentence(self) -> str:
        """Return what the page says, for a failing test's message."""
        return " ".join(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", self.page, flags=re.DOTALL).split())[:600]

    def _action(self) -> str:
        found = re.search(r'<form[^>]*action="([^"]+)"', self.page)
        assert found, self.page[:500]
        return unescape(found.group(1))

    def _follow(self, answer: requests.Response) -> str:
        for _ in range(MOST_HOPS):
            self.page = answer.text
            for cookie in self._browser.cookies:
                cookie.secure = False  # browsers send Secure cookies to http://localhost too: it is a secure context
            if answer.status_code not in {302, 303}:
                self.status = answer.status_code
                return ""
            location = answer.headers["Location"]
            if not location.startswith(self.issuer):
                return location
            answer = self._browser.get(location, allow_redirects=False, timeout=20)
        raise AssertionError("Keycloak redirects in a circle")
