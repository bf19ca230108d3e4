"""Simulated attacks show what real ones show, so that a cue which stops them here has a reason to stop them outside."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from biometric.detect import FaceDetector
from biometric.landmarks import FaceMesh
from tests.fixtures_cache import load_picture
from tests.simulator import Person, Pose, Subject, encode, jpeg
from tests.simulator.attacks import (
    PHONE,
    TABLET,
    TABLET_CLOSE,
    Closer,
    CutClips,
    CutOutEyes,
    FilmOnScreen,
    Injected,
    PrintedPhoto,
    PuppetOnScreen,
    Relay,
    StillOnScreen,
    Stuttering,
    duplicated,
    reordered,
)
from tests.simulator.clips import Clip
from tests.simulator_tests.measures import measure

pytestmark = pytest.mark.models

RIGID = [
    33,
    133,
    362,
    263,
    168,
    6,
    197,
    195,
    5,
    4,
    1,
    61,
    291,
    234,
    454,
    50,
    280,
    205,
    425,
    152,
    10,
    127,
    356,
    101,
    330,
]


@pytest.fixture(scope="module")
def photo():
    return load_picture("person_b_1")


def _points(image, models):
    face = FaceDetector(models).detect(image)[0]
    return FaceMesh(models).locate(image, face).points


def _flatness(actor, models):
    """How badly a plane explains a turn: what the best homography leaves, over the eye distance."""
    actor.show("turn_left", 1, 0.0)
    front, turned = (_points(actor.frame(at_ms), models)[RIGID] for at_ms in (0.0, 1500.0))
    homography, _ = cv2.findHomography(front, turned, 0)
    moved = cv2.perspectiveTransform(front[None], homography)[0]
    return float(np.sqrt(((moved - turned) ** 2).sum(axis=1).mean()) / np.linalg.norm(front[0] - front[3]))


def _after(actor, action, at_ms, count=1):
    actor.show(action, count, 0.0)
    return actor.frame(at_ms)


def test_a_turned_print_stays_a_plane_and_a_turned_head_does_not(photo, person_b, models):
    flat = _flatness(PrintedPhoto(photo, seed=1), models)
    head = _flatness(Person(person_b, seed=1), models)
    assert head > 2 * flat


@pytest.mark.parametrize(("action", "side"), [("turn_left", 1), ("turn_right", -1)])
def test_a_print_is_turned_when_a_turn_is_asked_for(photo, action, side):
    sheet = PrintedPhoto(photo, seed=1)
    sheet.show(action, 1, 0.0)
    assert 25 < side * sheet.pose(1600.0).yaw < 42


@pytest.mark.parametrize("action", ["blink", "smile"])
def test_a_print_neither_blinks_nor_smiles(photo, action):
    sheet = PrintedPhoto(photo, seed=2)
    still = measure(sheet.frame(0.0))
    sheet.show(action, 1, 0.0)
    seen = [measure(sheet.frame(at_ms)) for at_ms in range(400, 1200, 100)]
    assert min(m.eye_ratio for m in seen) > 0.75 * still.eye_ratio
    assert max(m.mouth for m in seen) < 1.1 * still.mouth


def test_a_bent_print_is_less_flat_than_a_flat_one(photo, models):
    bent = _flatness(PrintedPhoto(photo, seed=1, bend_radius_m=0.1), models)
    assert bent > _flatness(PrintedPhoto(photo, seed=1), models)


def test_behind_cut_out_eyes_somebody_blinks(photo, models):
    mask = CutOutEyes(photo, Subject(load_picture("impostor_2")), seed=3)
    mask.show("blink", 1, 0.0)
    shut_ms = max(range(0, 1200, 10), key=mask._timeline.blink)
    opened, shut = (mask.frame(at_ms) for at_ms in (shut_ms - 250.0, float(shut_ms)))
    x, y = _points(opened, models)[[159, 386]].mean(axis=0).astype(int)
    change = np.abs(shut.astype(float) - opened).mean(axis=2)
    eyes, brow = change[y - 12 : y + 14, x - 50 : x + 50], change[y - 62 : y - 36, x - 50 : x + 50]
    assert eyes.mean() > 3 * brow.mean()
    assert measure(shut).eye_ratio < 0.9 * measure(opened).eye_ratio


def test_a_device_has_a_dark_frame_and_stripes_that_a_face_has_not(person_b):
    still = person_b.render(Pose())
    tablet = StillOnScreen(still, seed=4)
    assert (tablet.frame(0.0).max(axis=2) < 45).mean() > 0.05
    near = PuppetOnScreen(Person(person_b, seed=5), seed=5, device=TABLET_CLOSE).frame(0.0)
    genuine = Person(person_b, seed=5).frame(0.0)
    assert _fine_structure(near) > 1.5 * _fine_structure(genuine)


def _fine_structure(image):
    """Standard deviation of the finest detail on an even piece of wall."""
    wall = image[20:80, 420:600].astype(np.float32).mean(axis=2)
    return float((wall - cv2.GaussianBlur(wall, (0, 0), 2)).std())


def test_a_film_pays_no_attention_and_a_puppet_does(person_b):
    recording = Person(person_b, seed=6)
    recording.show("turn_right", 1, 0.0)
    film = [recording.frame(1000 * k / 15) for k in range(30)]
    assert measure(_after(FilmOnScreen(film, seed=6, device=PHONE), "turn_left", 1500.0)).yaw < -15
    assert measure(_after(PuppetOnScreen(Person(person_b, seed=6), seed=6), "turn_left", 1500.0)).yaw > 15


def _growth(actor):
    before = measure(actor.frame(0.0)).eye_distance
    actor.show("closer", 1, 0.0)
    actor.frame(2000.0)
    actor.show("flash", 1, 2000.0)
    return measure(actor.frame(4000.0)).eye_distance / before


@pytest.mark.parametrize("species", ["person", "print", "cut_out", "still", "zoomed", "puppet"])
def test_whatever_is_asked_to_come_closer_does_and_stays(species, photo, person_b):
    film = [person_b.render(Pose())]
    actor = {
        "person": lambda: Person(person_b, seed=1),
        "print": lambda: PrintedPhoto(photo, seed=1),
        "cut_out": lambda: CutOutEyes(photo, Subject(load_picture("impostor_2")), seed=3),
        "still": lambda: StillOnScreen(film[0], seed=4, device=TABLET),
        "zoomed": lambda: FilmOnScreen(film, seed=4, device=TABLET, closer=Closer.ZOOM),
        "puppet": lambda: PuppetOnScreen(Person(person_b, seed=5), seed=5),
    }[species]()
    assert 1.35 < _growth(actor) < 1.6


def test_a_device_is_brought_nearer_and_a_zoomed_film_leaves_it_where_it_is(person_b):
    film = [person_b.render(Pose())]

    def frame_px(closer):
        screen = FilmOnScreen(film, seed=4, device=TABLET, closer=closer)
        screen.show("closer", 1, 0.0)
        return (screen.frame(2500.0).max(axis=2) < 45).mean()

    assert frame_px(Closer.HANDS) < 0.5 * frame_px(Closer.ZOOM)


def test_injected_bytes_are_sent_as_they_are(person_b):
    frames = [encode(person_b.render(Pose(yaw=yaw))) for yaw in (0.0, 10.0)]
    injector = Injected(frames, fps=10)
    injector.show("blink", 3, 0.0)
    assert [jpeg(injector, at_ms) for at_ms in (0, 100, 200)] == [frames[0], frames[1], frames[0]]
    assert injector.frame(0.0).shape == (480, 640, 3)


def test_cut_clips_jump_to_the_middle_of_a_turn():
    clips = {"centre:1": Clip((), (b"c0", b"c1"), ()), "turn_left:1": Clip((b"e",), (b"held",), (b"l",))}
    clips["blink:2"] = Clip((b"b0", b"b1"), (), ())
    actor = CutClips(clips, fps=10)
    assert actor.jpeg(0.0) == b"c0"
    actor.show("turn_left", 1, 500.0)
    assert actor.jpeg(500.0) == b"held"
    actor.show("blink", 2, 900.0)
    assert [actor.jpeg(900.0), actor.jpeg(1000.0)] == [b"b0", b"b1"]


def test_cut_clips_stay_near_under_the_light():
    clips = {"centre:1": Clip((), (b"c",), ()), "closer:1": Clip((b"e",), (b"n0", b"n1"), (b"l",))}
    actor = CutClips(clips, fps=10)
    actor.show("closer", 1, 0.0)
    assert [actor.jpeg(0.0), actor.jpeg(100.0)] == [b"e", b"n0"]
    actor.show("flash", 1, 1000.0)
    assert [actor.jpeg(at_ms) for at_ms in (1000.0, 1100.0, 1200.0)] == [b"n0", b"n1", b"n0"]


def test_a_stuttering_stream_repeats_its_bytes(person_b):
    stream = Stuttering(Person(person_b, seed=7), times=3, fps=15)
    sent = [jpeg(stream, 1000 * k / 15 + 1) for k in range(9)]
    assert len(set(sent)) == 3


def test_a_relay_hands_the_camera_over(person_b, photo):
    relay = Relay(Person(person_b, seed=1), PrintedPhoto(photo, seed=1), takes_over=lambda action: action == "smile")
    relay.show("centre", 1, 0.0)
    before = relay.frame(0.0)
    relay.show("smile", 1, 100.0)
    assert np.abs(relay.frame(100.0).astype(int) - before).mean() > 10


def test_a_relay_stands_in_the_light(person_b):
    relay = Relay(Person(person_b, seed=1), Person(person_b, seed=1), takes_over=lambda _: False)
    relay.show("centre", 1, 0.0)
    dark = relay.frame(0.0).astype(int)
    relay.light((1.0, 0.0, 0.0), 0.0)
    blue, green, red = (relay.frame(200.0).astype(int) - dark)[180:300, 260:380].mean(axis=(0, 1))
    assert blue > 2
    assert max(abs(green), abs(red)) < 0.5


def test_recordings_can_be_shuffled_and_doubled():
    frames = [bytes([k]) for k in range(12)]
    assert sorted(reordered(frames)) == frames != reordered(frames)
    assert duplicated(frames, every=6) == [*frames[:1], *frames[:7], *frames[6:]]
