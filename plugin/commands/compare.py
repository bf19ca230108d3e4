"""`facestep compare`: are these two pictures the same person?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plugin.commands.models import calibration_option, models_dir_option

if TYPE_CHECKING:
    from biometric.types import Comparison

EXIT_MATCH = 0
EXIT_NO_MATCH = 1
EXIT_CANNOT_TELL = 2


@click.command("compare")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@calibration_option
@models_dir_option
def command(first: Path, second: Path, *, as_json: bool, calibration: Path | None, models_dir: Path) -> None:
    """Compare the one face of each picture. JPEG, PNG or WebP.

    Exit status 0: the same person. 1: not. 2: cannot tell, with an error code.

    \b
    Examples:
      facestep compare passport.jpg selfie.jpg
      facestep compare passport.jpg selfie.jpg --json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.errors import BiometricError

    try:
        comparison = _compare(first, second, models_dir, calibration)
    except BiometricError as exc:
        if not as_json:
            raise  # the one line on stderr is the same for all commands (cli.py)
        click.echo(json.dumps({"error": exc.code}))
        sys.exit(EXIT_CANNOT_TELL)
    if as_json:
        click.echo(json.dumps(_table(comparison)))
    else:
        click.echo(_sentence(comparison))
    sys.exit(EXIT_MATCH if comparison.match else EXIT_NO_MATCH)


def _compare(first: Path, second: Path, models_dir: Path, calibration: Path | None) -> Comparison:
    from biometric.compare import compare
    from biometric.errors import CannotTell, ImageUnreadable
    from biometric.image import MAX_BYTES, decode_image
    from biometric.pipeline import FacePipeline

    pipeline = FacePipeline.open(models_dir, calibration=calibration)
    faces = []
    for path in (first, second):
        try:
            with path.open("rb") as handle:
                content = handle.read(MAX_BYTES + 1)  # never more than we would decode
            faces.append(pipeline.still(decode_image(content)).embeddings)
        except OSError as exc:
            raise ImageUnreadable(f"{path}: {exc.strerror}") from exc
        except CannotTell as exc:
            exc.args = (f"{path}: {exc}",)
            raise
    return compare(faces[0], faces[1], calibration=pipeline.calibration)


def _table(comparison: Comparison) -> dict[str, Any]:
    models = {"facenet": comparison.facenet, "sface": comparison.sface}
    return {
        "match": comparison.match,
        "models": {name: {"similarity": m.similarity, "threshold": m.threshold} for name, m in models.items()},
        "fused": {"score": comparison.fused_score, "threshold": comparison.fused_threshold},
    }


def _sentence(comparison: Comparison) -> str:
    verdict = "The same person" if comparison.match else "Not the same person"
    return (
        f"{verdict}: fused score {comparison.fused_score:.2f} (needed {comparison.fused_threshold:.2f}), "
        f"FaceNet {comparison.facenet.similarity:.3f} (at least {comparison.facenet.threshold:.3f}), "
        f"SFace {comparison.sface.similarity:.3f} (at least {comparison.sface.threshold:.3f})."
    )
