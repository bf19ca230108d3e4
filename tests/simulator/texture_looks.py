"""What a texture net says of simulated people and simulated attacks. All figures are simulated.

    python -m tests.simulator.texture_looks [FOLDER]     FOLDER: of `facestep train texture`; else the shipped net

One row a presentation: the median over its looks, one every 0.9 s as in a login, and whether the cue would deny.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from biometric.detect import most_prominent
from biometric.errors import NoFace
from biometric.landmarks import LOST
from biometric.pipeline import FacePipeline
from biometric.texture import TextureNet
from tests.fixtures_cache import PICTURES, cache_folder, load_picture
from tests.simulator import Person, Subject, jpeg
from tests.simulator.attacks import PHONE, TABLET, TABLET_CLOSE, PrintedPhoto, PuppetOnScreen, StillOnScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulator.actor import Actor

LOOK_MS = 900
LOOKS = 12
SCRIPT = (("turn_left", 1, 1500), ("blink", 2, 5000), ("smile", 1, 8000))
SPECIES = (
    "genuine",
    "print",
    "bent print",
    "still on a tablet",
    "replay on a tablet",
    "replay, no bezel",
    "on a phone",
)


def actors(name: str, seed: int) -> dict[str, Callable[[], Actor]]:
    """Return a maker for each species, all of one person."""
    photo = load_picture(name)

    def person() -> Person:
        return Person(Subject(photo), seed=seed)

    makers = (
        person,
        lambda: PrintedPhoto(photo, seed=seed),
        lambda: PrintedPhoto(photo, seed=seed, bend_radius_m=0.12),
        lambda: StillOnScreen(photo, seed=seed, device=TABLET),
        lambda: PuppetOnScreen(person(), seed=seed, device=TABLET),
        lambda: PuppetOnScreen(person(), seed=seed, device=TABLET_CLOSE),
        lambda: PuppetOnScreen(person(), seed=seed, device=PHONE),
    )
    return dict(zip(SPECIES, makers, strict=True))


def scores(actor: Actor, net: TextureNet, pipeline: FacePipeline) -> Iterator[float]:
    """Yield P(spoof) at each look at which a face was found."""
    due = list(SCRIPT)
    for look in range(LOOKS):
        at_ms = float(look * LOOK_MS)
        while due and due[0][2] <= at_ms:
            actor.show(*due.pop(0))
        image = cv2.imdecode(np.frombuffer(jpeg(actor, at_ms), np.uint8), cv2.IMREAD_COLOR)
        try:
            face = most_prominent(pipeline.detector.detect(image), image)
        except NoFace:
            continue
        landmarks = pipeline.mesh.locate(image, face)
        if landmarks.presence >= LOST:
            yield net.score(image, landmarks.points)


def main(folder: Path | None) -> None:
    net = TextureNet.open(folder)
    pipeline = FacePipeline.open(cache_folder() / "models")
    print(f"simulated; {net.spec.sha256[:12]} denies from {net.spec.deny_at:.4f}")
    for species in SPECIES:
        medians = []
        for seed, name in enumerate(PICTURES, start=1):
            looks = list(scores(actors(name, seed)[species](), net, pipeline))
            medians.append(float(np.median(looks)) if len(looks) >= 3 else float("nan"))
        denied = sum(median >= net.spec.deny_at for median in medians)
        told = " ".join(f"{median:.3f}" for median in medians)
        print(f"{species:20} {denied} of {len(medians)} denied; medians {told}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
