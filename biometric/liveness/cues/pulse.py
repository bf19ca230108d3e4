"""Is there a pulse in the skin? A hint in the audit log; it never denies and never confirms.

A mask of resin or latex has none, a living face may well show none in the seconds there are: dark rooms, JPEG and
small regions hide it, and a film of a person has one. So `no_pulse_seen` says just that. Seen means: POS and CHROM
agree, their SNR is high enough, forehead and cheeks peak together, and the background does not beat along.

What it can do, measured: docs/liveness.md, "Pulse and stillness".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from biometric.liveness.cues.result import CueResult, Physics, Verdict
from biometric.liveness.pulse import METHODS, WINDOW_S, Pulse, find_pulse
from biometric.liveness.regions import REGION_COLUMNS
from biometric.liveness.still import still_pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometric.liveness.evidence import Evidence

REGIONS: Final = ("forehead", "cheek_right", "cheek_left", "background")
LEAST_S: Final = 4.0  # of still pieces together; the methods themselves ask for 10
LEAST_SNR_DB: Final = -2.0  # FIELD.md 1.3
ALIKE_HZ: Final = 0.1
BEHIND_DB: Final = -2.0  # a background that reaches this at the same frequency beats along: the light does


def evaluate(evidence: Evidence) -> CueResult:
    """Return the vote, always neutral."""
    pieces = _pieces(evidence)
    seconds = float(sum(times[-1] - times[0] for times, _ in pieces))
    numbers = {"seconds": seconds}
    found = {name: find_pulse(pieces, method) for name, method in METHODS.items()} if seconds >= LEAST_S else {}
    pulses = {name: pulse for name, pulse in found.items() if pulse is not None}
    if len(pulses) < len(METHODS):
        return CueResult("pulse", Physics.LIGHT, Verdict.NEUTRAL, "not_measured", numbers)
    for name, pulse in pulses.items():
        numbers |= {
            f"{name}_per_minute": 60 * pulse.hertz,
            f"{name}_snr_db": pulse.snr_db,
            f"{name}_spread_hz": pulse.spread_hz,
            f"{name}_background_db": pulse.background_db,
        }
    alike = abs(pulses["pos"].hertz - pulses["chrom"].hertz) <= ALIKE_HZ
    seen = alike and all(_beats(pulse) for pulse in pulses.values())
    return CueResult("pulse", Physics.LIGHT, Verdict.NEUTRAL, "" if seen else "no_pulse_seen", numbers)


def _beats(pulse: Pulse) -> bool:
    return pulse.snr_db >= LEAST_SNR_DB and pulse.spread_hz <= ALIKE_HZ and pulse.background_db < BEHIND_DB


def _pieces(evidence: Evidence) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return times (seconds) and framesx4x3 colours of the still pieces in which all the skin was seen."""
    names = [name for name in REGION_COLUMNS if name.rsplit("_", 1)[0] in REGIONS]
    table = evidence.columns("captured_ms", *names).astype(np.float64)
    colours = table[:, 1:].reshape(len(table), len(REGIONS), 3)
    skin = np.asarray(np.isfinite(colours[:, : len(REGIONS) - 1]).all(axis=(1, 2)))
    chosen = [piece for piece in still_pieces(evidence, least_ms=1000 * WINDOW_S) if skin[piece].all()]
    return [(table[piece, 0] / 1000, colours[piece]) for piece in chosen]
