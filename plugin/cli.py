"""The `facestep` command.

Rules:
 * A command group is one file in commands/, with a click object called `command`; it is imported only when asked for.
 * An error of ours is one line on standard error, `facestep: <code>: <sentence>; <what to do>`, and exit status 2.
 * A traceback is shown only with --debug.

Not here: what the commands do.
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, Final

import click

from biometric.errors import BiometricError
from plugin.errors import ServiceError, public
from vault.interface import VaultError

OUR_ERRORS: Final = (ServiceError, BiometricError, VaultError)
EXIT_ERROR: Final = 2

_COMMANDS: Final[dict[str, str]] = {
    "audit": "Read, verify, sign and hand on the audit log.",
    "bench": "Measure time and memory of one unit of work.",
    "calibrate": "Choose thresholds: of recognition on your own pictures, of liveness in the laboratory.",
    "clients": "Say which identity providers may send people here.",
    "compare": "Compare the faces in two pictures.",
    "database": "Create or migrate the database.",
    "encrypted": "Encrypt faces and match them without being able to read them.",
    "evaluate": "Measure error rates on your own data.",
    "invite": "Print a one-time enrolment code for a person.",
    "key-service": "Hold the key of encrypted faces, and answer yes or no.",
    "keycloak": "Set up or check a Keycloak realm.",
    "models": "Fetch, verify, list, add and remove model files.",
    "references": "List, expire, export and erase what is held about people.",
    "serve": "Run the service.",
    "train": "Train our own small models again, on the record.",
    "vault": "Install, check and rotate the keys; print policies.",
}
"""Name and help line, so that `facestep --help` imports nothing."""

WHAT_TO_DO: Final[dict[str, str]] = {
    "model_missing": "run `facestep models fetch`",
    "model_digest_mismatch": "run `facestep models fetch` to replace it",
    "limits_mismatch": "reinstall facestep, or measure anew with `facestep calibrate liveness`",
    "calibration_mismatch": (
        "run `facestep models fetch`; for a model of your own run `facestep calibrate` and set calibration_file"
    ),
    "vault_unavailable": "start or unseal the vault and check vault_url",
    "vault_denied": "check the vault token and its policy",
    "vault_wrong_context": "check that the database and the keys belong together",
    "vault_wrong_mac": "run `facestep audit verify`; a stored row was changed outside of facestep",
    "he_unavailable": "install facestep[he]",
    "key_service_away": "start it with `facestep key-service serve`, and check --service",
    "plots_unavailable": "install facestep[report]",
    "report_unwritable": "name a file in a folder that exists and that you may write to",
    "net_unreadable": "run `facestep models fetch`; for a FaceNet of your own name the graph that it was made of",
    "journal_invalid": "name another file for --resume, or delete this one",
    "presentation_failed": "run with fewer --jobs, and the same --resume: nothing done is lost",
    "added_unreadable": "mend added.json as it says, or delete it and run `facestep models add` again",
    "clips_invalid": "mend the list; `facestep evaluate ceremony --help` says what it holds",
    "trainer_missing": "run `pip install 'facestep[convert]'`",
    "training_data_unusable": "`facestep train texture --help` says what the folder holds",
    "store_busy": "try again; look for a backup or another program that holds the lock",
    "store_unavailable": "start the database and check database_url",
    "store_denied": "the database's role may not do this; run `facestep database roles` and give it what is missing",
    "database_not_migrated": "run `facestep database migrate`",
}


def error_line(error: Exception) -> str:
    """Return the one line that a person at the terminal sees."""
    if not isinstance(error, OUR_ERRORS):
        return f"facestep: internal: unexpected {type(error).__name__}; run `facestep --debug …` to see where"
    code = error.code
    detail = error.detail if isinstance(error, ServiceError) else str(error)
    sentence = " ".join((detail or public(code).message).split()).rstrip(".")
    advice = WHAT_TO_DO.get(code)
    return f"facestep: {code}: {sentence}; {advice}" if advice else f"facestep: {code}: {sentence}"


def _module(command: str) -> str:
    return f"plugin.commands.{command.replace('-', '_')}"


class LazyGroup(click.Group):
    """Import plugin/commands/<name>.py when that command is named, and turn our errors into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the commands whose file is there."""
        return [name for name in _COMMANDS if find_spec(_module(name)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or return None so that click says "no such command"."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(_module(cmd_name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table above; importing every command would make --help slow."""
        rows = [(name, _COMMANDS[name]) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our errors become one line and exit status 2."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise  # click's own way of saying what is wrong with the command line
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            click.echo(error_line(error), err=True)
            raise click.exceptions.Exit(EXIT_ERROR) from error


def _warn_in_one_line(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"facestep: warning: {message}", err=True)


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(metadata.version("facestep"), prog_name="facestep")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def main(*, debug: bool) -> None:
    """Facestep proves that the living owner of an account is here.

    \b
    Examples:
      facestep models fetch
      facestep database migrate
      facestep clients add --issuer http://localhost:8080/realms/demo
      facestep serve
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    if not debug:
        warnings.showwarning = _warn_in_one_line


if __name__ == "__main__":
    sys.exit(main())
