"""The face factor on the real pipeline, with simulated people at the camera. Every result here is a simulated one."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from biometric.liveness.chain import START, sign_frames
from biometric.liveness.challenge import HOLD_MS
from biometric.pipeline import FacePipeline
from biometric.types import Frame
from plugin.ceremonies.types import Stage
from plugin.factors.face import FaceFactor
from plugin.factors.face_answers import FaceRefused
from tests.biometric.liveness.rig import DARK_MS, light_of
from tests.fixtures_cache import load_picture
from tests.simulator import Person as Simulated
from tests.simulator import Subject as Head
from tests.simulator import jpeg

pytestmark = pytest.mark.models

FRAME_MS, BATCH, ANSWER_MS, UPLOAD_MS = 66, 6, 120, 60


@pytest.fixture(scope="module")
def pipeline() -> FacePipeline:
    return FacePipeline.open(Path("~/.cache/facestep/models").expanduser())


@pytest.fixture
def live(world, pipeline):
    world.face = FaceFactor(
        ceremonies=world.ceremonies,
        pipeline=pipeline,
        database=world.database,
        sealer=world.sealer,
        attempts=world.attempts,
        audit=world.audit,
        settings=world.settings,
        rng=Random(4),
    )
    return world


def plays(world, person, actor, view):
    """Let the actor obey the page until the challenge ends; return the last view and every frame that was sent."""
    begun = world.now
    challenge = world.face.start(view, now=world.now)
    actor.show("centre", 1, 0.0)
    sent, batch, shows, light_ms = [], [], None, None
    for seq in range(challenge.deadline_ms // FRAME_MS):
        at_ms = seq * FRAME_MS
        if shows is not None and at_ms >= shows[0]:
            actor.show(shows[1].action, shows[1].count, shows[0])
            light_ms = shines(actor, shows[1].colours, round(shows[0]) + DARK_MS)
            shows = None
        batch.append(Frame(seq, at_ms, jpeg(actor, at_ms)))
        if len(batch) < BATCH:
            continue
        world.now = begun
        world.passes(seconds=(at_ms + UPLOAD_MS) / 1000)
        batch = sign_frames(batch, key=challenge.chain_key, before=sent[-1].tag if sent else START)
        progress = world.face.push(person.view(), [*sent[-1:], *batch], now=world.now, light_ms=light_ms)
        sent, batch = sent + batch, []
        if progress.state == "finished":
            return progress.view, sent
        if progress.state == "next_step":
            shows = at_ms + ANSWER_MS, progress.step
    raise AssertionError("the simulated person did not finish")


def shines(actor, colours, begins_ms):
    """Let the page's colours fall on the actor; return when they began, None without any."""
    for number, colour in enumerate(colours):
        actor.light(light_of(colour), begins_ms + number * HOLD_MS)
    return begins_ms if colours else None


def enrolled(world, picture: str = "person_b_1"):
    person = world.person()
    view, frames = plays(world, person, Simulated(Head(load_picture(picture)), seed=1), person.enrols_up_to(Stage.FACE))
    assert view.stage is Stage.DONE
    world.passes(seconds=60)
    return person, frames


def test_enrolled_person_logs_in_and_yesterdays_frames_do_not(live):
    person, frames = enrolled(live)
    view, _ = plays(live, person, Simulated(Head(load_picture("person_b_1")), seed=2), person.proves_totp())
    assert (view.stage, view.amr) == (Stage.DONE, ("otp", "face"))
    live.passes(seconds=60)
    plays_back(live, live.face.start(person.proves_totp(), now=live.now).view, frames)


def plays_back(world, view, frames) -> None:
    """Send old frames at the pace they were taken: they do what was asked yesterday, so the challenge never ends."""
    for place in range(0, len(frames), BATCH):
        world.passes(seconds=BATCH * FRAME_MS / 1000)
        try:
            progress = world.face.push(view, frames[max(place - 1, 0) : place + BATCH], now=world.now)
        except FaceRefused:
            return
        assert progress.state != "finished"
        view = progress.view
    world.passes(seconds=32)
    with pytest.raises(FaceRefused):
        world.face.push(view, frames[-1:], now=world.now)


def test_another_person_is_refused(live):
    person, _ = enrolled(live)
    with pytest.raises(FaceRefused) as refused:
        plays(live, person, Simulated(Head(load_picture("impostor_1")), seed=3), person.proves_totp())
    assert refused.value.code == "face_rejected"
    entry = live.audited("face_refused")[-1]
    assert any(reason.startswith("identity") for reason in entry["denied_by"])
    assert entry["fused_score"] < entry["fused_threshold"]
