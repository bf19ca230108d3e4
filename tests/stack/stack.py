"""The whole house on loopback: OpenBao (or the embedded keyring), Keycloak with our extension, and the service.

A stack keeps nothing: its folder is made anew at the start and removed at the end, faces of people included.
"""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.fakes.mailbox import Mailbox
from tests.stack.errors import StackError
from tests.stack.keycloak import Keycloak
from tests.stack.keycloak_people import People
from tests.stack.openbao import OpenBao, OpenBaoError
from tests.stack.process import free_port, require_free
from tests.stack.service import Service
from vault.transit import POLICY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REALM = "demo"
ACR = "facestep"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the servers listen, all on 127.0.0.1."""

    keycloak: int
    service: int
    vault: int

    @classmethod
    def free(cls) -> Ports:
        return cls(keycloak=free_port(), service=free_port(), vault=free_port())

    def check(self, *, vault: str) -> None:
        """Raise StackError for the first port that is taken."""
        require_free(self.keycloak, what="Keycloak", setting="make demo KEYCLOAK_PORT")
        require_free(self.service, what="Facestep", setting="make demo SERVICE_PORT")
        if vault == "openbao":
            require_free(self.vault, what="OpenBao", setting="make demo VAULT_PORT")


class Stack:
    """Start in order, end in the opposite order, whatever happened in between."""

    def __init__(self, folder: Path, *, vault: str, ports: Ports, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.vault = vault
        self.ports = ports
        self._say = say
        self._bao: OpenBao | None = None
        self.keycloak = Keycloak(folder / "keycloak", port=ports.keycloak)
        self.people = People(self.keycloak)
        self.issuer = f"{self.keycloak.url}/realms/{REALM}"
        self.mailbox = Mailbox()
        settings = self._vault_settings() | self._helpdesk_settings()
        self.service = Service(folder / "facestep", port=ports.service, settings=settings)

    def _vault_settings(self) -> dict[str, object]:
        folder = self.folder / "facestep"
        if self.vault == "local":
            return {"vault_backend": "keyring", "keyring_file": folder / "keyring.json"}
        return {
            "vault_backend": "transit",
            "vault_url": f"http://127.0.0.1:{self.ports.vault}",
            "vault_token_file": folder / "vault-token",
        }

    def _helpdesk_settings(self) -> dict[str, object]:
        """The realm has a helpdesk; its letters stay on this machine."""
        post = f"smtp://127.0.0.1:{self.mailbox.port}"
        return {"helpdesk_issuer": self.issuer, "mail_server": post, "mail_from": "helpdesk@example.org"}

    def __enter__(self) -> Self:
        self.mailbox.__enter__()
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Bring everything up. Raises StackError with one line."""
        self.ports.check(vault=self.vault)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)
        self._say("starting Keycloak (about 20 seconds)")
        self.keycloak.launch()
        self.service.configure()
        self._start_vault()
        self._say("starting Facestep")
        self.keycloak.wait()
        self._say(f"setting up the realm {REALM!r} with `facestep keycloak install`")
        self.install(REALM, "--register", "--helpdesk")
        self.service.start()

    def _start_vault(self) -> None:
        """Make the keys as an admin would: with a token that the service itself never gets."""
        if self.vault == "local":
            self._say("no OpenBao: keys come from the embedded keyring")
            self.service.command("vault", "install")
            return
        self._say("starting OpenBao")
        try:
            self._bao = OpenBao.start(self.folder / "openbao", port=self.ports.vault)
        except OpenBaoError as exc:
            raise StackError(str(exc)) from exc
        root = self._write_token("vault-root-token", self._bao.root_token)
        self.service.command("vault", "install", "--token-file", str(root))
        self._write_token("vault-token", self._bao.token_for(POLICY))

    def _write_token(self, name: str, token: str) -> Path:
        path = self.folder / "facestep" / name
        path.touch(mode=0o600)
        path.write_text(token, encoding="utf-8")
        return path

    def install(self, realm: str, *options: str) -> None:
        """Set up `realm` with our own command, as an admin would."""
        self.service.command(
            "keycloak",
            "install",
            "--server",
            self.keycloak.url,
            "--realm",
            realm,
            "--create-realm",
            "--facestep-url",
            self.service.url,
            *options,
            env=self.keycloak.admin_environment(),
        )

    def invite(self, subject: str) -> str:
        """Return a one-time enrolment code for `subject`."""
        made = self.service.command("invite", "--issuer", self.issuer, "--subject", subject, "--json")
        return str(json.loads(made)["code"])

    def audit(self) -> list[dict[str, object]]:
        """Return every audit entry, oldest first."""
        listed = self.service.command("audit", "list", "--after", "0", "--limit", "100000", "--json")
        return [json.loads(line) for line in listed.splitlines() if line.strip()]

    def require_running(self) -> None:
        """Raise StackError when a server has ended by itself."""
        if not self.service.running:
            raise StackError(f"the Facestep service has ended; its log is {self.service.log}")
        if not self.keycloak.running:
            raise StackError(f"Keycloak has ended; its log is {self.keycloak.log}")

    def stop(self) -> None:
        self.service.stop()
        if self._bao is not None:
            self._bao.stop()
            self._bao = None
        self.keycloak.stop()
        self.mailbox.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)


def new_password() -> str:
    return secrets.token_urlsafe(9)
