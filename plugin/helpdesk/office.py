"""Put the parts of the helpdesk together. What lies outside (directory, letters, sign-in) is handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from plugin.factors.mailed_codes import MailedCodes
from plugin.helpdesk.aftermath import Aftermath
from plugin.helpdesk.asked_proofs import AskedProofs, Asking
from plugin.helpdesk.break_glass import BreakGlass
from plugin.helpdesk.cases import Cases
from plugin.helpdesk.chores import Chores
from plugin.helpdesk.deeds import Deeds
from plugin.helpdesk.desk import Desk
from plugin.helpdesk.face_checks import FaceChecks
from plugin.helpdesk.giving import Giving
from plugin.helpdesk.letterbox import Letterbox
from plugin.helpdesk.links import Links
from plugin.helpdesk.managers import Managers
from plugin.helpdesk.own_recovery import OwnRecovery
from plugin.helpdesk.parts import Helpdesk
from plugin.helpdesk.passes import Passes
from plugin.helpdesk.policy import Policy
from plugin.helpdesk.sessions import Sessions
from plugin.helpdesk.stopping import Stopping
from plugin.helpdesk.taking import Taking

if TYPE_CHECKING:
    from plugin.audit.log import AuditLog
    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.service import Ceremonies
    from plugin.helpdesk.types import Directory, Login, Post, Programs
    from plugin.settings import Settings
    from plugin.store.database import Database
    from vault.interface import Sealer


class _Stored(TypedDict):
    database: Database
    audit: AuditLog


class _Reach(_Stored):
    directory: Directory
    post: Post


class _Acting(_Stored):
    cases: Cases
    aftermath: Aftermath


def assemble(
    *,
    ceremonies: Ceremonies,
    database: Database,
    sealer: Sealer,
    attempts: Attempts,
    audit: AuditLog,
    settings: Settings,
    directory: Directory,
    post: Post,
    login: Login,
    programs: Programs,
) -> Helpdesk:
    """Return the helpdesk. Raises SettingsError for a policy that makes no sense."""
    stored, policy = _Stored(database=database, audit=audit), Policy.load(settings.helpdesk_policy_file)
    reach = _Reach(directory=directory, post=post, **stored)
    cases, links = Cases(database=database, sealer=sealer), Links(database=database, sealer=sealer)
    passes = Passes(ceremonies=ceremonies, sealer=sealer, attempts=attempts, **stored)
    stopping = Stopping(cases=cases, sealer=sealer, end_sessions=directory.end_sessions, **stored)
    box = Letterbox(sealer=sealer, **reach)
    aftermath = Aftermath(cases=cases, passes=passes, stopping=stopping, letterbox=box, issuer=settings.issuer, **reach)
    acting = _Acting(cases=cases, aftermath=aftermath, **stored)
    desk = _desk(acting, links, directory, attempts, policy, glass=_glass(acting, passes, box, directory, settings))
    asking = _asking(desk, cases=cases, links=links, policy=policy, **reach)
    proving = _proving(asking, settings, aftermath=aftermath, ceremonies=ceremonies, database=database)
    codes = MailedCodes(ceremonies=ceremonies, sealer=sealer, attempts=attempts, audit=audit)
    return Helpdesk(
        realm=settings.helpdesk_issuer,
        policy=policy,
        chores=Chores(letterbox=box, checks=proving["face_checks"], database=database, keep_days=policy.keep_days),
        desk=desk,
        **proving,
        links=links,
        aftermath=aftermath,
        passes=passes,
        own_recovery=OwnRecovery(ceremonies, codes, policy=policy, stopping=stopping, settings=settings, **reach),
        sessions=Sessions(sealer=sealer, **stored),
        directory=directory,
        login=login,
        programs=programs,
    )


def _glass(acting: _Acting, passes: Passes, box: Letterbox, directory: Directory, settings: Settings) -> BreakGlass:
    """Return what makes a pass without proofs, and tells everybody."""
    return BreakGlass(
        cases=acting["cases"],
        passes=passes,
        aftermath=acting["aftermath"],
        letterbox=box,
        directory=directory,
        audit=acting["audit"],
        url=settings.issuer,
    )


def _desk(
    acting: _Acting, links: Links, directory: Directory, attempts: Attempts, policy: Policy, *, glass: BreakGlass
) -> Desk:
    """Return what decides, with what carries a decision out."""
    stored = _Stored(database=acting["database"], audit=acting["audit"])
    taking, giving = Taking(**acting, directory=directory), Giving(**acting, attempts=attempts)
    deeds = Deeds(
        aftermath=acting["aftermath"],
        taking=taking,
        giving=giving,
        break_glass=glass,
        policy=policy,
        database=acting["database"],
    )
    return Desk(cases=acting["cases"], links=links, directory=directory, deeds=deeds, policy=policy, **stored)


def _asking(
    desk: Desk,
    *,
    cases: Cases,
    links: Links,
    policy: Policy,
    directory: Directory,
    post: Post,
    database: Database,
    audit: AuditLog,
) -> Asking:
    """Return what asks others than agents for a proof."""
    asked = AskedProofs(cases=cases, links=links, post=post, database=database, audit=audit)
    return Asking(desk=desk, cases=cases, links=links, asked=asked, directory=directory, policy=policy)


class _Proving(TypedDict):
    face_checks: FaceChecks
    managers: Managers


def _proving(
    asking: Asking, settings: Settings, *, aftermath: Aftermath, ceremonies: Ceremonies, database: Database
) -> _Proving:
    """Return how the person and the manager are asked."""
    checks = FaceChecks(asking, aftermath=aftermath, ceremonies=ceremonies, settings=settings, database=database)
    return _Proving(face_checks=checks, managers=Managers(asking, our_url=settings.issuer))
