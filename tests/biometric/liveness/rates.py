"""Simulated presentations under fixed conditions: a slow camera, one step only, a given haste, an enrolment.

    python -m tests.biometric.liveness.rates --json slow.json --photos DIR --numbers 13 --species genuine --fps 5 \\
        --turn-ms 350 500
    python -m tests.biometric.liveness.rates --json turn.json --photos DIR --numbers 13 --steps turn_left --frames 72 \\
        --species genuine bent_print strongly_bent_print flat_print
    python -m tests.biometric.liveness.rates --json enrol.json --photos DIR --numbers 150 --enrol

Prints a line a presentation, and writes all votes with their numbers. Error rates of whole challenges are
`facestep evaluate attacks`' business. Every figure is a *simulated* figure.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from biometric.evaluation.presentation import GENUINE, Group, to_json
from biometric.liveness.challenge import parse_steps
from biometric.liveness.evidence import Mode
from biometric.liveness.stream import MAX_FRAMES
from biometric.pipeline import FacePipeline
from tests.biometric.liveness.rig import FRAME_MS
from tests.fixtures_cache import cache_folder
from tests.simulator.laboratory import Conditions, Laboratory
from tests.simulator.laboratory.people import find_people
from tests.simulator.laboratory.species import SPECIES, bent_to

FIXED = {"bent_print": (Group.FLAT, bent_to(0.10)), "strongly_bent_print": (Group.FLAT, bent_to(0.07))}


def main() -> int:
    """Run presentations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--photos", type=Path, help="DIR/person/*.jpg, besides the test pictures")
    parser.add_argument("--numbers", type=int, default=13, help="presentations of each species")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--species", nargs="*", default=[GENUINE], choices=[*SPECIES, *FIXED])
    parser.add_argument("--steps", help="ask for these steps instead of drawing some")
    parser.add_argument("--frames", type=int, default=MAX_FRAMES, help="stop after so many")
    parser.add_argument("--fps", type=float, help="frames a second that the page sends; 15 unless given")
    parser.add_argument("--turn-ms", type=float, nargs=2, help="a turn of a living person takes between these times")
    parser.add_argument("--enrol", action="store_true", help="enrolments instead of logins")
    options = parser.parse_args()
    conditions = Conditions(
        frame_ms=1000 / options.fps if options.fps else FRAME_MS,
        frames=options.frames,
        steps=parse_steps(options.steps) if options.steps else (),
        turn_ms=tuple(options.turn_ms) if options.turn_ms else None,
        mode=Mode.ENROL if options.enrol else Mode.LOGIN,
    )
    people = find_people(options.photos)
    laboratory = Laboratory(people, seed=options.seed, conditions=conditions, species={**SPECIES, **FIXED})
    pipeline = FacePipeline.open(cache_folder() / "models")
    outcomes = []
    for species in options.species:
        for number in range(options.numbers):
            outcomes.append(laboratory.present(species, number, pipeline=pipeline))
            print(species, number, outcomes[-1].ended, *outcomes[-1].reasons(), flush=True)
    counts = {
        species: {
            "presentations": options.numbers,
            "accepted": sum(one.accepted(system=True) for one in outcomes if one.species == species),
        }
        for species in options.species
    }
    entries = [to_json(outcome) for outcome in outcomes]
    options.json.write_text(json.dumps({"simulated": True, "counts": counts, "presentations": entries}) + "\n")
    print(json.dumps(counts, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
