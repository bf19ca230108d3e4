"""The drawn face does what it is asked, so the benchmark measures a login that is let in; and it is let in for that."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from biometric.errors import FaceRejected
from biometric.evaluation.drawn_face import SHARE, Look, draw
from biometric.evaluation.drawn_login import FLUENT, LIGHT_MS, SHOWN, SPARSE, STEPS, batches, login_frames, look_at
from biometric.liveness.challenge import COLOURS, FLASHES, parse_steps
from biometric.liveness.session import FaceSession
from biometric.liveness.steps.closer import NEAR
from biometric.types import Frame
from plugin.commands.bench_face import UPLOAD_MS, play_login

FOREHEAD, RIM, BEHIND = (150, 320), (245, 254), (60, 60)  # row, column of the picture


def test_the_colours_are_such_as_are_drawn():
    assert len(SHOWN) == FLASHES
    assert set(SHOWN) == set(COLOURS)
    assert all(before != after for before, after in pairwise(SHOWN))


@pytest.mark.parametrize("film", [SPARSE, FLUENT], ids=["sparse", "fluent"])
def test_batches_overlap_and_tell_of_the_light_when_it_is_there(film):
    frames = [Frame(seq, seq * film.every_ms, b"") for seq in range(film.frames)]
    sent = list(batches(frames, film))
    assert [batch[0].seq for batch, _ in sent[1:]] == [batch[-1].seq for batch, _ in sent[:-1]]
    assert sent[-1][0][-1].seq == film.frames - 1
    for batch, light_ms in sent:
        assert light_ms == (LIGHT_MS if batch[-1].captured_ms >= LIGHT_MS else None)


def test_the_light_falls_on_the_middle_more_than_on_the_sides_and_not_behind():
    dark, lit = (draw(Look(light=light)).astype(float) for light in ((0.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
    gained = {name: (lit[at] / dark[at])[1] - 1 for name, at in (("middle", FOREHEAD), ("rim", RIM))}
    assert 0.4 * SHARE / 2.2 < gained["middle"] <= SHARE
    assert gained["rim"] < 0.85 * gained["middle"]
    assert (lit[BEHIND] == dark[BEHIND]).all()
    assert (lit[FOREHEAD][[0, 2]] == dark[FOREHEAD][[0, 2]]).all()  # the screen was green


def test_the_colours_end():
    assert any(look_at(LIGHT_MS + 100).light)
    assert not any(look_at(LIGHT_MS - 1).light)
    assert not any(look_at(LIGHT_MS + 500 * FLASHES + 100).light)


@pytest.mark.models
def test_what_comes_closer_grows_and_its_nose_more_than_its_ears(pipeline):
    marks = []
    for near in (1.0, 1.5):
        image = draw(Look(near=near))
        marks.append(pipeline.mesh.locate(image, pipeline.detector.detect(image)[0]).points)
    eyes, nose = ([abs(points[a, 0] - points[b, 0]) for points in marks] for a, b in ((33, 263), (98, 327)))
    assert eyes[1] / eyes[0] > NEAR
    assert nose[1] / nose[0] > 1.02 * eyes[1] / eyes[0]


@pytest.fixture(scope="module")
def filmed():
    return list(login_frames(SPARSE))


@pytest.mark.models
def test_a_login_of_five_steps_is_let_in_on_geometry_light_and_behaviour(pipeline, filmed):
    enrolled = play_login(filmed, SPARSE, pipeline, reference=None)
    played = play_login(filmed, SPARSE, pipeline, reference=enrolled["embeddings"])
    assert {"challenge", "planarity", "perspective", "colour"} <= set(played["confirmed_by"])


@pytest.mark.models
def test_the_same_film_is_refused_when_other_colours_were_drawn(pipeline, filmed):
    other = tuple(np.roll(np.array(SHOWN), 2, axis=0).tolist())
    session = FaceSession.begin(parse_steps(STEPS), mode="enrol", colours=[tuple(colour) for colour in other])
    chance = np.random.default_rng(0)
    for batch, light_ms in batches(filmed, SPARSE):
        now_ms = batch[-1].captured_ms + UPLOAD_MS
        session.push(batch, pipeline=pipeline, now_ms=now_ms, light_ms=light_ms, chance=chance)
    with pytest.raises(FaceRejected) as refused:
        session.verdict(reference=None, calibration=pipeline.calibration)
    assert any("colour" in reason for reason in refused.value.reasons)


@pytest.mark.models
def test_the_same_film_is_refused_when_another_order_was_drawn(pipeline, filmed):
    steps = parse_steps("smile turn_left blink:1 closer flash")
    session = FaceSession.begin(steps, mode="enrol", colours=SHOWN)
    for batch, _ in batches(filmed, SPARSE):
        progress = session.push(batch, pipeline=pipeline, now_ms=batch[-1].captured_ms + UPLOAD_MS)
        if progress.state.value == "failed":
            break
    with pytest.raises(FaceRejected):
        session.verdict(reference=None, calibration=pipeline.calibration)
