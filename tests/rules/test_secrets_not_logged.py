"""Drive the calls with known secrets, everything logged at DEBUG; then search log, database and answers for them."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from plugin.ceremonies.types import Purpose
from tests.plugin.api.web import Browser, make_app
from tests.plugin.factors.scripted import shows
from tests.plugin.factors.world import world

__all__ = ["world"]


class Journey:
    """One person's enrolment and login over HTTP, with every secret that was on the way."""

    def __init__(self, world) -> None:
        self.world = world
        app = make_app(world)
        app.extensions["facestep"].face = world.face
        self.browser = Browser(app, world.person())
        self.secrets: dict[str, str | bytes] = {}

    def call(self, name: str, body=None) -> dict:
        answer = self.browser.call(name, body)
        assert answer.status_code == 200, (name, answer.get_json())
        self.world.passes(seconds=1)
        return answer.get_json()

    def arrives(self, purpose: Purpose) -> None:
        self.browser.person.comes_to(purpose)
        self.secrets[f"browser token ({purpose})"] = self.browser.person.cookie

    def enrols(self) -> None:
        person = self.browser.person
        issued = self.world.invitations.issue(person.owner, now=self.world.now)
        self.secrets["enrolment code"] = issued.code
        self.arrives(Purpose.ENROL)
        self.browser.call("invitation", {"code": "WRONG-" + issued.code[6:]})
        self.call("invitation", {"code": issued.code})
        self.call("consent", {"agree": True, "text_version": "2026-1"})
        person.totp_secret = self.call("totp/setup")["secret"].replace(" ", "")
        self.secrets["TOTP secret"] = person.totp_secret
        self.call("totp/confirm", {"code": person.code()})
        codes = re.findall(r"<li>([0-9A-Z-]{16,})</li>", self.browser.page().text)
        assert len(codes) == 10
        self.secrets |= {f"recovery code {place}": code for place, code in enumerate(codes)}
        self.call("recovery/acknowledge")
        self.passes_camera()

    def logs_in(self) -> None:
        self.world.passes(seconds=90)
        self.arrives(Purpose.LOGIN)
        self.secrets["one-time code"] = code = self.browser.person.code()
        self.browser.call("totp/verify", {"code": f"{(int(code) + 1) % 1_000_000:06d}"})
        self.call("totp/verify", {"code": code})
        self.passes_camera()

    def passes_camera(self) -> None:
        self.call("face/start")
        frames = [frame.jpeg for frame in shows("go", "done:alice")]
        self.secrets["frame"] = frames[0][3:]
        answer = self.browser.sends_frames(frames).get_json()
        self.secrets[f"result code {len(self.secrets)}"] = parse_qs(urlsplit(answer["redirect"]).query)["code"][0]


@pytest.fixture
def journey(world, caplog):
    caplog.set_level(logging.DEBUG)
    made = Journey(world)
    made.enrols()
    made.logs_in()
    return made


def test_the_log_has_no_secret(journey, caplog):
    text = caplog.text + "".join(repr(record.__dict__) for record in caplog.records)
    found = [name for name, secret in journey.secrets.items() if isinstance(secret, str) and secret in text]
    assert found == []


def test_the_database_file_has_no_secret_in_the_clear(journey, world):
    folder = Path(world.database._file).parent
    stored = b"".join(path.read_bytes() for path in folder.glob("facestep.db*"))
    # a one-time code is six digits that may well stand in some other number; it is worth nothing once used
    found = [
        name
        for name, secret in journey.secrets.items()
        if name != "one-time code" and (secret.encode() if isinstance(secret, str) else secret) in stored
    ]
    assert found == []


def test_the_audit_log_has_no_secret(journey, world):
    entries = repr([(entry.event, dict(entry.details)) for entry in world.audit.entries(limit=1000)])
    found = [name for name, secret in journey.secrets.items() if isinstance(secret, str) and secret in entries]
    assert found == []


def test_no_score_leaves_with_an_answer(journey):
    refused = journey.browser
    refused.person.comes_to(Purpose.LOGIN)
    journey.world.passes(seconds=60)
    journey.call("totp/verify", {"code": refused.person.code()})
    journey.call("face/start")
    answer = refused.sends_frames([frame.jpeg for frame in shows("go", "done:mallory")]).get_json()
    assert answer["state"] == "refused"
    assert not re.search(r"similar|score|threshold|\d\.\d", repr(answer))


def test_nothing_is_left_in_the_temporary_folder(world, tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    made = Journey(world)
    made.enrols()
    assert list(temporary.rglob("*")) == []
