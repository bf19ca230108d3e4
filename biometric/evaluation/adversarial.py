"""Adversarial pictures against one model, both, and the whole decision: what `facestep evaluate adversarial` measures.

Rules:
 * People of the reporting half only: none of them trained or set anything. Impostor and victim are two people whose
   unchanged pictures are clearly told apart (CLEAR fused units below the threshold, and CLEAR_COSINE below FaceNet's
   own threshold for FMR 1e-4).
 * The victim's very vectors are the reference: the attacker knows more than anybody outside.
 * Every attacked picture is judged by the code that serves: detector, mesh, LiteRT, compare(), the shipped
   disagreement detector.
 * Caught "at 1 % false alarm": each detector's threshold is set on the genuine logins of this very run. Caught "as
   shipped": the threshold in agreement.json, with its false alarms beside it.

Not here: the attacks (adversarial_attack.py, adversarial_blackbox.py), the page (adversarial_page.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometric.agreement import FEATURES
from biometric.compare import compare
from biometric.errors import CannotTell
from biometric.evaluation.adversarial_attack import EPSILON, Attacker, Recipe, Target
from biometric.evaluation.adversarial_blackbox import blackbox
from biometric.evaluation.adversarial_figures import attack_row, genuine_row, share
from biometric.evaluation.adversarial_logins import Login, Seen, same_sitting, see, see_file
from biometric.evaluation.adversarial_nets import GradientNets, least_cosines
from biometric.evaluation.calibrate import in_choosing_half
from biometric.evaluation.corpus import CorpusUnusable, find_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from biometric.agreement import Agreement
    from biometric.pipeline import FacePipeline
    from biometric.types import Image

    Report = Callable[[str, int, int], None]

CLEAR: Final = 1.0  # fused units
CLEAR_COSINE: Final = 0.1  # below FaceNet's own threshold (FIELD: "cos < tau - .1")
FALSE_ALARM: Final = 0.01
BATCH: Final = 8
CHECKED: Final = 8  # pictures on which the nets with gradients are held against what is served
QUIET: Final = (0.62, 0.55)  # similarities that a genuine pair of pictures reaches in the middle
SITTINGS: Final = 100


@dataclass(frozen=True, slots=True)
class Order:
    """What is measured.

    Attributes:
        pairs: impostor-victim pairs.
        people: genuine people at most, two pictures each.
        steps: of each white-box attack.
        queries: yes or no answers an attacker may have per pair before the service stops answering.
    """

    pairs: int
    people: int
    steps: int
    queries: int
    seed: int = 1


def recipes(steps: int) -> dict[str, Recipe]:
    """Return the white-box attacks by the letter of their row."""
    return {
        "a": Recipe("FaceNet alone", sface=False, steps=steps),
        "c": Recipe("both models", steps=steps),
        "c quiet": Recipe("both models, quiet: no further than a genuine pair", steps=steps, goal=QUIET),
        "d": Recipe("both models, random second look in the loop", steps=steps, again=True),
        "f": Recipe(
            "both, second look and detector in the loop, quiet", steps=steps, again=True, head=True, goal=QUIET
        ),
    }


class Laboratory:
    """One run: what is judged with, and how."""

    def __init__(self, pipeline: FacePipeline, agreement: Agreement, *, seed: int, report: Report) -> None:
        self._pipeline = pipeline
        self._agreement = agreement
        self._rng = np.random.default_rng(seed)
        self._report = report
        self._facenet_alone = float(agreement.evidence["facenet_fmr_1e-4"])

    def people(self, images: Path, most: int) -> list[list[Seen]]:
        """Return up to `most` people of the reporting half with two usable pictures each."""
        pictures = [picture for picture in find_pictures(images) if not in_choosing_half(picture.person)]
        by_person: dict[str, list[Path]] = {}
        for picture in pictures:
            by_person.setdefault(picture.person, []).append(picture.path)
        several = [paths for paths in by_person.values() if len(paths) > 1]
        self._rng.shuffle(several)
        found: list[list[Seen]] = []
        for paths in several:
            if len(found) == most:
                break
            seen = [one for path in paths[:3] if (one := see_file(path, self._pipeline, rng=self._rng)) is not None]
            if len(seen) > 1:
                found.append(seen[:2])
            self._report("looking at people", len(found), min(most, len(several)))
        return found

    def pairs(self, people: Sequence[Sequence[Seen]], count: int) -> list[Target]:
        """Return impostors with their victims, each pair clearly told apart.

        Raises:
            CorpusUnusable: there are too few people for so many pairs.
        """
        found: list[Target] = []
        for _ in range(count * 50):
            if len(found) == count or len(people) < 2:  # noqa: PLR2004  (an impostor and a victim)
                break
            impostor, victim = self._rng.choice(len(people), size=2, replace=False)
            seen, known = people[impostor][1], people[victim][0].embeddings
            clean = compare(seen.embeddings, known, calibration=self._pipeline.calibration)
            alone = float(seen.embeddings.facenet.vector @ known.facenet.vector)
            apart = clean.fused_score <= clean.fused_threshold - CLEAR
            if apart and alone < self._facenet_alone - CLEAR_COSINE:
                found.append(Target(seen.image, seen.five, known))
        if len(found) < count:
            raise CorpusUnusable(f"{len(people)} people make {len(found)} clear pairs, not {count}")
        return found

    def genuine(self, people: Sequence[Sequence[Seen]]) -> tuple[list[Login], list[Login]]:
        """Return logins against another picture of the same person, and in the same sitting (simulated)."""
        other = [Login(probe.looks, known.embeddings) for known, probe in people]
        sittings = []
        for done, (_, probe) in enumerate(people[:SITTINGS], start=1):
            sittings.append(Login(probe.looks, same_sitting(probe, self._pipeline, rng=self._rng)))
            self._report("the same sitting", done, min(SITTINGS, len(people)))
        return other, sittings

    def attacked(self, attacker: Attacker, targets: Sequence[Target], recipe: Recipe) -> list[Login | None]:
        """Return what the service sees of each attacked picture; None where it sees no face any more."""
        found: list[Login | None] = []
        done = 0

        def moved(pictures: int) -> None:
            nonlocal done
            done += pictures
            self._report(recipe.name, done, len(targets) * recipe.steps)

        for start in range(0, len(targets), BATCH):
            batch = targets[start : start + BATCH]
            images = attacker.attack(batch, recipe, rng=self._rng, report=moved)
            found += [self._seen(image, target) for image, target in zip(images, batch, strict=True)]
        return found

    def _seen(self, image: Image, target: Target) -> Login | None:
        try:
            return Login(see(image, self._pipeline, rng=self._rng).looks, target.victim)
        except CannotTell:
            return None

    def decided(self, logins: Sequence[Login | None]) -> dict[str, NDArray[np.bool_]]:
        """Return for each login who says yes: FaceNet alone, the fused score alone, the decision, with detector."""
        rows = []
        for login in logins:
            if login is None:
                rows.append((False, False, False, False))
                continue
            seen = compare(login.looks[0].plain, login.reference, calibration=self._pipeline.calibration)
            alone = float(login.looks[0].plain.facenet.vector @ login.reference.facenet.vector)
            calm = self.odds(login) < self._agreement.threshold
            fused = seen.fused_score >= seen.fused_threshold
            rows.append((alone >= self._facenet_alone, fused, seen.match, seen.match and calm))
        table = np.array(rows, bool).reshape(-1, 4)
        return dict(zip(("facenet_alone", "fused_score", "decision", "with_detector"), table.T, strict=True))

    def features(self, login: Login) -> NDArray[np.float64]:
        """Return the detector's features of a login."""
        return self._agreement.features(login.looks, login.reference)

    def odds(self, login: Login) -> float:
        """Return the trained head's log-odds."""
        return self._agreement.log_odds(self.features(login))

    def alarmed(self, logins: Sequence[Login]) -> list[bool]:
        """Return which logins the shipped detector calls an attack."""
        return [self.odds(login) >= self._agreement.threshold for login in logins]

    def alarms(self, logins: Sequence[Login]) -> dict[str, NDArray[np.float64]]:
        """Return how suspicious each detector finds each login; more is more."""
        rows = np.stack([self.features(login) for login in logins] or [np.zeros(len(FEATURES))])[: len(logins)]
        standard = (rows - self._agreement.scale[0]) / self._agreement.scale[1]
        gap = np.abs(standard[:, FEATURES.index("facenet")] - standard[:, FEATURES.index("sface")])
        return {
            "difference of z-scores": gap,
            "second look alone": rows[:, FEATURES.index("drop")],
            "untrained head": np.abs(standard).max(axis=1),
            "trained head": np.array([self._agreement.log_odds(row) for row in rows]),
        }

    def blackbox(self, targets: Sequence[Target], queries: int) -> dict[str, Any]:
        """Return how many pairs a decision-only attacker opens with so many answers each."""
        opened, asked = 0, 0
        for done, target in enumerate(targets, start=1):

            def accepts(image: Image, target: Target = target) -> bool:
                login = self._seen(image, target)
                return login is not None and bool(self.decided([login])["with_detector"][0])

            query = blackbox(target, self._pipeline, accepts, queries=queries, rng=self._rng)
            opened += query is not None
            asked += queries if query is None else query
            self._report("yes and no only", done, len(targets))
        return {
            "pairs": len(targets),
            "queries_each": queries,
            "queries": asked,
            "success": share(opened, len(targets)),
        }


def evaluate_adversarial(
    images: Path,
    pipeline: FacePipeline,
    nets: GradientNets,
    agreement: Agreement,
    *,
    order: Order,
    report: Report,
) -> dict[str, Any]:
    """Return the whole report.

    Raises:
        CorpusUnusable: too few people.
        NetUnreadable: the nets with gradients do not say what is served.
    """
    laboratory = Laboratory(pipeline, agreement, seed=order.seed, report=report)
    people = laboratory.people(images, order.people)
    least = least_cosines(nets, [(seen.image, seen.five, seen.embeddings) for seen, *_ in people[:CHECKED]])
    targets = laboratory.pairs(people, order.pairs)
    genuine, sittings = laboratory.genuine(people)
    said = laboratory.decided(genuine)
    accepted = [login for login, match in zip(genuine, said["decision"], strict=True) if match]
    clean = laboratory.alarms(accepted)
    limits = {name: float(np.quantile(values, 1 - FALSE_ALARM)) for name, values in clean.items()}
    projection = pipeline.calibration.projection
    matrix = None if projection is None else projection.matrix
    attacker = Attacker(nets, agreement=agreement, projection=matrix)
    rows = {}
    for letter, recipe in recipes(order.steps).items():
        logins = laboratory.attacked(attacker, targets, recipe)
        alarms = laboratory.alarms([login for login in logins if login is not None])
        rows[letter] = {"attack": recipe.name} | attack_row(logins, laboratory.decided(logins), alarms, limits)
    by_kind = {"another picture": laboratory.alarmed(accepted), "same sitting, simulated": laboratory.alarmed(sittings)}
    return {
        "epsilon_levels": EPSILON,
        "steps": order.steps,
        "pairs": len(targets),
        "seed": order.seed,
        "least_cosine": least,
        "calibration": pipeline.calibration.id,
        "detector": agreement.id,
        "detector_threshold": agreement.threshold,
        "genuine": genuine_row(said, by_kind),
        "attacks": rows,
        "e": laboratory.blackbox(targets, order.queries),
    }
