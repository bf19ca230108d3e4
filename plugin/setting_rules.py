"""What numbers and addresses among the settings may be.

Not here: where they are read (settings.py), the vault's (vault_settings.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from biometric.liveness.stream import MAX_FRAMES
from plugin.errors import SettingsError
from plugin.urls import is_loopback_host, is_secure

if TYPE_CHECKING:
    from plugin.settings import Settings

RANGES: Final[dict[str, tuple[int, int]]] = {
    "listen_port": (1, 65535),
    "workers": (1, 64),
    "threads": (1, 64),
    "trusted_proxies": (0, 5),
    "ceremony_ttl_s": (30, 900),
    "challenge_ttl_s": (10, 30),
    "code_ttl_s": (5, 120),
    "result_ttl_s": (5, 60),
    "max_frame_bytes": (10_000, 2_000_000),
    "max_frames": (30, MAX_FRAMES),
    "reference_ttl_days": (1, 1095),
    "reference_reminder_days": (0, 365),
    "reference_grace_days": (0, 365),
    "renewals_max": (0, 100),
    "invitation_ttl_s": (60, 604_800),
    "audit_checkpoint_every_s": (60, 86_400),
    "new_faces_per_year": (0, 12),
    "cool_down_h": (1, 720),
}
_MAIL: Final = ("smtps", "smtp+starttls", "smtp")


def check_addresses(settings: Settings) -> None:
    """Raise SettingsError for the first address that makes no sense."""
    url = urlsplit(settings.keycloak_url)
    if settings.keycloak_url and (url.scheme not in {"http", "https"} or not url.hostname):
        raise SettingsError(
            f"keycloak_url={settings.keycloak_url!r} must be a URL, for example https://sso.example.org"
        )
    if settings.helpdesk_issuer:
        _check_helpdesk(settings)
    elif settings.helpdesk_policy_file is not None:
        raise SettingsError("helpdesk_policy_file is set but helpdesk_issuer is not: whose staff is it for?")
    if settings.mail_server:
        _check_mail(settings)


def _check_helpdesk(settings: Settings) -> None:
    if not is_secure(settings.helpdesk_issuer) or "/realms/" not in settings.helpdesk_issuer:
        raise SettingsError(
            f"helpdesk_issuer={settings.helpdesk_issuer!r} must be a realm's issuer, for example "
            "https://sso.example.org/realms/staff"
        )
    if settings.helpdesk_addresses not in {"verified", "recorded"}:
        raise SettingsError(f"helpdesk_addresses={settings.helpdesk_addresses!r} must be verified or recorded")
    if not settings.mail_server or "@" not in settings.mail_from:
        raise SettingsError("helpdesk_issuer needs mail_server and mail_from: nobody is recovered without being told")


def _check_mail(settings: Settings) -> None:
    try:
        url = urlsplit(settings.mail_server)
        host, _ = url.hostname, url.port
    except ValueError as exc:
        raise SettingsError("mail_server is not an address") from exc
    if url.scheme not in _MAIL or not host or url.path or url.password:
        raise SettingsError(
            "mail_server must be smtps://host:465, smtp+starttls://user@host:587 or smtp://127.0.0.1:25"
        )
    if url.scheme == "smtp" and not is_loopback_host(host):
        raise SettingsError("mail_server=smtp:// is for this machine only; use smtps:// or smtp+starttls://")
    if bool(url.username) != (settings.mail_password_file is not None):
        raise SettingsError("mail_password_file and the user in mail_server go together")
