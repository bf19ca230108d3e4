"""All measurements of `facestep evaluate protection`, one after another.

Rules:
 * Real references of real pictures, by the code that seals; keys and noise from a seed, so the figures come again.
 * People whose references an attack has seen are never its victims.
 * No vector leaves: the report holds counts and rates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from plugin.protection.accuracy import measure
from plugin.protection.reconstruction import Made, attack
from plugin.protection.records import Issuer, kept, noisy, opened
from plugin.protection.unlinkability import linkability, linking_scores
from vault.noise import DELTA, SENSITIVITY, epsilon_of, sigma_for
from vault.schemes import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometric.calibration import Calibration
    from biometric.evaluation.corpus import Corpus
    from biometric.types import Floats

    Report = Callable[[str, int, int], None]

LEAKED: Final = 10_000
VICTIM_SHARE: Final = 0.25
NOT_MATED: Final = 100_000
KNOWN_PAIRS: Final = (32, 64, 128, 256, 512, 1024)
EPSILONS: Final = (1, 8, 32, 64, 128, 256, 512, 1024)
SIGMAS: Final = (0.01, 0.02, 0.03)
MODELS: Final = ("facenet", "sface")


def protection_report(corpus: Corpus, calibration: Calibration, *, seed: int = 1, report: Report) -> dict[str, Any]:
    """Return every figure. `corpus` holds vectors as the nets give them; chance is drawn from `seed`."""
    schemes = {
        name: _scheme(corpus, calibration, name, version, seed=seed, report=report) for name, version in NAMES.items()
    }
    return {
        "counts": {"pictures": len(corpus.person), "people": len(corpus.people)},
        "calibration": calibration.id,
        "seed": seed,
        "without": measure(corpus, corpus, calibration).as_json(),
        "schemes": schemes,
        "noise": noise_table(corpus, calibration, seed=seed, report=report),
    }


def _scheme(
    corpus: Corpus, calibration: Calibration, name: str, version: int, *, seed: int, report: Report
) -> dict[str, Any]:
    def told(stage: str) -> Callable[[int, int], None]:
        return lambda done, total: report(f"{name}: {stage}", done, total)

    through = opened(corpus, version=version, issuer=Issuer("one"), report=told("sealed and opened"))
    tables = {
        issuer.name: {
            model: kept(getattr(corpus, model), model=model, version=version, issuer=issuer, report=told(issuer.name))
            for model in MODELS
        }
        for issuer in (Issuer("one issuer"), Issuer("another issuer"), Issuer("one key", one_key_for_all=True))
    }
    likeness = {model: float((getattr(corpus, model) * getattr(through, model)).sum(axis=1).mean()) for model in MODELS}
    return {
        "cosine_after_opening": likeness,
        "accuracy": measure(through, corpus, calibration).as_json(),
        "unlinkability": _unlinkability(corpus, tables, seed=seed),
        "reconstruction": _reconstructions(corpus, calibration, tables, seed=seed),
    }


def _unlinkability(corpus: Corpus, tables: dict[str, dict[str, Floats]], *, seed: int) -> dict[str, Any]:
    """Return D_sys between two issuers, and where they shared one key, which shows that the measure sees links."""
    rng = np.random.default_rng(seed)
    rows = np.arange(len(corpus.person))
    first, second = _strangers(corpus, NOT_MATED, rng=rng)
    twice = _other_pictures(corpus, rng=rng)
    found: dict[str, Any] = {}
    for what, (left, right) in {
        "two_issuers": ("one issuer", "another issuer"),
        "one_key_for_all": ("one key", "one key"),
    }.items():
        for model in MODELS:
            one, other = tables[left][model], tables[right][model]
            mated = linking_scores(one[rows], other[rows]) if left != right else {}
            photographs = linking_scores(one[twice[0]], other[twice[1]])
            strangers = linking_scores(one[first], other[second])
            for score in strangers:
                pairs = {"same_picture": mated.get(score), "another_picture": photographs[score]}
                found[f"{what}_{model}_{score}"] = {
                    kind: linkability(values, strangers[score], rng=rng).as_json()
                    for kind, values in pairs.items()
                    if values is not None
                }
    return found


def _reconstructions(
    corpus: Corpus, calibration: Calibration, tables: dict[str, dict[str, Floats]], *, seed: int
) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    victims = rng.random(len(corpus.people))[corpus.person] < VICTIM_SHARE
    threshold = _fused_threshold(corpus, calibration, fmr=1e-3)
    seen = [(tables[name], ~victims) for name in ("one issuer", "another issuer")]
    own_keys = _attacked(corpus, calibration, seen, victims, tables["one issuer"], threshold=threshold)
    shared = tables["one key"]
    one_key = _attacked(corpus, calibration, [(shared, ~victims)], victims, shared, threshold=threshold)
    return {
        "key_per_record": own_keys,
        "one_key_for_all": one_key,
        "known_pairs_under_one_key": {
            str(count): _few(corpus, shared["facenet"], victims, count, rng=rng) for count in KNOWN_PAIRS
        },
    }


def _attacked(
    corpus: Corpus,
    calibration: Calibration,
    seen: list[tuple[dict[str, Floats], Any]],
    victims: Any,
    stolen: dict[str, Floats],
    *,
    threshold: float,
) -> dict[str, Any]:
    """Return what the attack reaches, model by model, and how often its faces would be accepted at FMR 1e-3."""
    found: dict[str, Any] = {}
    made: dict[str, Made] = {}
    for model in MODELS:
        leaked = np.concatenate([table[model][rows] for table, rows in seen])[:LEAKED]
        plain = np.concatenate([getattr(corpus, model)[rows] for _, rows in seen])[:LEAKED]
        truth = getattr(corpus, model)[victims]
        reached, made[model] = attack(leaked, plain, stolen[model][victims], truth)
        found[model] = reached.as_json()
    passing = {
        kind: _accepted(
            corpus, calibration, victims, *(getattr(made[model], kind) for model in MODELS), threshold=threshold
        )
        for kind in ("leaked", "whole", "mean_face")
    }
    return found | {"accepted": passing}


def _few(corpus: Corpus, table: Floats, victims: Any, count: int, *, rng: np.random.Generator) -> float:
    """Return the cosine that the attack reaches with so many known pairs under the victim's own key."""
    known = rng.permutation(np.flatnonzero(~victims))[:count]
    reached, _ = attack(table[known], corpus.facenet[known], table[victims], corpus.facenet[victims])
    return reached.cosine


def _accepted(
    corpus: Corpus, calibration: Calibration, victims: Any, facenet: Floats, sface: Floats, *, threshold: float
) -> dict[str, float]:
    """Return how often made-up faces pass as the victims whose own pictures they are compared with."""
    made, own = (calibration.facenet_space(rows) for rows in (facenet, corpus.facenet[victims]))
    first, second = (made * own).sum(axis=1), (sface * corpus.sface[victims]).sum(axis=1)
    fused = calibration.fused(first, second)
    floors = (first >= calibration.facenet.floor) & (second >= calibration.sface.floor)
    return {
        "fused_at_fmr_1e_3": float((fused >= threshold).mean()),
        "as_shipped": float(((fused >= calibration.fused_threshold) & floors).mean()),
    }


def _fused_threshold(corpus: Corpus, calibration: Calibration, *, fmr: float) -> float:
    first, second = _strangers(corpus, 20 * NOT_MATED, rng=np.random.default_rng(0))
    space = calibration.facenet_space(corpus.facenet)
    scores = [
        calibration.fused(
            (space[first[part]] * space[second[part]]).sum(axis=1),
            (corpus.sface[first[part]] * corpus.sface[second[part]]).sum(axis=1),
        )
        for part in np.array_split(np.arange(len(first)), 40)
    ]
    return float(np.quantile(np.concatenate(scores), 1 - fmr))


def _strangers(corpus: Corpus, count: int, *, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return two lists of rows, pair by pair of two people."""
    first, second = rng.integers(len(corpus.person), size=(2, count))
    apart = corpus.person[first] != corpus.person[second]
    return first[apart], second[apart]


def _other_pictures(corpus: Corpus, *, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return pairs of different pictures of one person: each picture with the next, in an order of chance."""
    order = rng.permutation(len(corpus.person))
    by_person = order[np.argsort(corpus.person[order], kind="stable")]
    same = corpus.person[by_person[:-1]] == corpus.person[by_person[1:]]
    return by_person[:-1][same], by_person[1:][same]


def noise_table(corpus: Corpus, calibration: Calibration, *, seed: int, report: Report) -> list[dict[str, Any]]:
    """Return accuracy for each noise; epsilon is that of one vector, and two are stored of each face."""
    sigmas = [*SIGMAS, *(sigma_for(epsilon) for epsilon in reversed(EPSILONS))]
    rows = []
    for done, sigma in enumerate(sigmas, start=1):
        with_noise = noisy(corpus, sigma=sigma, seed=seed)
        near = float((with_noise.facenet * corpus.facenet).sum(axis=1).mean())
        row = {"sigma": sigma, "epsilon": epsilon_of(sigma), "delta": DELTA, "sensitivity": SENSITIVITY}
        rows.append(row | {"cosine_facenet": near} | measure(with_noise, corpus, calibration).as_json())
        report("noise", done, len(sigmas))
    return rows


def at_most(corpus: Corpus, pictures: int | None) -> Corpus:
    """Return the corpus with at most so many pictures a person; None keeps all."""
    return corpus if pictures is None else replace(corpus.at_most(pictures), failures=corpus.failures)
