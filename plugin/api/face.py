"""Calls of the face check: draw a challenge, take frames, say what to do next. No score ever leaves.

Not here: what the frames show (biometric/), attempts and verdict (factors/face.py).
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, jsonify, url_for

from biometric.liveness.challenge import HOLD_MS
from plugin.api.frames import BATCH, MOST_NEW, read_frames
from plugin.api.parsing import Flag, Number, Schema, Text, json_body
from plugin.ceremonies.redirects import denied_url, success_url
from plugin.ceremonies.types import Purpose, Stage
from plugin.errors import CeremonyRefused, public
from plugin.factors.camera_report import LONGEST_LABEL, CameraReport
from plugin.factors.face_answers import FaceRefused
from plugin.web.context import helpdesk_of, load_ceremony, now, offers_new_codes, services

if TYPE_CHECKING:
    from plugin.ceremonies.types import CeremonyView
    from plugin.factors.face_answers import FaceStep
    from plugin.helpdesk.face_checks import FaceChecks

bp = Blueprint("face", __name__, url_prefix="/face")

_CAMERA: Final = {"width": 640, "height": 480, "interval_ms": 66, "jpeg_quality": 0.9}
"""15 pictures a second: a blink lasts 70 to 400 ms and needs several."""
_NUMBER: Final = Number(100_000, nullable=True)
_START: Final[Schema] = {
    "light": Flag(),
    "camera": {"label": Text(LONGEST_LABEL), "width": _NUMBER, "height": _NUMBER, "frame_rate": _NUMBER},
}


@bp.post("/start")
def start(ceremony_id: str) -> Response:
    """Draw a challenge, which counts as an attempt; reveal its first step and give the key of its frames' chain."""
    view = load_ceremony(ceremony_id)
    wanted = json_body(_START)
    camera = CameraReport(**wanted["camera"])
    settings = services().settings
    try:
        challenge = services().face.start(view, light=wanted["light"], camera=camera, now=now())
    except FaceRefused as refusal:
        return _refused(view, refusal)
    sizes = {
        "batch": BATCH,
        "batch_most": MOST_NEW,
        "max": settings.max_frames,
        "max_bytes": settings.max_frame_bytes,
    }
    return jsonify(
        step=_step(challenge.step),
        steps_total=challenge.steps_total,
        deadline_ms=challenge.deadline_ms,
        chain_key=urlsafe_b64encode(challenge.chain_key).rstrip(b"=").decode("ascii"),
        frame=_CAMERA | sizes,
    )


@bp.post("/frames")
def frames(ceremony_id: str) -> Response:
    """Take the next frames and answer with what the person should do, or with the end of it."""
    view = load_ceremony(ceremony_id)
    received = read_frames(max_frame_bytes=services().settings.max_frame_bytes)
    try:
        progress = services().face.push(view, received.frames, light_ms=received.light_ms, now=now())
    except FaceRefused as refusal:
        return _refused(view, refusal)
    if progress.state == "finished" and view.purpose is Purpose.CHECK:
        _face_checks().matched(progress.view, now=now())
        return jsonify(state="finished", redirect=view.redirect_uri)
    if progress.state == "finished":
        _tell_of_new_face(progress.view)
        if progress.view.stage is not Stage.DONE:  # a recovery goes on with a new factor
            return jsonify(state="finished", next=url_for("pages.show", ceremony_id=ceremony_id))
        reminded = services().lifecycle.remind(progress.view, now=now())
        if reminded or offers_new_codes(progress.view):  # the page says it, then hands the result out
            return jsonify(state="finished", next=url_for("pages.show", ceremony_id=ceremony_id))
        code = services().ceremonies.issue_code(progress.view, now=now())
        return jsonify(state="finished", redirect=success_url(progress.view, code))
    answer: dict[str, Any] = {"state": progress.state, "hint": progress.hint}
    if progress.step is not None:
        answer["step"] = _step(progress.step)
    return jsonify(answer)


def _face_checks() -> FaceChecks:
    """Return who takes the result of a check; without a helpdesk nobody does."""
    desk = services().helpdesk
    if desk is None:
        raise CeremonyRefused("ceremony_refused", "no_helpdesk")
    return desk.face_checks


def _tell_of_new_face(view: CeremonyView) -> None:
    """Tell all addresses of a face that took the place of another, and end old sessions."""
    desk = helpdesk_of(view)
    if view.purpose.is_recovery and view.purpose.enrols_face and desk is not None:
        desk.aftermath.face_replaced(view, now=now())


def _refused(view: CeremonyView, refusal: FaceRefused) -> Response:
    """Say no with one sentence; when no try is left the ceremony is over and the person is taken back."""
    answer = {
        "state": "refused",
        "error": refusal.code,
        "message": public(refusal.code).message,
        "may_retry": refusal.may_retry,
    }
    if refusal.may_retry and view.purpose is Purpose.CHECK:
        _face_checks().tried(view)
    if not refusal.may_retry:
        desk = services().helpdesk
        if view.purpose is Purpose.RECOVER and desk is not None:
            desk.aftermath.impostor(view, now=now())
        answer["redirect"] = denied_url(view, refusal.code)
        if view.purpose is Purpose.CHECK:
            _face_checks().failed(view, another=refusal.another, now=now())
            answer["redirect"] = view.redirect_uri
    return jsonify(answer)


def _step(step: FaceStep) -> dict[str, Any]:
    told: dict[str, Any] = {"index": step.index, "action": step.action, "count": step.count}
    return told | {"colours": step.colours, "hold_ms": HOLD_MS} if step.colours else told
