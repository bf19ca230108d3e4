"""`facestep bench login`: a whole login on our side, from the verified request to the redeemed code."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click
import pyotp

from plugin.commands.models import models_dir_option
from plugin.commands.reports import report_option, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from biometric.types import Frame
    from plugin.ceremonies.types import CeremonyView
    from plugin.factors.face import FaceFactor
    from plugin.settings import Settings
    from plugin.wiring import Services

BATCH: Final = 6
UPLOAD_MS: Final = 60


@click.command("login")
@report_option("--json", help="Where the report goes, as JSON.")
@click.option("--runs", type=click.IntRange(1, 1000), default=10, show_default=True, help="Logins; medians count.")
@models_dir_option
def command(out: Path, *, runs: int, models_dir: Path) -> None:
    """Measure one login: ceremony, one-time code, face challenge of 60 frames, verdict, result code.

    A drawn face stands before the camera. SQLite and keys in a temporary folder, one process, no HTTP.

    \b
    Example:
      facestep bench login --json login.json
    """  # noqa: D301  (\b is click's marker for text it must not wrap)
    from biometric.evaluation.drawn_face import login_frames
    from plugin.commands import bench_rig
    from plugin.wiring import build_services, utc_now

    film = list(login_frames())
    with bench_rig.temporary_settings(models_dir) as settings:
        services = build_services(settings)
        services = replace(services, face=_face_with_known_steps(services, settings))
        now = utc_now()
        person, view = bench_rig.enrol_totp(services, "somebody", now=now)
        shown = services.recovery_codes.show(view, now=now)
        _pass_camera(services, services.recovery_codes.acknowledge(shown.view, now=now), film, now=now)
        measured = []
        for number in range(1, runs + 1):
            at = now + timedelta(seconds=30 * number)
            measured.append(bench_rig.measured(lambda at=at: _log_in(services, person, film, now=at)))  # type: ignore[misc]
    result = {"unit": "one login", **bench_rig.summary(measured)}
    write_json(out, result)
    click.echo(
        f"{result['cpu_s']['median']:.3f} CPU s, {result['wall_s']['median']:.3f} s wall a login; "
        f"peak {result['peak_rss_mb']:.0f} MB"
    )


def _log_in(services: Services, person: Any, film: Sequence[Frame], *, now: datetime) -> None:
    from plugin.ceremonies.types import Purpose
    from plugin.commands import bench_rig

    view = bench_rig.begin(services, Purpose.LOGIN, person.owner, now=now)
    view = services.totp.verify(view, pyotp.TOTP(person.secret).at(now), now=now)
    done = _pass_camera(services, view, film, now=now)
    services.ceremonies.issue_code(done, now=now)


def _pass_camera(services: Services, view: CeremonyView, film: Sequence[Frame], *, now: datetime) -> CeremonyView:
    """Send the film in batches; the last one brings the verdict. Raises FaceRefused if it is a no."""
    frames = [_fresh(frame) for frame in film]
    view = services.face.start(view, now=now).view
    for start in range(0, len(frames), BATCH):
        batch = frames[max(0, start - 1) : start + BATCH]
        at = now + timedelta(milliseconds=batch[-1].captured_ms + UPLOAD_MS)
        view = services.face.push(view, batch, now=at).view
    return view


def _fresh(frame: Frame) -> Frame:
    """Return the same picture in other bytes: the service recognises an upload that it has seen before."""
    return replace(frame, jpeg=frame.jpeg + secrets.token_bytes(8))


def _face_with_known_steps(services: Services, settings: Settings) -> FaceFactor:
    """Return a face factor whose challenge is always the one that the drawn face obeys."""
    from biometric.evaluation.drawn_face import STEPS
    from biometric.liveness.challenge import parse_steps
    from biometric.liveness.session import FaceSession
    from plugin.factors.face import FaceFactor
    from plugin.wiring import open_pipeline

    class KnownSteps(FaceSession):
        """Asks for the film's steps, without pauses."""

        @classmethod
        def begin(cls, steps: Sequence[Any], **options: Any) -> FaceSession:
            """Begin with other steps than those drawn."""
            del steps
            return FaceSession.begin(parse_steps(STEPS), **{**options, "pauses_ms": (), "colours": ()})

    return FaceFactor(
        ceremonies=services.ceremonies,
        pipeline=open_pipeline(settings),
        database=services.database,
        sealer=services.sealer,
        attempts=services.attempts,
        audit=services.audit,
        settings=settings,
        sessions=KnownSteps,
    )
