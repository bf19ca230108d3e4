"""`facestep keycloak`: set up or check a Keycloak realm."""

from __future__ import annotations

import json
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plugin.errors import ServiceError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plugin.doors.registry import Registry
    from plugin.keycloak.findings import Finding
    from plugin.keycloak.realm import RealmSetup
    from plugin.keycloak.registration import Clients

EXIT_WRONG = 1


def _not_in_argv(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    source = ctx.get_parameter_source(parameter.name or "")
    if value and source is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError(
            "a password in the arguments can be read by every user of this machine; use the file or the environment"
        )
    return value


def _realm_options(function: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option("--realm", required=True, help="Name of the realm."),
        click.option("--server", envvar="FACESTEP_KEYCLOAK_URL", help="Keycloak's address; else keycloak_url is read."),
        click.option("--facestep-url", envvar="FACESTEP_ISSUER", help="Our address for browsers; else issuer is read."),
        click.option("--admin-user", envvar="KEYCLOAK_ADMIN", default="admin", show_default=True, show_envvar=True),
        click.option("--admin-realm", default="master", show_default=True, help="Realm of the admin user."),
        click.option("--admin-password-file", type=click.Path(dir_okay=False, exists=True, path_type=Path)),
        click.option("--admin-password", envvar="KEYCLOAK_ADMIN_PASSWORD", callback=_not_in_argv, hidden=True),
        click.option(
            "--register/--no-register", default=False, help="Also register the realm in this service's database."
        ),
        click.option("--helpdesk/--no-helpdesk", default=False, help="Also the client and roles of /helpdesk."),
        click.option(
            "--helpdesk-policy",
            envvar="FACESTEP_HELPDESK_POLICY_FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Policy whose groups must exist; else helpdesk_policy_file is read with the addresses.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """Set up or check a Keycloak realm.

    Both addresses come from the settings keycloak_url and issuer, or from --server and --facestep-url.
    The admin password comes from --admin-password-file, from the environment variable KEYCLOAK_ADMIN_PASSWORD,
    or is asked for.

    \b
    Examples:
      facestep keycloak install --realm staff --register
      facestep keycloak install --realm staff --helpdesk
      facestep keycloak check --realm staff
      facestep keycloak check --realm staff --helpdesk-policy helpdesk.toml
      facestep keycloak check --realm staff --server https://sso.example.org --facestep-url https://face.example.org
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
@_realm_options
@click.option("--create-realm", is_flag=True, help="Create the realm if it is missing.")
def install(*, create_realm: bool, register: bool, as_json: bool, **where: Any) -> None:
    """Give a realm the face step. A second run changes nothing and says so.

    It adds the flow "facestep browser" and binds it, adds the same step to "forgot password", denies the password
    grant, switches brute-force protection on, and puts amr and acr into tokens.
    """
    with _setup(register=register, **where) as setup:
        created = create_realm and setup.create_realm()
        changes = list(setup.install())
    changed = [change for change in changes if change.changed]
    if as_json:
        rows = [{"name": one.name, "changed": one.changed, "seen": one.seen} for one in changes]
        click.echo(
            json.dumps(
                {"realm": where["realm"], "created": created, "changed": bool(changed or created), "items": rows}
            )
        )
        return
    if created:
        click.echo(f"created the realm {where['realm']!r}")
    for one in changed:
        click.echo(f"changed    {one.name}: {one.seen}")
    click.echo(
        f"{len(changes) - len(changed)} of {len(changes)} things were right already" if changed else "nothing to change"
    )


@command.command()
@_realm_options
def check(*, register: bool, as_json: bool, **where: Any) -> None:
    """Say what is right in a realm, what is wrong, and how to mend it.

    Exit status 1 if anything is wrong, 2 if it cannot be told.
    """
    with _setup(register=register, **where) as setup:
        findings = setup.check()
    if as_json:
        rows = [{"name": one.name, "right": one.right, "seen": one.seen, "mend": one.mend} for one in findings]
        click.echo(json.dumps({"realm": where["realm"], "right": all(one.right for one in findings), "items": rows}))
    else:
        _table(findings)
    sys.exit(0 if all(one.right for one in findings) else EXIT_WRONG)


@contextmanager
def _setup(
    *,
    server: str | None,
    realm: str,
    facestep_url: str | None,
    admin_user: str,
    admin_realm: str,
    admin_password_file: Path | None,
    admin_password: str | None,
    register: bool,
    helpdesk: bool,
    helpdesk_policy: Path | None,
) -> Iterator[RealmSetup]:
    from plugin.helpdesk.policy import Policy
    from plugin.keycloak.admin import RealmAdmin
    from plugin.keycloak.realm import RealmSetup

    server, facestep_url, policy_file = _of_settings(server, facestep_url, helpdesk_policy, realm=realm)
    groups = [name for name, _ in Policy.load(policy_file).groups]
    if admin_password_file is not None:
        admin_password = admin_password_file.read_text(encoding="utf-8").strip()
    admin = RealmAdmin(
        server, realm, user=admin_user, password=admin_password or _asked_for(admin_user), login_realm=admin_realm
    )
    with _clients(wanted=register) as clients:
        yield RealmSetup(admin, facestep_url=facestep_url, clients=clients, helpdesk=helpdesk, groups=groups)


def _of_settings(
    server: str | None, facestep_url: str | None, policy_file: Path | None, *, realm: str
) -> tuple[str, str, Path | None]:
    """Return both addresses and the policy of this realm's helpdesk; settings are read where an address is left out."""
    if server and facestep_url:
        return server, facestep_url, policy_file
    from plugin.settings import Settings

    try:
        settings = Settings.load()
    except SettingsError as exc:
        missing = "--facestep-url" if server else "--server"
        raise SettingsError(f"{missing} is not given and the settings do not tell: {exc.detail}") from exc
    if not (server or settings.keycloak_url):
        raise SettingsError("where is Keycloak? Give --server, or set keycloak_url (FACESTEP_KEYCLOAK_URL)")
    if policy_file is None and settings.helpdesk_issuer.endswith(f"/realms/{realm}"):
        policy_file = settings.helpdesk_policy_file
    return server or settings.keycloak_url, facestep_url or settings.issuer, policy_file


def _asked_for(user: str) -> str:
    if not sys.stdin.isatty():
        raise ServiceError(
            "keycloak_denied", f"no password for {user}: set KEYCLOAK_ADMIN_PASSWORD, or use --admin-password-file"
        )
    return str(click.prompt(f"Password of {user}", hide_input=True, err=True))


@contextmanager
def _clients(*, wanted: bool) -> Iterator[Clients | None]:
    if not wanted:
        yield None
        return
    from plugin.settings import Settings
    from plugin.wiring import build_registry, open_database

    with closing(open_database(Settings.load())) as database:
        yield _RegisteredClients(build_registry(database))


class _RegisteredClients:
    """The registry, as keycloak/registration.py wants it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def knows(self, issuer: str) -> bool:
        return any(
            client.issuer == issuer
            and client.jwks_uri == f"{issuer}/protocol/openid-connect/certs"
            and client.redirect_prefix == f"{issuer}/login-actions/"
            for client in self._registry.list()
        )

    def add(self, issuer: str) -> None:
        from plugin.wiring import utc_now

        self._registry.add(issuer, now=utc_now())


def _table(findings: Sequence[Finding]) -> None:
    width = max(len(one.name) for one in findings)
    for one in findings:
        mark = click.style("right", fg="green") if one.right else click.style("WRONG", fg="red", bold=True)
        click.echo(f"{mark}  {one.name:{width}}  {one.seen}")
        if one.mend:
            click.echo(f"       {'':{width}}  mend: {one.mend}")
    wrong = sum(1 for one in findings if not one.right)
    click.echo(f"{wrong} of {len(findings)} things are wrong" if wrong else "everything is right")
