"""PGD under the maximum norm: an impostor's picture, changed by at most EPSILON levels a pixel, to match a victim.

Rules:
 * The attacker changes the picture; both recognisers cut their crops from that one picture. He knows the weights, the
   crops, the detector and the victim's very vectors: more than anybody outside has.
 * He works on the five points of the unchanged picture. What is reported is measured afterwards by the service's own
   code, which looks for the face anew and sees whole levels (uint8).
 * `goal` is the similarity he wants from each model; beyond it he does not push. 1 pushes without end.
 * With `again` a freshly drawn second look is in the loop at every step (EOT); its coarse pixels are a linear map, and
   the gradient is brought back through the same reduction.
 * With `head` the detector's own log-odds are in his aim: the adaptive attacker.

Published: Madry et al., arXiv 1706.06083 (PGD); Dong et al., 1710.06081 (momentum); Athalye et al., 1802.00420 (EOT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import tensorflow as tf

from biometric.agreement_looks import coarse_size, draw_change, moved, window
from biometric.align import SFACE_TARGET, facenet_matrix, similarity
from biometric.evaluation.adversarial_head import head_log_odds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from biometric.agreement import Agreement
    from biometric.agreement_looks import Change
    from biometric.evaluation.adversarial_nets import GradientNets
    from biometric.types import FaceEmbeddings, Floats, Image, Points

EPSILON: Final = 8.0  # levels of 255
STEP: Final = 1.5  # levels
MOMENTUM: Final = 0.9
HEAD_SHARE: Final = 0.1  # cosine that one unit of log-odds is worth to the adaptive attacker
HEAD_MARGIN: Final = 1.0  # how far below the threshold he wants to be


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an attacker goes about it.

    Attributes:
        facenet, sface: which models he attacks.
        again: whether the random second look is in the loop.
        head: whether the detector is.
        steps: how often he moves.
        goal: the similarity wanted of FaceNet and of SFace.
    """

    name: str
    facenet: bool = True
    sface: bool = True
    again: bool = False
    head: bool = False
    steps: int = 16
    goal: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """An impostor's picture (BGR) with the five points of his face, and the vectors of his victim."""

    image: Image
    five: Points
    victim: FaceEmbeddings


class Attacker:
    """White-box attacks in batches of pictures of one size.

    Args:
        nets: the recognisers with gradients.
        agreement: the detector, needed for recipes with `head`.
        projection: the matrix that FaceNet's vectors are compared through (D x 512), if there is one.
    """

    def __init__(
        self, nets: GradientNets, *, agreement: Agreement | None = None, projection: Floats | None = None
    ) -> None:
        self._nets = nets
        self._projection = projection
        self._agreement = agreement
        self._gradients = tf.function(self._traced)

    def attack(
        self,
        targets: Sequence[Target],
        recipe: Recipe,
        *,
        rng: np.random.Generator,
        report: Callable[[int], None] = lambda _: None,
    ) -> list[Image]:
        """Return the changed pictures; `report` is called with the number of pictures after every step."""
        if recipe.head and (self._agreement is None or not recipe.again):
            raise ValueError("an attack on the head needs the detector and the second look")
        clean = np.stack([target.image[:, :, ::-1] for target in targets]).astype(np.float32)
        low, high = np.clip(clean - EPSILON, 0, 255), np.clip(clean + EPSILON, 0, 255)
        now = np.clip(clean + rng.uniform(-EPSILON, EPSILON, clean.shape), 0, 255).astype(np.float32)
        heading = np.zeros_like(clean)
        for step in range(recipe.steps):
            found = self._uphill(now, targets, recipe, rng=rng, mirrored=bool(step % 2))
            size = np.mean(np.abs(found), axis=(1, 2, 3), keepdims=True)
            heading = MOMENTUM * heading + found / np.maximum(size, 1e-12)
            now = np.clip(now + STEP * np.sign(heading), low, high).astype(np.float32)
            report(len(targets))
        whole = np.clip(np.round(now), low, high).astype(np.uint8)
        return [np.ascontiguousarray(picture[:, :, ::-1]) for picture in whole]

    def _uphill(
        self, now: Floats, targets: Sequence[Target], recipe: Recipe, *, rng: np.random.Generator, mirrored: bool
    ) -> Floats:
        """Return the direction that serves the attacker's aim, per pixel."""
        fives = [target.five for target in targets]
        changes = [draw_change(rng) for _ in targets] if recipe.again else []
        again, cuts = now, fives
        if changes:
            again = _reduced(now, fives, changes)
            cuts = [moved(five, change) for five, change in zip(fives, changes, strict=True)]
        plainly, coarsely = self._gradients(
            (tf.constant(now), tf.constant(again)),
            {
                "facenet": tf.constant(np.stack([facenet_matrix(five) for five in fives])),
                "sface": tf.constant(np.stack([similarity(five, SFACE_TARGET) for five in fives])),
                "again": tf.constant(np.stack([facenet_matrix(five) for five in cuts])),
            },
            (
                tf.constant(np.stack([target.victim.facenet.vector for target in targets])),
                tf.constant(np.stack([target.victim.sface.vector for target in targets])),
            ),
            tf.constant(recipe.goal, tf.float32),
            (recipe.facenet, recipe.sface, recipe.again, recipe.head, mirrored),
        )
        total: Floats = plainly.numpy()
        return total + _reduced(coarsely.numpy(), fives, changes, outside=0.0) if changes else total

    def _traced(
        self,
        pictures: tuple[Any, Any],
        cuts: dict[str, Any],
        victims: tuple[Any, Any],
        goal: Any,
        aimed: tuple[bool, bool, bool, bool, bool],
    ) -> Any:
        """Return the gradients at the picture and at its coarse copy, as TensorFlow operations.

        `aimed` says what the attacker looks at (facenet, sface, again, head) and whether mirrored; one trace for each.
        """
        at_facenet, at_sface, at_again, at_head, mirrored = aimed
        (plain, again), (facenet_victim, sface_victim), aims = pictures, victims, []
        with tf.GradientTape() as tape:
            tape.watch([plain, again])
            if at_facenet:
                facenet = self._nets.facenet_half(plain, cuts["facenet"], mirrored=mirrored)
                aims.append(tf.minimum(self._like(facenet, facenet_victim), goal[0]))
            if at_sface:
                sface = self._nets.sface(plain, cuts["sface"])
                aims.append(tf.minimum(tf.reduce_sum(sface * sface_victim, axis=1), goal[1]))
            if at_again:
                seen = self._nets.facenet_half(again, cuts["again"], mirrored=not mirrored)
                aims.append(tf.minimum(self._like(seen, facenet_victim), goal[0]))
            if at_head and self._agreement is not None:
                odds = head_log_odds(self._agreement, (facenet, sface, seen), victims)
                above = tf.nn.relu(odds - (self._agreement.threshold - HEAD_MARGIN))
                aims.append(-HEAD_SHARE * above)
            aim = tf.reduce_sum(tf.add_n(aims))
        return tape.gradient(aim, [plain, again], unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def _like(self, facenet: Any, victim: Any) -> Any:
        """Return FaceNet's similarities as compare.py has them."""
        if self._projection is not None:
            facenet, victim = (
                tf.math.l2_normalize(vectors @ self._projection.T, axis=1) for vectors in (facenet, victim)
            )
        return tf.reduce_sum(facenet * victim, axis=1)


def _reduced(
    pictures: Floats, fives: Sequence[Points], changes: Sequence[Change], *, outside: float | None = None
) -> Floats:
    """Return pictures (or gradients), NxHxWx3, with each face's surroundings as coarse as its change makes them.

    What lies outside of the coarse part becomes `outside`; with None it stays as it is.
    """
    found = pictures.copy() if outside is None else np.full_like(pictures, outside)
    for picture, target, five, change in zip(pictures, found, fives, changes, strict=True):
        rows, columns = window(target, five)
        part = np.ascontiguousarray(picture[rows, columns])
        small = cv2.resize(part, coarse_size(part, five, change), interpolation=cv2.INTER_AREA)
        target[rows, columns] = cv2.resize(small, part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return found
