"""What the cases of demo-check share: the running stack, a browser, people with simulated faces, and the audit log."""

from __future__ import annotations

import json
import secrets
import time
from base64 import urlsafe_b64decode
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.fixtures_cache import load_picture
from tests.simulator.actor import Person
from tests.simulator.attacks.prints import PrintedPhoto
from tests.simulator.attacks.screens import PuppetOnScreen
from tests.simulator.clips import PROMPT, person_clips, record_clips
from tests.simulator.subject import Subject
from tests.stack.client_app import CLIENT_ID, ClientApp
from tests.stack.stack import REALM, Stack
from tests.stack.visitor import Account, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser

    from tests.simulator.clips import Clip
    from tests.stack.visitor import Upload

ENTRY_S = 30
OWNER, STRANGER = "person_b_1", "impostor_2"


@cache
def living(name: str, seed: int) -> Mapping[str, Clip]:
    """Return the simulated person of a test picture, alive."""
    return person_clips(Subject(load_picture(name)), seed=seed)


@cache
def printed(name: str, seed: int) -> Mapping[str, Clip]:
    """Return a simulated flat print of the same picture, moved and tilted in answer to the instructions."""
    return record_clips(lambda: PrintedPhoto(load_picture(name), seed=seed))


@cache
def on_tablet(name: str, seed: int) -> Mapping[str, Clip]:
    """Return the same person, doing whatever is asked, on a tablet that somebody holds before the camera."""
    subject = Subject(load_picture(name))
    return record_clips(lambda: PuppetOnScreen(Person(subject, seed=seed, habits=PROMPT), seed=seed))


class World:
    """Everything a case may touch."""

    def __init__(self, stack: Stack, browser: Browser) -> None:
        self.stack = stack
        self.browser = browser
        self.app = ClientApp(issuer=stack.issuer)
        stack.people.create_public_client(REALM, CLIENT_ID, redirect_uri=self.app.redirect_uri)
        stack.people.keep_events(REALM)
        self.passkey_owner = self.new_account("alex")
        self.totp_owner = self.new_account("robin")
        self.visitors: list[Visitor] = []
        self.passkey_visitor: Visitor | None = None
        self.agent: Visitor | None = None
        self.approver: Visitor | None = None
        self.recorded: list[Upload] = []

    def new_account(self, username: str, *, realm: str = REALM) -> Account:
        password = secrets.token_urlsafe(9)
        subject = self.stack.people.create_user(realm, username, password, must_enrol=realm == REALM)
        return Account(username=username, password=password, subject=subject)

    @contextmanager
    def visitor(self, clips: Mapping[str, Clip], *, lit: bool = True) -> Iterator[Visitor]:
        visitor = self.new_visitor(clips, lit=lit)
        yield visitor
        self.visitors.remove(visitor)
        visitor.close()

    def new_visitor(self, clips: Mapping[str, Clip], *, lit: bool = True) -> Visitor:
        """Open a browser profile. One whose case broke stays open until its page was photographed."""
        visitor = Visitor(self.browser, self.app, clips, lit=lit)
        self.visitors.append(visitor)
        return visitor

    def close(self) -> None:
        """End what the world itself started."""
        self.close_visitors()
        self.app.close()

    def close_visitors(self) -> None:
        for visitor in self.visitors:
            visitor.close()
        self.visitors.clear()

    def mark(self) -> int:
        """Return how many audit entries there are now."""
        return len(self.stack.audit())

    def events_since(self, mark: int) -> list[tuple[str, Mapping[str, Any]]]:
        """Return (event, details) of the entries written since `mark`."""
        return [(str(entry["event"]), entry["details"]) for entry in self.stack.audit()[mark:]]  # type: ignore[misc]

    def found(self, mark: int, event: str, **details: str | int) -> str:
        """Return "audited" when such an entry was written since `mark`, else what was there instead.

        The page may give up a moment before the server has finished judging, so an entry has some seconds to come.
        """
        deadline = time.monotonic() + ENTRY_S
        while True:
            entries = self.events_since(mark)
            for name, seen in entries:
                if name == event and all(value in _as_list(seen.get(key)) for key, value in details.items()):
                    return "audited"
            if time.monotonic() > deadline:
                break
        return f"no {event} {details or ''} among {[(name, dict(seen)) for name, seen in entries]}"


def request_claims(authorize_url: str) -> dict[str, Any]:
    """Return the claims of the signed request in the address of /authorize: the browser's view, not verified."""
    signed = parse_qs(urlsplit(authorize_url).query)["request"][0]
    payload = signed.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
