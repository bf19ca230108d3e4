"""`facestep bench login`: a whole login on our side, from the verified request to the redeemed code."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click
import pyotp

from plugin.commands.models import models_dir_option
from plugin.commands.reports import report_option, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from biometric.evaluation.drawn_login import Film
    from biometric.pipeline import FacePipeline
    from biometric.types import Frame
    from plugin.ceremonies.types import CeremonyView
    from plugin.factors.face import FaceFactor
    from plugin.wiring import Services

UPLOAD_MS: Final = 60


@click.command("login")
@report_option("--json", help="Where the report goes, as JSON.")
@click.option("--runs", type=click.IntRange(1, 1000), default=10, show_default=True, help="Logins; medians count.")
@models_dir_option
def command(out: Path, *, runs: int, models_dir: Path) -> None:
    """Measure one login: ceremony, one-time code, face challenge, verdict, result code.

    A drawn face stands before the camera, once in 60 frames and once in 156 (`facestep bench face --help`). SQLite
    and keys in a temporary folder, one process, no HTTP.

    \b
    Example:
      facestep bench login --json login.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.evaluation.drawn_login import FLUENT, SPARSE
    from plugin.commands import bench_rig
    from plugin.wiring import build_services, open_pipeline, utc_now

    with bench_rig.temporary_settings(models_dir) as settings:
        pipeline = open_pipeline(settings)  # once, as in a worker
        services = build_services(settings, pipeline=pipeline)
        services = replace(services, face=_face_with_known_steps(services, pipeline))
        now = utc_now()
        person, view = bench_rig.enrol_totp(services, "somebody", now=now)
        shown = services.recovery_codes.show(view, now=now)
        _pass_camera(services, services.recovery_codes.acknowledge(shown.view, now=now), SPARSE, now=now)
        times = (now + timedelta(seconds=30 * number) for number in range(1, 2 * runs + 1))
        for film in (SPARSE, FLUENT):
            _drawn(film)
        sparse, fluent = (
            _measured(services, person, film, times=list(islice(times, runs))) for film in (SPARSE, FLUENT)
        )
    write_json(out, {"unit": "one login", **sparse, "fluent": fluent})
    for figures in (sparse, fluent):
        click.echo(
            f"{figures['frames']} frames: {figures['cpu_s']['median']:.3f} CPU s, "
            f"{figures['wall_s']['median']:.3f} s wall a login; peak {figures['peak_rss_mb']:.0f} MB"
        )


def _measured(services: Services, person: Any, film: Film, *, times: Sequence[datetime]) -> dict[str, Any]:
    from plugin.commands import bench_rig

    measured = [bench_rig.measured(partial(_log_in, services, person, film, now=at)) for at in times]
    return {"frames": film.frames, **bench_rig.summary(measured)}


def _log_in(services: Services, person: Any, film: Film, *, now: datetime) -> None:
    from plugin.ceremonies.types import Purpose
    from plugin.commands import bench_rig

    view = bench_rig.begin(services, Purpose.LOGIN, person.owner, now=now)
    view = services.totp.verify(view, pyotp.TOTP(person.secret).at(now), now=now)
    done = _pass_camera(services, view, film, now=now)
    services.ceremonies.issue_code(done, now=now)


def _pass_camera(services: Services, view: CeremonyView, film: Film, *, now: datetime) -> CeremonyView:
    """Send the film in batches; the last one brings the verdict. Raises FaceRefused if it is a no."""
    from biometric.evaluation.drawn_login import batches
    from biometric.liveness.chain import sign_frames

    challenge = services.face.start(view, now=now)
    frames = sign_frames([_fresh(frame) for frame in _drawn(film)], key=challenge.chain_key)
    view = challenge.view
    for batch, light_ms in batches(frames, film):
        at = now + timedelta(milliseconds=batch[-1].captured_ms + UPLOAD_MS)
        view = services.face.push(view, batch, now=at, light_ms=light_ms).view
    return view


@cache
def _drawn(film: Film) -> list[Frame]:
    """Return the film's frames; drawn once, so that drawing is not measured."""
    from biometric.evaluation.drawn_login import login_frames

    return list(login_frames(film))


def _fresh(frame: Frame) -> Frame:
    """Return the same picture in other bytes: the service recognises an upload that it has seen before."""
    return replace(frame, jpeg=frame.jpeg + secrets.token_bytes(8))


def _face_with_known_steps(services: Services, pipeline: FacePipeline) -> FaceFactor:
    """Return a face factor whose challenge is always the one that the drawn face obeys."""
    from biometric.evaluation.drawn_login import SHOWN, STEPS
    from biometric.liveness.challenge import parse_steps
    from biometric.liveness.session import FaceSession
    from plugin.factors.face import FaceFactor

    class KnownSteps(FaceSession):
        """Asks for the film's steps, without pauses."""

        @classmethod
        def begin(cls, steps: Sequence[Any], **options: Any) -> FaceSession:
            """Begin with other steps than those drawn."""
            del steps
            return FaceSession.begin(parse_steps(STEPS), **{**options, "pauses_ms": (), "colours": SHOWN})

    return FaceFactor(
        ceremonies=services.ceremonies,
        pipeline=pipeline,
        database=services.database,
        sealer=services.sealer,
        attempts=services.attempts,
        audit=services.audit,
        settings=services.settings,
        sessions=KnownSteps,
    )
