"""Drive every endpoint with known secrets, logged at DEBUG; then search log, database and answers for them."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from flask import request

from plugin.ceremonies.types import Purpose, Stage
from plugin.factors.enrolment import CONSENT_TEXT_VERSION
from plugin.helpdesk.policy import NOTED, Rule
from plugin.logs import configure_logging
from tests.fakes.realm import VERIFIER
from tests.fakes.whole import code_in, open_whole
from tests.plugin.factors.scripted import face_of, shows
from tests.plugin.factors.soft_key import unb64
from tests.plugin.factors.world import World, hash_cheaply, world
from tests.plugin.helpdesk.breaking import staffed
from tests.plugin.helpdesk.console import Console
from tests.plugin.helpdesk.office import open_office
from tests.plugin.helpdesk.program import Program
from tests.plugin.pages.own_page import Own, open_own_page

CAMERA = {"label": "Somebody's own telephone (OBS Virtual Camera)", "width": 640, "height": 480, "frame_rate": 30}

__all__ = ["world"]

IN_THE_CLEAR = {"one-time code", "state", "nonce"}
"""A one-time code is six digits that may well stand in some other number, worth nothing once used. State and nonce of
an open login are kept to be sent back; they are secret from the log only."""

KINDS = {
    *("signing key", "signed request", "client assertion", "code verifier", "state", "nonce", "browser token"),
    *("enrolment code", "TOTP secret", "one-time code", "recovery code", "result code", "id_token", "access token"),
    *("passkey challenge", "passkey clientDataJSON", "passkey authenticatorData", "passkey signature", "client data"),
    *("frame", "embedding float16", "embedding float32", "embedding float64", "embedding number"),
    "camera label",
    *("helpdesk session", "helpdesk pass", "link that stops", "link of a check", "link to confirm"),
    *("own session", "mailed code"),
}


class Journey:
    """People enrolling and logging in over HTTP, with every secret that was on the way."""

    def __init__(self, world) -> None:
        self.world = world
        self.office = open_office(world)
        self.realm = open_own_page(world)[0]
        self.whole = open_whole(world)
        self.driven: set[str] = set()
        self.whole.app.after_request(self._note)
        self.secrets: dict[str, str | bytes] = {"code verifier": VERIFIER, "state": "s" * 22, "nonce": "n" * 22}
        self.secrets["signing key"] = self.whole.app.extensions["facestep"].signer._keys[-1].as_dict(private=True)["d"]
        self.alice = self.whole.browser(world.person("alice-id"))
        self.bob = self.whole.browser(world.person("bob-id"))

    def _note(self, response):
        if response.status_code < 400:
            self.driven.add(request.endpoint)
        return response

    def keep(self, name: str, secret: str | bytes) -> None:
        self.secrets[f"{name} {len(self.secrets)}" if name in self.secrets else name] = secret

    def call(self, browser, name: str, body=None) -> dict:
        answer = browser.call(name, body)
        assert answer.status_code == 200, (name, answer.get_json())
        self.world.passes(seconds=1)
        return answer.get_json()

    def arrives(self, browser, purpose: Purpose) -> None:
        assert self.whole.arrives(browser, purpose).status_code == 303
        self.keep("browser token", browser.person.cookie)

    def begins_enrolment(self, browser) -> None:
        issued = self.world.invitations.issue(browser.person.owner, now=self.world.now)
        self.keep("enrolment code", issued.code)
        self.arrives(browser, Purpose.ENROL)
        browser.call("invitation", {"code": "WRONG-" + issued.code[6:]})
        self.call(browser, "invitation", {"code": issued.code})
        self.agrees(browser)

    def agrees(self, browser) -> None:
        self.call(browser, "consent", {"agree": True, "text_version": CONSENT_TEXT_VERSION})

    def ends_enrolment(self, browser) -> None:
        codes = re.findall(r"<li>([0-9A-Z-]{16,})</li>", browser.page().text)
        assert len(codes) == 10
        browser.person.codes = tuple(codes)
        for code in codes:
            self.keep("recovery code", code)
        self.call(browser, "recovery/acknowledge")
        self.passes_camera(browser)

    def enrols_with_app(self) -> None:
        self.begins_enrolment(self.alice)
        self.alice.person.totp_secret = self.call(self.alice, "totp/setup")["secret"].replace(" ", "")
        self.keep("TOTP secret", self.alice.person.totp_secret)
        self.call(self.alice, "totp/confirm", {"code": self.alice.person.code()})
        self.ends_enrolment(self.alice)

    def enrols_with_key(self) -> None:
        self.begins_enrolment(self.bob)
        options = self.bob.call("webauthn/register/options").get_data(as_text=True)
        self.keep("passkey challenge", json.loads(options)["challenge"])
        answer = self.bob.person.key.create(options)
        self.keep("client data", answer["response"]["clientDataJSON"])
        self.call(self.bob, "webauthn/register", {"credential": answer})
        self.ends_enrolment(self.bob)

    def proves_app(self) -> None:
        self.world.passes(seconds=90)
        self.arrives(self.alice, Purpose.LOGIN)
        self.keep("one-time code", code := self.alice.person.code())
        self.alice.call("totp/verify", {"code": f"{(int(code) + 1) % 1_000_000:06d}"})
        self.call(self.alice, "totp/verify", {"code": code})

    def logs_in_with_app(self) -> None:
        self.proves_app()
        self.passes_camera(self.alice)

    def logs_in_with_key(self) -> None:
        self.arrives(self.bob, Purpose.LOGIN)
        for is_right in (False, True):
            options = self.bob.call("webauthn/options").get_data(as_text=True)
            self.keep("passkey challenge", json.loads(options)["challenge"])
            answer = self.bob.person.key.get(options)
            for name in ("signature", "clientDataJSON", "authenticatorData"):
                self.keep(f"passkey {name}", answer["response"][name])
            if not is_right:
                answer["response"]["authenticatorData"] = answer["response"]["clientDataJSON"]
            answered = self.bob.call("webauthn/verify", {"credential": answer})
            assert (answered.status_code == 200) is is_right
        self.passes_camera(self.bob)

    def uses_a_recovery_code_and_stops(self) -> None:
        self.arrives(self.alice, Purpose.LOGIN)
        self.alice.call("recovery/verify", {"code": self.alice.person.codes[0][:-4] + "0000"})
        self.call(self.alice, "recovery/verify", {"code": self.alice.person.codes[0]})
        self.call(self.alice, "cancel")

    def enrols_only_the_face_again(self) -> None:
        self.world.passes(seconds=90)
        self.arrives(self.alice, Purpose.ENROL)
        self.call(self.alice, "totp/verify", {"code": self.alice.person.code()})
        self.agrees(self.alice)
        self.call(self.alice, "possession/keep")

    def fetches_a_result_whose_answer_was_lost(self) -> None:
        self.proves_app()
        view = self.alice.person.view()
        self.world.ceremonies.advance(view, to=Stage.DONE, proven="face", now=self.world.now)
        self.redeems(self.call(self.alice, "finish"))

    def goes_through_the_helpdesk(self) -> None:
        ada, bob = (Console(self.whole.app, self.office) for _ in range(2))
        for console, name in ((ada, "ada"), (bob, "bob")):
            assert console.signs_in(name).status_code == 303
            self.keep("helpdesk session", console.client.get_cookie("facestep_desk").value)
        ada.post(f"{ada.opens()}/close")
        self.office.people.add("carol")
        assert ada.post("/suspend", name="carol", ticket="T-1", reason="phone stolen").status_code == 303
        path = ada.opens()
        ada.post(f"{path}/proofs", proof="call_back")
        self.shows_the_helpdesk_a_face(ada, path)
        self.asks_the_manager(ada, path)
        ada.post(f"{path}/ask")
        bob.post(f"{path}/decide", answer="agree")
        assert "Pass sent" in ada.get(path).text
        assert ada.get().status_code == 200
        code, link = self.office.letters.the_pass(), self.office.letters.link()
        self.keep("helpdesk pass", code)
        self.keep("link that stops", link)
        self.arrives(self.alice, Purpose.LOGIN)
        self.alice.call("recovery/pass", {"code": "0000" + code[4:]})
        self.call(self.alice, "recovery/pass", {"code": code})
        self.call(self.alice, "cancel")
        assert ada.get(f"/stop/{link}").status_code == ada.post(f"/stop/{link}").status_code == 200
        ada.post("/logout")

    def shows_the_helpdesk_a_face(self, ada, path: str) -> None:
        ada.post(f"{path}/face-check")
        self.keep("link of a check", token := self.office.letters.token("check"))
        caller = Console(self.whole.app, self.office)
        assert caller.get(f"/check/{token}").status_code == 200
        browser = caller.begins_check(token)
        self.keep("browser token", browser.person.cookie)
        self.call(browser, "face/start", {"light": True, "camera": CAMERA})
        assert self.sends(browser, "done:alice-id")["redirect"].endswith("/helpdesk/checked")
        assert caller.get("/checked").status_code == 200

    def asks_the_manager(self, ada, path: str) -> None:
        ada.post(f"{path}/manager")
        self.keep("link to confirm", token := self.office.letters.token("confirm"))
        mia = Console(self.whole.app, self.office)
        assert mia.get(f"/confirm/{token}").status_code == 200
        assert mia.signs_in("mia", at=f"/confirm/{token}/login").status_code == 303
        self.keep("helpdesk session", mia.client.get_cookie("facestep_desk").value)
        assert mia.post(f"/confirm/{token}", answer="yes").status_code == 200

    def is_shown_a_pass(self) -> None:
        self.office.allows(show_pass_once=True, cases_per_day=9, default=Rule(frozenset(), four_eyes=True))
        ada, bob = (Console(self.whole.app, self.office) for _ in range(2))
        ada.signs_in("ada")
        bob.signs_in("bob")
        path = ada.opens()
        for proof in NOTED:
            ada.post(f"{path}/proofs", proof=proof)
        assert ada.post(f"{path}/ask", action="pass shown").status_code == 303
        bob.post(f"{path}/decide", answer="agree")
        shown = ada.post(f"{path}/show").text
        self.keep("helpdesk pass", re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", shown)[0])

    def breaks_glass(self) -> None:
        staffed(self.office)
        ada, grace, heidi = (Console(self.whole.app, self.office) for _ in range(3))
        for name, console in (("ada", ada), ("grace", grace), ("heidi", heidi)):
            console.signs_in(name)
        path = ada.opens()
        assert grace.post(f"{path}/break-glass", confirm="yes").status_code == 303
        assert heidi.post(f"{path}/decide", answer="agree").status_code == 303
        shown = grace.post(f"{path}/show").text
        self.keep("helpdesk pass", re.search(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", shown)[0])
        assert heidi.post(f"{path}/stop").status_code == 303
        said = {"name": "alice", "ticket": "T-3", "reason": "mail is down", "confirm": "yes"}
        assert grace.post("/break-glass", **said).status_code == 303

    def calls_as_a_ticket_system(self) -> None:
        self.office.allows(api_proofs=frozenset({"call_back"}))
        tickets = Program(self.whole.app, self.office)
        path = tickets.opens()
        tickets.calls(f"{path}/proofs", {"proof": "call_back"})
        for call, body in (("", None), ("/ask", {"action": "suspend", "target": ""}), ("/close", {})):
            assert tickets.calls(path + call, body).status_code == 200
        assert tickets.calls("/openapi.json", token="").status_code == 200

    def gets_back_in_alone(self) -> None:
        self.world.passes(seconds=90)
        self.arrives(self.alice, Purpose.LOGIN)
        self.alice.call("recovery/lost", {"code": self.alice.person.codes[1][:-4] + "0000"})
        self.call(self.alice, "recovery/lost", {"code": self.alice.person.codes[1]})
        self.call(self.alice, "cancel")
        self.arrives(self.alice, Purpose.LOGIN)
        self.call(self.alice, "recovery/new-face")
        self.call(self.alice, "totp/verify", {"code": self.alice.person.code()})
        self.call(self.alice, "recovery/mail")
        code = self.office.letters.mailed_code()
        self.keep("mailed code", code)
        self.alice.call("recovery/mailed", {"code": "0000" + code[4:]})
        self.call(self.alice, "recovery/mailed", {"code": code})
        self.call(self.alice, "cancel")

    def visits_the_own_page(self) -> None:
        own = Own(self.whole.app, self.realm)
        for leave in ("/logout", "/not-me", "/erase"):
            assert own.signs_in("alice").status_code == 303
            self.keep("own session", own.client.get_cookie("facestep_me").value)
            pages = [own.get(), own.get("/erase"), own.get("/not-me"), own.post("/export"), own.post("/codes")]
            assert [page.status_code for page in pages] == [200] * 5
            for code in re.findall(r"<li>([0-9A-Z-]{16,})</li>", pages[-1].text):
                self.keep("recovery code", code)
            assert own.post(leave, confirm="erase").status_code < 400

    def passes_camera(self, browser) -> None:
        self.keep("camera label", CAMERA["label"].encode())
        self.call(browser, "face/start", {"light": True, "camera": CAMERA})
        self.sends(browser, "done:mallory:planarity/flat")
        self.call(browser, "face/start", {"light": True, "camera": CAMERA})
        self.redeems(self.sends(browser, f"done:{browser.person.owner.subject}"))

    def sends(self, browser, last: str) -> dict:
        frames = [frame.jpeg for frame in shows("go", last)]
        for jpeg in frames:
            self.keep("frame", jpeg[3:])
        return browser.sends_frames(frames).get_json()

    def redeems(self, answer: dict) -> None:
        code = code_in(answer)
        self.keep("result code", code)
        for is_first in (True, False):
            assertion = self.whole.assertion()
            self.keep("client assertion", assertion)
            answered = self.whole.redeem(code, client_assertion=assertion)
            assert (answered.status_code == 200) is is_first
            if is_first:
                self.keep("id_token", answered.get_json()["id_token"])
                self.keep("access token", answered.get_json()["access_token"])

    def knocks_at_every_door(self) -> None:
        client = self.whole.app.test_client()
        health = ("/health/live", "/health/ready")
        guides = ("/helpdesk/for-callers", "/helpdesk/for-staff")
        for path in ("/.well-known/openid-configuration", "/jwks", "/retention", "/static/icon.svg", *guides, *health):
            with client.get(path) as answer:
                assert answer.status_code == 200
        signed = self.whole.request(self.alice.person, Purpose.LOGIN)
        self.keep("signed request", signed)
        for changed in (signed[:-8], signed):  # refused, then accepted
            client.get("/authorize", query_string={"client_id": self.whole.realm.issuer, "request": changed})
        assert self.whole.post("/idp/erase", subject="bob-id").status_code == 200

    def all_of_it(self) -> None:
        self.enrols_with_app()
        self.enrols_with_key()
        self.logs_in_with_app()
        self.logs_in_with_key()
        self.uses_a_recovery_code_and_stops()
        self.enrols_only_the_face_again()
        self.fetches_a_result_whose_answer_was_lost()
        self.gets_back_in_alone()
        self.goes_through_the_helpdesk()
        self.is_shown_a_pass()
        self.calls_as_a_ticket_system()
        self.breaks_glass()
        self.visits_the_own_page()
        self.stored = b"".join(
            path.read_bytes() for path in Path(self.world.database._file).parent.glob("facestep.db*")
        )
        self.knocks_at_every_door()
        for subject in ("alice-id", "bob-id"):
            for vector in (face_of(subject).facenet.vector, face_of(subject).sface.vector):
                for kind in (np.float16, np.float32, np.float64):
                    self.keep(f"embedding {np.dtype(kind)}", vector.astype(kind)[:8].tobytes())
                self.keep("embedding number", f"{vector[0]:.7f}")


class Everything(logging.Handler):
    """Keeps all that a log record holds, also what no formatter prints."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.parts: list[str] = []

    def emit(self, record):
        self.parts.append(repr(record.__dict__))


@pytest.fixture(scope="module")
def journey(tmp_path_factory):
    """The whole journey, made once, with the log as the service writes it and every record beneath.

    Also what it left where temporary files go.
    """
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    kept, written = Everything(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        hash_cheaply(patch)
        temporary = goes_to(tmp_path_factory.mktemp("temporary"), patch)
        configure_logging("DEBUG")
        root.handlers[0].setStream(written)
        root.addHandler(kept)
        try:
            made = Journey(World(tmp_path_factory.mktemp("journey")))
            made.all_of_it()
        finally:
            root.setLevel(before[0])
            root.handlers[:] = before[1]
    made.left = sorted(temporary.rglob("*"))
    made.log = written.getvalue() + "".join(kept.parts)
    yield made
    made.world.database.close()


def looks_of(secret: str | bytes) -> list[str]:
    """Return how a secret may look in a text."""
    if isinstance(secret, str):
        return [secret, secret.replace("-", "")]
    encoded = [base64.b64encode(secret), base64.urlsafe_b64encode(secret)]
    return [secret.hex(), repr(secret)[2:-1], *(text.decode().rstrip("=") for text in encoded)]


def found_in(text: str, secrets) -> list[str]:
    return [name for name, secret in secrets.items() if any(look in text for look in looks_of(secret))]


def test_every_endpoint_was_driven_to_its_end(journey):
    assert journey.driven == {rule.endpoint for rule in journey.whole.app.url_map.iter_rules()}


def test_every_kind_of_secret_was_on_the_way(journey):
    assert {re.sub(r" \d+$", "", name) for name in journey.secrets} == KINDS
    assert all(len(secret) >= 6 for secret in journey.secrets.values())


def test_a_secret_in_the_log_would_be_found():
    one = {"a": "AB12-CD34", "b": bytes(range(240, 250))}
    assert found_in("x AB12CD34 x", one) == ["a"]
    assert found_in(repr(one["b"]), one) == found_in(one["b"].hex(), one) == ["b"]


def test_the_log_has_no_secret(journey):
    assert '"route": "/token"' in journey.log
    assert found_in(journey.log, journey.secrets) == []


def test_the_database_file_has_no_secret_in_the_clear(journey):
    assert b"alice-id" in journey.stored  # what we look at is the database
    found = []
    for name, secret in journey.secrets.items():
        raw = [secret] if isinstance(secret, bytes) else [secret.encode(), secret.replace("-", "").encode()]
        raw += [unb64(secret)] if name.startswith("passkey challenge") else []
        if not name.startswith(tuple(IN_THE_CLEAR)) and any(look in journey.stored for look in raw):
            found.append(name)
    assert found == []


def test_the_audit_log_has_no_secret(journey):
    entries = journey.world.audit.entries(limit=1000)
    assert {"enrolled", "result_redeemed", "factor_refused", "face_refused", "erased"} <= {e.event for e in entries}
    assert found_in(repr([entry.as_json() for entry in entries]), journey.secrets) == []


def test_no_score_leaves_with_an_answer(world):
    made = Journey(world)
    made.enrols_with_app()
    made.proves_app()
    made.call(made.alice, "face/start", {"light": True, "camera": CAMERA})
    answer = made.sends(made.alice, "done:mallory")
    assert answer["state"] == "refused"
    assert not re.search(r"similar|score|threshold|\d\.\d", repr(answer))


def test_nothing_is_left_in_the_temporary_folder(journey, tmp_path, monkeypatch):
    assert journey.left == []
    goes_to(tmp_path, monkeypatch)
    with tempfile.NamedTemporaryFile(delete=False):  # what we looked at is where they go
        assert len(list(tmp_path.iterdir())) == 1


def goes_to(folder, patch):
    """Let temporary files go to this folder, those of other processes too."""
    patch.setenv("TMPDIR", str(folder))
    patch.setattr("tempfile.tempdir", None)
    return folder
