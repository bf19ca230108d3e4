"""`facestep clients`: which identity providers may send people here."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugin.doors.registry import RegisteredClient, Registry


@click.group()
def command() -> None:
    """Say which identity providers may send people here. No secret is exchanged: the provider's own key signs.

    \b
    Examples:
      facestep clients add --issuer https://sso.example.org/realms/staff
      facestep clients list --json
      facestep clients remove --issuer https://sso.example.org/realms/staff
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
@click.option("--issuer", required=True, help="The provider's issuer URL, exactly as it writes it into `iss`.")
@click.option("--jwks-uri", default="", help="Where its keys are.  [default: ISSUER/protocol/openid-connect/certs]")
@click.option("--redirect-prefix", default="", help="Results go only below this.  [default: ISSUER/login-actions/]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def add(*, issuer: str, jwks_uri: str, redirect_prefix: str, as_json: bool) -> None:
    """Add a provider or change its addresses; the defaults are those of a Keycloak realm."""
    from plugin.wiring import utc_now

    with _registry() as registry:
        client = registry.add(issuer, jwks_uri=jwks_uri, redirect_prefix=redirect_prefix, now=utc_now())
    _show([client], as_json=as_json)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(*, as_json: bool) -> None:
    """Show every provider."""
    with _registry() as registry:
        _show(registry.list(), as_json=as_json)


@command.command()
@click.option("--issuer", required=True, help="The provider's issuer URL.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def remove(*, issuer: str, as_json: bool) -> None:
    """Remove a provider; its people's references stay until they are erased."""
    from plugin.wiring import utc_now

    with _registry() as registry:
        registry.remove(issuer, now=utc_now())
    click.echo(json.dumps({"removed": issuer}) if as_json else f"removed {issuer}")


@contextmanager
def _registry() -> Iterator[Registry]:
    from plugin.settings import Settings
    from plugin.wiring import build_registry, open_database

    with closing(open_database(Settings.load())) as database:
        yield build_registry(database)


def _show(clients: list[RegisteredClient], *, as_json: bool) -> None:
    if as_json:
        names = ("issuer", "jwks_uri", "redirect_prefix")
        click.echo(json.dumps([{name: getattr(client, name) for name in names} for client in clients], indent=2))
        return
    for client in clients:
        click.echo(f"{client.issuer}\n  keys     {client.jwks_uri}\n  results  {client.redirect_prefix}")
