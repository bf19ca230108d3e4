"""What the vault's settings may be, and the first thing about them that makes no sense.

Not here: where they are read (settings.py), what they build (sealing.py).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from plugin.errors import SettingsError
from plugin.urls import is_loopback_host

if TYPE_CHECKING:
    from plugin.settings import Settings

_MAX_TIMEOUT_S: Final = 30  # a login must not hang longer
_TLS_FILES: Final = ("vault_ca_file", "vault_client_cert_file", "vault_client_key_file")


class VaultBackend(StrEnum):
    """Where keys live."""

    TRANSIT = "transit"
    KEYRING = "keyring"


class VaultAuth(StrEnum):
    """How we log in to the vault."""

    TOKEN_FILE = "token_file"  # noqa: S105  (names a method)
    APPROLE = "approle"
    KUBERNETES = "kubernetes"


_NEEDED: Final = {
    VaultAuth.TOKEN_FILE: ("vault_token_file",),
    VaultAuth.APPROLE: ("vault_role", "vault_secret_id_file"),
    VaultAuth.KUBERNETES: ("vault_role", "vault_service_account_file"),
}


def check_vault(settings: Settings, *, production: bool) -> None:
    """Raise SettingsError for the first thing that makes no sense."""
    if not 0 < settings.vault_timeout_s <= _MAX_TIMEOUT_S:
        raise SettingsError(f"vault_timeout_s must be above 0 and at most {_MAX_TIMEOUT_S}")
    if settings.vault_backend is VaultBackend.TRANSIT:
        _check_transit(settings)
    elif production:
        raise SettingsError("vault_backend=keyring is for development only; use transit, or environment=development")
    elif settings.keyring_file is None:
        raise SettingsError("vault_backend=keyring needs keyring_file")


def _check_transit(settings: Settings) -> None:
    needed = ("vault_url", *_NEEDED[settings.vault_auth])
    missing = [name for name in needed if not getattr(settings, name)]
    if missing:
        how = "" if settings.vault_auth is VaultAuth.TOKEN_FILE else f" with vault_auth={settings.vault_auth.value}"
        raise SettingsError(f"vault_backend=transit needs {' and '.join(needed)}{how}; {missing[0]} is not set")
    url = urlsplit(settings.vault_url)
    if url.scheme != "https" and not is_loopback_host(url.hostname):
        raise SettingsError("vault_url must be https unless it is on loopback")
    if url.username or url.password or url.query or url.fragment:
        raise SettingsError("vault_url must be scheme, host and port only")
    if (settings.vault_client_cert_file is None) != (settings.vault_client_key_file is None):
        raise SettingsError("vault_client_cert_file and vault_client_key_file belong together; one is not set")
    for name in _TLS_FILES:
        path = getattr(settings, name)
        if path is not None and not path.is_file():
            raise SettingsError(f"{name}: the file {path} does not exist")
