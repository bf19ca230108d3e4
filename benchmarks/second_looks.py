"""Why the disagreement detector looks as it does: ways to look a second time, and ridges of the map between the models.

    python -m benchmarks.second_looks --images ../shared/data/faces/lfw --json looks.json
    python -m benchmarks.second_looks --images ../shared/data/faces/lfw --json quick.json --attacked 4 --people 40

* `looks`   what FaceNet's z-score against the reference loses in a second look at the same picture, by way of looking:
            genuine pairs of pictures, and pictures that were attacked without knowing of a second look (PGD, 8 of 255)
* `ridges`  cosine between the map's promise and SFace's own vector, on people who did not make the map

People of the choosing half alone (biometric/training/agreement_parts.py), so nobody of the reporting half settles
anything. No name and no picture leaves the program.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from biometric.agreement import FEATURES, Agreement, Look
from biometric.agreement_looks import Change, draw_change, second_look
from biometric.evaluation.adversarial_attack import Attacker, Recipe, Target
from biometric.evaluation.adversarial_logins import Seen, see, see_file
from biometric.evaluation.corpus import find_pictures
from biometric.pipeline import FacePipeline
from biometric.training.agreement_fit import fit_map
from biometric.training.agreement_parts import FITTING, MAPPING, Part, chosen_pictures, split
from plugin.commands.gradients import open_nets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from biometric.types import Embedding, FaceEmbeddings, Image, Points

    Way = Callable[[Image, Points], Embedding]

NOTHING = Change(shift=(0.0, 0.0), turn=0.0, scale=1.0, span_px=math.inf, mirrored=False)
SPANS = (10, 14, 20, 28)
RIDGES = (0.1, 1.0, 3.0, 10.0, 30.0)
GOALS = {"a": (1.0, 1.0), "c": (1.0, 1.0), "c quiet": (0.62, 0.55)}  # as in evaluation/adversarial.py
STEPS = 16
BATCH = 8


def jpeg(image: Image) -> Image:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def ways(pipeline: FacePipeline, rng: np.random.Generator) -> dict[str, Way]:
    """Return ways to look a second time; each is one run of FaceNet."""
    look = partial(second_look, pipeline.embedder)
    fixed: dict[str, Way] = {
        f"coarse, {span} px": lambda image, five, span=span: look(image, five, replace(NOTHING, span_px=span))
        for span in SPANS
    }
    return {
        "as served": lambda image, five: look(image, five, draw_change(rng)),
        **fixed,
        "moved, not coarse": lambda image, five: look(image, five, replace(draw_change(rng), span_px=math.inf)),
        "JPEG, quality 40": lambda image, five: look(jpeg(image), five, NOTHING),
        "median of 3x3": lambda image, five: look(cv2.medianBlur(image, 3), five, NOTHING),
        "one image, unchanged": lambda image, five: look(image, five, NOTHING),
    }


def losses(agreement: Agreement, way: Way, logins: Iterable[tuple[Seen, FaceEmbeddings]]) -> dict[str, float | int]:
    """Return quantiles of what FaceNet's z-score loses in such a second look."""
    place = FEATURES.index("drop")
    found = []
    for seen, reference in logins:
        again = way(seen.image, seen.five)
        found.append(agreement.features((Look(seen.embeddings, again),), reference)[place])
    low, middle, high = np.quantile(found, (0.05, 0.5, 0.95))
    return {"n": len(found), "5 %": round(low, 2), "median": round(middle, 2), "95 %": round(high, 2)}


def look_at(images: Path, pipeline: FacePipeline, people: int | None) -> tuple[Part, Part]:
    """Return who makes a map, and who does not."""
    chosen = chosen_pictures(find_pictures(images))
    which = split(chosen, images)
    parts, rng = {MAPPING: Part(), FITTING: Part()}, np.random.default_rng(1)
    for picture in track(chosen, "looking"):
        part = parts.get(which[picture.person])
        if part is None or len(part.people.get(picture.person, ())) > 1:
            continue
        full = people is not None and len(part.people) >= people and picture.person not in part.people
        if not full and (seen := see_file(picture.path, pipeline, rng=rng, again=0)):
            part.people.setdefault(picture.person, []).append(seen)
    return parts[MAPPING], parts[FITTING]


def attacked(
    part: Part, pipeline: FacePipeline, models: Path, *, count: int, threads: int
) -> dict[str, list[tuple[Seen, FaceEmbeddings]]]:
    """Return attacked pictures as the service sees them, with their victims, by the row of docs/adversarial.md."""
    nets = open_nets(models, threads=threads)
    projection = pipeline.calibration.projection
    attacker = Attacker(nets, projection=None if projection is None else projection.matrix)
    rng, people = np.random.default_rng(1), list(part.people.values())
    pairs = [rng.choice(len(people), size=2, replace=False) for _ in range(count)]
    targets = [
        Target(people[left][0].image, people[left][0].five, people[right][0].embeddings) for left, right in pairs
    ]
    found = defaultdict(list)
    for name, goal in GOALS.items():
        recipe = Recipe(name, sface=name != "a", steps=STEPS, goal=goal)
        for start in track(range(0, count, BATCH), f"attack {name}"):
            batch = targets[start : start + BATCH]
            changed = attacker.attack(batch, recipe, rng=rng)
            found[name] += [
                (see(image, pipeline, rng=rng, again=0), target.victim)
                for image, target in zip(changed, batch, strict=True)
            ]
    return found


def measure_ridges(mapping: Part, fitting: Part, agreement: Agreement) -> dict[str, float]:
    """Return the median cosine between promise and SFace's vector, on people who did not make the map."""
    learnt, tried = mapping.rows()[0], fitting.rows()[0]
    found = {}
    for ridge in RIDGES:
        made = replace(agreement, **fit_map(learnt, ridge=ridge))
        cosines = (made.promise(tried.facenet) * made.centred(tried.sface)).sum(axis=1)
        found[str(ridge)] = round(float(np.median(cosines)), 3)
    return found


def show(looks: dict[str, dict[str, dict]], ridges: dict[str, float]) -> None:
    console = Console(width=110)
    table = Table("way of looking", *next(iter(looks.values())), title="loss of FaceNet's z-score: 5 % / median / 95 %")
    for way, row in looks.items():
        table.add_row(way, *(f"{one['5 %']:.2f} / {one['median']:.2f} / {one['95 %']:.2f}" for one in row.values()))
    console.print(table)
    console.print("ridge, cosine:", ", ".join(f"{ridge}: {cosine:.3f}" for ridge, cosine in ridges.items()))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="a folder with a folder of pictures for each person")
    parser.add_argument("--attacked", type=int, default=24, help="attacked pictures of each kind; 24 unless given")
    parser.add_argument("--people", type=int, help="in each part; all of them unless given")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    options = parser.parse_args(arguments)
    models, rng = options.models_dir.expanduser(), np.random.default_rng(1)
    pipeline = FacePipeline.open(models)
    agreement = Agreement.load(pipeline.calibration)
    mapping, fitting = look_at(options.images, pipeline, options.people)
    genuine = [(seen[1], seen[0].embeddings) for seen in fitting.people.values() if len(seen) > 1]
    logins = {
        "genuine": genuine,
        **attacked(fitting, pipeline, models, count=options.attacked, threads=options.threads),
    }
    looks = {
        name: {kind: losses(agreement, way, those) for kind, those in logins.items()}
        for name, way in track(ways(pipeline, rng).items(), "second looks")
    }
    found = {"looks": looks, "ridges": measure_ridges(mapping, fitting, agreement)}
    show(found["looks"], found["ridges"])
    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
