"""Training of the disagreement detector (biometric/agreement.json): `facestep train agreement`.

Rules:
 * People of `facestep calibrate`'s choosing half only, in three parts (agreement_parts.py): who has one picture makes
   the map; of the others a digest says who fits the head and who sets the threshold. A map looks better on the people
   that made it than on anybody else, and a head that learnt there would learn just that. The reporting half stays for
   `facestep evaluate adversarial`.
 * Before an attack the nets with gradients are compared with what is served (adversarial_nets.least_cosines).
 * With a calibration of one's own, what comes out is made out to that one (Agreement.calibration).
 * Adversarial training: the head learns from attacks that were made on the fitting people: FaceNet alone, both models,
   both models as far as a genuine pair goes (quiet), the same with the second look in the loop; then, in a second
   round, from attacks on the head of the first round.
 * The threshold: at most FALSE_ALARM of the genuine logins that the decision accepts, on people who fitted nothing; its
   upper 97.5 % bound over draws of these people, as for the fused threshold, since other cameras err more often.
 * No vector and no name is kept; sums over people are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.agreement import Agreement
from biometric.compare import compare
from biometric.errors import CannotTell
from biometric.evaluation.adversarial_attack import Attacker, Recipe, Target
from biometric.evaluation.adversarial_logins import LOOKS_AGAIN, Login, same_sitting, see, see_file
from biometric.evaluation.adversarial_nets import least_cosines
from biometric.evaluation.corpus import CorpusUnusable, find_pictures
from biometric.evaluation.rates import DRAWS, TAIL_PROBABILITY
from biometric.training.agreement_fit import fit_head, fit_map, moments
from biometric.training.agreement_parts import LEAST_PEOPLE, MAPPING, MOST_PICTURES, Part, chosen_pictures, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from biometric.agreement import Rows
    from biometric.calibration import Calibration
    from biometric.evaluation.adversarial_nets import GradientNets
    from biometric.pipeline import FacePipeline

    Report = Callable[[str, int, int], None]

FALSE_ALARM: Final = 0.005
COMPARED: Final = 8  # pictures on which the nets with gradients are compared with what is served
BATCH: Final = 8
SITTINGS: Final = 150


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is made; smaller for a trial."""

    attacks: int = 40
    steps: int = 12
    people: int | None = None
    seed: int = 1


def recipes(steps: int, rng: np.random.Generator) -> list[Recipe]:
    """Return the attacks of the first round."""
    quiet = (float(rng.uniform(0.55, 0.72)), float(rng.uniform(0.48, 0.66)))
    return [
        Recipe("facenet", sface=False, steps=steps),
        Recipe("joint", steps=steps),
        Recipe("joint, quiet", steps=steps, goal=quiet),
        Recipe("joint, second look", steps=steps, again=True),
        Recipe("joint, second look, quiet", steps=steps, again=True, goal=quiet),
    ]


def train(
    images: Path,
    pipeline: FacePipeline,
    nets: GradientNets,
    *,
    plan: Plan,
    data: str,
    made_on: str,
    report: Report,
) -> Agreement:
    """Return a detector whose evidence holds counts and the rates on the people who set its threshold.

    Raises:
        CorpusUnusable: too few people have pictures that can be used.
        NetUnreadable: the nets with gradients are others than those that serve.
    """
    rng = np.random.default_rng(plan.seed)
    mapping, fitting, setting = _look(images, pipeline, plan, rng=rng, report=report)
    least_cosines(nets, [(seen.image, seen.five, seen.embeddings) for seen in fitting.pictures()[:COMPARED]])
    start = _begin(*mapping.rows(), pipeline.calibration)
    genuine = [*fitting.genuine(), *_sittings(fitting, pipeline, rng=rng, report=report)]
    clean = _table(start, genuine)
    matrix = projection.matrix if (projection := pipeline.calibration.projection) else None
    targets = _targets(fitting, plan.attacks, rng)
    attacked = partial(_attacked, targets=targets, pipeline=pipeline, rng=rng, report=report)
    plainly = Attacker(nets, projection=matrix)
    found = {recipe.name: attacked(plainly, recipe) for recipe in recipes(plan.steps, rng)}
    made = [login for logins in found.values() for login in logins]
    first = replace(start, **fit_head(clean, _table(start, made), seed=plan.seed))
    first = replace(first, threshold=_threshold(first, setting, pipeline.calibration, FALSE_ALARM, seed=plan.seed))
    knowing = Recipe("knows the head", again=True, head=True, steps=plan.steps, goal=(0.65, 0.6))
    adaptive = found[knowing.name] = attacked(Attacker(nets, agreement=first, projection=matrix), knowing)
    second = replace(start, **fit_head(clean, _table(start, [*made, *adaptive]), seed=plan.seed))
    threshold = _threshold(second, setting, pipeline.calibration, FALSE_ALARM, seed=plan.seed)
    evidence = {
        "data": data,
        "made_on": made_on,
        "seed": plan.seed,
        "wished": {"false_alarm": FALSE_ALARM},
        "fitted_genuine_logins": len(genuine),
        "attacked_pictures": {name: len(logins) for name, logins in found.items()},
        **_of_parts({"mapping": mapping, "fitting": fitting, "setting": setting}),
    }
    finished = replace(second, threshold=threshold, evidence=evidence)
    return _made_out(finished, pipeline.calibration)


def _made_out(finished: Agreement, calibration: Calibration) -> Agreement:
    if calibration.source is None:  # the shipped one goes with every calibration of its models
        return replace(finished, id=finished.digest())
    return finished.bound_to(calibration)


def _look(
    images: Path, pipeline: FacePipeline, plan: Plan, *, rng: np.random.Generator, report: Report
) -> tuple[Part, Part, Part]:
    """Return the people who make the map, who fit the head (some are attacked), and who set the threshold."""
    chosen = chosen_pictures(find_pictures(images))
    which = split(chosen, images)
    parts = Part(), Part(), Part()
    for done, picture in enumerate(chosen, start=1):
        part = which[picture.person]
        people = parts[part].people
        full = plan.people is not None and len(people) >= plan.people and picture.person not in people
        if not full and len(people.get(picture.person, ())) < MOST_PICTURES:
            seen = see_file(picture.path, pipeline, rng=rng, again=0 if part == MAPPING else LOOKS_AGAIN)
            if seen is not None:
                people.setdefault(picture.person, []).append(seen)
        report("looking", done, len(chosen))
    usable = [len(part.people) for part in parts]
    if min(usable) < LEAST_PEOPLE:
        raise CorpusUnusable(
            f"in the choosing half of {images}, {usable[0]}, {usable[1]} and {usable[2]} people have pictures that can "
            f"be used for map, head and threshold; each needs {LEAST_PEOPLE}"
        )
    return parts


def _begin(rows: Rows, owners: NDArray[np.int64], calibration: Calibration) -> Agreement:
    """Return a detector with map and moments, and no head yet."""
    nothing = np.zeros(0, np.float32)
    start = Agreement(
        id="",
        framing=calibration.framing,
        models=dict(calibration.models),
        **fit_map(rows),
        moments={},
        scale=nothing,
        hidden=nothing,
        output=nothing,
        threshold=0.0,
        evidence={},
    )
    promised, centred = start.promise(rows.facenet), start.centred(rows.sface)
    return replace(
        start,
        moments={
            "facenet": moments(rows.facenet, rows.facenet, owners),
            "sface": moments(rows.sface, rows.sface, owners),
            "promised": moments(promised, centred, owners),
            "recalled": moments(centred, promised, owners),
        },
    )


def _sittings(part: Part, pipeline: FacePipeline, *, rng: np.random.Generator, report: Report) -> list[Login]:
    pictures = [seen[0] for seen in part.people.values()][:SITTINGS]
    found = []
    for done, seen in enumerate(pictures, start=1):
        found.append(Login(seen.looks, same_sitting(seen, pipeline, rng=rng)))
        report("the same sitting", done, len(pictures))
    return found


def _targets(part: Part, count: int, rng: np.random.Generator) -> list[Target]:
    people = list(part.people.values())
    pairs = [rng.choice(len(people), size=2, replace=False) for _ in range(count)]
    return [Target(people[left][0].image, people[left][0].five, people[right][0].embeddings) for left, right in pairs]


def _attacked(
    attacker: Attacker,
    recipe: Recipe,
    *,
    targets: Sequence[Target],
    pipeline: FacePipeline,
    rng: np.random.Generator,
    report: Report,
) -> list[Login]:
    """Return what the service sees of the attacked pictures; one that shows no face any more is left out."""
    total, done, found = len(targets) * recipe.steps, 0, []

    def moved(pictures: int) -> None:
        nonlocal done
        done += pictures
        report(recipe.name, done, total)

    for start in range(0, len(targets), BATCH):
        batch = targets[start : start + BATCH]
        for target, image in zip(batch, attacker.attack(batch, recipe, rng=rng, report=moved), strict=True):
            try:
                found.append(Login(see(image, pipeline, rng=rng).looks, target.victim))
            except CannotTell:
                continue
    return found


def _accepted(logins: Iterable[Login], calibration: Calibration) -> list[Login]:
    return [one for one in logins if compare(one.looks[0].plain, one.reference, calibration=calibration).match]


def _table(agreement: Agreement, logins: Sequence[Login]) -> NDArray[np.float64]:
    return np.stack([agreement.features(login.looks, login.reference) for login in logins])


def _threshold(agreement: Agreement, part: Part, calibration: Calibration, false_alarm: float, *, seed: int) -> float:
    """Return the upper 97.5 % bound (people drawn again) of the threshold for `false_alarm` of the accepted logins."""
    logins = _accepted(part.genuine(), calibration)
    odds = np.array([agreement.log_odds(row) for row in _table(agreement, logins)])
    order = np.argsort(-odds)
    owners = np.array([login.person for login in logins])[order]
    rng, asked = np.random.default_rng(seed), []
    for _ in range(DRAWS):
        drawn = np.bincount(rng.integers(len(part.people), size=len(part.people)), minlength=len(part.people))
        above = np.cumsum(drawn[owners])
        first_bad = int(np.searchsorted(above, false_alarm * above[-1], side="right"))
        asked.append(np.nextafter(odds[order][min(first_bad, len(odds) - 1)], np.inf))
    return float(np.quantile(asked, 1 - TAIL_PROBABILITY))


def _facenet_alone(parts: Sequence[Part], fmr: float) -> float:
    """Return FaceNet's own threshold at `fmr`, over all pairs of different people of each part."""
    scores = []
    for part in parts:
        rows, owners = part.rows()
        scores.append((rows.facenet @ rows.facenet.T)[owners[:, None] < owners[None, :]])
    return float(np.quantile(np.concatenate(scores), 1 - fmr))


def _of_parts(parts: dict[str, Part]) -> dict[str, Any]:
    """Return counts, and FaceNet's own threshold, for the record."""
    counts = {name: {"people": len(part.people), "pictures": len(part.pictures())} for name, part in parts.items()}
    return {**counts, "facenet_fmr_1e-4": _facenet_alone(list(parts.values()), 1e-4)}
