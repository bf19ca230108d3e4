"""`facestep calibrate`: choose thresholds on pictures or on the enrolled people, and write them with the evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from plugin.commands import calibrate_detector
from plugin.commands.gradients import graph_option
from plugin.commands.models import models_dir_option
from plugin.commands.parts import Parts
from plugin.commands.pictures import cache_option, embedded
from plugin.commands.reports import report_option, write_bytes, write_text

if TYPE_CHECKING:
    from biometric.agreement import Agreement
    from biometric.calibration import Calibration

RECOGNITION: Final = "recognition"


class WithParts(Parts):
    """`facestep calibrate liveness`; anything else is said to the recognisers' calibration, as it always was."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the part in front that was not named."""
        named = bool(args) and args[0] in self.list_commands(ctx)
        return super().parse_args(ctx, args if named else [RECOGNITION, *args])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a part; that of the recognisers is in this file."""
        return recognition if cmd_name == RECOGNITION else super().get_command(ctx, cmd_name)


@click.command("calibrate")
@click.option("--images", type=click.Path(path_type=Path), help="DIR/person/*.jpg, many people.")
@click.option(
    "--further", type=click.Path(path_type=Path), multiple=True, help="Another population; the strictest counts."
)
@click.option(
    "--enrolled", is_flag=True, help="Instead of pictures: the references of this deployment, in memory only."
)
@click.option("--issuer", help="With --enrolled: whose people, if those of several issuers are enrolled.")
@click.option("--data", required=True, help="What the pictures or people are, in one sentence, for the record.")
@report_option("--out", help="Where calibration.json goes; the projection, and a detector, go beside it.")
@cache_option
@graph_option
@models_dir_option
def recognition(
    *,
    images: Path | None,
    further: tuple[Path, ...],
    enrolled: bool,
    issuer: str | None,
    data: str,
    out: Path,
    cache: Path | None,
    graph: Path | None,
    models_dir: Path,
) -> None:
    """Choose thresholds for FMR 1e-4, and write them with what they were measured on.

    With --images they are chosen on one half of the people, and the errors are reported on the other half. With
    --enrolled the references of this deployment are opened in memory and compared with each other; the threshold in
    use is kept or made stricter, never looser. No picture and no vector is written. To use the result, set
    calibration_file to it.

    For a FaceNet of your own (`facestep models add`) --images also trains the detector of pictures made for the
    recognisers, which the service needs to start; it then takes twice as long and needs TensorFlow (the extra
    `convert`).

    \b
    Examples:
      facestep calibrate --images faces/lfw --further faces/london --data "LFW, one half" --out calibration.json
      facestep calibrate --enrolled --data "staff, Vienna" --out calibration.json
      facestep calibrate liveness --quick --out quick.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    if enrolled == (images is not None):
        raise click.UsageError("say what to calibrate on: --images DIR, or --enrolled")
    said = click.get_current_context().get_parameter_source("models_dir")
    if enrolled and (further or cache or graph or said is click.core.ParameterSource.COMMANDLINE):
        raise click.UsageError("--enrolled takes models and settings from the deployment, and keeps no cache")
    if images is None:
        made, detector = _from_enrolled(issuer, data=data)
        _write(out, made)
        calibrate_detector.replace(out, detector and detector.bound_to(made))
        return
    trainer = calibrate_detector.Trainer.prepare(images, models_dir=models_dir, graph=graph)  # first: it may refuse
    _write(out, _from_pictures(images, further, data=data, cache=cache, models_dir=models_dir))
    calibrate_detector.replace(out, trainer.train(out, data=data) if trainer else None)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _write(out: Path, made: Calibration) -> None:
    from biometric.calibration import projection_path

    if made.projection is not None:
        write_bytes(projection_path(out), made.projection.to_bytes())
    write_text(out, made.to_json())
    click.echo(f"calibration {made.id} written to {out}, fused threshold {made.fused_threshold:.3f}")


def _from_pictures(
    images: Path, further: tuple[Path, ...], *, data: str, cache: Path | None, models_dir: Path
) -> Calibration:
    from biometric.detect import FaceDetector
    from biometric.embed import Embedder
    from biometric.evaluation.calibrate import calibrate
    from biometric.landmarks import FaceMesh
    from biometric.models import ModelStore
    from biometric.pipeline import Recogniser

    store = ModelStore(models_dir)
    recogniser = Recogniser(detector=FaceDetector(store), mesh=FaceMesh(store), embedder=Embedder(store))
    corpus = embedded(images, recogniser, models_dir=models_dir, cache=cache)
    others = {folder.name: embedded(folder, recogniser, models_dir=models_dir, cache=cache) for folder in further}
    return calibrate(
        corpus,
        others,
        models=store.digests(),
        data=data,
        made_on=_today(),
        progress=lambda step: click.echo(step, err=True),
    )


def _from_enrolled(issuer: str | None, *, data: str) -> tuple[Calibration, Agreement | None]:
    """Return the new calibration, and the detector that lies beside the one in use."""
    from rich.console import Console
    from rich.progress import Progress

    from biometric.evaluation.enrolled import stricter
    from plugin.commands.calibrate_detector import beside
    from plugin.commands.calibrate_enrolled import open_all
    from plugin.settings import Settings
    from plugin.wiring import utc_now

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("references", total=None)

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        opened = open_all(Settings.load(), issuer=issuer, now=utc_now(), report=report)
    before = opened.calibration
    detector = beside(before)
    made = stricter(opened.faces, before, data=data, made_on=_today())
    left_out = f" ({opened.left_out} expired or of other models left out)" if opened.left_out else ""
    click.echo(f"{len(opened.faces)} people of {opened.issuer}{left_out}")
    change = "stays" if made.fused_threshold == before.fused_threshold else f"rises from {before.fused_threshold:.3f}"
    click.echo(f"the threshold {change}; FNMR cannot be measured with one reference a person")
    return made, detector


command = WithParts(name="calibrate", group="calibrate", parts=["liveness"], help=recognition.help)
