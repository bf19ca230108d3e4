"""`facestep vault`: make the keys, prove that sealing works and that nobody may do more than he should, rotate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plugin.commands.vault_check import check
from plugin.commands.vault_rotate import rotate
from plugin.settings import Settings, VaultBackend
from vault.policies import Role

if TYPE_CHECKING:
    from vault.transit_client import VaultClient

ROLE = click.Choice([role.value for role in Role])


@click.group()
def command() -> None:
    """Set up, check and rotate what keeps the keys.

    \b
    Examples:
      facestep vault install --token-file ~/.vault-admin-token
      facestep vault check
      facestep vault policy rotator
      facestep vault rotate --token-file /etc/facestep/rotator-token
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


command.add_command(check)
command.add_command(rotate)


@command.command()
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A token that may make mounts, keys, policies and tokens; the service's own must not. "
    "Default: the login of the settings.",
)
@click.option("--approle", type=ROLE, help="Make the AppRole with which the holder of this role logs in, too.")
@click.option(
    "--secret-id-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a new secret id of that AppRole here; the file must not exist. It is never printed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def install(*, token_file: Path | None, approle: str | None, secret_id_file: Path | None, as_json: bool) -> None:
    """Make the mount, the keys and the policies, or the key file. What is there already is left alone.

    At the end a token of each policy is made, tried and given back: what should be denied must be denied.

    \b
    Examples:
      facestep vault install --token-file ~/.vault-admin-token
      facestep vault install --token-file admin-token --approle service --secret-id-file /etc/facestep/secret-id
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    if secret_id_file and not approle:
        raise click.UsageError("--secret-id-file belongs to --approle")
    settings = Settings.load()
    if settings.vault_backend is VaultBackend.KEYRING:
        answer: dict[str, object] = {"made": _install_keyring(settings)}
    else:
        answer = _install_transit(settings, token_file, Role(approle) if approle else None, secret_id_file)
    if as_json:
        click.echo(json.dumps(answer))
        return
    for made in answer["made"] if isinstance(answer["made"], list) else []:
        click.echo(f"made {made}")
    if "proven" in answer and not answer["proven"]:
        click.echo("not proven: this token may make no tokens; run `facestep vault check` with each role's own")
    if "role_id" in answer:
        click.echo(f'vault_auth = "approle"\nvault_role = "{answer["role_id"]}"')
    click.echo("the vault is set up")


@command.command()
@click.argument("role", type=ROLE, default=Role.SERVICE.value)
def policy(*, role: str) -> None:
    """Print a role's policy for the mount of the settings, for admins who write policies themselves.

    \b
    Examples:
      facestep vault policy
      facestep vault policy helpdesk
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from vault.policies import policy_rules

    click.echo(policy_rules(Role(role), Settings.load().vault_mount), nl=False)


def _install_keyring(settings: Settings) -> list[str]:
    from plugin.errors import SettingsError
    from plugin.sealing import open_keyring
    from vault.keyring import create_keyring

    path = settings.keyring_file
    if path is None:
        raise SettingsError("vault_backend=keyring needs keyring_file")
    if path.exists():
        open_keyring(settings).check()
        return []
    create_keyring(path)
    return [f"key file {path}"]


def _install_transit(
    settings: Settings, token_file: Path | None, approle: Role | None, secret_id_file: Path | None
) -> dict[str, object]:
    from plugin.sealing import open_client
    from vault.transit_install import install, install_approle, write_secret_id

    admin = open_client(settings, token_file=token_file)
    made = install(admin)
    answer: dict[str, object] = {"made": made, "proven": _proven(admin)}
    if approle:
        mount = settings.vault_auth_mount or "approle"
        answer["role_id"], also = install_approle(admin, approle, auth_mount=mount)
        made += also
        if secret_id_file:
            write_secret_id(admin, approle, secret_id_file, auth_mount=mount)
            made.append(f"secret id in {secret_id_file}")
    return answer


def _proven(admin: VaultClient) -> dict[str, int]:
    """Return how many tries went as they should for each role, none if there may be no tokens to try with.

    Raises VaultError for the first role that may do more or less than it should.
    """
    from vault.interface import VaultDenied, VaultError
    from vault.transit_proof import prove_with_new_token

    tries = {}
    for role in Role:
        try:
            findings = prove_with_new_token(admin, role)
        except VaultDenied:
            return {}
        wrong = [finding.sentence() for finding in findings if not finding.right]
        if wrong:
            raise VaultError(f"a token with the policy of the {role.value} does not hold: {'; '.join(wrong)}")
        tries[role.value] = len(findings)
    return tries
