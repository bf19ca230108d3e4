"""A person at a browser: logs in at Keycloak's pages, goes through ours, comes back to the application (or not)."""

from __future__ import annotations

import time
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyotp

from tests.simulator.browser_camera import BrowserCamera

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, Page, Request

    from tests.simulator.clips import Clip
    from tests.stack.client_app import ClientApp, Login

PAGE_MS = 60_000  # only a busy machine needs it: first pages of a Keycloak that has just started
RECORDER = Path(__file__).with_name("upload_recorder.js")
FACE_MS = 90_000
TRIES = 3  # as many as the page offers
TOTP_STEP_S = 30


@dataclass(slots=True)
class Account:
    """A user of the realm, and what that person has in the pocket."""

    username: str
    password: str
    subject: str
    totp_secret: str | None = None
    last_step: int = 0

    def next_code(self) -> str:
        """Return a code that was not used yet; waits for the next step when it has to."""
        while int(time.time()) // TOTP_STEP_S <= self.last_step:
            time.sleep(0.2)
        self.last_step = int(time.time()) // TOTP_STEP_S
        return self.code_again()

    def code_again(self) -> str:
        """Return the code of the step that was used last."""
        assert self.totp_secret is not None
        return pyotp.TOTP(self.totp_secret).generate_otp(self.last_step)


@dataclass(frozen=True, slots=True, repr=False)
class Upload:
    """One upload of frames as the browser sent it."""

    content_type: str
    body: bytes
    at_s: float


class Visitor:
    """One browser profile with one simulated camera and, where asked, a virtual authenticator."""

    def __init__(self, browser: Browser, app: ClientApp, clips: Mapping[str, Clip], *, lit: bool = True) -> None:
        self.app = app
        self.camera = BrowserCamera(clips, lit=lit)
        self.context = browser.new_context(viewport={"width": 1000, "height": 900})
        self.context.set_default_timeout(PAGE_MS)
        self.camera.install(self.context)
        self.page: Page = self.context.new_page()
        self.login: Login | None = None
        self.arrived_at: str | None = None
        self.page.on("request", self._watch)

    def _watch(self, request: Request) -> None:
        if request.is_navigation_request() and request.url.startswith(self.app.redirect_uri):
            self.arrived_at = request.url

    def plug_in_passkey(self) -> None:
        """Give this browser an authenticator that verifies its user, as a phone or laptop has one."""
        session = self.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                },
            },
        )

    def open_login(self, account: Account, *, acr: str | None = None) -> None:
        """Ask the application for a login and type the password at Keycloak."""
        self.login, self.arrived_at = self.app.begin(acr=acr), None
        self.page.goto(self.login.url)
        self.give_password(account)

    def give_password(self, account: Account) -> None:
        """Type user name and password at Keycloak, which asks for them now."""
        self.page.fill("#username", account.username)
        self.page.fill("#password", account.password)
        self.page.click("#kc-login")
        self.page.wait_for_load_state()

    def record_uploads(self, into: list[Upload]) -> None:
        """Keep every upload of frames from the next page on."""

        def keep(_source: object, copy: dict[str, str]) -> None:
            into.append(Upload(copy["type"], b64decode(copy["body"]), time.monotonic()))

        self.context.expose_binding("facestepKeepUpload", keep)
        self.context.add_init_script(path=RECORDER)

    def forget_login(self) -> None:
        """Lose every cookie, as after closing a private window; the authenticator stays plugged in."""
        self.context.clear_cookies()

    def enrol(self, account: Account, code: str, *, way: str) -> list[str]:
        """Go through the whole enrolment and return the recovery codes."""
        page = self.page
        page.fill("input#code", code)
        page.click("button[type=submit]")
        page.check("input[name=agree]")
        page.click("button[type=submit]")
        codes = self.set_up_factor(account, way=way)
        self.pass_camera()
        return codes

    def set_up_factor(self, account: Account, *, way: str) -> list[str]:
        """Bind a passkey or an authenticator app and return the recovery codes that the page shows after it."""
        page = self.page
        page.click(f"a[href='?way={way}']")
        if way == "passkey":
            page.click("#passkey-start")
        else:
            page.wait_for_selector("#totp-secret:not([hidden])")
            account.totp_secret, account.last_step = page.inner_text("#totp-secret-text").replace(" ", ""), 0
            page.fill("input#code", account.next_code())
            page.click("button[type=submit]")
        page.wait_for_selector("#recovery-codes li")
        codes = page.locator("#recovery-codes li").all_inner_texts()
        page.check("input[type=checkbox]")
        page.click("button[type=submit]")
        return codes

    def enter_pass(self, code: str) -> None:
        """Say that the factors are lost, and enter the pass that the helpdesk has sent."""
        self.page.click("a[href='?way=stuck']")
        self.page.click("a[href='?way=pass']")
        self.page.fill("input#code", code)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("#face-start")

    def prove_totp(self, code: str) -> None:
        """Type a one-time code; does not wait for what comes of it."""
        if not self.page.locator("input#code").is_visible():
            self.page.click("a[href='?way=totp']")
        self.page.fill("input#code", code)
        self.page.click("button[type=submit]")

    def prove_passkey(self) -> None:
        self.page.click("#passkey-start")

    def pass_camera(self, *, tries: int = TRIES) -> str:
        """Sit before the camera, and again where the page offers it, as a person does. Return finished or refused."""
        for number in range(1, tries + 1):
            state = self.show_face()
            print(f"· {state} at the camera, try {number} of {tries}", flush=True)
            if state == "finished":
                break
        return state

    def show_face(self) -> str:
        """Sit before the camera once. Return finished or refused."""
        self.page.click("#face-start")
        self.page.wait_for_selector("#face-step[data-state=running]", timeout=FACE_MS)
        self.page.wait_for_selector(
            "#face-step[data-state=finished], #face-step[data-state=refused]",
            timeout=FACE_MS,
        )
        return str(self.page.get_attribute("#face-step", "data-state"))

    def tokens(self) -> dict[str, Any]:
        """Return the id_token's verified claims of a login that went through."""
        self.page.wait_for_url(f"{self.app.redirect_uri}**")
        assert self.login is not None
        assert self.arrived_at is not None
        return self.app.finish(self.login, self.arrived_at)

    @property
    def logged_in(self) -> bool:
        """True when the application has an authorization code."""
        return self.arrived_at is not None and "code=" in (urlsplit(self.arrived_at).query or "")

    def said(self) -> str:
        """Return what the page tells the person now."""
        return self.page.inner_text("body")

    def close(self) -> None:
        self.context.close()
