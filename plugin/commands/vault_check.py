"""`facestep vault check`: what works must work, and what should be denied is tried and must be denied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plugin.settings import Settings, VaultBackend
from vault.policies import Role

if TYPE_CHECKING:
    from vault.transit_proof import Finding


@click.command()
@click.option(
    "--as",
    "role",
    type=click.Choice([role.value for role in Role]),
    default=Role.SERVICE.value,
    show_default=True,
    help="Whose token it is.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The token to check. Default: the login of the settings.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every try.")
def check(*, role: str, token_file: Path | None, as_json: bool) -> None:
    """Prove that a token can do what its role needs, and that the vault denies it the rest.

    Each thing is tried with a request that changes nothing. Exit status: 0 all is right, 1 something is not (the lines
    say what), 2 the vault does not work or cannot be asked.

    \b
    Examples:
      facestep vault check
      facestep vault check --as helpdesk --token-file /etc/facestep/helpdesk-token
      facestep vault check --as rotator --token-file /etc/facestep/rotator-token --json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    settings = Settings.load()
    if settings.vault_backend is VaultBackend.KEYRING:
        _check_keyring(settings, as_json=as_json)
        return
    findings = _findings(settings, Role(role), token_file)
    wrong = [finding for finding in findings if not finding.right]
    if as_json:
        click.echo(json.dumps({"role": role, "right": not wrong, "tries": [_told(finding) for finding in findings]}))
    else:
        for finding in wrong:
            click.echo(f"WRONG {finding.sentence()}")
        advice = f"; the policy should be what `facestep vault policy {role}` prints" if wrong else ""
        click.echo(f"the vault works (transit); {role}: {len(findings)} tried, {len(wrong)} wrong{advice}")
    if wrong:
        raise SystemExit(1)


def _findings(settings: Settings, role: Role, token_file: Path | None) -> list[Finding]:
    from plugin.sealing import open_client
    from vault.transit import TransitSealer
    from vault.transit_proof import prove

    client = open_client(settings, token_file=token_file)
    if role is Role.SERVICE:
        TransitSealer.on(client).check()
    return prove(client, role)


def _check_keyring(settings: Settings, *, as_json: bool) -> None:
    from plugin.sealing import open_sealer

    open_sealer(settings)
    click.echo(json.dumps({"right": True, "backend": "keyring"}) if as_json else "the vault works (keyring)")


def _told(finding: Finding) -> dict[str, object]:
    return {"what": finding.what, "tried": finding.tried, "may": finding.may, "right": finding.right}
