"""How often does other light look like ours, and how faint may ours be? `python -m benchmarks.colours [--json FILE]`.

A face under light is written down as numbers (tests/biometric/liveness/test_near.py: drift, noise, a delay), not drawn;
every figure is simulated.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np

from biometric.limits import shipped
from biometric.liveness.challenge import draw_colours
from biometric.liveness.cues import colour
from tests.biometric.liveness import test_near as near

GAINS = (0.15, 0.08, 0.04, 0.02, 0.01)
QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.995)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=600)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rng = random.Random(1)
    found = {"simulated": True, "sequences": options.sequences}
    others = [other(rng) for _ in range(options.sequences)]
    found["other_sequences"] = {str(q): round(float(np.quantile(others, q)), 3) for q in QUANTILES}
    found["confirmed_share"] = float(np.mean(np.array(others) >= shipped().colour.follows))
    found["own_by_gain"] = {str(gain): own(rng, gain) for gain in GAINS}
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def other(rng: random.Random) -> float:
    """Return how well light of one sequence follows another that was asked for."""
    evidence = near.lit(shown=draw_colours(rng))
    evidence.colours = draw_colours(rng)
    return colour.measure_light(colour._lit(evidence), evidence)["follows"]


def own(rng: random.Random, gain: float) -> dict[str, float]:
    """Return the 5th percentile and the median over sequences that were asked for, at one gain and twice the noise."""
    seen = []
    for _ in range(60):
        evidence = near.lit(gain=gain, shown=(colours := draw_colours(rng)), noise=0.004)
        evidence.colours = colours
        seen.append(colour.measure_light(colour._lit(evidence), evidence)["follows"])
    return {"p5": round(float(np.quantile(seen, 0.05)), 3), "median": round(float(np.median(seen)), 3)}


if __name__ == "__main__":
    main()
