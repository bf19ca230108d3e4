"""`facestep bench face`: the face part of one login, 60 frames of 640x480."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import click

from plugin.commands.models import models_dir_option
from plugin.commands.reports import report_option, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from biometric.pipeline import FacePipeline
    from biometric.types import FaceEmbeddings, Frame

BATCH: Final = 6
UPLOAD_MS: Final = 60
MEASURES: Final = ("cpu_s", "wall_s", "verdict_ms", "state_bytes")


@click.command("face")
@report_option("--json", help="Where the report goes, as JSON.")
@click.option("--runs", type=click.IntRange(1, 1000), default=10, show_default=True, help="Logins; medians count.")
@models_dir_option
def command(out: Path, *, runs: int, models_dir: Path) -> None:
    """Measure the face part of one login: a drawn face turns, blinks and smiles in 60 frames, as a page sends them.

    The state is written to bytes and read back between batches, as the service does. The verdict is timed from the
    arrival of the last batch.

    \b
    Example:
      facestep bench face --json face.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.evaluation.drawn_face import login_frames
    from biometric.pipeline import FacePipeline
    from plugin.commands.bench_rig import summary

    began = time.perf_counter()
    pipeline = FacePipeline.open(models_dir)
    load_s = time.perf_counter() - began
    frames = list(login_frames())
    enrolled = _login(frames, pipeline, reference=None)["embeddings"]
    measured = [_login(frames, pipeline, reference=enrolled) for _ in range(runs)]
    result: dict[str, Any] = {
        "unit": "face part of one login",
        "frames": len(frames),
        "load_s": load_s,
        **summary([{name: one[name] for name in MEASURES} for one in measured]),
    }
    write_json(out, result)
    click.echo(
        f"{result['cpu_s']['median']:.3f} CPU s, {result['wall_s']['median']:.3f} s wall for {len(frames)} frames; "
        f"verdict {result['verdict_ms']['median']:.0f} ms after the last batch; peak {result['peak_rss_mb']:.0f} MB"
    )


def _login(frames: Sequence[Frame], pipeline: FacePipeline, *, reference: FaceEmbeddings | None) -> dict[str, Any]:
    """Play one whole login; raises FaceRejected if it is not one that is let in."""
    from biometric.evaluation.drawn_face import STEPS
    from biometric.liveness.challenge import parse_steps
    from biometric.liveness.session import FaceSession

    cpu, wall = time.process_time(), time.perf_counter()
    arrived = wall
    mode = "enrol" if reference is None else "login"
    state = FaceSession.begin(parse_steps(STEPS), mode=mode).to_bytes()
    session = FaceSession.from_bytes(state)
    for start in range(0, len(frames), BATCH):
        batch = frames[max(0, start - 1) : start + BATCH]
        arrived = time.perf_counter()
        session = FaceSession.from_bytes(state)
        session.push(batch, pipeline=pipeline, now_ms=batch[-1].captured_ms + UPLOAD_MS)
        state = session.to_bytes()
    face = session.verdict(reference=reference, calibration=pipeline.calibration)
    done = time.perf_counter()
    return {
        "cpu_s": time.process_time() - cpu,
        "wall_s": done - wall,
        "verdict_ms": 1000 * (done - arrived),
        "state_bytes": len(state),
        "embeddings": face.embeddings,
    }
