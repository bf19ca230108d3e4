"""`make demo`: everything on loopback, then a URL, a user, a password, a code, and what to do. Ctrl-C ends it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from textwrap import indent

from rich.console import Console
from rich.panel import Panel

from tests.stack.errors import StackError
from tests.stack.process import end_cleanly_when_told
from tests.stack.stack import REALM, Ports, Stack, new_password

FOLDER = Path(".run/demo").resolve()
USER = "demo"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vault", choices=("openbao", "local"), default="openbao")
    options = parser.parse_args()
    console = Console(highlight=False)
    end_cleanly_when_told()
    try:
        ports = _ports()
        with Stack(FOLDER, vault=options.vault, ports=ports, say=lambda text: console.print(f"· {text}")) as stack:
            password = new_password()
            subject = stack.people.create_user(REALM, USER, password, must_enrol=True)
            console.print(Panel(_instructions(stack, password, stack.invite(subject)), title="Facestep is running"))
            _until_interrupted(stack, console)
    except StackError as exc:
        print(f"facestep: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.print("\n· everything is stopped, and what the demo stored is deleted")
    return 0


def _instructions(stack: Stack, password: str, code: str) -> str:
    return (
        f"Open      [bold]{stack.keycloak.url}/realms/{REALM}/account[/bold]   (on this machine, with a camera)\n"
        f"User      [bold]{USER}[/bold]\n"
        f"Password  [bold]{password}[/bold]\n"
        f"Code      [bold]{code}[/bold]   (your enrolment code; in real life an admin hands it over)\n\n"
        "1. Log in. You enrol: code, consent, a passkey or an authenticator app, recovery codes, your face.\n"
        "2. Log out and in again: your second factor, then five short instructions to the camera.\n"
        "3. Look at what was decided:\n"
        f"   FACESTEP_CONFIG={stack.service.config.relative_to(Path.cwd())} .venv/bin/facestep audit list\n"
        f"4. Your own page, what happened and what is held: [bold]{stack.service.url}/me[/bold]\n"
        '5. Lose your second factor: log in and choose "I cannot use my factors". Letters are printed here.\n'
        f"6. The helpdesk: [bold]{stack.service.url}/helpdesk[/bold], for enrolled users to whom you give the realm "
        "role facestep-helpdesk (asks) or facestep-helpdesk-approver (decides) in the admin console.\n\n"
        f"Keycloak's admin console: {stack.keycloak.url}/admin   user {stack.keycloak.admin_user}, password "
        f"{stack.keycloak.admin_password}\n"
        "Ctrl-C ends everything; nothing is kept, your face least of all."
    )


def _ports() -> Ports:
    """Read the ports that the Makefile passes on. Raises StackError for nonsense."""
    chosen = {}
    for name, default in (("KEYCLOAK_PORT", 8080), ("SERVICE_PORT", 8100), ("VAULT_PORT", 8200)):
        text = os.environ.get(name, str(default))
        if not text.isdigit() or not 1024 <= int(text) <= 65534:
            raise StackError(f"{name}={text} is not a port between 1024 and 65534")
        chosen[name] = int(text)
    return Ports(keycloak=chosen["KEYCLOAK_PORT"], service=chosen["SERVICE_PORT"], vault=chosen["VAULT_PORT"])


def _until_interrupted(stack: Stack, console: Console) -> None:
    """Wait, and print the letters that the service sends: this machine has no mail."""
    read = 0
    while True:
        stack.require_running()
        for head, text in list(zip(stack.mailbox.heads, stack.mailbox.letters, strict=False))[read:]:
            console.print(f"\n· a letter to {head}\n\n{indent(text.strip(), '    ')}", markup=False)
            read += 1
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
