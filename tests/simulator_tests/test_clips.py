from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.simulator import Person
from tests.simulator.clips import (
    BLINK_PART_MS,
    CLIP_FPS,
    PARTS_MS,
    PROMPT,
    REST_FRAMES,
    play,
    record_clip,
    render,
    write_y4m,
)

pytestmark = pytest.mark.models


def _picture(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)


def _difference(first, second):
    return float(np.abs(_picture(first) - _picture(second)).mean())


def test_the_parts_of_a_clip_join_without_a_jump(person_b):
    clip = record_clip(Person(person_b, seed=1, habits=PROMPT), "turn_left", 1)
    noise = _difference(clip.loop[0], clip.loop[REST_FRAMES])  # both at rest: only the sensor differs
    assert _difference(clip.enter[-1], clip.loop[0]) < 1.5 * noise
    assert _difference(clip.loop[-1], clip.loop[0]) < 1.5 * noise
    assert _difference(clip.loop[0], clip.leave[0]) < 1.5 * noise
    assert _difference(clip.enter[0], clip.leave[-1]) < 1.5 * noise
    assert _difference(clip.enter[0], clip.loop[0]) > 3 * noise


def test_the_parts_are_long_enough_for_their_moves():
    enter, loop, leave = PARTS_MS["smile"]
    assert loop % (1000 * REST_FRAMES / CLIP_FPS) == 0
    assert enter > PROMPT.smile_ms
    assert leave >= PROMPT.back_ms
    enter, _, leave = PARTS_MS["closer"]
    assert min(enter, leave) > PROMPT.closer_ms[1]
    assert PROMPT.blink_every_ms[1] <= BLINK_PART_MS


def test_a_script_is_played_in_order(person_b):
    frames = list(play(Person(person_b, seed=2, habits=PROMPT), [("centre", 1, 0.4), ("smile", 1, 0.6)], fps=10))
    assert len(frames) == 10


def test_render_gives_jpeg_frames(person_b):
    frames = render(Person(person_b, seed=2), "turn_right", 1, seconds=0.4, fps=10)
    assert len(frames) == 4
    assert all(frame.startswith(b"\xff\xd8") for frame in frames)


def test_a_y4m_film_holds_every_frame(tmp_path, person_b):
    path = tmp_path / "person.y4m"
    frames = list(play(Person(person_b, seed=2), [("centre", 1, 0.3)], fps=10))
    assert write_y4m(path, frames, fps=10) == 3
    data = path.read_bytes()
    header, rest = data.split(b"\n", 1)
    assert header == b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg"
    assert len(rest) == 3 * (len(b"FRAME\n") + 640 * 480 * 3 // 2)
    first = np.frombuffer(rest[6 : 6 + 640 * 720], np.uint8).reshape(720, 640)
    back = cv2.cvtColor(first, cv2.COLOR_YUV2BGR_I420)
    assert np.abs(back.astype(int) - frames[0]).mean() < 4
