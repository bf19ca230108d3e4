"""`facestep evaluate adversarial`: pictures made for the recognisers, against one model, both, and the decision."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from plugin.commands.gradients import graph_option
from plugin.commands.models import calibration_option, models_dir_option
from plugin.commands.progress import stages
from plugin.commands.reports import writable, write_json, write_text

QUICK: Final = {"pairs": 8, "people": 40, "steps": 6}
_NAMES: Final = ("facenet_alone", "decision", "with_detector")


@click.command("adversarial")
@click.option("--images", type=click.Path(path_type=Path), required=True, help="DIR/person/*.jpg, many people.")
@click.option("--pairs", type=click.IntRange(min=1), default=100, show_default=True, help="Of impostor and victim.")
@click.option(
    "--people", type=click.IntRange(min=2), default=300, show_default=True, help="With two pictures, at most."
)
@click.option("--steps", type=click.IntRange(min=1), default=8, show_default=True, help="Of each white-box attack.")
@click.option("--quick", is_flag=True, help="8 pairs, 40 people, 6 steps: minutes, and figures that mean little.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of every draw.")
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Of TensorFlow.")
@click.option(
    "--json",
    "out",
    type=click.Path(path_type=Path),
    callback=lambda c, p, v: v and writable(c, p, v),
    help="Where the report goes, as JSON.",
)
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), help="Folder for a page to read.")
@click.option("--detector", type=click.Path(path_type=Path, exists=True), help="Another agreement.json.")
@calibration_option
@graph_option
@models_dir_option
def command(
    images: Path,
    *,
    pairs: int,
    people: int,
    steps: int,
    quick: bool,
    seed: int,
    threads: int,
    out: Path | None,
    report: Path | None,
    detector: Path | None,
    calibration: Path | None,
    graph: Path | None,
    models_dir: Path,
) -> None:
    """Attack the recognisers with gradients (PGD, 8 of 255 levels) and by yes and no, on people who trained nothing.

    Uses the people that `facestep calibrate` reports on. Needs TensorFlow (the extra `convert`); 25 minutes on two
    idle cores.

    \b
    Examples:
      facestep evaluate adversarial --images faces/lfw --pairs 100 --json adversarial.json --report page
      facestep evaluate adversarial --images faces/lfw --quick
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.agreement import Agreement
    from biometric.evaluation.corpus import find_pictures
    from biometric.pipeline import FacePipeline
    from plugin.ceremonies.attempts import LIMITS, Counted
    from plugin.commands.gradients import open_nets

    find_pictures(images)  # so that a wrong folder is told before seconds of loading
    pipeline = FacePipeline.open(models_dir, calibration=calibration)
    agreement = Agreement.load(pipeline.calibration, detector)
    nets = open_nets(models_dir, threads=threads, graph=graph)
    from biometric.evaluation.adversarial import Order, evaluate_adversarial  # after TensorFlow is known to be there
    from biometric.evaluation.adversarial_page import page

    size = QUICK if quick else {"pairs": pairs, "people": people, "steps": steps}
    order = Order(**size, queries=LIMITS[Counted.FACE].total, seed=seed)
    with stages() as progress:
        found = evaluate_adversarial(images, pipeline, nets, agreement, order=order, report=progress)
    if out is not None:
        write_json(out, found)
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        write_text(report / "adversarial.html", page(found))
    click.echo(summary(found))


def summary(found: dict[str, Any]) -> str:
    """Return the report as a small table."""
    lines = [f"{found['pairs']} pairs, {found['epsilon_levels']:.0f} of 255 levels, {found['steps']} steps"]
    lines.append(f"{'accepted by':62} {'FaceNet alone':>14} {'decision':>9} {'+ detector':>11}  caught at 1 % (head)")
    for letter, row in found["attacks"].items():
        said = [f"{row['accepted_by'][name]['value']:.1%}" for name in _NAMES]
        head = row["caught_at_1_percent"].get("trained head")
        caught = f"{head['of_all']['value']:.1%}" if head else "-"
        lines.append(f"{letter:8} {row['attack']:53} {said[0]:>14} {said[1]:>9} {said[2]:>11}  {caught}")
    box, genuine = found["e"], found["genuine"]
    lines.append(f"e        yes and no only, {box['queries_each']} answers a pair: {box['success']['value']:.1%}")
    said = [f"{genuine['accepted_by'][name]['value']:.1%}" for name in ("fused_score", "decision", "with_detector")]
    lines.append(
        f"genuine  accepted by the fused score {said[0]}, by the decision {said[1]}, with the detector {said[2]}"
    )
    return "\n".join(lines)
