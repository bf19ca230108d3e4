"""`facestep invite`: a one-time enrolment code for one person."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Final

import click

MAX_SUBJECT_CHARS: Final = 255
"""As in a signed request (doors/signed_request.py)."""


@click.command()
@click.option("--issuer", required=True, help="The provider's issuer URL, as registered with `facestep clients add`.")
@click.option("--subject", required=True, help="The person's user id there, not the user name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, issuer: str, subject: str, as_json: bool) -> None:
    """Print a one-time code with which a person may enrol a face.

    A password alone must not enrol a face, so hand the code over on another way: in person, or by a call that you made.
    A new code replaces the one before. The service knows people only by their id at the identity provider; in Keycloak
    it is the ID on the user's page (`kcadm.sh get users -r REALM -q username=NAME --fields id`).

    \b
    Examples:
      facestep invite --issuer https://sso.example.org/realms/staff --subject 5f0c6a8e-3d0b-4b7c-9a51-0b6f2f3f9d10
      facestep invite --issuer https://sso.example.org/realms/staff --subject 5f0c… --json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from plugin.ceremonies.types import Subject
    from plugin.errors import ClientRefused, ServiceError
    from plugin.settings import Settings
    from plugin.wiring import build_invitations, build_registry, open_database, utc_now

    if not 0 < len(subject) <= MAX_SUBJECT_CHARS or not subject.isprintable():
        raise ServiceError("subject_invalid", f"subject must be 1 to {MAX_SUBJECT_CHARS} printable characters")
    settings = Settings.load()
    with closing(open_database(settings)) as database:
        try:
            client = build_registry(database).get(issuer)
        except ClientRefused as exc:
            raise ServiceError("client_invalid", f"{issuer} is not registered; see `facestep clients list`") from exc
        issued = build_invitations(settings, database).issue(Subject(client.issuer, subject), now=utc_now())
    if as_json:
        click.echo(json.dumps({"code": issued.code, "expires_at": issued.expires_at.isoformat(timespec="seconds")}))
    else:
        click.echo(f"{issued.code}\ngood once, until {issued.expires_at:%Y-%m-%d %H:%M} UTC")
