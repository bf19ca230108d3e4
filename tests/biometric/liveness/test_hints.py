"""Pulse and stillness: numbers that decide nothing. Signals written by hand, and simulated people with a heart."""

import numpy as np
import pytest

from biometric.image import decode_image
from biometric.liveness.cues import pulse, stillness
from biometric.liveness.cues.result import Verdict
from biometric.liveness.evidence import Evidence, Mode, StepMark
from biometric.liveness.observe import Follow, Observer, Trail
from biometric.liveness.pulse import METHODS, find_pulse
from biometric.liveness.still import still_pieces
from biometric.types import Frame
from tests.biometric.liveness.beating import TONE, Beating
from tests.biometric.liveness.rows import FRAME_MS, REST, Script
from tests.simulator import Person, jpeg

SECONDS = 10
SKIN = ("forehead", "cheek_right", "cheek_left")
TONES = np.array([90.0, 110.0, 150.0])  # B, G, R of skin at rest


def colours(times, *, hertz, strength, regions=SKIN, noise=0.03, seed=1):
    """Return a row of region colours for each time: skin that beats, a background that does not."""
    rng = np.random.default_rng(seed)
    rows = []
    for time in times:
        row = {}
        for region in (*SKIN, "background"):
            beat = strength * np.sin(2 * np.pi * hertz * time) if region in regions else 0.0
            seen = TONES * (1 - beat * TONE) + noise * rng.standard_normal(3)
            row |= {f"{region}_{channel}": value for channel, value in zip("bgr", seen, strict=True)}
        rows.append(row)
    return rows


def person(*, hertz=1.2, strength=0.006, seconds=SECONDS, **how):
    script = Script()
    times = np.arange(0, seconds, FRAME_MS / 1000)
    for row in colours(times, hertz=hertz, strength=strength, **how):
        script.rest(1, **row)
    return script.evidence()


# the methods


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("hertz", [0.9, 1.3, 2.1])
def test_the_frequency_is_found(method, hertz):
    times = np.arange(0, SECONDS, 0.066)
    table = np.array([list(row.values()) for row in colours(times, hertz=hertz, strength=0.006)]).reshape(-1, 4, 3)
    found = find_pulse([(times, table)], METHODS[method])
    assert found.hertz == pytest.approx(hertz, abs=0.05)
    assert found.snr_db > 0


def test_pieces_with_a_gap_keep_their_phase():
    times = np.concatenate([np.arange(0, 3, 0.066), np.arange(5, 8, 0.066)])
    table = np.array([list(row.values()) for row in colours(times, hertz=1.5, strength=0.01)]).reshape(-1, 4, 3)
    cut = int(np.argmax(times >= 5))
    found = find_pulse([(times[:cut], table[:cut]), (times[cut:], table[cut:])])
    assert found.hertz == pytest.approx(1.5, abs=0.05)


def test_a_piece_shorter_than_a_window_tells_nothing():
    times = np.arange(0, 1.0, 0.066)
    table = np.array([list(row.values()) for row in colours(times, hertz=1.5, strength=0.01)]).reshape(-1, 4, 3)
    assert find_pulse([(times, table)]) is None


# the cue


def test_a_clear_pulse_is_seen_and_confirms_nothing():
    result = pulse.evaluate(person())
    assert (result.verdict, result.why) == (Verdict.NEUTRAL, "")
    assert result.numbers["pos_per_minute"] == pytest.approx(72, abs=3)


@pytest.mark.parametrize(
    "how",
    [{"strength": 0.0}, {"regions": ("forehead",)}, {"regions": (*SKIN, "background")}],
    ids=["none", "one region alone", "the background beats along"],
)
def test_what_is_no_pulse_is_not_seen_and_denies_nothing(how):
    result = pulse.evaluate(person(**how))
    assert (result.verdict, result.why) == (Verdict.NEUTRAL, "no_pulse_seen")


def test_a_few_seconds_are_not_measured():
    assert pulse.evaluate(person(seconds=3)).why == "not_measured"
    assert pulse.evaluate(Script().rest(100).evidence()).why == "not_measured"
    assert pulse.evaluate(Script().away(100).evidence()).why == "not_measured"


def test_frames_in_the_light_of_the_colours_do_not_count():
    evidence = person()
    evidence.light_ms = 3000
    assert pulse.evaluate(evidence).why == "not_measured"


# which frames are still


def test_turns_and_gaps_end_a_piece_and_unasked_leaves_steps_out():
    evidence = Script().rest(20).turn(26).rest(20).away(3).rest(20).evidence()
    pieces = still_pieces(evidence, least_ms=600)
    yaw = evidence.column("yaw")
    assert len(pieces) == 3
    assert all(np.abs(yaw[piece]).max() < 8 for piece in pieces)
    evidence.marks = [StepMark(20 * FRAME_MS, 45 * FRAME_MS)]
    asked = np.concatenate(still_pieces(evidence, least_ms=600, unasked=True)) * FRAME_MS
    assert not ((asked >= 20 * FRAME_MS) & (asked <= 45 * FRAME_MS)).any()


def test_nobody_is_not_still():
    assert still_pieces(Script().away(50).evidence(), least_ms=600) == []


# stillness


def wandering(frames=60, *, eyes, seed=3):
    rng = np.random.default_rng(seed)
    script = Script()
    for _ in range(frames):
        yaw, own = rng.standard_normal(2)
        ear = REST["ear_left"] + 0.01 * yaw + eyes * own
        script.rest(1, yaw=yaw, ear_left=ear, ear_right=ear)
    evidence = script.evidence()
    evidence.marks = []
    return evidence


def test_movement_of_the_whole_head_is_taken_out():
    still, lively = (stillness.evaluate(wandering(eyes=eyes)).numbers["eyes"] for eyes in (0.0, 0.02))
    assert still < 0.002
    assert lively == pytest.approx(0.02, rel=0.3)


def test_stillness_never_decides():
    for evidence in (wandering(eyes=0.0), wandering(eyes=0.05), Script().rest(3).evidence()):
        assert stillness.evaluate(evidence).verdict is Verdict.NEUTRAL


# simulated


def observed(actor, pipeline, *, seconds):
    actor.show("centre", 1, 0)
    evidence = Evidence((), (), Mode.LOGIN)
    observer = Observer(evidence, Trail(), pipeline, follow=Follow.NOTHING)
    for seq in range(round(1000 * seconds / FRAME_MS)):
        frame = Frame(seq, seq * FRAME_MS, jpeg(actor, seq * FRAME_MS))
        observer.observe(frame, decode_image(frame.jpeg))
    return evidence


def test_a_simulated_pulse_survives_camera_noise_and_jpeg(subject, pipeline):
    alive = observed(Beating(Person(subject, seed=3), seed=3, strength=0.012), pipeline, seconds=SECONDS)
    result = pulse.evaluate(alive)
    assert (result.why, result.verdict) == ("", Verdict.NEUTRAL)
    assert result.numbers["pos_per_minute"] == pytest.approx(72, abs=4)


def test_a_simulated_person_without_a_heart_shows_none(subject, pipeline):
    assert pulse.evaluate(observed(Person(subject, seed=3), pipeline, seconds=SECONDS)).why == "no_pulse_seen"
