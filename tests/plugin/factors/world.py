"""One identity provider, one person, one clock: what ceremonies and factors need, on a real database and keyring."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyotp
import pytest
from argon2 import PasswordHasher

from plugin.audit.log import AuditLog
from plugin.ceremonies.attempts import Attempts
from plugin.ceremonies.service import Ceremonies
from plugin.ceremonies.types import Purpose, Stage, Subject, VerifiedRequest
from plugin.factors import lookup_secrets
from plugin.factors.enrolment import CONSENT_TEXT_VERSION, Enrolment
from plugin.factors.face import FaceFactor
from plugin.factors.invitation import Invitations
from plugin.factors.lifecycle import Lifecycle
from plugin.factors.recovery_codes import RecoveryCodes
from plugin.factors.totp import TotpFactor
from plugin.factors.webauthn import WebauthnFactor
from plugin.settings import Environment, Settings, VaultBackend
from plugin.store.database import Database
from tests.plugin.factors import scripted
from tests.plugin.factors.soft_key import SoftKey
from vault.keyring import KeyringSealer, create_keyring
from vault.warning import UnsafeDevelopmentWarning

if TYPE_CHECKING:
    from plugin.ceremonies.types import CeremonyView
    from vault.interface import Sealer

REALM = "https://idp.example/realms/demo"
REDIRECT = REALM + "/login-actions/authenticate?session_code=abc"
VERIFIER = "verifier-of-this-login-0123456789-0123456789-0123456789"
ALICE = Subject(REALM, "alice-id")
EMPTY: list[bytes] = []
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Person:
    """Somebody at a browser: holds the cookie, the phone, the paper and the security key."""

    world: World
    owner: Subject = ALICE
    ceremony_id: str = ""
    cookie: str = field(default="", repr=False)
    totp_secret: str = ""
    codes: tuple[str, ...] = ()
    key: SoftKey = field(default_factory=lambda: SoftKey(origin="http://localhost:8100"))

    def comes_to(self, purpose: Purpose, **changes: str) -> CeremonyView:
        """Arrive with a fresh signed request of the identity provider."""
        request = replace(self.world.request(purpose, self.owner), **changes)
        new = self.world.ceremonies.begin(request, now=self.world.now)
        self.ceremony_id, self.cookie = new.id, new.browser_token
        return self.view()

    def view(self) -> CeremonyView:
        return self.world.ceremonies.load(self.ceremony_id, self.cookie, now=self.world.now)

    def code(self, *, steps_later: int = 0) -> str:
        """What the phone shows (or will show)."""
        at = self.world.now + timedelta(seconds=30 * steps_later)
        return pyotp.TOTP(self.totp_secret).at(at)

    def enrols_up_to(self, stage: Stage) -> CeremonyView:
        """Walk a first enrolment with TOTP until `stage`."""
        world = self.world
        issued = world.invitations.issue(self.owner, now=world.now)
        view = self.comes_to(Purpose.ENROL)
        if view.stage is not stage:
            view = world.invitations.redeem(view, issued.code, now=world.now)
        if view.stage is not stage:
            view = world.enrolment.give_consent(view, text_version=CONSENT_TEXT_VERSION, now=world.now)
        if view.stage is not stage:
            view = self.sets_up_totp(view)
        if view.stage is not stage:
            shown = world.recovery_codes.show(view, now=world.now)
            self.codes = shown.codes
            view = world.recovery_codes.acknowledge(shown.view, now=world.now)
        assert view.stage is stage
        return view

    def sets_up_totp(self, view: CeremonyView) -> CeremonyView:
        setup = self.world.totp.begin_setup(view, now=self.world.now)
        self.totp_secret = setup.secret
        view = self.world.totp.confirm_setup(setup.view, self.code(), now=self.world.now)
        self.world.passes(seconds=60)  # the phone shows another code by the time of the next login
        return view

    def has_totp(self) -> Person:
        self.enrols_up_to(Stage.FACE)
        return self

    def sets_up_key(self, view: CeremonyView) -> CeremonyView:
        options = self.world.webauthn.registration_options(view, now=self.world.now)
        return self.world.webauthn.register(options.view, self.key.create(options.json), now=self.world.now)

    def has_key(self) -> Person:
        self.sets_up_key(self.enrols_up_to(Stage.POSSESSION_SETUP))
        return self

    def proves_totp(self) -> CeremonyView:
        """Log in up to the camera."""
        return self.world.totp.verify(self.comes_to(Purpose.LOGIN), self.code(), now=self.world.now)

    def shows(self, face: str, view: CeremonyView) -> CeremonyView:
        """Draw a challenge and do all of it with this face; `mallory:planarity/flat` is a face that a cue denies."""
        self.world.face.start(view, now=self.world.now)
        self.world.passes(seconds=5)
        return self.world.face.push(self.view(), scripted.shows("go", f"done:{face}"), now=self.world.now).view

    def has_face(self, face: str = "alice") -> Person:
        """Be enrolled completely: phone, recovery codes, face."""
        self.world.ceremonies.issue_code(self.shows(face, self.enrols_up_to(Stage.FACE)), now=self.world.now)
        return self

    def finishes(self, view: CeremonyView) -> str:
        """Pretend that the face was judged, which is face.py's part, and return the result code."""
        view = self.world.ceremonies.advance(view, to=Stage.DONE, proven="face", now=self.world.now)
        return self.world.ceremonies.issue_code(view, now=self.world.now)


class World:
    """Real parts; only the clock is ours."""

    def __init__(self, folder: Path, *, new: bool = True) -> None:
        self.now = START
        self.me = None  # likewise (tests/plugin/pages/own_page.py)
        self.helpdesk = None  # tests of the helpdesk open one (tests/plugin/helpdesk/office.py)
        self.settings = Settings(
            issuer="http://localhost:8100",
            database_url=f"sqlite:///{folder}/facestep.db",
            environment=Environment.DEVELOPMENT,
            vault_backend=VaultBackend.KEYRING,
            keyring_file=folder / "keyring",
        )
        self.open(new=new)

    def open(self, *, new: bool = False) -> None:
        """Build all services; without `new`, as a second worker or after a restart."""
        self.database = self.open_database()
        if new:
            self._migrate()
            create_keyring(self.settings.keyring_file)
        self.sealer = self.open_sealer()
        self.audit = AuditLog(self.database)
        self.attempts = Attempts(self.database)
        parts = stored = {"database": self.database, "sealer": self.sealer, "audit": self.audit}
        self.ceremonies = Ceremonies(**parts, settings=self.settings)
        parts = parts | {"ceremonies": self.ceremonies, "attempts": self.attempts}
        self.totp = TotpFactor(**{name: part for name, part in parts.items() if name != "database"})
        self.webauthn = WebauthnFactor(**parts, settings=self.settings)
        self.recovery_codes = RecoveryCodes(**parts)
        self.invitations = Invitations(**parts, settings=self.settings)
        self.use_models("test")
        self.enrolment = Enrolment(ceremonies=self.ceremonies, **stored)
        self.lifecycle = Lifecycle(database=self.database, audit=self.audit, settings=self.settings)

    def open_database(self) -> Database:
        return Database(self.settings.database_url)

    def open_sealer(self) -> Sealer:
        with pytest.warns(UnsafeDevelopmentWarning):
            return KeyringSealer(self.settings.keyring_file)

    def use_models(self, framing: str) -> None:
        """Let the face factor run with models of this name; sessions are scripted by what the frames say."""
        self.face = FaceFactor(
            ceremonies=self.ceremonies,
            pipeline=scripted.pipeline(framing),
            database=self.database,
            sealer=self.sealer,
            attempts=self.attempts,
            audit=self.audit,
            settings=self.settings,
            sessions=scripted.ScriptedSession,
        )

    def _migrate(self) -> None:
        """Run the migrations once a test run and copy the empty database after that."""
        file = Path(self.database._file)
        if EMPTY:
            file.write_bytes(EMPTY[0])
            return
        self.database.migrate()
        self.database.close()
        EMPTY.append(file.read_bytes())

    def request(self, purpose: Purpose, owner: Subject = ALICE) -> VerifiedRequest:
        return VerifiedRequest(
            issuer=owner.issuer,
            subject=owner.subject,
            purpose=purpose,
            redirect_uri=REDIRECT,
            state="state-of-this-login",
            nonce="nonce-of-this-login",
            code_challenge=s256(VERIFIER),
            acr="facestep",
            display_name="Alice Example",
            locale="en",
            jti="jti",
        )

    def person(self, subject: str = "alice-id", issuer: str = REALM) -> Person:
        return Person(self, Subject(issuer, subject))

    def passes(self, *, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def redeem(self, code: str, **changes: str):
        right = {"client": REALM, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.ceremonies.redeem(code, **(right | changes), now=self.now)

    def audited(self, event: str) -> list[dict]:
        """Return the details of every entry of this event, oldest first; the chain is verified on the way."""
        self.audit.verify()
        return [dict(entry.details) for entry in self.audit.entries(limit=1000) if entry.event == event]

    def run(self, statement) -> None:
        """Do what somebody with the database's password could do."""
        with self.database.transaction() as session:
            session.execute(statement)


def hash_cheaply(patch: pytest.MonkeyPatch) -> None:
    """Hash codes at the least cost: the shipped one has its own test, and ten hashes per enrolment are slow."""
    patch.setattr(lookup_secrets, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    hash_cheaply(monkeypatch)
    made = World(tmp_path)
    yield made
    made.database.close()
