"""How FaceNet and SFace should see a face: TAR per framing, on a sample of people with several pictures each.

    python benchmarks/framing.py --images ../shared/data/faces/lfw --people 600 --per-person 3 --json framing.json

Each row is one way to cut and scale the face; columns are single picture, mirrored pair, mirrored pair with the
sample's mean vector subtracted. The table in docs/calibration.md came out of this script.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from biometric.align import SFACE_TARGET, facenet_crop, facenet_input, sface_crop, similarity
from biometric.detect import FaceDetector, most_prominent, warp
from biometric.embed import Embedder
from biometric.errors import BiometricError
from biometric.image import decode_image
from biometric.landmarks import FaceMesh, five_points
from biometric.models import ModelStore


def box_crop(image, face, margin):
    """YuNet's box, enlarged by `margin` of 160 pixels as MTCNN users do, squeezed to a square."""
    x, y, w, h = face.box
    grow = 160 / (160 - margin)
    w, h, cx, cy = w * grow, h * grow, x + w / 2, y + h / 2
    matrix = np.array([[160 / w, 0, 80 - cx * 160 / w], [0, 160 / h, 80 - cy * 160 / h]], np.float32)
    return warp(image, matrix, 160)


def prewhitened(crop):
    pixels = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32)
    return (pixels - pixels.mean()) / max(float(pixels.std()), 1 / np.sqrt(pixels.size))


def unstretched(image, five):
    return warp(image, similarity(five, SFACE_TARGET * 160 / 112), 160)


def looks(image, detector, mesh):
    """Every framing of one picture: name -> (model, crop or ready input)."""
    face = most_prominent(detector.detect(image), image)
    refined = detector.refine(image, face)
    by_mesh = five_points(mesh.locate(image, face))
    facenet = {
        "prewhitened, YuNet box, margin 44": prewhitened(box_crop(image, face, 44)),
        "fixed, YuNet box, margin 44": facenet_input(box_crop(image, face, 44)),
        "fixed, YuNet points, not stretched": facenet_input(unstretched(image, face.five)),
        "fixed, YuNet points, stretched": facenet_input(facenet_crop(image, face.five)),
        "fixed, YuNet points of a second look, stretched": facenet_input(facenet_crop(image, refined.five)),
        "fixed, mesh points, stretched": facenet_input(facenet_crop(image, by_mesh)),
    }
    sface = {
        "SFace, YuNet points": sface_crop(image, face.five),
        "SFace, YuNet points of a second look": sface_crop(image, refined.five),
        "SFace, mesh points": sface_crop(image, by_mesh),
    }
    return facenet, sface


def vectors(embedder, image, detector, mesh):
    facenet, sface = looks(image, detector, mesh)
    rows = {}
    for name, pixels in facenet.items():
        rows[name] = [
            embedder._facenet.run(np.ascontiguousarray(look))[0].ravel() for look in (pixels, pixels[:, ::-1])
        ]
    for name, crop in sface.items():
        sides = (crop, np.ascontiguousarray(crop[:, ::-1]))
        rows[name] = [embedder.sface(look, mirrored=False).vector for look in sides]
    return rows


def tars(matrix, people):
    """EER and TAR at FMR 1e-3 and 1e-4 over all pairs."""
    matrix = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    upper = np.triu_indices(len(matrix), 1)
    scores, same = (matrix @ matrix.T)[upper], people[upper[0]] == people[upper[1]]
    genuine, impostor = np.sort(scores[same]), np.sort(scores[~same])[::-1]
    rate = np.arange(len(impostor)) / len(impostor)
    fnmr = np.searchsorted(genuine, impostor) / len(genuine)
    eer = float(np.min(np.maximum(rate, fnmr)))
    at = [float(np.mean(genuine > impostor[int(fmr * len(impostor))])) for fmr in (1e-3, 1e-4)]
    return {"eer": round(eer, 4), "tar_at_fmr_1e-3": round(at[0], 4), "tar_at_fmr_1e-4": round(at[1], 4)}


def sample(folder, people, per_person, seed):
    chance = random.Random(seed)
    persons = sorted(entry for entry in folder.iterdir() if entry.is_dir() and len(list(entry.glob("*.jpg"))) > 1)
    chance.shuffle(persons)
    return [(person.name, path) for person in persons[:people] for path in sorted(person.glob("*.jpg"))[:per_person]]


def embed_all(pictures, models_dir):
    store = ModelStore(models_dir)
    detector, mesh, embedder = FaceDetector(store), FaceMesh(store), Embedder(store)
    kept, table = [], {}
    for person, path in track(pictures, description="pictures"):
        try:
            rows = vectors(embedder, decode_image(path.read_bytes()), detector, mesh)
        except BiometricError:
            continue
        kept.append(person)
        for name, pair in rows.items():
            table.setdefault(name, []).append(pair)
    return np.array(kept), {name: np.array(rows) for name, rows in table.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--per-person", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    people, table = embed_all(
        sample(options.images, options.people, options.per_person, options.seed), options.models_dir
    )
    result = {}
    for name, found in table.items():
        rows = found / np.linalg.norm(found, axis=2, keepdims=True)
        pair = rows.sum(axis=1)
        pair /= np.linalg.norm(pair, axis=1, keepdims=True)
        variants = {"single": rows[:, 0], "mirrored": pair, "mirrored, mean subtracted": pair - pair.mean(axis=0)}
        result[name] = {variant: tars(matrix, people) for variant, matrix in variants.items()}
    options.json.write_text(
        json.dumps({"pictures": len(people), "people": len(set(people)), "rows": result}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
