"""`facestep key-service`: a process of its own that holds the key of encrypted faces and answers yes or no.

Rules:
 * Its folder holds the secret key; nothing else of Facestep needs it, and no other host should have it.
 * Callers have a token each. Off loopback it also asks for TLS and for client certificates, or does not start.
 * One process, several threads: what it counts (attempts, budget) is in its own database and survives a restart.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from plugin.errors import ServiceError

if TYPE_CHECKING:
    from flask import Flask

    from biometric.calibration import Calibration

SECRET: Final = "secret.ckks"  # noqa: S105  (a file's name)
PUBLIC: Final = "public.ckks"
CALLERS: Final = "callers.json"
THRESHOLDS: Final = "calibration.json"
DATABASE: Final = "key-service.db"

_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_folder = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group()
def command() -> None:
    """Hold the key of encrypted faces: decrypt scores, answer yes or no, limit and write down who asks.

    \b
    Examples:
      facestep key-service init /var/lib/facestep-keys
      facestep key-service add-caller /var/lib/facestep-keys matcher-a --token-file matcher-a.token
      facestep key-service serve /var/lib/facestep-keys --listen 127.0.0.1:8300
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
@_folder
@click.option("--calibration", type=click.Path(path_type=Path), help="Thresholds.  [default: the shipped ones]")
def init(*, folder: Path, calibration: Path | None) -> None:
    """Make a folder with new keys, thresholds, an empty list of callers and a database of its own.

    secret.ckks never leaves this folder. public.ckks goes to everybody who encrypts or matches.
    """
    from contextlib import closing

    from biometric.calibration import SHIPPED
    from plugin.encrypted.callers import write_private
    from plugin.store.database import Database
    from vault.he import make_keys

    thresholds = (calibration or SHIPPED).read_text(encoding="utf-8")
    _checked(thresholds)
    pair = make_keys()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise ServiceError("key_service_files", f"{folder} cannot be made: {exc.strerror}") from exc
    write_private(folder / SECRET, pair.secret)
    write_private(folder / PUBLIC, pair.public)
    write_private(folder / CALLERS, json.dumps({}).encode())
    write_private(folder / THRESHOLDS, thresholds.encode())
    with closing(Database(_database_url(folder))) as database:
        database.migrate()
    click.echo(f"made {folder}; give {folder / PUBLIC} to whoever encrypts or matches, and {SECRET} to nobody")


@command.command("add-caller")
@_folder
@click.argument("name")
@click.option("--token-file", type=click.Path(path_type=Path), required=True, help="A new file for the token.")
def add_caller_command(*, folder: Path, name: str, token_file: Path) -> None:
    """Let a matcher ask: make a token for it. The same name again replaces its token; then restart the service."""
    from plugin.encrypted.callers import add_caller

    add_caller(folder / CALLERS, name, token_file=token_file)
    click.echo(f"the token of {name} is in {token_file}; hand it over on a safe way, then restart the service")


@command.command()
@_folder
@click.option("--listen", default="127.0.0.1:8300", show_default=True, metavar="HOST:PORT", help="Where to listen.")
@click.option("--tls-cert", type=_file, help="Certificate (PEM); demanded off loopback.")
@click.option("--tls-key", type=_file, help="Its key (PEM).")
@click.option("--client-ca", type=_file, help="Who may have signed callers' certificates (PEM).")
@click.option(
    "--budget", type=click.IntRange(1), default=1000, show_default=True, help='"No" answers a caller and day.'
)
def serve(
    *, folder: Path, listen: str, tls_cert: Path | None, tls_key: Path | None, client_ca: Path | None, budget: int
) -> None:
    """Answer until told to stop (Ctrl-C or SIGTERM)."""
    from plugin.commands.serve import check_port
    from plugin.encrypted.server import KeyServer
    from plugin.hardening import forbid_core_dumps
    from plugin.urls import is_loopback_host

    host, _, port = listen.rpartition(":")
    if not port.isdigit() or not host:
        raise click.BadParameter("must be HOST:PORT, for example 127.0.0.1:8300")
    tls = (tls_cert, tls_key, client_ca)
    if any(tls) != all(tls):
        raise click.UsageError("--tls-cert, --tls-key and --client-ca belong together")
    if not is_loopback_host(host.strip("[]")) and not all(tls):
        raise click.UsageError("off loopback this needs --tls-cert, --tls-key and --client-ca")
    forbid_core_dumps()
    check_port(host.strip("[]"), int(port))
    open_service(folder, budget=budget)  # what is wrong is one line here, and not a worker that starts again and again
    options: dict[str, Any] = {"bind": listen}
    if tls_cert and tls_key and client_ca:
        _check_tls(tls_cert, tls_key, client_ca)
        options |= {"certfile": str(tls_cert), "keyfile": str(tls_key), "ca_certs": str(client_ca), "cert_reqs": 2}
    click.echo(
        f"facestep key-service: listening on {listen}{' with client certificates' if client_ca else ''}", err=True
    )
    KeyServer(lambda: open_service(folder, budget=budget), options).run()


def open_service(folder: Path, *, budget: int) -> Flask:
    """Return the application of a folder. Raises ServiceError, SettingsError, VaultError."""
    from plugin.audit.log import AuditLog
    from plugin.encrypted.app import create_key_service
    from plugin.encrypted.callers import Callers, read_private
    from plugin.encrypted.judge import Judge
    from plugin.store.database import Database
    from plugin.wiring import utc_now
    from vault.he import SecretContext

    database = Database(_database_url(folder))
    database.check()
    judge = Judge(
        secret=SecretContext(read_private(folder / SECRET)),
        calibration=_checked(read_private(folder / THRESHOLDS).decode()),
        database=database,
        audit=AuditLog(database),
        budget=budget,
    )
    return create_key_service(judge, Callers.load(folder / CALLERS), clock=utc_now)


def _check_tls(certificate: Path, key: Path, client_ca: Path) -> None:
    """Refuse files that do not fit now; gunicorn reads them at the first connection."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")  # nobody is there to be asked
        context.load_verify_locations(client_ca)
    except (OSError, ValueError) as exc:
        raise ServiceError("key_service_files", "--tls-cert, --tls-key and --client-ca do not fit together") from exc


def _checked(text: str) -> Calibration:
    """Return the thresholds of a calibration file; models are the matcher's business."""
    from biometric.calibration import Calibration

    try:
        calibration = Calibration.from_json(text)
    except (ValueError, TypeError, KeyError) as exc:
        raise ServiceError("key_service_files", "the calibration cannot be read") from exc
    if calibration.id != calibration.digest():
        raise ServiceError("key_service_files", "the calibration was edited")
    return calibration


def _database_url(folder: Path) -> str:
    return f"sqlite:///{(folder / DATABASE).absolute()}"
