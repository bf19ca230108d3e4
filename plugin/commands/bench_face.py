"""`facestep bench face`: the face part of one login, frames of 640x480."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import click

from plugin.commands.models import calibration_option, models_dir_option
from plugin.commands.reports import report_option, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from biometric.evaluation.drawn_login import Film
    from biometric.pipeline import FacePipeline
    from biometric.types import FaceEmbeddings, Frame

UPLOAD_MS: Final = 60
SEED: Final = 0
MEASURES: Final = ("cpu_s", "wall_s", "verdict_ms", "state_bytes")


@click.command("face")
@report_option("--json", help="Where the report goes, as JSON.")
@click.option("--runs", type=click.IntRange(1, 1000), default=10, show_default=True, help="Logins; medians count.")
@calibration_option
@models_dir_option
def command(out: Path, *, runs: int, calibration: Path | None, models_dir: Path) -> None:
    """Measure the face part of one login: a drawn face turns, blinks, smiles, comes closer, stands in the colours.

    Twice: in 60 frames, the fewest that a challenge lets in (one every 175 ms), and in 156, as a page films (15 a
    second). The state is written to bytes and read back between batches, as the service does. The verdict is timed
    from the arrival of the last batch.

    \b
    Example:
      facestep bench face --json face.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.evaluation.drawn_login import FLUENT, SPARSE
    from biometric.pipeline import FacePipeline

    began = time.perf_counter()
    pipeline = FacePipeline.open(models_dir, calibration=calibration)
    load_s = time.perf_counter() - began
    sparse, fluent = (_measured(film, pipeline, runs=runs) for film in (SPARSE, FLUENT))
    write_json(out, {"unit": "face part of one login", "load_s": load_s, **sparse, "fluent": fluent})
    for figures in (sparse, fluent):
        click.echo(
            f"{figures['frames']} frames, one every {figures['every_ms']} ms: {figures['cpu_s']['median']:.3f} CPU s, "
            f"{figures['wall_s']['median']:.3f} s wall; verdict {figures['verdict_ms']['median']:.0f} ms after the "
            f"last batch; peak {figures['peak_rss_mb']:.0f} MB"
        )


def _measured(film: Film, pipeline: FacePipeline, *, runs: int) -> dict[str, Any]:
    """Return the figures of `runs` logins with this film, after an enrolment."""
    from biometric.evaluation.drawn_login import login_frames
    from plugin.commands.bench_rig import summary

    frames = list(login_frames(film))
    enrolled = play_login(frames, film, pipeline, reference=None)["embeddings"]
    measured = [play_login(frames, film, pipeline, reference=enrolled) for _ in range(runs)]
    return {
        "frames": len(frames),
        "every_ms": film.every_ms,
        "batch": film.batch,
        **summary([{name: one[name] for name in MEASURES} for one in measured]),
    }


def play_login(
    frames: Sequence[Frame], film: Film, pipeline: FacePipeline, *, reference: FaceEmbeddings | None
) -> dict[str, Any]:
    """Play one whole login, each time by the same chance; raises FaceRejected if it is not one that is let in."""
    import numpy as np

    from biometric.evaluation.drawn_login import SHOWN, STEPS, batches
    from biometric.liveness.challenge import parse_steps
    from biometric.liveness.session import FaceSession

    chance = np.random.default_rng(SEED)
    cpu, wall = time.process_time(), time.perf_counter()
    arrived = wall
    mode = "enrol" if reference is None else "login"
    state = FaceSession.begin(parse_steps(STEPS), mode=mode, colours=SHOWN).to_bytes()
    session = FaceSession.from_bytes(state)
    for batch, light_ms in batches(frames, film):
        arrived = time.perf_counter()
        session = FaceSession.from_bytes(state)
        now_ms = batch[-1].captured_ms + UPLOAD_MS
        session.push(batch, pipeline=pipeline, now_ms=now_ms, light_ms=light_ms, chance=chance)
        state = session.to_bytes()
    face = session.verdict(reference=reference, calibration=pipeline.calibration)
    done = time.perf_counter()
    return {
        "cpu_s": time.process_time() - cpu,
        "wall_s": done - wall,
        "verdict_ms": 1000 * (done - arrived),
        "state_bytes": len(state),
        "embeddings": face.embeddings,
        "confirmed_by": face.confirmed_by,
    }
