"""One training run, from a folder of pictures to a folder of three files: the net, its record, its manifest.

Rules:
 * Pictures of people who choose the threshold or test are not opened for training.
 * The manifest says everything that went in (digests of all pictures, split, seed, odds, recipe, versions) and came out
   (losses, threshold, digest). It holds no name and no path.
 * Nothing of a picture is kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.evaluation.texture import MOST_A_PERSON, presented
from biometric.texture import RECORD, Activation, Channels, Edge, Runtime, TextureNet, TextureSpec
from biometric.training.faces import chosen, read_faces
from biometric.training.pool import PoolPlan, counts, make_pool
from biometric.training.sources import Part, TrainingDataUnusable, find_items
from biometric.training.train import LEAST_DENY_AT, MOST_BPCER, choose_threshold, train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from biometric.training.faces import Face, Finder
    from biometric.training.net import Recipe
    from biometric.training.sources import Item
    from biometric.training.train import Trained
    from biometric.types import Floats

    Report = Callable[[str, int, int], None]
    """stage, done, in all"""

MANIFEST: Final = "manifest.json"
NAME: Final = "texture"
FORMAT: Final = 1
MOST_CHOOSING: Final = 1500


@dataclass(frozen=True, slots=True, repr=False)
class Run:
    """What a training run leaves."""

    content: bytes
    spec: TextureSpec
    manifest: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Write the three files; the record last, so that a half-written folder cannot be opened."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.spec.name}.tflite").write_bytes(self.content)
        (folder / MANIFEST).write_text(json.dumps(self.manifest, indent=1) + "\n", encoding="utf-8")
        (folder / RECORD).write_text(self.spec.to_json(), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked to do."""

    data: Path
    fold: int
    seed: int
    plan: PoolPlan
    recipe: Recipe
    threads: int = 1


def train_texture(order: Order, finder: Finder, *, report: Report) -> Run:
    """Train the texture net on the fold's training people and choose its threshold on the choosing people.

    Raises:
        TrainingDataUnusable: live faces or attacks are missing in the training part.
        TrainerMissing: TensorFlow is not installed.
    """
    items = find_items(order.data, fold=order.fold)
    faces = list(
        read_faces(
            chosen(items, Part.TRAIN, most_a_person=MOST_A_PERSON), finder, report=_stage(report, "training pictures")
        )
    )
    if not faces:
        raise TrainingDataUnusable("no face in the training part")
    pool = make_pool(faces, order.plan, seed=order.seed, report=_stage(report, "crops"))
    if len(set(pool.label.tolist())) != 2:  # noqa: PLR2004  (live and spoof)
        raise TrainingDataUnusable("training needs live faces and attacks")
    trained = train(pool, order.recipe, seed=order.seed, threads=order.threads, report=_stage(report, "training"))
    spec = _spec(trained, order, deny_at=LEAST_DENY_AT)
    live, people = _choosing_scores(items, TextureNet(trained.content, spec), finder, order, report)
    spec = _spec(trained, order, deny_at=choose_threshold(live))
    manifest = _manifest(order, faces, counts(pool), trained, spec)
    manifest["threshold"] = {
        "rule": f"least score that refuses at most {MOST_BPCER:.0%} of each live group, and at least {LEAST_DENY_AT}",
        "deny_at": spec.deny_at,
        "people": people,
        "live_pictures": {name: len(scores) for name, scores in live.items()},
        "bpcer": {name: float((scores >= spec.deny_at).mean()) for name, scores in live.items()},
    }
    return Run(trained.content, spec, manifest)


def _stage(report: Report, name: str) -> Callable[[int, int], None]:
    return lambda done, total: report(name, done, total)


def _spec(trained: Trained, order: Order, *, deny_at: float) -> TextureSpec:
    return TextureSpec(
        name=NAME,
        sha256=trained.sha256,
        runtime=Runtime.LITERT,
        size=order.recipe.size,
        scales=order.plan.scales,
        channels=Channels.RGB,
        low=0.0,
        high=1.0,
        edge=Edge.INSIDE,
        activation=Activation.PROBABILITY,
        spoof_index=0,
        deny_at=deny_at,
    )


def _choosing_scores(
    items: Sequence[Item], net: TextureNet, finder: Finder, order: Order, report: Report
) -> tuple[dict[str, Floats], int]:
    """Return P(spoof) of the live presentations of the people who choose, by species, and how many people."""
    scores: dict[str, list[float]] = {}
    people = set()
    chooses = chosen(items, Part.CHOOSE, most_a_person=MOST_A_PERSON)[:MOST_CHOOSING]
    for face in read_faces(chooses, finder, report=_stage(report, "choosing the threshold")):
        for species, image, points in presented(face, seed=order.seed, plan=order.plan):
            if not species.attack:
                scores.setdefault(species.name, []).append(net.score(image, points))
                people.add(face.item.person)
    return {name: np.array(values, np.float32) for name, values in scores.items()}, len(people)


def _manifest(order: Order, faces: Sequence[Face], crops: Any, trained: Trained, spec: TextureSpec) -> dict[str, Any]:
    pictures: dict[str, set[str]] = {}
    people: dict[str, set[str]] = {}
    for face in faces:
        pictures.setdefault(str(face.item.kind), set()).add(face.sha256)
        people.setdefault(face.item.kind.source, set()).add(face.item.person)
    return {
        "format": FORMAT,
        "weights": {"sha256": trained.sha256, "bytes": len(trained.content)},
        "tensorflow": trained.tensorflow,
        "seed": order.seed,
        "fold": order.fold,
        "threads": order.threads,
        "split": "biometric/training/sources.py, rules 1 to 5",
        "training_people": {source: len(names) for source, names in sorted(people.items())},
        "crops": dict(crops),
        "plan": asdict(order.plan),
        "recipe": asdict(order.recipe),
        "losses": [round(loss, 5) for loss in trained.losses],
        "largest_difference_to_tensorflow": trained.drift,
        "record": json.loads(spec.to_json()),
        "pictures_sha256": {kind: sorted(digests) for kind, digests in sorted(pictures.items())},
    }
