"""How long one encrypted match takes, part by part and whole, and whether it decides as in the clear.

    python -m benchmarks.encrypted --images ../shared/data/faces/lfw --cache ~/.cache/facestep/vectors --pictures 150

Without --images the faces are made up, and only the times say something. The key service runs as a process of its own;
every request goes over HTTP on loopback, is authenticated, counted and written to its audit log. All pairs of the
pictures are decided twice: in the clear, and by decrypting encrypted scores (without HTTP, which cannot change one).

Other work on the machine shows in the median and hardly in the quickest; CPU time is that of the matcher's process, and
for whole matches beside it that of the key service's (Linux: from /proc).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import numpy as np
import requests
from rich.progress import track

from biometric.calibration import SHIPPED
from biometric.compare import compare
from biometric.pipeline import FacePipeline
from biometric.types import FACENET, SFACE, Embedding, FaceEmbeddings
from plugin.commands.pictures import embedded
from plugin.encrypted.callers import add_caller, write_private
from plugin.encrypted.matcher import EncryptedFace, Matcher, encrypt_face
from plugin.store.database import Database
from tests.stack.process import free_port
from vault.he import PublicContext, SecretContext, make_keys


def made_up(count):
    rng = np.random.default_rng(1)

    def unit(size):
        vector = rng.normal(size=size)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    return [FaceEmbeddings(Embedding(unit(512), FACENET), Embedding(unit(128), SFACE)) for _ in range(count)]


def real(images, cache, models_dir, count):
    """Return the first pictures of the people who have at least two, two of each."""
    pipeline = FacePipeline.open(models_dir)
    corpus = embedded(images, pipeline, models_dir=models_dir, cache=cache).at_most(2)
    several = np.flatnonzero(np.bincount(corpus.person) > 1)
    rows = np.flatnonzero(np.isin(corpus.person, several))[:count]
    return [FaceEmbeddings(Embedding(corpus.facenet[i], FACENET), Embedding(corpus.sface[i], SFACE)) for i in rows]


@contextmanager
def key_service(folder, public, secret):
    """Run the real one until the block ends; yield its address and a caller's token."""
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    contents = {"secret.ckks": secret, "public.ckks": public, "callers.json": b"{}"}
    for name, content in (contents | {"calibration.json": SHIPPED.read_bytes()}).items():
        write_private(keys / name, content)
    Database(f"sqlite:///{keys}/key-service.db").migrate()
    add_caller(keys / "callers.json", "bench", token_file=folder / "token")
    port = free_port()
    words = [sys.executable, "-m", "plugin.cli", "key-service", "serve", str(keys), "--listen", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*words, "--budget", "1000000"])
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if requests.get(url + "/health", timeout=5).ok:
                    break
            except requests.RequestException:
                time.sleep(0.1)
        yield url, (folder / "token").read_text().strip(), lambda: cpu_s_below(process.pid)
    finally:
        process.terminate()
        process.wait()


def cpu_s_below(pid):
    """Return the CPU seconds so far of the processes that this one started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    words = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children]
    return sum(int(of[11]) + int(of[12]) for of in words) / os.sysconf("SC_CLK_TCK")  # utime and stime, proc(5)


def timed(action, times, *, other_cpu_s=None):
    took, busy = [], time.process_time()
    other = other_cpu_s() if other_cpu_s else 0
    for number in range(times):
        begun = time.perf_counter()
        action(number)
        took.append(1000 * (time.perf_counter() - begun))
    found = {"quickest": min(took), "median": statistics.median(took), "p95": float(np.quantile(took, 0.95))}
    found["cpu"] = 1000 * (time.process_time() - busy) / times
    if other_cpu_s:
        found["key_service_cpu"] = 1000 * (other_cpu_s() - other) / times
    return {f"{name}_ms": round(value, 2) for name, value in found.items()}


def decisions(faces, encrypted, context, secret, calibration):
    """Return how many pairs are decided otherwise than in the clear, and the largest error of a score."""
    other, worst, nearest, matches = 0, 0.0, np.inf, 0
    pairs = list(combinations(range(len(faces)), 2))
    for i, j in track(pairs, description="pairs"):
        clear = compare(faces[i], faces[j], calibration=calibration)
        facenet, sface = (
            secret.decrypt(context.score(getattr(encrypted[i], name), getattr(encrypted[j], name)))
            for name in ("facenet", "sface")
        )
        fused = float(calibration.fused(facenet, sface))
        match = (
            fused >= calibration.fused_threshold
            and facenet >= calibration.facenet.floor
            and sface >= calibration.sface.floor
        )
        other += match is not clear.match
        matches += clear.match
        worst = max(worst, abs(facenet - clear.facenet.similarity), abs(sface - clear.sface.similarity))
        nearest = min(nearest, abs(clear.fused_score - calibration.fused_threshold))
    return {
        "pairs": len(pairs),
        "matches_in_the_clear": matches,
        "decided_otherwise": other,
        "largest_error_of_a_cosine": worst,
        "fused_score_nearest_to_the_threshold": nearest,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--models-dir", type=Path, default=Path("~/.cache/facestep/models"))
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--matches", type=int, default=100, help="How many to time.")
    options = parser.parse_args()
    calibration = FacePipeline.open(options.models_dir.expanduser()).calibration
    pair = make_keys()
    context, secret = PublicContext(pair.public), SecretContext(pair.secret)
    faces = (
        real(options.images, options.cache, options.models_dir.expanduser(), options.pictures)
        if options.images
        else made_up(options.pictures)
    )
    encrypted = [encrypt_face(face, context=context, calibration=calibration) for face in faces]
    stored = [face.to_bytes() for face in encrypted]
    scores = [context.score(encrypted[0].facenet, encrypted[1].facenet)]
    with tempfile.TemporaryDirectory() as folder, key_service(Path(folder), pair.public, pair.secret) as served:
        url, token, service_cpu_s = served
        matcher = Matcher(context=context, service_url=url, token=token)

        def whole(number):
            reference, probe = (EncryptedFace.from_bytes(stored[k % len(stored)]) for k in (number, number + 1))
            matcher.match(reference, probe, record=f"record-{number}")

        whole(10**6)
        times = {
            "match, whole (two scores, HTTP, decision, audit)": timed(
                whole, options.matches, other_cpu_s=service_cpu_s
            ),
            "encrypt a face": timed(
                lambda _: encrypt_face(faces[0], context=context, calibration=calibration), options.matches
            ),
            "one encrypted score": timed(
                lambda k: context.score(encrypted[k % len(encrypted)].sface, encrypted[0].sface), options.matches
            ),
            "decrypt a score": timed(lambda _: secret.decrypt(scores[0]), options.matches),
        }
    report = {
        "times": times,
        "load": os.getloadavg()[0],
        "bytes": {"encrypted face": len(stored[0]), "score": len(scores[0]), "public context": len(pair.public)},
        "calibration": calibration.id,
        "real": options.images is not None,
    }
    print(json.dumps(report | {"decisions": decisions(faces, encrypted, context, secret, calibration)}, indent=2))


if __name__ == "__main__":
    main()
