"""Did the light of the screen's colours arrive on this face, and as on a head?

The page shows colours that the server drew. Skin in front of the screen takes on a little of each: per channel the
logarithm of its linear value follows the channel of the screen, after some delay, on top of a slow drift (exposure,
white balance, breathing):

    2.2 log(camera value) = drift(t) + gain x screen(t - lag)

 1. sequence  the correlation with the drawn colours, at the best lag, must be high. A recording holds other light; so
              does whatever shines by itself (a screen). None at all: too bright a room, or nobody there.
 2. relief    the middle of the face, which looks at the screen, gains more than its sides, which look away. On a sheet
              both gain the same.
 3. place     what is behind, farther from the screen, gains little. A picture relit as a whole gains everywhere.

Seen must be all of it: a gap of more than a colour's time is "not measured", or frames could be left out until a
recording of another sequence follows this one.

Confirms (light) if all hold; denies if one does not, and if too little was seen to say. Whoever declined the colours
was not asked: neutral.

Does not stop: a face relit live, frame by frame, with an idea of its shape (docs/threat-model.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.limits import shipped
from biometric.liveness.challenge import HOLD_MS, StepKind
from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.regions import BACKGROUND, CHANNELS, REGION_COLUMNS, REGIONS
from biometric.liveness.steps.flash import LATEST_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from biometric.limits import ColourLimits
    from biometric.liveness.evidence import Evidence

    Floats = NDArray[np.float64]

MIDDLE: Final = ("forehead", "cheek_right", "cheek_left", "nose")
SIDES: Final = "rim"
GAMMA: Final = 2.2  # of the camera's values
LAG_STEP_MS: Final = 20
DRIFT: Final = 3  # coefficients: a constant, a slope, a bow
LEAST_FRAMES: Final = 10  # less than 1.5 a colour
LONGEST_GAP_MS: Final = 500  # a colour's time: three pictures a second fit, and none of the colours can be left out
DIM_GAIN: Final = 0.03  # below, drift and noise are so large that the person is asked for less other light


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote."""
    if not any(step.kind is StepKind.FLASH for step in evidence.steps):
        return CueResult("colour", Physics.LIGHT, Verdict.NEUTRAL, "declined")
    table = _lit(evidence)
    if len(table) < LEAST_FRAMES or _longest_gap(table[:, 0], evidence) > LONGEST_GAP_MS:
        return CueResult("colour", Physics.LIGHT, Verdict.DENY, "not_measured", {"frames": float(len(table))})
    numbers = measure_light(table, evidence)
    return CueResult("colour", Physics.LIGHT, *decide(numbers, shipped().colour), numbers)


def decide(numbers: Mapping[str, float], limits: ColourLimits) -> tuple[Verdict, str]:
    """Return the vote on what measure_light found, and why."""
    if not (numbers["follows"] >= limits.follows and numbers["gain"] >= limits.gain):
        return Verdict.DENY, "no_light" if numbers["gain"] < DIM_GAIN else "wrong"  # (1)
    if not numbers["relief"] >= limits.relief:  # (2) NaN too
        return Verdict.DENY, "flat"
    if numbers["behind"] > limits.behind:  # (3) NaN, no background in view, is no offence
        return Verdict.DENY, "everywhere"
    return Verdict.CONFIRM, ""


def measure_light(table: NDArray[np.float32], evidence: Evidence) -> dict[str, float]:
    """Return `follows` (correlation), `lag` (ms), `gain`, `relief` and `behind` (the background's share of the gain).

    Args:
        table: framesx(1 + 18): capture times, REGION_COLUMNS.
        evidence: for the colours and their time.
    """
    times = table[:, 0].astype(np.float64)
    seen = GAMMA * np.log(np.maximum(table[:, 1:].astype(np.float64).reshape(len(table), len(REGIONS), 3), 1.0))
    drift = np.vander((times - times.mean()) / max(float(np.ptp(times)), 1.0), DRIFT)
    middle = _without(drift, np.nanmean(seen[:, [REGIONS.index(name) for name in MIDDLE]], axis=1))
    lags = np.arange(0, LATEST_MS + 1, LAG_STEP_MS)
    screens = [_without(drift, _screen(times - lag, evidence)) for lag in lags]
    follows = [_correlation(screen, middle) for screen in screens]
    best = int(np.argmax(follows))
    gains = {name: _gain(screens[best], _without(drift, seen[:, place])) for place, name in enumerate(REGIONS)}
    gain = _gain(screens[best], middle)
    numbers = {"frames": float(len(table)), "follows": follows[best], "lag": float(lags[best]), "gain": gain}
    numbers["relief"] = 1 - gains[SIDES] / max(gain, 1e-6)
    return numbers | {"behind": gains[BACKGROUND] / max(gain, 1e-6)}


def _lit(evidence: Evidence) -> NDArray[np.float32]:
    """Return the frames in which light may have arrived, as capture time and REGION_COLUMNS."""
    if evidence.light_ms is None or not evidence.colours:
        return np.zeros((0, 1 + len(REGION_COLUMNS)), np.float32)
    table = evidence.columns("captured_ms", *REGION_COLUMNS)
    ends = evidence.light_ms + HOLD_MS * len(evidence.colours) + LATEST_MS
    face = table[:, 1 : 1 + len(CHANNELS) * len(MIDDLE)]
    inside = (table[:, 0] >= evidence.light_ms) & (table[:, 0] <= ends) & np.isfinite(face).all(axis=1)
    return table[inside]


def _longest_gap(times: NDArray[np.float32], evidence: Evidence) -> float:
    """Return for how long nothing was seen while the colours were shown, ms.

    Who may leave frames out as he likes finds some that follow any sequence: he knows what he will be compared with.
    """
    began = float(evidence.light_ms or 0)
    ended = began + HOLD_MS * len(evidence.colours)
    inside = times[(times >= began) & (times <= ended)].astype(np.float64)
    return float(np.diff(np.concatenate([[began], inside, [ended]])).max())


def _screen(since_ms: Floats, evidence: Evidence) -> Floats:
    """Return framesx3 (blue, green, red): the screen's linear light at these times; dark before and after."""
    linear = np.array([[_linear(value) for value in colour[::-1]] for colour in evidence.colours])
    place = np.floor((since_ms - (evidence.light_ms or 0)) / HOLD_MS).astype(int)
    shown = (place >= 0) & (place < len(linear))
    return np.where(shown[:, None], linear[np.clip(place, 0, len(linear) - 1)], 0.0)


def _linear(value: int) -> float:
    """Return the linear light of an sRGB value (IEC 61966-2-1)."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4  # noqa: PLR2004


def _without(drift: Floats, seen: Floats) -> Floats:
    """Return `seen` without what the slow drift explains; a column with a gap comes out as zeros."""
    known = np.nan_to_num(seen)
    rest: Floats = known - drift @ np.linalg.lstsq(drift, known, rcond=None)[0]
    return np.where(np.isfinite(seen).all(axis=0), rest, 0.0)


def _correlation(screen: Floats, seen: Floats) -> float:
    """Return the mean over channels, each weighted by how much the screen changed in it."""
    power, both = (screen**2).sum(axis=0), (screen * seen).sum(axis=0)
    size = np.sqrt(power * (seen**2).sum(axis=0))
    return float(np.average(both / np.maximum(size, 1e-9), weights=power))


def _gain(screen: Floats, seen: Floats) -> float:
    """Return the slope of what was seen on what was shown, over all channels."""
    return float((screen * seen).sum() / max(float((screen**2).sum()), 1e-9))
