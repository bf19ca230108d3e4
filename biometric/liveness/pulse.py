"""Pulse in the mean colours of skin: POS and CHROM, and how clearly one frequency stands out.

    heart = find_pulse(times_s, regions)        regions: framesx4x3, forehead, right cheek, left cheek, background; BGR

 * POS (Wang et al. 2017): in windows of 1.6 s each colour by its mean, projected to the plane orthogonal to skin's
   own tone: s1 = g - b, s2 = g + b - 2 r, h = s1 + s2 sd(s1) / sd(s2), overlap-added.
 * CHROM (de Haan, Jeanne 2013): x = 3 r - 2 g, y = 1.5 r + g - 1.5 b, x - y sd(x) / sd(y), in the same windows.
 * Frames come unevenly and in several still pieces, so the spectrum is a least-squares fit of sine and cosine at each
   frequency from 0.7 to 3 Hz (Lomb 1976); pieces keep their places in time, and with them the phase.
 * SNR: what f0 +- 0.1 Hz and 2 f0 +- 0.2 Hz hold against the rest of the band, in decibels.

Not here: which frames are still, what it means (cues/pulse.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WINDOW_S: Final = 1.6
LEAST_FRAMES: Final = 12  # of a window; below 7.5 pictures a second nothing above 3 Hz can be told from below
BAND_HZ: Final = (0.7, 3.0)
STEP_HZ: Final = 0.02
NEAR_HZ: Final = 0.1
OCTAVE_HZ: Final = 0.2
SKIN: Final = 3  # of the four regions


@dataclass(frozen=True, slots=True)
class Pulse:
    """What one method found: frequency of all skin, its SNR, the peak of each region, the background's SNR there."""

    hertz: float
    snr_db: float
    spread_hz: float
    background_db: float


def pos(window: Floats) -> Floats:
    """Return POS of framesx3 colours (B, G, R) divided by their means."""
    blue, green, red = window.T
    return _combine(green - blue, green + blue - 2 * red, sign=1)


def chrom(window: Floats) -> Floats:
    """Return CHROM of framesx3 colours (B, G, R) divided by their means."""
    blue, green, red = window.T
    return _combine(3 * red - 2 * green, 1.5 * red + green - 1.5 * blue, sign=-1)


METHODS: Final = {"pos": pos, "chrom": chrom}


def find_pulse(pieces: Sequence[tuple[Floats, Floats]], method: Callable[[Floats], Floats] = pos) -> Pulse | None:
    """Return the pulse in several still pieces of one film; None if no piece is long enough.

    Args:
        pieces: (times in seconds, framesx4x3 colours) each; the last region is the background.
        method: POS or CHROM.
    """
    signals = [_project(times, colours, method) for times, colours in pieces]
    if not any(len(times) for times, _ in signals):
        return None
    times = np.concatenate([times for times, _ in signals])
    values = np.concatenate([found for _, found in signals])
    hertz = np.arange(BAND_HZ[0], BAND_HZ[1] + STEP_HZ / 2, STEP_HZ)
    together = _spectrum(times, values[:, :SKIN].mean(axis=1), hertz)
    best = float(hertz[int(np.argmax(together))])
    peaks = [hertz[int(np.argmax(_spectrum(times, values[:, place], hertz)))] for place in range(SKIN)]
    behind = values[:, SKIN]
    background = _snr(_spectrum(times, behind, hertz), hertz, best) if np.isfinite(behind).all() else -99.0
    return Pulse(best, _snr(together, hertz, best), float(np.ptp(peaks)), background)


def _combine(first: Floats, second: Floats, *, sign: int) -> Floats:
    ratio = float(first.std()) / max(float(second.std()), 1e-9)
    return first + sign * ratio * second


def _project(times: Floats, colours: Floats, method: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """Return times and framesxregions signals of one piece, overlap-added; empty if it is too short."""
    total, weight = np.zeros(colours.shape[:2]), np.zeros(len(times))
    for start in range(len(times)):
        end = int(np.searchsorted(times, times[start] + WINDOW_S))
        if end >= len(times) and times[-1] - times[start] < WINDOW_S - 2 / LEAST_FRAMES:
            break
        if end - start < LEAST_FRAMES:
            continue
        for place in range(colours.shape[1]):
            window = colours[start:end, place]
            found = method(window / np.maximum(window.mean(axis=0), 1.0) - 1)
            total[start:end, place] += found - found.mean()
        weight[start:end] += 1
    kept = weight > 0
    return times[kept], total[kept] / weight[kept, None]


def _spectrum(times: Floats, signal: Floats, hertz: Floats) -> Floats:
    """Return the power that sine and cosine explain at each frequency."""
    centred = signal - signal.mean()
    angles = 2 * np.pi * hertz[:, None] * (times - times.mean())
    cosine, sine = np.cos(angles), np.sin(angles)
    cc, ss, cs = (cosine**2).sum(axis=1), (sine**2).sum(axis=1), (cosine * sine).sum(axis=1)
    c, s = cosine @ centred, sine @ centred
    determinant = np.maximum(cc * ss - cs**2, 1e-9)
    return np.asarray((ss * c**2 - 2 * cs * c * s + cc * s**2) / determinant)


def _snr(power: Floats, hertz: Floats, best: float) -> float:
    inside = (np.abs(hertz - best) <= NEAR_HZ) | (np.abs(hertz - 2 * best) <= OCTAVE_HZ)
    return float(10 * np.log10(max(power[inside].sum(), 1e-12) / max(power[~inside].sum(), 1e-12)))
