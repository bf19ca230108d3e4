"""Settings: read once from the environment and facestep.toml, frozen, and strict.

Rules:
 * This is the only file that reads `os.environ`.
 * An unknown key, a missing key, or a value out of its range stops the start, with one line that says what to do.
 * No secret has a default. Production refuses every part that is only good for development.

Not here: what the values build (wiring.py).
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from plugin.errors import SettingsError
from plugin.setting_rules import RANGES, check_addresses
from plugin.urls import is_loopback_host
from plugin.vault_settings import VaultAuth, VaultBackend, check_vault

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LEVELS", "PREFIX", "TEST_PREFIX", "Environment", "Settings", "VaultAuth", "VaultBackend"]

PREFIX: Final = "FACESTEP_"
LEVELS: Final = ("facestep", "facestep-light")
"""Lowest first; what they demand is ceremonies/levels.py's."""
PROTECTIONS: Final = ("rotation", "biohash")
"""Ways to keep a reference, vault/schemes.py."""
MOST_NOISE: Final = 0.1
"""There the shipped threshold refuses most people (docs/protection.md)."""
TEST_PREFIX: Final = "FACESTEP_TEST_"
"""Variables of our tests, which are not settings."""


class Environment(StrEnum):
    """`development` is loopback only and allows the embedded keyring."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the service needs to know; units are in the names.

    Attributes:
        issuer: our own issuer URL, the address browsers and identity providers use; no trailing slash.
        database_url: SQLAlchemy URL.
        environment: production unless said otherwise.
        listen_host: address to bind.
        listen_port: port to bind.
        workers: gunicorn worker processes.
        threads: threads in each worker; a face check holds one for some ten milliseconds a frame.
        trusted_proxies: how many reverse proxies in front of us set X-Forwarded-For; 0 ignores that header.
        vault_backend: transit or keyring (development only).
        vault_url: Vault or OpenBao base URL, for transit.
        vault_mount: transit mount point.
        vault_namespace: namespace at the vault, for Vault Enterprise and OpenBao; empty for none.
        vault_timeout_s: how long one call may take, tries included.
        vault_auth: how to log in to the vault: token_file, approle or kubernetes.
        vault_auth_mount: where that auth method is mounted; empty for its own name.
        vault_token_file: file that holds the token; an agent may replace it; never logged.
        vault_role: the AppRole's role id, or the role of the Kubernetes auth method.
        vault_secret_id_file: file that holds the AppRole's secret id.
        vault_service_account_file: the pod's service account token.
        vault_ca_file: certificates (PEM) that may have signed the vault's; without it those of the system.
        vault_client_cert_file: our certificate (PEM), where the vault asks for one.
        vault_client_key_file: its key (PEM).
        keyring_file: key file of the embedded keyring, mode 0600.
        models_dir: where `facestep models fetch` put the model files.
        calibration_file: thresholds of your own, from `facestep calibrate`; without it the shipped ones decide.
        least_level: the level (`acr`) below which nobody gets in: facestep, or facestep-light, at which the screen's
            colours cannot be declined.
        ceremony_ttl_s: how long a login may take from redirect to code.
        challenge_ttl_s: how long the face challenge may take; at most 30.
        code_ttl_s: how long a result code may wait to be redeemed.
        result_ttl_s: life of the id_token; at most 60.
        max_frame_bytes: largest JPEG we accept.
        max_frames: most frames in one face challenge.
        reference_ttl_days: a reference expires and must be renewed after this time.
        reference_reminder_days: so long before that, a person who logs in is reminded to renew it.
        reference_grace_days: so long after that it is held, only to be compared with the renewed face; then deleted.
        reference_protection: rotation keeps a face in keyed directions, biohash only their signs (docs/protection.md).
        reference_noise: noise added to each number of a new reference, standard deviation; 0 adds none.
        renewals_max: how often a face may be enrolled again before an invitation must vouch for the person anew.
        rate_limit_storage: Flask-Limiter storage URL.
        invitation_ttl_s: how long an enrolment code is good for (NIST SP 800-63B-4 4.1: binding codes are short-lived).
        audit_checkpoint_every_s: how often the vault signs the end of the audit log.
        audit_forward_to: who is sent the audit log, addresses with spaces between: syslog+tls://, syslog+tcp://,
            syslog+udp:// or https:// (docs/operations.md).
        audit_forward_format: jsonl or cef.
        audit_forward_token_file: file with the bearer token of receivers over https.
        audit_forward_ca_file: certificates (PEM) that may have signed the receivers'; without it the usual ones.
        keycloak_url: Keycloak's address, for `facestep keycloak`; the service itself does not use it.
        helpdesk_issuer: the realm whose staff works at /helpdesk; without it there is no helpdesk.
        helpdesk_policy_file: what must be proven before a pass (docs/helpdesk.md); without it the shipped policy.
        helpdesk_addresses: verified writes only to e-mail addresses that Keycloak marks as verified, recorded to all.
        helpdesk_manager_attribute: user attribute with the exact user name of a person's manager.
        mail_server: smtps://host:465, smtp+starttls://user@host:587, or smtp://127.0.0.1:25 on this machine.
        mail_password_file: file with the password of the user in mail_server.
        mail_from: the sender's address.
        new_faces_per_year: how often a person may replace a face that has changed without the helpdesk; 0 for never.
        cool_down_h: hours after a recovery in which factors cannot be changed and no higher level is reached.
        metrics_token_file: file with the bearer token that opens /metrics; without it there are no metrics.
        log_level: Python logging level name.
    """

    issuer: str
    database_url: str
    environment: Environment = Environment.PRODUCTION
    listen_host: str = "127.0.0.1"
    listen_port: int = 8100
    workers: int = 2
    threads: int = 4
    trusted_proxies: int = 0
    vault_backend: VaultBackend = VaultBackend.TRANSIT
    vault_url: str = ""
    vault_mount: str = "transit"
    vault_namespace: str = ""
    vault_timeout_s: float = 3.0
    vault_auth: VaultAuth = VaultAuth.TOKEN_FILE
    vault_auth_mount: str = ""
    vault_token_file: Path | None = None
    vault_role: str = ""
    vault_secret_id_file: Path | None = None
    vault_service_account_file: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
    vault_ca_file: Path | None = None
    vault_client_cert_file: Path | None = None
    vault_client_key_file: Path | None = None
    keyring_file: Path | None = None
    models_dir: Path = Path("~/.cache/facestep/models")
    calibration_file: Path | None = None
    least_level: str = "facestep"
    ceremony_ttl_s: int = 300
    challenge_ttl_s: int = 30
    code_ttl_s: int = 60
    result_ttl_s: int = 60
    max_frame_bytes: int = 400_000
    max_frames: int = 450
    reference_ttl_days: int = 365
    reference_reminder_days: int = 30
    reference_grace_days: int = 30
    renewals_max: int = 5
    reference_protection: str = "rotation"
    reference_noise: float = 0.0
    rate_limit_storage: str = "memory://"
    invitation_ttl_s: int = 3600
    audit_checkpoint_every_s: int = 3600
    audit_forward_to: str = ""
    audit_forward_format: str = "jsonl"
    audit_forward_token_file: Path | None = None
    audit_forward_ca_file: Path | None = None
    keycloak_url: str = ""
    helpdesk_issuer: str = ""
    helpdesk_policy_file: Path | None = None
    helpdesk_addresses: str = "verified"
    helpdesk_manager_attribute: str = "facestepManager"
    mail_server: str = ""
    mail_password_file: Path | None = None
    mail_from: str = ""
    new_faces_per_year: int = 1
    cool_down_h: int = 24
    metrics_token_file: Path | None = None
    log_level: str = "INFO"

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read facestep.toml (named by FACESTEP_CONFIG, else in the working folder if there), then the environment.

        Raises:
            SettingsError: with the one thing to mend.
        """
        source = os.environ if environ is None else environ
        named = source.get(PREFIX + "CONFIG")
        values: dict[str, Any] = _read_toml(Path(named or "facestep.toml"), required=named is not None)
        known = {field.name for field in fields(cls)}
        values.update(_from_environ(source, known))
        unknown = sorted(set(values) - known)
        if unknown:
            raise SettingsError(f"unknown setting {unknown[0]!r}; known ones are {', '.join(sorted(known))}")
        missing = [name for name in ("issuer", "database_url") if not values.get(name)]
        if missing:
            raise SettingsError(f"{missing[0]} is not set: put it into facestep.toml or {PREFIX}{missing[0].upper()}")
        return cls(**{name: _convert(name, value) for name, value in values.items()}).checked()

    def checked(self) -> Settings:
        """Return self with paths expanded, or raise SettingsError for the first thing that makes no sense."""
        calibration = self.calibration_file and self.calibration_file.expanduser()
        expanded = replace(self, models_dir=self.models_dir.expanduser(), calibration_file=calibration)
        for check in (_check_issuer, _check_vault, check_addresses, _check_ranges):
            check(expanded)
        return expanded


def _from_environ(source: Mapping[str, str], known: set[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for key, value in source.items():
        name = key.removeprefix(PREFIX).lower()
        if not key.startswith(PREFIX) or name == "config" or key.startswith(TEST_PREFIX):
            continue
        if name not in known:
            raise SettingsError(f"unknown variable {key}; known settings are {', '.join(sorted(known))}")
        values[name] = value
    return values


def _read_toml(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.is_file():
        if required:
            raise SettingsError(f"the settings file {path} does not exist")
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path} is not readable TOML: {exc}") from exc


_TYPES: Final[dict[str, Any]] = {
    "environment": Environment,
    "vault_backend": VaultBackend,
    "vault_auth": VaultAuth,
    "vault_timeout_s": float,
    "reference_noise": float,
}
_PATHS: Final = {field.name for field in fields(Settings) if str(field.type).startswith("Path")}
_INTEGERS: Final = {field.name for field in fields(Settings) if field.type == "int"}


def _convert(name: str, value: Any) -> Any:
    kind = int if name in _INTEGERS else Path if name in _PATHS else _TYPES.get(name, str)
    if kind is int and isinstance(value, bool | float):
        raise SettingsError(f"{name} must be a whole number, not {value!r}")
    try:
        return kind(value)
    except (TypeError, ValueError) as exc:
        raise SettingsError(f"{name}={value!r} is not understood: {exc}") from exc


def _check_issuer(settings: Settings) -> None:
    url = urlsplit(settings.issuer)
    if url.scheme not in {"http", "https"} or not url.hostname or settings.issuer.endswith("/"):
        raise SettingsError(f"issuer={settings.issuer!r} must be a URL without a slash at its end")
    if settings.issuer != f"{url.scheme}://{url.netloc}" or "@" in url.netloc:
        raise SettingsError(f"issuer={settings.issuer!r} must be scheme, host and port only, without a path")
    if url.netloc != url.netloc.lower():
        raise SettingsError(f"issuer={settings.issuer!r} must be in lower case, as browsers write it")
    if url.scheme == "http" and not is_loopback_host(url.hostname):
        raise SettingsError("issuer must be https; http is for loopback only, since cameras need a secure context")
    if settings.environment is Environment.DEVELOPMENT and not is_loopback_host(settings.listen_host):
        raise SettingsError("environment=development listens on loopback only; set environment=production")


def _check_vault(settings: Settings) -> None:
    check_vault(settings, production=settings.environment is Environment.PRODUCTION)


def _check_ranges(settings: Settings) -> None:
    for name, (low, high) in RANGES.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise SettingsError(f"{name}={value} must be between {low} and {high}")
    if settings.reference_ttl_days + settings.reference_grace_days > RANGES["reference_ttl_days"][1]:
        raise SettingsError("reference_ttl_days and reference_grace_days together must be at most 1095, three years")
    if settings.reference_protection not in PROTECTIONS:
        raise SettingsError(f"reference_protection must be {' or '.join(PROTECTIONS)}")
    if not 0 <= settings.reference_noise <= MOST_NOISE:
        raise SettingsError(f"reference_noise must be between 0 and {MOST_NOISE}; above it nobody would be recognised")
    if settings.least_level not in LEVELS:
        raise SettingsError(f"least_level={settings.least_level!r} must be {' or '.join(LEVELS)}")
    if settings.log_level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise SettingsError(f"log_level={settings.log_level!r} must be DEBUG, INFO, WARNING or ERROR")
