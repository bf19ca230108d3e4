"""Texture nets on the same pictures, side by side: people that ours never saw, and attacks real and simulated.

Rules:
 * A fold's test people only (training/sources.py). The net must have been trained on the same fold: its manifest says.
 * Real pictures are shown as they are. LFW and London have no attacks of their own, so their attacks are simulated by
   the recapture model, with the camera model on both sides; such rows are marked.
 * Every net sees the same pictures with the same points, each by its own record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.evaluation.texture_rates import Shown, Species, rates_report
from biometric.training.camera import CameraOdds, expose
from biometric.training.faces import chosen, read_faces
from biometric.training.pool import How, PoolPlan, present
from biometric.training.sources import Kind, Part, TrainingDataUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from biometric.texture import TextureNet
    from biometric.training.faces import Face, Finder
    from biometric.training.sources import Item
    from biometric.types import Image, Points

    Report = Callable[[int, int], None]

BPCER: Final = 0.05
MOST_A_PERSON: Final = {"lfw": 1}
MOST_LFW: Final = 300

_NUAA_LIVE: Final = Species("nuaa live", attack=False)
_CLIPS: Final = Species("clips live", attack=False)
REAL: Final = {
    (Kind.NUAA_LIVE, False): _NUAA_LIVE,
    (Kind.NUAA_LIVE, True): Species("nuaa live sequences", attack=False),
    (Kind.NUAA_PRINT, False): Species("nuaa print", attack=True, counterpart=_NUAA_LIVE.name),
    (Kind.NUAA_PRINT, True): Species("nuaa print sequences", attack=True, counterpart=_NUAA_LIVE.name),
    (Kind.LFW, False): Species("lfw live", attack=False),
    (Kind.LONDON, False): Species("london live", attack=False),
    (Kind.CLIP_LIVE, True): _CLIPS,
    (Kind.CLIP_REPLAY, True): Species("clips replay on a phone", attack=True, counterpart=_CLIPS.name),
    (Kind.STILL_LIVE, False): Species("stills live", attack=False),
    (Kind.STILL_SPOOF, False): Species("stills attack", attack=True),
}
SIMULATED: Final = (Kind.LFW, Kind.LONDON)


def presented(face: Face, *, seed: int, plan: PoolPlan) -> Iterator[tuple[Species, Image, Points]]:
    """Yield what a face is shown as: as it is, and for SIMULATED kinds also before a camera, printed, on a screen."""
    kind = face.item.kind
    yield REAL[kind, face.item.sequence], face.image, face.points
    if kind not in SIMULATED:
        return
    rng = np.random.default_rng([seed, int(face.sha256[:8], 16)])
    for how in How:
        scene = present(face, how, _wall(rng), plan, rng)
        name = "live" if how is How.AS_IS else str(how)
        live = f"{kind} live by camera model"
        species = Species(
            live if how is How.AS_IS else f"{kind} {name}",
            attack=how is not How.AS_IS,
            simulated=True,
            counterpart="" if how is How.AS_IS else live,
        )
        yield species, expose(scene.pixels, plan.camera, rng), scene.points


def _wall(rng: np.random.Generator) -> Image:
    """Return a plain, unevenly lit wall as the room behind a sheet: no training picture is in it."""
    across = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.6, 1), 160)[None, :, None]
    return np.broadcast_to(across * rng.uniform(60, 210, 3), (160, 160, 3)).astype(np.uint8)


def test_items(items: Sequence[Item]) -> list[Item]:
    """Return what the fold tests on; of LFW the first MOST_LFW people by digest.

    Raises:
        TrainingDataUnusable: nothing.
    """
    tested = chosen(items, Part.TEST, most_a_person=MOST_A_PERSON)
    lfw = sorted(item.person for item in tested if item.kind is Kind.LFW)[:MOST_LFW]
    kept = [item for item in tested if item.kind is not Kind.LFW or item.person in set(lfw)]
    if not kept:
        raise TrainingDataUnusable("no person of the data belongs to the test part of this fold")
    return kept


def score_all(
    items: Sequence[Item], nets: Sequence[TextureNet], finder: Finder, *, seed: int, report: Report
) -> list[list[Shown]]:
    """Return for each net what it says of every presentation."""
    plan = PoolPlan(camera=CameraOdds())
    scores: dict[Species, list[list[float]]] = {}
    people: dict[Species, list[str]] = {}
    for face in read_faces(items, finder, report=report):
        for species, image, points in presented(face, seed=seed, plan=plan):
            scores.setdefault(species, []).append([net.score(image, points) for net in nets])
            people.setdefault(species, []).append(face.item.person)
    tables = {species: np.array(rows, np.float32) for species, rows in scores.items()}
    return [
        [Shown(species, table[:, number], tuple(people[species])) for species, table in tables.items()]
        for number in range(len(nets))
    ]


def texture_report(
    items: Sequence[Item], nets: Sequence[TextureNet], finder: Finder, *, fold: int, seed: int, report: Report
) -> dict[str, Any]:
    """Return the figures of all nets."""
    every = score_all(test_items(items), nets, finder, seed=seed, report=report)
    return {
        "fold": fold,
        "seed": seed,
        "bpcer": BPCER,
        "nets": {
            net.spec.name: {
                "sha256": net.spec.sha256,
                **rates_report(one, deny_at=net.spec.deny_at, bpcer=BPCER, seed=seed),
            }
            for net, one in zip(nets, every, strict=True)
        },
    }
