"""The real doors of the service over HTTP, for a real Keycloak to talk to. The factors are the fake part.

A person's check is not done here: `pass_check` moves a ceremony to its end as the factors would, `refuse_check` ends
it as they would. Everything between Keycloak and the ceremony is the product: signed requests, codes, PKCE, assertions,
signatures, audit.
`forge` makes the service lie in its results, as an attacker between the two would.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from plugin.app import create_app
from plugin.audit.log import AuditLog
from plugin.ceremonies.redirects import denied_url, success_url
from plugin.ceremonies.types import Stage
from plugin.doors.keys import HttpJwksFetcher, KeyCache
from plugin.doors.registry import Registry
from plugin.doors.seen import SeenJtis
from plugin.doors.signed_request import SignedMessages
from plugin.doors.signer import Signer
from plugin.factors.enrolment import Enrolment
from plugin.store.cooling import BOUND
from plugin.store.instants import to_ms
from plugin.store.integrity import sign
from plugin.store.tables import Reference, TotpSecret
from plugin.wiring import build_helpdesk, build_own_page, utc_now
from tests.fakes.door import open_door

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from plugin.audit.log import AuditEntryView
    from plugin.ceremonies.types import Subject


class LiveDoor:
    """One service on a loopback port; it can be stopped and started again."""

    def __init__(self, folder: Path, *, port: int) -> None:
        self.url = f"http://localhost:{port}"
        self._port = port
        self._signer = _LyingSigner()
        self.erased: list[tuple[str, str]] = []
        self._tokens: dict[str, str] = {}
        self.services = self._services(folder)
        self._app = create_app(self.services.settings, self.services)
        self._server: Any = None
        self._thread = threading.Thread()

    def _services(self, folder: Path) -> Any:
        door = open_door(folder, issuer=self.url, listen_port=self._port)
        services = door.services
        audit = AuditLog(services.database)
        registry = Registry(database=services.database, keys=KeyCache(HttpJwksFetcher()), audit=audit)
        self._signer.real = Signer.open(
            database=services.database, sealer=services.sealer, issuer=self.url, now=utc_now()
        )
        return replace(
            services,
            clock=utc_now,
            registry=registry,
            messages=SignedMessages(registry=registry, seen=SeenJtis(services.database), audience=self.url),
            signer=self._signer,
            enrolment=_Enrolment(
                self.erased,
                **{name: getattr(services, name) for name in ("ceremonies", "database", "sealer")},
                audit=audit,
            ),
        )

    def open_helpdesk(self, realm: str, *, mail_port: int) -> None:
        """Open the helpdesk for the staff of this realm, as the wiring does; before the next start."""
        mail = {"mail_server": f"smtp://127.0.0.1:{mail_port}", "mail_from": "desk@example.org"}
        settings = replace(self.services.settings, helpdesk_issuer=realm, **mail).checked()
        names = ("ceremonies", "database", "sealer", "attempts", "audit")
        helpdesk = build_helpdesk(
            {name: getattr(self.services, name) for name in names},
            settings=settings,
            registry=self.services.registry,
            signer=self.services.signer,
            clock=utc_now,
        )
        self.services = replace(self.services, settings=settings, helpdesk=helpdesk)
        self._app = create_app(settings, self.services)

    def keep_a_face(self, owner: Subject) -> None:
        """Put a reference on record for somebody whose check is passed by `pass_check`; nobody opens it."""
        now = utc_now()
        row = Reference(
            id=secrets.token_urlsafe(32),
            issuer=owner.issuer,
            subject=owner.subject,
            sealed_embeddings="never opened",
            model_digests="none",
            transform_version=1,
            consent_id="none",
            created_ms=to_ms(now),
            expires_ms=to_ms(now + timedelta(days=1)),
        )
        sign(row, sealer=self.services.sealer)
        with self.services.database.transaction() as session:
            session.add(row)

    def has_factors(self, owner: Subject) -> None:
        """Put a face and an app on record, as an enrolment does."""
        self.keep_a_face(owner)
        row = TotpSecret(
            id=secrets.token_urlsafe(32),
            issuer=owner.issuer,
            subject=owner.subject,
            sealed_secret="never opened",
            last_step=0,
            created_ms=to_ms(utc_now()),
        )
        sign(row, sealer=self.services.sealer)
        with self.services.database.transaction() as session:
            session.add(row)

    def has_just_recovered(self, owner: Subject) -> None:
        """Leave what a recovery does: face, new app, the entry from which the cool-down runs, and no session."""
        now = utc_now()
        self.has_factors(owner)
        whose = {"issuer": owner.issuer, "subject": owner.subject, "ceremony_id": "the recovery"}
        with self.services.database.transaction() as session:
            self.services.audit.append(BOUND, at=now, **whose, details={"factor": "totp"}, session=session)
        self.services.helpdesk.aftermath.end_sessions(owner, now=now)

    def pass_helpdesk_check(self, link: str) -> None:
        """Press the button of a check's link and let the face be the enrolled one, as the face factor would."""
        form, ours = {"answer": "begin"}, {"Origin": self.url}
        answer = requests.post(link, data=form, headers=ours, allow_redirects=False, timeout=20)
        assert answer.status_code == 303, answer.text
        ceremony_id = urlsplit(answer.headers["Location"]).path.rpartition("/")[2]
        ceremonies, now = self.services.ceremonies, utc_now()
        view = ceremonies.load(ceremony_id, answer.cookies[f"facestep_{ceremony_id[:8]}"], now=now)
        view = ceremonies.advance(view, to=Stage.DONE, now=now, proven="face")
        self.services.helpdesk.face_checks.matched(view, now=now)

    def open_own_page(self) -> None:
        """Open people's own page, as the wiring does; before the next start."""
        names = ("ceremonies", "database", "sealer", "attempts", "audit")
        page = build_own_page(
            {name: getattr(self.services, name) for name in names},
            settings=self.services.settings,
            registry=self.services.registry,
            signer=self.services.signer,
            clock=utc_now,
        )
        self.services = replace(self.services, me=page)
        self._app = create_app(self.services.settings, self.services)

    def use_pass(self, ceremony_id: str, code: str) -> requests.Response:
        """Enter a pass, as the page does."""
        return self.call(ceremony_id, "recovery/pass", {"code": code})

    def call(self, ceremony_id: str, path: str, body: Mapping[str, object]) -> requests.Response:
        """Call the API as the page of this ceremony does, or as a program in that browser would."""
        return requests.post(
            f"{self.url}/api/ceremony/{ceremony_id}/{path}",
            json=body,
            headers={"X-Facestep": "1", "Origin": self.url},
            cookies={f"facestep_{ceremony_id[:8]}": self._tokens[ceremony_id]},
            timeout=20,
        )

    def finish_recovery(self, ceremony_id: str) -> str:
        """Show the face and set up a new app, as the factors would; return where the browser goes."""
        ceremonies, now = self.services.ceremonies, utc_now()
        view = ceremonies.load(ceremony_id, self._tokens[ceremony_id], now=now)
        view = ceremonies.advance(view, to=Stage.POSSESSION_SETUP, now=now, proven="face")
        view = ceremonies.advance(view, to=Stage.RECOVERY_CODES, now=now, proven="otp")
        self.services.helpdesk.aftermath.bound(view, now=now)
        view = ceremonies.advance(view, to=Stage.DONE, now=now)
        return success_url(view, ceremonies.issue_code(view, now=now))

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self._port, self._app, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()  # it closes the socket itself; before that the port cannot be taken again
            self._server = None

    def arrive(self, address: str) -> str:
        """Follow the redirect that Keycloak gave the browser; return the id of the ceremony."""
        answer = requests.get(address, allow_redirects=False, timeout=10)
        assert answer.status_code == 303, answer.text
        ceremony_id = urlsplit(answer.headers["Location"]).path.rpartition("/")[2]
        self._tokens[ceremony_id] = answer.cookies[f"facestep_{ceremony_id[:8]}"]
        return ceremony_id

    def pass_check(self, ceremony_id: str, *, possession: str = "otp") -> str:
        """Bring the ceremony to its good end; return where the browser goes."""
        ceremonies, now = self.services.ceremonies, utc_now()
        view = ceremonies.load(ceremony_id, self._tokens[ceremony_id], now=now)
        path = (
            [Stage.FACE] if view.stage is Stage.POSSESSION and view.purpose == "login" else _enrolment_path(view.stage)
        )
        for stage in path:
            proven = {"proven": possession} if stage in {Stage.FACE, Stage.RECOVERY_CODES} else {}
            view = ceremonies.advance(view, to=stage, now=now, **(proven if not view.amr else {}))
        view = ceremonies.advance(view, to=Stage.DONE, now=now, proven="face", reference_id="reference-1")
        return success_url(view, ceremonies.issue_code(view, now=now))

    def refuse_check(self, ceremony_id: str, *, code: str = "face_rejected") -> str:
        """End the ceremony as a refused person's ends; return where the browser goes."""
        now = utc_now()
        view = self.services.ceremonies.load(ceremony_id, self._tokens[ceremony_id], now=now)
        self.services.ceremonies.end(view, now=now, reason=code)
        return denied_url(view, code)

    def forge(self, forgery: Any) -> None:
        """Let `forgery(claims, sign)` make the next results; None makes them honest again."""
        self._signer.forgery = forgery

    def audited(self, event: str) -> list[AuditEntryView]:
        return [entry for entry in self.services.audit.entries(limit=100_000) if entry.event == event]


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def _enrolment_path(stage: Stage) -> list[Stage]:
    whole = [Stage.CONSENT, Stage.POSSESSION_SETUP, Stage.RECOVERY_CODES, Stage.FACE]
    return whole if stage in {Stage.INVITATION, Stage.POSSESSION} else whole[whole.index(stage) + 1 :]


class _LyingSigner:
    real: Signer

    def __init__(self) -> None:
        self.forgery: Any = None

    def sign(self, claims: Mapping[str, Any]) -> str:
        return self.forgery(dict(claims), self.real.sign) if self.forgery else self.real.sign(claims)

    def public_jwks(self) -> dict[str, list[dict[str, Any]]]:
        return self.real.public_jwks()


class _Enrolment(Enrolment):
    """The real one, which remembers whom it has forgotten."""

    def __init__(self, erased: list[tuple[str, str]], **parts: Any) -> None:
        super().__init__(**parts)
        self._erased = erased

    def erase(self, owner: Subject, *, now: datetime) -> bool:
        gone = super().erase(owner, now=now)
        self._erased.append((owner.issuer, owner.subject))
        return gone


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object, **__: object) -> None:
        """Say nothing; what matters is in the audit log."""
