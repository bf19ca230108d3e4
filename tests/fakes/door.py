"""The real application over a real database and keyring, with one realm registered; only the network is a fake."""

from __future__ import annotations

import warnings
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from plugin.app import create_app
from plugin.audit.log import AuditLog
from plugin.ceremonies.attempts import Attempts
from plugin.ceremonies.service import Ceremonies
from plugin.ceremonies.types import Stage
from plugin.doors.housekeeping import Housekeeping
from plugin.doors.keys import KeyCache
from plugin.doors.registry import Registry
from plugin.doors.seen import SeenJtis
from plugin.doors.signed_request import SignedMessages
from plugin.doors.signer import Signer
from plugin.factors.enrolment import Enrolment
from plugin.factors.lifecycle import Lifecycle
from plugin.settings import Environment, Settings, VaultBackend
from plugin.store.database import Database
from plugin.wiring import Services
from tests.fakes.realm import SERVICE, VERIFIER, Clock, FakeJwks, Realm
from vault.keyring import KeyringSealer, create_keyring
from vault.warning import UnsafeDevelopmentWarning

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from plugin.audit.log import AuditEntryView

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Absent:
    """A service that a test of the doors must not touch."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> NoReturn:
        raise AssertionError(f"the door used {self._name}.{attribute}")


@dataclass
class Door:
    """What a test needs to knock, and to see what was written down."""

    http: FlaskClient
    realm: Realm
    jwks: FakeJwks
    clock: Clock
    services: Services

    def authorize(self, request: str | None = None, **query: str) -> TestResponse:
        parameters = {"client_id": self.realm.issuer, "request": request or self.realm.request(), **query}
        return self.http.get("/authorize", query_string=parameters)

    def new_realm(self, issuer: str, **options: Any) -> Realm:
        """Register one more realm."""
        realm = Realm(issuer=issuer, clock=self.clock, **options)
        realm.publish(self.jwks)
        self.services.registry.add(realm.issuer, now=self.clock())
        return realm

    def code(self, **claims: Any) -> str:
        """Bring a ceremony to its end and return the result code."""
        response = self.authorize(self.realm.request(**claims))
        ceremony_id = urlsplit(response.headers["Location"]).path.rpartition("/")[2]
        token = self.http.get_cookie(f"facestep_{ceremony_id[:8]}").value
        ceremonies, now = self.services.ceremonies, self.clock()
        view = ceremonies.load(ceremony_id, token, now=now)
        view = ceremonies.advance(view, to=Stage.FACE, now=now, proven="otp")
        view = ceremonies.advance(view, to=Stage.DONE, now=now, proven="face", reference_id="ref-1")
        return ceremonies.issue_code(view, now=now)

    def redeem(self, code: str, /, *, realm: Realm | None = None, **changes: str) -> TestResponse:
        realm = realm or self.realm
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.realm.redirect_uri,
            "code_verifier": VERIFIER,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": realm.assertion(),
            **changes,
        }
        return self.http.post("/token", data={name: value for name, value in form.items() if value})

    def erase(self, subject: str, /, *, realm: Realm | None = None, **changes: str) -> TestResponse:
        form = {
            "subject": subject,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": (realm or self.realm).assertion(),
            **changes,
        }
        return self.http.post("/idp/erase", data={name: value for name, value in form.items() if value})

    def audited(self, event: str) -> list[AuditEntryView]:
        return [entry for entry in self.services.audit.entries(limit=1000) if entry.event == event]

    def last_refusal(self, event: str = "request_refused") -> tuple[str, str]:
        """Return the check that the last refusal names, and the provider it was written down for."""
        entry = self.audited(event)[-1]
        return str(entry.details["check"]), entry.issuer


def settings(folder: Path, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "issuer": SERVICE,
        "database_url": f"sqlite:///{folder / 'facestep.db'}",
        "environment": Environment.DEVELOPMENT,
        "vault_backend": VaultBackend.KEYRING,
        "keyring_file": folder / "keyring.json",
        **changes,
    }
    return Settings(**values).checked()


def open_door(folder: Path, **changes: Any) -> Door:
    """Return a door with the realm `staff` registered."""
    clock, jwks, chosen = Clock(), FakeJwks(), settings(folder, **changes)
    create_keyring(folder / "keyring.json")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnsafeDevelopmentWarning)
        sealer = KeyringSealer(folder / "keyring.json")
    (folder / "facestep.db").write_bytes(_migrated())
    database = Database(chosen.database_url)
    audit = AuditLog(database)
    registry = Registry(database=database, keys=KeyCache(jwks), audit=audit)
    ceremonies = Ceremonies(database=database, sealer=sealer, settings=chosen, audit=audit)
    lifecycle = Lifecycle(database=database, audit=audit, settings=chosen)
    services = Services(
        settings=chosen,
        clock=clock,
        database=database,
        sealer=sealer,
        audit=audit,
        registry=registry,
        messages=SignedMessages(registry=registry, seen=SeenJtis(database), audience=chosen.issuer),
        signer=Signer.open(database=database, sealer=sealer, issuer=chosen.issuer, now=clock()),
        ceremonies=ceremonies,
        housekeeping=Housekeeping(ceremonies.purge, lifecycle.expire),
        lifecycle=lifecycle,
        attempts=Attempts(database),
        enrolment=Enrolment(ceremonies=ceremonies, database=database, sealer=sealer, audit=audit),
        **{name: Absent(name) for name in ("totp", "webauthn", "recovery_codes", "invitation", "face")},
    )
    app = create_app(chosen, services)
    http = app.test_client()
    door = Door(
        http=http, realm=Realm("https://sso.example/realms/staff", clock), jwks=jwks, clock=clock, services=services
    )
    door.realm.publish(jwks)
    registry.add(door.realm.issuer, now=clock())
    return door


@cache
def _migrated() -> bytes:
    """An empty database at the newest revision, made once a run."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        with closing(Database(f"sqlite:///{file}")) as database:
            database.migrate()
        return file.read_bytes()
