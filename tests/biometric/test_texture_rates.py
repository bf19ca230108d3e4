"""APCER and BPCER on scores written by hand."""

import numpy as np
import pytest

from biometric.evaluation.texture_rates import Shown, Species, error_rate, rates_report, threshold_at_bpcer

LIVE = Species("live", attack=False)
PRINT = Species("print", attack=True, counterpart="live")
SCREEN = Species("screen", attack=True, simulated=True)


def shown(species, scores, people=None):
    return Shown(species, np.array(scores, np.float32), tuple(people or [str(k) for k in range(len(scores))]))


def rng():
    return np.random.default_rng(1)


def test_at_the_threshold_itself_a_picture_is_called_a_spoof():
    assert error_rate(shown(PRINT, [0.5, 0.4]), 0.5, rng=rng()).value == 0.5
    assert error_rate(shown(LIVE, [0.5, 0.4, 0.1, 0.1]), 0.5, rng=rng()).value == 0.25


def test_no_error_among_few_people_is_no_certainty():
    few = error_rate(shown(PRINT, [0.9] * 300, ["a"] * 100 + ["b"] * 100 + ["c"] * 100), 0.5, rng=rng())
    assert (few.value, few.low) == (0.0, 0.0)
    assert few.high > 0.5


def test_the_interval_counts_people_not_pictures():
    scores = [0.9] * 50 + [0.1] * 50
    one_person_errs = error_rate(shown(PRINT, scores, ["a"] * 50 + ["b"] * 50), 0.5, rng=rng())
    everybody_errs = error_rate(shown(PRINT, scores), 0.5, rng=rng())
    assert one_person_errs.high - one_person_errs.low > 3 * (everybody_errs.high - everybody_errs.low)


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_keeps_every_group_s_bpcer(seed):
    chance = np.random.default_rng(seed)
    groups = [chance.random(37).astype(np.float32), (chance.random(60) / 2).astype(np.float32)]
    at = threshold_at_bpcer(groups, 0.05)
    assert all((group >= at).mean() <= 0.05 for group in groups)
    assert max((group >= at - 0.1).mean() for group in groups) > 0.05


def test_the_worst_species_counts_and_simulated_ones_say_so():
    report = rates_report(
        [shown(LIVE, [0.1] * 20), shown(PRINT, [0.99] * 9 + [0.2]), shown(SCREEN, [0.99] * 5 + [0.2] * 5)],
        deny_at=0.9,
        bpcer=0.05,
        seed=1,
    )
    assert report["worst_species"] == "screen"
    rows = {row["species"]: row for row in report["species"]}
    assert (rows["screen"]["simulated"], rows["print"]["simulated"]) == (True, False)
    assert rows["print"]["at_deny_threshold"]["value"] == pytest.approx(0.1)
    assert rows["print"]["at_bpcer_0.05_of_counterpart"]["value"] == 0.0
    assert "at_bpcer_0.05_of_counterpart" not in rows["screen"]


def test_the_cue_s_median_is_counted_for_people_with_enough_looks():
    people = ["a"] * 3 + ["b"] * 4 + ["c"] * 2
    scores = [0.99, 0.99, 0.1, 0.99, 0.1, 0.1, 0.2, 0.99, 0.99]
    report = rates_report([shown(LIVE, [0.1] * 20), shown(PRINT, scores, people)], deny_at=0.9, bpcer=0.05, seed=1)
    row = report["species"][1]
    assert (row["people_with_looks"], row["people_denied"]) == (2, 1)
