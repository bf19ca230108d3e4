"""Surface: borders in front of the body, moire, gloss; in drawn pictures, simulated ones and written rows."""

import cv2
import numpy as np
import pytest

from biometric.image import decode_image
from biometric.landmarks import LOST
from biometric.limits import shipped
from biometric.liveness.border import find_border
from biometric.liveness.challenge import parse_steps
from biometric.liveness.cues import surface
from biometric.liveness.cues.result import Verdict
from biometric.liveness.evidence import Evidence, Mode
from biometric.liveness.observe import LOOK_EVERY_MS, Follow, Observer, Trail
from biometric.liveness.risk import find_risks
from biometric.liveness.surface import inspect_surface, measure_gloss, measure_moire
from biometric.types import Frame
from tests.biometric.liveness.rig import play_login
from tests.biometric.liveness.rows import Script
from tests.simulator import Person, attacks, jpeg
from tests.simulator.attacks.screens import PHONE
from tests.simulator.camera import encode

REST_MS = (200, 1100, 2000)
LIMITS = shipped().surface


@pytest.fixture(scope="module")
def face(subject, pipeline):
    """A simulated person at rest, and the mesh on them."""
    image = decode_image(jpeg(Person(subject, seed=5), 0))
    landmarks = pipeline.mesh.locate(image, pipeline.detector.detect(image)[0])
    assert landmarks.presence >= LOST
    return image, landmarks.points


def looks(actor, pipeline):
    """Return what the looks at rest say of an actor."""
    actor.show("centre", 1, 0)
    found = []
    for at_ms in REST_MS:
        image = decode_image(jpeg(actor, at_ms))
        points = pipeline.mesh.locate(image, pipeline.detector.detect(image)[0]).points
        found.append(inspect_surface(image, points))
    return found


def judged(found):
    script = Script()
    for look in found:
        script.rest(1, **look)
    result = surface.evaluate(script.evidence())
    return result.verdict, result.why


def draw_lines(image, *lines):
    drawn = image.copy()
    for one, other in lines:
        cv2.line(drawn, one, other, (240, 240, 240), 5, cv2.LINE_AA)
    return drawn


def frame_of(points):
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = high - low
    return low, high, width, height


# border


def test_a_person_has_no_border(face):
    assert find_border(*face) < LIMITS.bezel


def test_a_sheet_in_front_of_the_body_has_two_sides(face):
    image, points = face
    low, high, width, height = frame_of(points)
    left, right, top = int(low[0] - 0.3 * width), int(high[0] + 0.3 * width), int(low[1] - 0.3 * height)
    seen = draw_lines(image, ((left, top), (left, 479)), ((right, top), (right, 479)))
    assert find_border(seen, points) >= LIMITS.bezel


def test_one_side_is_no_sheet(face):
    image, points = face
    low, _, width, _ = frame_of(points)
    left = int(low[0] - 0.3 * width)
    assert find_border(draw_lines(image, ((left, 0), (left, 479))), points) < LIMITS.bezel


def test_a_door_frame_ends_at_the_shoulders(face):
    image, points = face
    low, high, width, height = frame_of(points)
    left, right, shoulder = (int(v) for v in (low[0] - 0.3 * width, high[0] + 0.3 * width, high[1] + 0.1 * height))
    seen = draw_lines(image, ((left, 0), (left, shoulder)), ((right, 0), (right, shoulder)), ((left, 5), (right, 5)))
    assert find_border(seen, points) < LIMITS.bezel


def test_a_doorway_wider_than_the_shoulders_may_be_seen_beside_them(face):
    image, points = face
    low, high, width, _ = frame_of(points)
    left, right = int(low[0] - 1.1 * width), int(high[0] + 1.1 * width)
    seen = draw_lines(image, ((left, 0), (left, 479)), ((right, 0), (right, 479)))
    assert find_border(seen, points) < LIMITS.bezel


def test_a_bottom_edge_that_crosses_the_body_and_meets_a_side_is_a_border(face):
    image, points = face
    low, high, width, height = frame_of(points)
    left, right = int(low[0] - 1.2 * width), int(high[0] + 1.2 * width)
    top, bottom = int(low[1] - 0.2 * height), int(high[1] + 0.4 * height)
    seen = draw_lines(image, ((left, top), (left, bottom)), ((left, bottom), (right, bottom)))
    assert find_border(seen, points) >= LIMITS.bezel


def test_the_edge_of_a_table_has_no_corner(face):
    image, points = face
    _, high, _, height = frame_of(points)
    bottom = int(high[1] + 0.4 * height)
    assert find_border(draw_lines(image, ((0, bottom), (639, bottom))), points) < LIMITS.bezel


def test_black_bars_are_no_picture(face):
    image, points = face
    low, high, width, _ = frame_of(points)
    barred = image.copy()
    barred[:, : int(low[0] - 0.2 * width)] = 0
    barred[:, int(high[0] + 0.2 * width) :] = 0
    assert find_border(barred, points) < LIMITS.bezel


def test_a_picture_without_any_line_has_no_border(face):
    _, points = face
    assert find_border(np.full((480, 640, 3), 120, np.uint8), points) == 0.0


# moire


def test_skin_has_no_moire(face):
    assert measure_moire(*face) < LIMITS.moire


def test_a_fine_regular_pattern_has(face):
    image, points = face
    y, x = np.indices(image.shape[:2])
    screen = 6 * np.sin(2 * np.pi * (0.21 * x + 0.13 * y))
    seen = np.clip(image + screen[..., None], 0, 255).astype(np.uint8)
    assert measure_moire(seen, points) >= LIMITS.moire


def test_the_blocks_of_a_strongly_compressed_jpeg_are_no_moire(face):
    image, points = face
    coarse = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    assert measure_moire(coarse, points) < LIMITS.moire


def test_a_face_outside_the_picture_is_not_measured(face):
    image, points = face
    assert np.isnan(measure_moire(image, points + 2000))


# gloss


def test_a_blown_out_cheek_is_gloss_and_a_shining_forehead_is_not(face):
    image, points = face
    cheek, forehead = image.copy(), image.copy()
    cv2.circle(cheek, tuple(int(v) for v in points[50]), 12, (255, 255, 255), -1)
    cv2.circle(forehead, tuple(int(v) for v in points[151]), 12, (255, 255, 255), -1)
    assert measure_gloss(image, points) < 0.005
    assert measure_gloss(forehead, points) < 0.005
    assert measure_gloss(cheek, points) > 0.01


# the cue


def rows(count, **values):
    return [{"moire": 0.0, "bezel": 0.0, "gloss": 0.0, **values} for _ in range(count)]


@pytest.mark.parametrize(("name", "value"), [("bezel", 0.9), ("moire", 0.1)])
def test_three_looks_deny_and_two_do_not(name, value):
    assert judged([*rows(3, **{name: value}), *rows(4)]) == (Verdict.DENY, name)
    assert judged([*rows(2, **{name: value}), *rows(2)]) == (Verdict.NEUTRAL, "")


def test_three_looks_of_many_do_not():
    assert judged([*rows(3, bezel=0.9), *rows(20)]) == (Verdict.NEUTRAL, "")


def test_gloss_is_a_number_and_never_denies():
    script = Script()
    for look in rows(8, gloss=0.4):
        script.rest(1, **look)
    result = surface.evaluate(script.evidence())
    assert result.verdict is Verdict.NEUTRAL
    assert result.numbers["gloss"] == pytest.approx(0.4)


def test_without_a_look_nothing_is_said():
    result = surface.evaluate(Script().rest(20).evidence())
    assert result.verdict is Verdict.NEUTRAL
    assert "bezel" not in result.numbers


# simulated


def test_a_simulated_person_is_left_alone(subject, pipeline):
    assert judged(looks(Person(subject, seed=7), pipeline)) == (Verdict.NEUTRAL, "")


def test_a_simulated_print_and_phone_are_denied(subject, pipeline):
    photo = Person(subject, seed=7).frame(0)
    assert judged(looks(attacks.StillOnScreen(photo, seed=7, device=PHONE), pipeline))[0] is Verdict.DENY
    assert judged(looks(attacks.StillOnScreen(photo, seed=7), pipeline)) == (Verdict.DENY, "bezel")


def test_a_login_is_looked_at_whenever_the_detector_looks(subject, pipeline):
    page = play_login(Person(subject, seed=11), parse_steps("blink:1"), pipeline=pipeline, frames=48)
    times, bezel, presence = page.session.evidence.columns("captured_ms", "bezel", "presence").T
    looked = times[np.isfinite(bezel)]
    assert len(looked) >= 3
    assert np.all(np.diff(looked) >= LOOK_EVERY_MS)
    assert np.all(presence[np.isfinite(bezel)] > 0)


def test_a_rendering_without_noise_repeats_its_pixels_and_a_camera_does_not(subject, pipeline):
    person = Person(subject, seed=2)
    person.show("centre", 1, 0)
    rendered, camera = (
        observed([picture(66 * k) for k in range(24)], pipeline)
        for picture in (lambda at_ms: encode(subject.render(person.pose(at_ms))), lambda at_ms: jpeg(person, at_ms))
    )
    assert "no_sensor_noise" in find_risks(rendered)
    assert "no_sensor_noise" not in find_risks(camera)


def observed(jpegs, pipeline):
    evidence = Evidence((), (), Mode.LOGIN)
    observer = Observer(evidence, Trail(), pipeline, follow=Follow.NOTHING)
    for seq, data in enumerate(jpegs):
        observer.observe(Frame(seq, 66 * seq, data), decode_image(data))
    return evidence
