"""`facestep encrypted`: faces that are compared by somebody who cannot read them (extra 'he')."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plugin.commands.models import calibration_option, models_dir_option
from plugin.commands.reports import write_bytes

if TYPE_CHECKING:
    from plugin.encrypted.matcher import EncryptedFace
    from vault.he import PublicContext

_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_public = click.option(
    "--public",
    type=click.Path(path_type=Path),
    default=Path("public.ckks"),
    show_default=True,
    help="From the key service.",
)


@click.group()
def command() -> None:
    """Encrypt faces, and match them through a key service that answers yes or no.

    Whoever matches holds encrypted faces and no key; the key service holds the key and no faces.

    \b
    Examples:
      facestep encrypted face me.jpg --out me.face
      facestep encrypted match me.face probe.face --token-file matcher.token --record alice
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
@click.argument("picture", type=click.Path(path_type=Path))
@_public
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where the encrypted face goes.")
@calibration_option
@models_dir_option
def face(*, picture: Path, public: Path, out: Path, calibration: Path | None, models_dir: Path) -> None:
    """Encrypt the one face in a picture; the file is a reference or a probe, and only the key service can use it.

    \b
    Example:
      facestep encrypted face me.jpg --public public.ckks --out me.face
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.image import decode_image
    from biometric.pipeline import FacePipeline
    from plugin.encrypted.matcher import encrypt_face
    from plugin.errors import ServiceError

    try:
        content = picture.read_bytes()
    except OSError as exc:
        raise ServiceError("image_unreadable", f"{picture}: {exc.strerror}") from exc
    pipeline = FacePipeline.open(models_dir, calibration=calibration)
    seen = pipeline.still(decode_image(content)).embeddings
    encrypted = encrypt_face(seen, context=_context(public), calibration=pipeline.calibration)
    write_bytes(out, encrypted.to_bytes())
    click.echo(f"written to {out}")


@command.command()
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("probe", type=click.Path(path_type=Path))
@_public
@click.option(
    "--service", default="http://127.0.0.1:8300", show_default=True, metavar="URL", help="https unless on loopback."
)
@click.option("--token-file", type=click.Path(path_type=Path), required=True, help="What add-caller made.")
@click.option("--record", required=True, help="Whose reference it is; attempts are counted by it.")
@click.option("--tls-cert", type=_file, help="Our certificate (PEM), for a service off loopback.")
@click.option("--tls-key", type=_file, help="Its key (PEM).")
@click.option("--service-ca", type=_file, help="Who may have signed the service's certificate.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def match(
    *,
    reference: Path,
    probe: Path,
    public: Path,
    service: str,
    token_file: Path,
    record: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    service_ca: Path | None,
    as_json: bool,
) -> None:
    """Compare two encrypted faces. Exit status: 0 the same person, 1 not, 2 cannot tell."""
    from urllib.parse import urlsplit

    from plugin.encrypted.matcher import Matcher
    from plugin.urls import is_loopback_host
    from vault.token_file import read_token

    if urlsplit(service).scheme != "https" and not is_loopback_host(urlsplit(service).hostname):
        raise click.BadParameter("must be https unless it is on loopback", param_hint="--service")
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    matcher = Matcher(
        context=_context(public),
        service_url=service,
        token=read_token(token_file),
        certificates=(str(tls_cert), str(tls_key)) if tls_cert and tls_key else None,
        authority=str(service_ca) if service_ca else None,
    )
    same = matcher.match(_face(reference), _face(probe), record=record)
    click.echo(json.dumps({"match": same}) if as_json else ("the same person" if same else "not the same person"))
    raise SystemExit(0 if same else 1)


def _context(public: Path) -> PublicContext:
    from plugin.errors import ServiceError
    from vault.he import PublicContext

    try:
        return PublicContext(public.read_bytes())
    except OSError as exc:
        raise ServiceError("key_service_files", f"{public}: {exc.strerror}; name it with --public") from exc


def _face(path: Path) -> EncryptedFace:
    from plugin.encrypted.matcher import EncryptedFace
    from plugin.errors import ServiceError

    try:
        return EncryptedFace.from_bytes(path.read_bytes())
    except OSError as exc:
        raise ServiceError("encrypted_face", f"{path}: {exc.strerror}") from exc
