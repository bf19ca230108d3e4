"""Somebody who gets back in by themselves, at the ceremony's pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from plugin.ceremonies.types import Purpose, Stage
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from tests.plugin.api.web import Browser, make_app
from tests.plugin.factors import scripted

if TYPE_CHECKING:
    from plugin.ceremonies.types import CeremonyView, RedeemedResult
    from tests.plugin.factors.world import Person
    from tests.plugin.helpdesk.office import Office


@dataclass
class OwnWay:
    """One person at one browser; the camera is scripted, the rest is real."""

    office: Office
    person: Person

    def __post_init__(self) -> None:
        self.app = make_app(self.office.world)
        self.app.extensions["facestep"].face = self.office.world.face
        self.browser = Browser(self.app, self.person)

    def logs_in(self, **changes: str) -> Browser:
        """Give the password; stand before the second factor."""
        self.person.comes_to(Purpose.LOGIN, **changes)
        return self.browser

    def view(self) -> CeremonyView:
        return self.person.view()

    def begins_new_face(self) -> None:
        answer = self.browser.call("recovery/new-face")
        assert answer.status_code == 200, answer.text

    def gives_phone(self) -> None:
        answer = self.browser.call("totp/verify", {"code": self.person.code()})
        assert answer.status_code == 200, answer.text
        assert self.view().stage is Stage.MAILED_CODE

    def gives_phone_at_login(self) -> None:
        assert self.browser.call("totp/verify", {"code": self.person.code()}).status_code == 200
        assert self.view().stage is Stage.FACE

    def gets_mail(self) -> str:
        """Ask for the code and read it in the mailbox."""
        answer = self.browser.call("recovery/mail")
        assert answer.status_code == 200, answer.text
        return self.mailed()

    def mailed(self) -> str:
        return self.office.letters.mailed_code()

    def gives_mailed_code(self) -> None:
        answer = self.browser.call("recovery/mailed", {"code": self.mailed()})
        assert answer.status_code == 200, answer.text

    def consents(self) -> None:
        answer = self.browser.call("consent", {"agree": True, "text_version": CONSENT_TEXT_VERSION})
        assert answer.status_code == 200, answer.text

    def shows(self, face: str) -> None:
        """Do the whole challenge with this face, at the page."""
        assert self.browser.starts_face().status_code == 200
        self.office.world.passes(seconds=5)
        self.last = self.browser.sends_frames([one.jpeg for one in scripted.shows("go", f"done:{face}")]).get_json()

    def result(self) -> RedeemedResult:
        """Redeem the code that the last picture brought, as the realm does."""
        code = parse_qs(urlsplit(self.last["redirect"]).query)["code"][0]
        return self.office.world.redeem(code)

    def binds_a_phone(self) -> None:
        self.person.totp_secret = self.browser.call("totp/setup").get_json()["secret"]
        assert self.browser.call("totp/confirm", {"code": self.person.code()}).status_code == 200

    def takes_codes(self) -> set[str]:
        codes = re.findall(r"<li>([0-9A-Z-]{19})</li>", self.browser.page().text)
        assert self.browser.call("recovery/acknowledge").status_code == 200
        return set(codes)

    def replaces_face(self, face: str) -> None:
        """Go the whole way with phone and mailbox."""
        self.logs_in()
        self.begins_new_face()
        self.gives_phone()
        self.gets_mail()
        self.gives_mailed_code()
        self.consents()
        self.shows(face)
