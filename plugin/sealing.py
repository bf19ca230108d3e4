"""Settings in, whatever keeps our keys out: the only place that picks a vault and a way to log in to it.

Not here: the other services (wiring.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.errors import SettingsError
from plugin.settings import VaultAuth, VaultBackend
from vault.interface import Purpose
from vault.keyring import KeyringSealer
from vault.transit import TransitSealer
from vault.transit_auth import AppRole, Kubernetes, TokenFile
from vault.transit_client import VaultClient
from vault.transit_http import VaultServer

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from plugin.settings import Settings
    from vault.interface import VaultKeys
    from vault.transit_auth import Login


def open_sealer(
    settings: Settings, *, purposes: Collection[Purpose] = tuple(Purpose), lasting: bool = False
) -> VaultKeys:
    """Return what seals, makes MACs and signs, after it has shown that it works.

    Args:
        settings: which, and where.
        purposes: what the caller seals and opens; a helpdesk's token can do neither.
        lasting: the process serves for long, so its token is renewed also while nobody asks.

    Raises:
        SettingsError, VaultError: it cannot be used.
    """
    sealer: VaultKeys
    if settings.vault_backend is VaultBackend.KEYRING:
        sealer = open_keyring(settings)
    else:
        client = open_client(settings)
        sealer = TransitSealer.on(client)
        if lasting:
            client.lease.keep()
    sealer.check(purposes)
    return sealer


def open_keyring(settings: Settings) -> KeyringSealer:
    """Return the embedded keyring."""
    return KeyringSealer(_required(settings.keyring_file, "vault_backend=keyring needs keyring_file"))


def open_client(settings: Settings, *, token_file: Path | None = None) -> VaultClient:
    """Return a client for the settings' server, with the settings' login or the token of `token_file`."""
    cert, key = settings.vault_client_cert_file, settings.vault_client_key_file
    server = VaultServer(
        settings.vault_url,
        settings.vault_timeout_s,
        namespace=settings.vault_namespace,
        ca_file=settings.vault_ca_file,
        client_cert=(cert, key) if cert and key else None,
    )
    login = TokenFile(token_file) if token_file else _login(settings)
    return VaultClient.connect(server, login, mount=settings.vault_mount)


def _login(settings: Settings) -> Login:
    if settings.vault_auth is VaultAuth.APPROLE:
        path = _required(settings.vault_secret_id_file, "vault_auth=approle needs vault_secret_id_file")
        return AppRole(settings.vault_role, path, mount=settings.vault_auth_mount or "approle")
    if settings.vault_auth is VaultAuth.KUBERNETES:
        path = settings.vault_service_account_file
        return Kubernetes(settings.vault_role, path, mount=settings.vault_auth_mount or "kubernetes")
    return TokenFile(_required(settings.vault_token_file, "vault_auth=token_file needs vault_token_file"))


def _required(path: Path | None, why: str) -> Path:
    if path is None:
        raise SettingsError(why)
    return path
