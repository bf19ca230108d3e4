"""`facestep vault`: make the keys, and prove that sealing works."""

from __future__ import annotations

from pathlib import Path

import click

from plugin.settings import Settings, VaultBackend


@click.group()
def command() -> None:
    """Set up and check what keeps the keys.

    \b
    Examples:
      facestep vault install --token-file ~/.vault-admin-token
      facestep vault check
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A token that may make mounts, keys and policies; the service's own token must not. "
    "Default: the token file of the settings.",
)
def install(*, token_file: Path | None) -> None:
    """Make the mount, the keys and the service's policy, or the key file. What is there already is left alone."""
    settings = Settings.load()
    keyring = settings.vault_backend is VaultBackend.KEYRING
    for made in _install_keyring(settings) if keyring else _install_transit(settings, token_file):
        click.echo(f"made {made}")
    click.echo("the vault is set up")


@command.command()
def check() -> None:
    """Exit with status 2 unless every key of the service can be used, and opens only what it should."""
    from plugin.wiring import open_sealer

    settings = Settings.load()
    open_sealer(settings)  # checks every purpose
    click.echo(f"the vault works ({settings.vault_backend.value})")


@command.command()
def policy() -> None:
    """Print the policy that the service's token needs, for admins who write policies themselves."""
    from vault.policies import Role, policy_rules

    click.echo(policy_rules(Role.SERVICE, Settings.load().vault_mount), nl=False)


def _install_keyring(settings: Settings) -> list[str]:
    from vault.keyring import KeyringSealer, create_keyring

    path = _required(settings.keyring_file)
    if path.exists():
        KeyringSealer(path).check()
        return []
    create_keyring(path)
    return [f"key file {path}"]


def _install_transit(settings: Settings, token_file: Path | None) -> list[str]:
    from vault.token_file import read_token
    from vault.transit import TransitSealer

    token = read_token(token_file or _required(settings.vault_token_file))
    sealer = TransitSealer(
        settings.vault_url,
        token,
        mount=settings.vault_mount,
        timeout_s=settings.vault_timeout_s,
    )
    return sealer.install()


def _required(path: Path | None) -> Path:
    if path is None:
        raise AssertionError("Settings.load() has checked that the path is set")
    return path
