"""Hostile, broken and unfitting camera frames over HTTP: each a stable code, one sentence, and nothing accepted."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from sqlalchemy import func, select

from biometric.liveness.stream import MAX_FRAMES
from biometric.pipeline import FacePipeline
from biometric.types import Frame
from plugin.ceremonies.types import Stage
from plugin.errors import PUBLIC
from plugin.pages.texts import BROWSER_TEXTS
from plugin.store.tables import ResultCode
from tests.fixtures_cache import load_picture
from tests.plugin.api.web import CAMERA, Browser, Chain, error_of, make_app

FRAME_MS = 66
RNG = np.random.default_rng(1)


def jpeg(picture=None, *, size=(640, 480)):
    """Return a picture as a camera sends it; its noise makes each one different."""
    image = np.full((size[1], size[0], 3), 90, np.uint8) if picture is None else picture.copy()
    image[:8, :8] = RNG.integers(0, 256, (8, 8, 3), np.uint8)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def bomb():
    """A few hundred bytes that claim to be four thousand million pixels."""
    data = bytearray(jpeg(size=(64, 48)))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(data)


def camera(count=6, *, first=0, start_ms=0):
    return [(first + i, start_ms + (first + i) * FRAME_MS, jpeg()) for i in range(count)]


def with_last(frames, *, seq=None, ms=None, data=None):
    """Change the last frame of an upload."""
    old_seq, old_ms, old_data = frames[-1]
    last = (old_seq if seq is None else seq, old_ms if ms is None else ms, old_data if data is None else data)
    return [*frames[:-1], last]


class NobodyThere:
    """A pipeline that sees an empty room, for frames that are refused before or without a face."""

    calibration = SimpleNamespace(framing="none", models={}, id="none")
    detector = SimpleNamespace(detect=lambda _, **__: [])


@pytest.fixture
def sits(world):
    """Return a function that puts Alice, possession proven and a challenge drawn, before a pipeline."""

    def before(pipeline):
        browser = Browser(make_app(world, pipeline=pipeline), world.person())
        browser.person.has_totp().proves_totp()
        assert "step" in browser.starts_face().get_json()
        world.passes(seconds=6 * FRAME_MS / 1000)
        return browser

    return before


@pytest.fixture
def at_camera(sits):
    return sits(NobodyThere())


def nothing_accepted(world, browser):
    """Tell that the login stands where it stood."""
    view = browser.person.view()
    with world.database.reading() as session:
        codes = session.scalar(select(func.count()).select_from(ResultCode))
    return (view.stage, view.amr, codes) == (Stage.FACE, ("otp",), 0)


BAD = {
    "bomb": (lambda: with_last(camera(), data=bomb()), "image_too_large"),
    "truncated": (lambda: with_last(camera(), data=jpeg()[:2000]), "image_unreadable"),
    "last byte missing": (lambda: with_last(camera(), data=jpeg()[:-1]), "image_unreadable"),
    "no picture": (lambda: with_last(camera(), data=b"GIF89a" + bytes(90)), "image_unreadable"),
    "empty": (lambda: with_last(camera(), data=b""), "image_unreadable"),
    "only a beginning": (lambda: with_last(camera(), data=b"\xff\xd8\xff"), "image_unreadable"),
    "another size": (lambda: with_last(camera(), data=jpeg(size=(320, 240))), "frames_invalid"),
    "a larger picture": (lambda: with_last(camera(), data=jpeg(size=(1280, 960))), "image_too_large"),
    "out of order": (lambda: camera()[::-1], "frames_invalid"),
    "a gap": (lambda: with_last(camera(), seq=7), "frames_invalid"),
    "not from the beginning": (lambda: camera(first=3), "frames_invalid"),
    "a position twice": (lambda: with_last(camera(), seq=4), "frames_invalid"),
    "the same picture twice": (lambda: [(0, 0, f := jpeg()), (1, FRAME_MS, f)], "frames_invalid"),
    "the same time twice": (lambda: with_last(camera(), ms=4 * FRAME_MS), "frames_invalid"),
    "too slow": (lambda: with_last(camera(), ms=4 * FRAME_MS + 1600), "frames_invalid"),
    "from the future": (lambda: camera(start_ms=900), "frames_invalid"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_frames_are_refused_with_one_sentence_and_use_up_the_challenge(world, at_camera, name):
    frames, code = BAD[name][0](), BAD[name][1]
    answer = at_camera.uploads(frames)
    expected = {"state": "refused", "error": code, "message": PUBLIC[code].message, "may_retry": True}
    assert (answer.status_code, answer.get_json()) == (200, expected)
    assert nothing_accepted(world, at_camera)
    assert world.audited("face_refused")[-1]["code"] == code
    assert at_camera.uploads(camera()).get_json()["error"] == "frames_invalid"  # the challenge is gone
    assert "step" in at_camera.starts_face().get_json()


def test_frames_that_come_late_are_refused(world, at_camera):
    world.passes(seconds=5)
    assert at_camera.uploads(camera()).get_json()["error"] == "frames_invalid"
    assert nothing_accepted(world, at_camera)


def test_frames_after_the_deadline_are_refused(world, at_camera):
    world.passes(seconds=33)
    answer = at_camera.uploads(camera(start_ms=32_900)).get_json()
    assert (answer["error"], answer["message"]) == ("face_rejected", PUBLIC["face_rejected"].message)
    assert nothing_accepted(world, at_camera)


def test_a_second_upload_that_does_not_repeat_the_last_frame_is_refused(world, at_camera):
    assert at_camera.uploads(camera()).get_json()["state"] == "go_on"
    world.passes(seconds=6 * FRAME_MS / 1000)
    assert at_camera.uploads(camera(first=6)).get_json()["error"] == "frames_invalid"
    assert nothing_accepted(world, at_camera)


@pytest.mark.parametrize(
    "frames",
    [lambda: with_last(camera(), data=jpeg() + bytes(400_000)), lambda: camera(13)],
    ids=["too big", "too many in one upload"],
)
def test_an_upload_beyond_its_limits_is_not_read_and_changes_nothing(world, at_camera, frames):
    before = at_camera.person.view()
    answer = at_camera.uploads(frames())
    assert error_of(answer) == (413, "too_large")
    assert answer.get_json()["message"] == PUBLIC["too_large"].message
    assert at_camera.person.view() == before
    assert nothing_accepted(world, at_camera)


def test_more_frames_than_a_challenge_has_are_refused(world, at_camera):
    world.passes(seconds=5 * FRAME_MS / 1000)
    sent = camera(11)
    answers = [at_camera.uploads(sent).get_json()]
    while answers[-1]["state"] == "go_on":
        world.passes(seconds=11 * FRAME_MS / 1000)
        new = camera(11, first=len(sent))
        answers.append(at_camera.uploads([sent[-1], *new]).get_json())
        sent += new
    assert (answers[-1]["state"], answers[-1]["error"]) == ("refused", "frames_invalid")
    assert MAX_FRAMES < len(sent) <= MAX_FRAMES + 11
    assert {answer["hint"] for answer in answers[:-1]} <= {"look_straight", "no_face"}
    assert nothing_accepted(world, at_camera)


@pytest.fixture(scope="module")
def pipeline():
    return FacePipeline.open(Path(os.environ.get("FACESTEP_MODELS_DIR", "~/.cache/facestep/models")).expanduser())


def room(*names):
    """Return a camera picture with these people side by side."""
    picture = np.full((480, 640, 3), 120, np.uint8)
    for place, name in enumerate(names):
        portrait = load_picture(name)
        scale = min(320 / portrait.shape[1], 440 / portrait.shape[0])
        small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture[20 : 20 + small.shape[0], 320 * place : 320 * place + small.shape[1]] = small
    return picture


@pytest.mark.models
@pytest.mark.parametrize(
    ("who", "hint"), [((), "no_face"), (("person_a_1", "person_b_1"), "alone")], ids=["no face", "several faces"]
)
def test_no_face_and_several_faces_are_told_and_never_finish(world, sits, pipeline, who, hint):
    browser = sits(pipeline)
    picture, sent, said = room(*who), [], set()
    while len(sent) < 60:
        new = [(len(sent) + i, (len(sent) + i) * FRAME_MS, jpeg(picture)) for i in range(6)]
        answer = browser.uploads([*sent[-1:], *new]).get_json()
        sent += new
        said.add((answer["state"], answer.get("hint")))
        world.passes(seconds=6 * FRAME_MS / 1000)
        if answer["state"] != "go_on":
            break
    assert ("go_on", hint) in said
    assert f"hint.{hint}" in BROWSER_TEXTS
    assert not {"finished", "next_step"} & {state for state, _ in said}
    assert nothing_accepted(world, browser)


@pytest.mark.parametrize("key", [bytes(32), b"another challenge's key, 32 bytes"], ids=["no key", "another key"])
def test_frames_that_do_not_carry_this_challenges_chain_are_refused(world, at_camera, key):
    at_camera.chain = Chain(key)
    assert at_camera.uploads(camera()).get_json()["error"] == "frames_invalid"
    assert world.audited("face_refused")[-1]["denied_by"] == ["chain"]
    assert nothing_accepted(world, at_camera)


def test_frames_that_were_exchanged_after_the_page_had_tagged_them_are_refused(world, at_camera):
    honest = at_camera.chain
    frames = camera()
    tags = honest.sign([Frame(*frame) for frame in frames])
    at_camera.chain = SimpleNamespace(sign=lambda _: tags)
    assert (
        at_camera.uploads([*frames[:3], (3, 3 * FRAME_MS, jpeg()), *frames[4:]]).get_json()["error"] == "frames_invalid"
    )
    assert world.audited("face_refused")[-1]["denied_by"] == ["chain"]


def test_the_key_comes_with_the_challenge_and_never_again(at_camera):
    answer = at_camera.starts_face().get_json()
    assert len(answer["chain_key"]) == 43
    assert answer["chain_key"] != at_camera.starts_face().get_json()["chain_key"]
    assert "chain_key" not in at_camera.uploads(camera()).get_json()


@pytest.mark.parametrize(
    "said",
    [
        {"label": "x" * 201},
        {"label": None},
        {"width": "640"},
        {"width": -1},
        {"frame_rate": True},
        {"frame_rate": 1e9},
        {"device_id": "secret"},
    ],
    ids=str,
)
def test_a_camera_report_of_another_shape_is_refused(at_camera, said):
    assert error_of(at_camera.starts_face(camera=CAMERA | said)) == (400, "bad_request")


def test_a_browser_that_tells_nothing_of_its_camera_may_go_on(at_camera):
    silent = {"label": "", "width": None, "height": None, "frame_rate": None}
    assert "step" in at_camera.starts_face(camera=silent).get_json()
