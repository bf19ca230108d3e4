"""Settings in, services out: the only place that picks concrete backends.

Rules:
 * The service starts whole or not at all: settings, database revision, vault, signing key, model files and thresholds
   are checked here, and the first thing wrong stops the start with one line.
 * Nothing is remembered at module level; two sets of services can live in one process.
 * Connections are opened by the process that uses them, so build services after a fork.

Not here: what the services do, HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict

from plugin.audit.log import AuditLog
from plugin.ceremonies.attempts import Attempts
from plugin.ceremonies.service import Ceremonies
from plugin.doors.housekeeping import Housekeeping
from plugin.doors.keys import HttpJwksFetcher, KeyCache
from plugin.doors.registry import Registry
from plugin.doors.seen import SeenJtis
from plugin.doors.signed_request import SignedMessages
from plugin.doors.signer import Signer
from plugin.factors.enrolment import Enrolment
from plugin.factors.invitation import Invitations
from plugin.factors.lifecycle import Lifecycle
from plugin.factors.recovery_codes import RecoveryCodes
from plugin.factors.totp import TotpFactor
from plugin.factors.webauthn import WebauthnFactor
from plugin.helpdesk.cases import Cases
from plugin.helpdesk.own_page import OwnPage
from plugin.helpdesk.sessions import PEOPLE, Sessions
from plugin.helpdesk.stopping import Stopping
from plugin.sealing import open_sealer
from plugin.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometric.pipeline import FacePipeline
    from plugin.doors.keys import JwksFetcher
    from plugin.factors.face import FaceFactor
    from plugin.helpdesk.parts import Helpdesk
    from plugin.settings import Settings
    from vault.interface import VaultKeys

__all__ = [
    "Parts",
    "Services",
    "build_helpdesk",
    "build_invitations",
    "build_registry",
    "build_services",
    "open_database",
    "open_pipeline",
    "open_sealer",
    "utc_now",
]


def utc_now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(tz=UTC)


@dataclass(frozen=True, slots=True, repr=False)
class Services:
    """Everything a request may need. Built once a process."""

    settings: Settings
    clock: Callable[[], datetime]
    database: Database
    sealer: VaultKeys
    audit: AuditLog
    registry: Registry
    messages: SignedMessages
    signer: Signer
    ceremonies: Ceremonies
    housekeeping: Housekeeping
    attempts: Attempts
    totp: TotpFactor
    webauthn: WebauthnFactor
    recovery_codes: RecoveryCodes
    invitation: Invitations
    enrolment: Enrolment
    lifecycle: Lifecycle
    face: FaceFactor
    helpdesk: Helpdesk | None = None
    me: OwnPage | None = None


class Parts(TypedDict):
    """What every factor is built from."""

    ceremonies: Ceremonies
    database: Database
    sealer: VaultKeys
    attempts: Attempts
    audit: AuditLog


def open_database(settings: Settings) -> Database:
    """Return the database at the revision this version needs. Raises SettingsError."""
    database = Database(settings.database_url)
    try:
        database.check()
    except BaseException:
        database.close()
        raise
    return database


def build_registry(database: Database, fetcher: JwksFetcher | None = None) -> Registry:
    """Return the registry of identity providers."""
    return Registry(database=database, keys=KeyCache(fetcher or HttpJwksFetcher()), audit=AuditLog(database))


def open_pipeline(settings: Settings) -> FacePipeline:
    """Return the models, after digests, thresholds and the disagreement detector matched. Raises BiometricError."""
    from biometric.agreement import Agreement  # noqa: PLC0415
    from biometric.pipeline import FacePipeline  # noqa: PLC0415  (loads OpenCV and LiteRT; most commands need neither)

    pipeline = FacePipeline.open(settings.models_dir, calibration=settings.calibration_file)
    detector = Agreement.load(pipeline.calibration)  # read once: a file that changes while serving changes nothing
    return replace(pipeline, calibration=replace(pipeline.calibration, agreement=detector))


def build_services(
    settings: Settings,
    *,
    pipeline: FacePipeline | None = None,
    fetcher: JwksFetcher | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Services:
    """Return everything a request may need.

    Raises:
        SettingsError, ServiceError: settings, database or signing key are not fit.
        VaultError: the vault does not seal and open.
        BiometricError: a model file or its thresholds are not the ones that were measured.
    """
    from plugin.factors.face import FaceFactor  # noqa: PLC0415  (as in open_pipeline)

    database = open_database(settings)
    sealer = open_sealer(settings, lasting=True)
    audit = AuditLog(database)
    registry = build_registry(database, fetcher)
    ceremonies = Ceremonies(database=database, sealer=sealer, settings=settings, audit=audit)
    attempts, lifecycle = Attempts(database), Lifecycle(database=database, audit=audit, settings=settings)
    signer = Signer.open(database=database, sealer=sealer, issuer=settings.issuer, now=clock())
    parts = Parts(ceremonies=ceremonies, database=database, sealer=sealer, attempts=attempts, audit=audit)
    me = build_own_page(parts, settings=settings, registry=registry, signer=signer, clock=clock)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        sealer=sealer,
        audit=audit,
        registry=registry,
        messages=SignedMessages(registry=registry, seen=SeenJtis(database), audience=settings.issuer),
        signer=signer,
        ceremonies=ceremonies,
        housekeeping=Housekeeping(ceremonies.purge, lifecycle.expire, me.purge),
        attempts=attempts,
        totp=TotpFactor(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit),
        webauthn=WebauthnFactor(**parts, settings=settings),
        recovery_codes=RecoveryCodes(**parts),
        invitation=Invitations(**parts, settings=settings),
        lifecycle=lifecycle,
        enrolment=Enrolment(ceremonies=ceremonies, database=database, sealer=sealer, audit=audit),
        face=FaceFactor(**parts, settings=settings, pipeline=pipeline or open_pipeline(settings)),
        helpdesk=build_helpdesk(parts, settings=settings, registry=registry, signer=signer, clock=clock),
        me=me,
    )


def build_helpdesk(
    parts: Parts, *, settings: Settings, registry: Registry, signer: Signer, clock: Callable[[], datetime]
) -> Helpdesk | None:
    """Return the helpdesk, or None where the settings name no realm for it. Raises SettingsError."""
    if not settings.helpdesk_issuer:
        return None
    from plugin.doors.realm_login import HELPDESK, RealmLogin  # noqa: PLC0415  (these load libraries of their own)
    from plugin.doors.service_accounts import ServiceAccounts  # noqa: PLC0415
    from plugin.helpdesk.office import assemble  # noqa: PLC0415
    from plugin.keycloak.directory import KeycloakDirectory  # noqa: PLC0415
    from plugin.mail import SmtpPost  # noqa: PLC0415

    realm = settings.helpdesk_issuer
    login = RealmLogin(HELPDESK, realm=realm, our_url=settings.issuer, registry=registry, signer=signer, clock=clock)
    directory = KeycloakDirectory(
        realm,
        token=login.service_token,
        clock=clock,
        manager_attribute=settings.helpdesk_manager_attribute,
        unverified_count=settings.helpdesk_addresses == "recorded",
    )
    programs = ServiceAccounts(realm=realm, registry=registry, directory=directory, audit=parts["audit"])
    post = SmtpPost(settings)
    return assemble(**parts, settings=settings, directory=directory, post=post, login=login, programs=programs)


def build_own_page(
    parts: Parts, *, settings: Settings, registry: Registry, signer: Signer, clock: Callable[[], datetime]
) -> OwnPage:
    """Return people's own page, for every Keycloak realm that is registered."""
    from plugin.doors.realm_login import OWN_PAGE, RealmLogin  # noqa: PLC0415  (loads libraries of its own)

    database, sealer, audit = parts["database"], parts["sealer"], parts["audit"]

    def login(realm: str) -> RealmLogin:
        return RealmLogin(OWN_PAGE, realm=realm, our_url=settings.issuer, registry=registry, signer=signer, clock=clock)

    return OwnPage(
        sessions=Sessions(PEOPLE, database=database, sealer=sealer, audit=audit),
        stopping=Stopping(cases=Cases(database=database, sealer=sealer), database=database, sealer=sealer, audit=audit),
        realms=lambda: [one.issuer for one in registry.list() if "/realms/" in one.issuer],
        login=login,
    )


def build_invitations(settings: Settings, database: Database) -> Invitations:
    """Return what `facestep invite` needs, without the models."""
    sealer, audit = open_sealer(settings, purposes=()), AuditLog(database)  # only MACs: a helpdesk's token will do
    ceremonies = Ceremonies(database=database, sealer=sealer, settings=settings, audit=audit)
    return Invitations(
        ceremonies=ceremonies,
        database=database,
        sealer=sealer,
        attempts=Attempts(database),
        audit=audit,
        settings=settings,
    )
