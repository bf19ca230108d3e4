"""`facestep models add` and `remove`: model files of one's own, by digest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from plugin.commands.models import DEFAULT_DOWNLOADS, models_dir_option

ADVICE = {
    "facenet": (
        "Shipped thresholds and detector were made with another FaceNet and do not fit this one. Next, both by one "
        "command:\n"
        "  facestep calibrate --images FACES --data 'what they are' --out calibration.json\n"
        "then set calibration_file to that file. Faces that were enrolled before must be enrolled again."
    )
}
"""What to do after a file of this role was added."""


def _pairs(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    table = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key or key in table:
            raise click.BadParameter(f"{value!r} is not KEY=VALUE, each key once")
        table[key] = text
    return table


@click.command()
@click.option(
    "--role", required=True, help="What the net is for: facenet (docs/calibration.md) or texture (docs/texture.md)."
)
@click.option("--file", "path", type=click.Path(path_type=Path), required=True, help="The model file.")
@click.option("--sha256", "expected", help="The digest it must have; refused otherwise.")
@click.option(
    "--origin", default="added by the administrator", show_default=True, help="Where it is from, for the list."
)
@click.option("--meta", "metadata", multiple=True, callback=_pairs, help="KEY=VALUE that the role needs to know.")
@models_dir_option
@click.option("--downloads", type=click.Path(path_type=Path), default=DEFAULT_DOWNLOADS, show_default=True)
def add(
    *,
    role: str,
    path: Path,
    expected: str | None,
    origin: str,
    metadata: dict[str, str],
    models_dir: Path,
    downloads: Path,
) -> None:
    """Use a model file of your own: it is checked, converted if need be, and copied beside the others.

    A FaceNet is a frozen TensorFlow graph (.pb with input:0 and embeddings:0, converted here, which needs the extra
    'convert') or a .tflite that takes 160x160 RGB as (x - 127.5) / 128 and answers 512 numbers. A texture net (.onnx or
    .tflite) is described by --meta, once a key: size, scales, channels, low, high, edge, activation, spoof_index and
    deny_at; docs/texture.md has a whole command.

    \b
    Examples:
      facestep models add --role facenet --file 20180402-114759.pb --origin "facenet, VGGFace2"
      facestep models add --role facenet --file my.tflite --sha256 0123…
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from rich.console import Console

    from biometric.adding import add_model
    from biometric.fetch import Fetcher
    from biometric.models import ModelStore

    store = ModelStore(models_dir)
    console = Console(stderr=True)
    with console.status("checking the file") as status:
        fetcher = Fetcher(store, downloads, report=lambda what, _done, _whole: status.update(what))
        made = add_model(
            store,
            fetcher,
            role=role,
            path=path,
            origin=origin,
            added_on=datetime.now(UTC).date().isoformat(),
            metadata=metadata,
            expected_sha256=expected,
        )
    click.echo(f"added {made.name}, sha256 {made.sha256}, {made.size} bytes")
    if role in ADVICE:
        click.echo(ADVICE[role])


@click.command()
@click.argument("name")
@models_dir_option
def remove(name: str, models_dir: Path) -> None:
    """Take an added model out of use and delete its file; the shipped ones stay.

    \b
    Example:
      facestep models remove facenet-0123456789ab
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.adding import remove_model
    from biometric.models import ModelStore

    gone = remove_model(ModelStore(models_dir), name)
    click.echo(f"removed {gone.name}")
