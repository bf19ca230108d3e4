"""A source of presentations for tests of `facestep calibrate liveness`: numbers written down, no pictures."""

from __future__ import annotations

from dataclasses import replace

from biometric.evaluation.limits import SPECIES_IN
from biometric.evaluation.presentation import GENUINE, Group
from biometric.liveness.cues.result import CueResult, Physics, Verdict
from tests.biometric.scripted_source import outcome

PEOPLE = {
    "continuity": {
        "yaw_per_s": 100.0, "move_per_s": 1.2, "growth": 1.05, "cut_both": 0.4, "cut_scene": 0.1, "cut_twice": 0.5,
        "cut_swap": 0.2, "cut_gap": 0.6, "distance": 1.03, "away": 0.0,
    },
    "repetition": {"forward": 6.0, "backward": 4.0},
    "planarity": {"relief": 1.5, "bump": 0.9, "narrow": 0.03, "residual": 0.1, "head": 1.0},
    "perspective": {"relief": 1.1},
    "colour": {"follows": 0.98, "gain": 0.15, "relief": 0.7, "behind": 0.05},
    "surface": {"bezel_looks": 12.0, "bezel_held": 0.2, "moire_held": 0.0},
}  # fmt: skip
ATTACKS = {
    "continuity": {
        "yaw_per_s": 650.0, "move_per_s": 22.0, "growth": 1.4, "cut_both": 3.0, "cut_scene": 2.0, "cut_twice": 4.0,
        "cut_swap": 3.0, "cut_gap": 2.0, "distance": 1.6, "away": 0.0,
    },
    "repetition": {"forward": 0.2, "backward": 0.6},
    "planarity": {"relief": 0.1, "bump": 0.0, "narrow": 0.15, "residual": 0.012, "head": 1.0},
    "perspective": {"relief": -0.1},
    "colour": {"follows": 0.5, "gain": 0.15, "relief": 0.05, "behind": 0.6},
    "surface": {"bezel_looks": 12.0, "bezel_held": 1.0, "moire_held": 0.1},
}  # fmt: skip
NAMES = dict.fromkeys(name for species in SPECIES_IN.values() for name in species)


class Measured:
    """People and attacks whose numbers differ a little from one to the next."""

    simulated = True
    groups = {GENUINE: Group.GENUINE, **dict.fromkeys(NAMES, Group.FLAT)}  # noqa: RUF012  (as the protocol has it)

    def __init__(self, options):
        self.options = options
        self.made = 0

    def fingerprint(self):
        return f"measured {sorted(self.options.items(), key=str)}"

    def present(self, species, number, *, pipeline):
        del pipeline
        table = PEOPLE if species == GENUINE else ATTACKS
        votes = [
            CueResult(
                cue,
                Physics.GEOMETRY if cue == "planarity" else Physics.LIGHT if cue == "colour" else Physics.INTEGRITY,
                Verdict.NEUTRAL,
                "",
                {name: value * (1 + 0.001 * number) for name, value in numbers.items()},
            )
            for cue, numbers in table.items()
        ]
        votes.append(CueResult("challenge", Physics.BEHAVIOUR, Verdict.CONFIRM))
        return replace(outcome(species, number, person=number), votes=tuple(votes))


def open_source(**options):
    return Measured(options)
