"""Coming closer and the colours, on evidence written by hand: what counts as done, what light and depth must show."""

import numpy as np
import pytest

from biometric.liveness import approach, head
from biometric.liveness.challenge import COLOURS, HOLD_MS, Step, StepKind
from biometric.liveness.cues import colour, perspective
from biometric.liveness.cues.result import Verdict
from biometric.liveness.evidence import Evidence, Mode, StepMark, make_row
from biometric.liveness.regions import REGIONS
from biometric.liveness.steps.closer import NEAR
from biometric.liveness.steps.judge import judge_step
from biometric.liveness.tracking import SkinTrack
from tests.biometric.liveness.rows import BASELINE, REST

FRAME_MS = 66
CLOSER, FLASH = Step(StepKind.CLOSER), Step(StepKind.FLASH)
SHOWN = tuple(COLOURS[place] for place in (0, 1, 2, 5, 4, 3, 0))
BEGAN_MS = 1000


def grows(*sizes, gap_ms=FRAME_MS):
    """Return evidence of a face of these sizes by that at rest, asked to come closer at the start."""
    evidence = Evidence((CLOSER,), (0,), Mode.LOGIN, baseline=BASELINE, marks=[StepMark(0.0)])
    evidence.rows = [
        make_row(**{**REST, "captured_ms": 200.0 + place * gap_ms, "scale": REST["scale"] * size})
        for place, size in enumerate(sizes)
    ]
    return evidence


def judged(evidence):
    return judge_step(evidence.steps[0], evidence, BASELINE, evidence.marks[0])


WAY = (1.0, 1.02, 1.06, 1.13, 1.2, 1.28, 1.35, NEAR + 0.02)


def test_a_face_that_grows_and_stays_has_come_closer():
    assert judged(grows(*WAY, 1.45, 1.46)).done


@pytest.mark.parametrize(
    ("sizes", "hint"),
    [
        ((*WAY[:5], 1.2, 1.2), "come_closer"),
        ((*WAY, 1.1, 1.45), "closer_slower"),
        ((1.0, 1.0, 1.0, 1.45, 1.45, 1.45, 1.45), "closer_slower"),
        ((1.45, 1.45, 1.45, 1.45), "stay_near"),
        ((*WAY[:-1], 2.3), "too_close"),
    ],
)
def test_a_jump_a_step_back_or_too_little_is_not_coming_closer(sizes, hint):
    view = judged(grows(*sizes))
    assert not view.done
    assert view.hint == hint


def test_a_slow_camera_needs_fewer_pictures_on_the_way():
    assert judged(grows(1.0, 1.05, 1.22, 1.42, 1.45, 1.45, gap_ms=200)).done
    assert not judged(grows(1.0, 1.05, 1.22, 1.42, 1.45, 1.45)).done


def lit(*, gain=0.15, sides=0.5, behind=0.02, lag_ms=80, shown=SHOWN, drift=0.02, noise=0.002, seen_for_ms=9000):
    """Return evidence of a face on which the light of `shown` falls; the page asked for SHOWN."""
    evidence = Evidence((FLASH,), (0,), Mode.LOGIN, baseline=BASELINE, marks=[StepMark(900.0)])
    evidence.colours, evidence.light_ms = SHOWN, BEGAN_MS
    rng = np.random.default_rng(5)
    share = {"rim": sides, "background": behind}
    for at in range(900, min(BEGAN_MS + HOLD_MS * len(SHOWN) + 700, seen_for_ms), FRAME_MS):
        place = int((at - lag_ms - BEGAN_MS) // HOLD_MS)
        screen = np.zeros(3)
        if 0 <= place < len(shown):
            screen = (np.array(shown[place][::-1]) / 255) ** 2.2
        values = {}
        for region in REGIONS:
            light = 1 + gain * share.get(region, 1.0) * screen + drift * (at - 900) / 4000
            seen = 110 * light ** (1 / 2.2) * (1 + rng.normal(0, noise, 3))
            values |= {f"{region}_{channel}": value for channel, value in zip("bgr", seen, strict=True)}
        evidence.rows.append(make_row(**{**REST, "captured_ms": float(at), **values}))
    return evidence


def test_light_that_follows_the_colours_and_falls_off_to_the_sides_confirms():
    found = colour.evaluate(lit())
    assert found.verdict is Verdict.CONFIRM, (found.why, found.numbers)
    assert found.numbers["lag"] == pytest.approx(80, abs=40)
    assert found.numbers["relief"] == pytest.approx(0.5, abs=0.1)
    assert found.numbers["gain"] == pytest.approx(0.15, rel=0.2)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"gain": 0.0}, "no_light"),
        ({"gain": 0.15, "shown": tuple(COLOURS[place] for place in (3, 4, 0, 1, 5, 2, 4))}, None),
        ({"sides": 0.95}, "flat"),
        ({"sides": 1.2}, "flat"),
        ({"behind": 0.6}, "everywhere"),
        ({"sides": 0.5, "behind": 1.0}, "everywhere"),
        ({"seen_for_ms": 1300}, "not_measured"),
    ],
)
def test_no_light_other_light_and_light_on_a_sheet_deny(how, why):
    found = colour.evaluate(lit(**how))
    assert found.verdict is Verdict.DENY
    assert why is None or found.why == why, found


def test_the_light_of_any_other_order_is_told_apart():
    rng = np.random.default_rng(1)
    orders = [tuple(COLOURS[place] for place in rng.integers(0, len(COLOURS), len(SHOWN))) for _ in range(60)]
    confirmed = [order for order in orders if colour.evaluate(lit(shown=order)).verdict is Verdict.CONFIRM]
    assert len(confirmed) <= 1


def test_who_declined_is_neutral_and_a_light_that_never_began_denies():
    declined = grows(1.0)
    assert colour.evaluate(declined).verdict is Verdict.NEUTRAL
    never = lit()
    never.light_ms = None
    assert colour.evaluate(never).verdict is Verdict.DENY


def test_regions_that_left_the_picture_do_not_confirm():
    evidence = lit()
    gone = [make_row(**{**REST, "captured_ms": float(row[0])}) for row in evidence.rows]
    evidence.rows = gone
    assert colour.evaluate(evidence).verdict is Verdict.DENY


def track_of(depths, *, growth=1.45, distance=5.5, turn=0.0, aside=0.0, noise=0.0):
    """Return a track of head points with these depths, seen from `distance` and then from growth times nearer."""
    rng = np.random.default_rng(3)
    count = len(depths)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    radius = np.sqrt(np.linspace(0.02, 1, count))
    place = np.column_stack([0.7 * radius * np.cos(7 * angle), 0.6 * radius * np.sin(7 * angle)])
    scale = 48.0
    focal = approach.FOCAL * 320

    def seen(at, lean):
        x = place[:, 0] + lean * depths + aside * (at != distance)
        return focal * np.column_stack([x, place[:, 1]]) / (at - depths)[:, None]

    unit = focal / distance / scale
    before, after = seen(distance, 0.0) / unit, seen(distance / growth, turn) / unit
    after = after + rng.normal(0, noise, after.shape)
    zeros = {"roll": 0.0, "yaw": 0.0, "pitch": 0.0}
    return SkinTrack(
        origin=before.astype(np.float32),
        current=after.astype(np.float32),
        depth=depths.astype(np.float32),
        begun=count,
        scale=scale,
        **zeros,
    )


DEPTHS = head.WIDE_DEPTH.astype(np.float64)


@pytest.mark.parametrize("how", [{}, {"turn": 0.1}, {"aside": 0.3}, {"noise": 0.2}])
def test_a_head_that_comes_closer_shows_its_relief_also_when_it_turns_or_steps_aside(how):
    relief = approach.measure_near_relief(track_of(DEPTHS, **how), longer_side=320)
    assert relief == pytest.approx(1.0, abs=0.4)


def test_a_sheet_that_comes_closer_shows_none():
    flat = track_of(DEPTHS * 0)
    with_model = SkinTrack(flat.origin, flat.current, DEPTHS.astype(np.float32), flat.begun, 48.0, 0.0, 0.0, 0.0)
    assert approach.measure_near_relief(with_model, longer_side=320) == pytest.approx(0.0, abs=0.1)


def test_nothing_is_said_before_the_face_has_grown_or_with_few_patches():
    assert approach.measure_near_relief(track_of(DEPTHS, growth=1.1), longer_side=320) is None
    assert approach.measure_near_relief(track_of(DEPTHS[:20]), longer_side=320) is None


@pytest.mark.parametrize(
    ("relief", "verdict"), [(1.0, Verdict.CONFIRM), (0.45, Verdict.NEUTRAL), (0.0, Verdict.DENY), (-0.3, Verdict.DENY)]
)
def test_perspective_confirms_relief_and_denies_flatness(relief, verdict):
    evidence = grows(*WAY)
    evidence.rows = [
        make_row(**{**REST, "captured_ms": at * 66.0, "near_relief": relief, "near_tracked": 0.8}) for at in range(5)
    ]
    assert perspective.evaluate(evidence).verdict is verdict


def test_perspective_says_nothing_of_skin_that_was_lost():
    evidence = grows(*WAY)
    evidence.rows = [
        make_row(**{**REST, "captured_ms": at * 66.0, "near_relief": 1.0, "near_tracked": 0.1}) for at in range(5)
    ]
    assert perspective.evaluate(evidence).verdict is Verdict.NEUTRAL
