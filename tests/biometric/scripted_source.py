"""A source of presentations for tests: outcomes by rule, no pictures. `open_source` makes it the module of a run."""

from __future__ import annotations

import os
import time
from pathlib import Path

from biometric.evaluation.presentation import GENUINE, Group, Outcome
from biometric.liveness.cues.result import CueResult, Physics, Verdict

PHYSICS = {
    "challenge": Physics.BEHAVIOUR,
    "planarity": Physics.GEOMETRY,
    "colour": Physics.LIGHT,
    "identity": Physics.IDENTITY,
    "stream": Physics.INTEGRITY,
}
GROUPS = {
    GENUINE: Group.GENUINE,
    "paper": Group.FLAT,
    "film": Group.FLAT,
    "mask": Group.MASK,
    "stranger": Group.IMPOSTOR,
}


def votes(deny="", confirm="challenge planarity"):
    """Return the votes of all cues; `deny` and `confirm` name some, a reason after a colon."""
    denied = dict((*word.split(":"), "no")[:2] for word in deny.split())
    return tuple(
        CueResult(
            name,
            physics,
            Verdict.DENY if name in denied else Verdict.CONFIRM if name in confirm.split() else Verdict.NEUTRAL,
            denied.get(name, ""),
            {"size": 1.5},
        )
        for name, physics in PHYSICS.items()
    )


def outcome(species, number=0, *, deny="", confirm="challenge planarity", began=True, person=0):
    """Return one outcome."""
    return Outcome(
        species=species,
        number=number,
        simulated=True,
        person=person,
        variant="plain",
        steps=("smile", "flash"),
        done=2,
        began=began,
        ended="finished",
        frames=100,
        seconds=10.0 + number,
        cpu_s=0.5,
        votes=votes(deny, confirm),
    )


class Scripted:
    """Refuses paper, lets every third mask in."""

    simulated = True
    groups = GROUPS

    def __init__(self, seed=1, photos=None, mishap=""):
        self.seed, self.photos, self.mishap = seed, photos, mishap

    def fingerprint(self):
        return f"scripted {self.seed}"

    def present(self, species, number, *, pipeline):
        del pipeline
        if self.mishap == "raises":
            raise RuntimeError("the lamp fell over")
        if self.mishap == "dies":
            os._exit(3)
        if self.mishap == "hangs":
            (Path(self.photos) / str(os.getpid())).touch()
            time.sleep(600)
        deny = "planarity:flat" if species == "paper" or (species == "mask" and number % 3) else ""
        return outcome(species, number, deny="identity:another_person" if species == "stranger" else deny)


def open_source(**options):
    return Scripted(**options)
