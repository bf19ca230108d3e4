"""Put the parts of the helpdesk together. What lies outside (directory, letters, sign-in) is handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from plugin.helpdesk.aftermath import Aftermath
from plugin.helpdesk.cases import Cases
from plugin.helpdesk.deeds import Deeds
from plugin.helpdesk.desk import Desk
from plugin.helpdesk.giving import Giving
from plugin.helpdesk.parts import Helpdesk
from plugin.helpdesk.passes import Passes
from plugin.helpdesk.policy import Policy
from plugin.helpdesk.sessions import Sessions
from plugin.helpdesk.taking import Taking

if TYPE_CHECKING:
    from plugin.audit.log import AuditLog
    from plugin.ceremonies.attempts import Attempts
    from plugin.ceremonies.service import Ceremonies
    from plugin.helpdesk.types import Directory, Login, Post
    from plugin.settings import Settings
    from plugin.store.database import Database
    from vault.interface import Sealer


class _Stored(TypedDict):
    cases: Cases
    aftermath: Aftermath
    database: Database
    audit: AuditLog


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
) -> Helpdesk:
    """Return the helpdesk. Raises SettingsError for a policy that makes no sense."""
    policy = Policy.load(settings.helpdesk_policy_file)
    cases = Cases(database=database, sealer=sealer)
    passes = Passes(ceremonies=ceremonies, database=database, sealer=sealer, attempts=attempts, audit=audit)
    aftermath = Aftermath(
        cases=cases,
        passes=passes,
        directory=directory,
        post=post,
        database=database,
        audit=audit,
        issuer=settings.issuer,
    )
    stored: _Stored = {"cases": cases, "aftermath": aftermath, "database": database, "audit": audit}
    taking = Taking(**stored, directory=directory)
    deeds = Deeds(
        aftermath=aftermath, taking=taking, giving=Giving(**stored, attempts=attempts), policy=policy, database=database
    )
    return Helpdesk(
        realm=settings.helpdesk_issuer,
        desk=Desk(cases=cases, directory=directory, deeds=deeds, policy=policy, database=database, audit=audit),
        aftermath=aftermath,
        passes=passes,
        sessions=Sessions(database=database, sealer=sealer, audit=audit),
        directory=directory,
        login=login,
    )
