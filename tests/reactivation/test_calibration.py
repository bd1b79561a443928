"""A small seeded part of the calibration benchmark: do the ladder's intervals cover what the model expects?

The whole of it is `python -m benchmarks "reactivation calibration"`; figures stand in docs/methods/reactivation-worlds.md.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import pytest
from benchmarks.reactivation_calibration import Result, Tally, run_some
from scipy.stats import binom

from primeta.worlds.reactivation_truth import truth_of
from primeta.worlds.reactivation_types import SETTINGS

RUNS, RUNS_OF_FOUR = 60, 14


@lru_cache(maxsize=8)
def ran(name: str, runs: int = RUNS, four: int = 0) -> Result:
    setting = SETTINGS[name]
    return run_some(setting, truth_of(setting), runs=range(runs), four=four)


def covers(tally: Tally, *, at_least: bool = False) -> bool:
    """Inside the band of so many runs of a 95% interval, at p = .0005 a side."""
    low, high = binom.ppf(0.0005, tally.told, 0.95), binom.ppf(0.9995, tally.told, 0.95)
    return tally.told > 0 and bool(tally.covered >= low and (at_least or tally.covered <= high))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "staggered", "heavy-tailed"])
def test_intervals_of_rungs_2_and_3_cover_the_expected_truth(name: str) -> None:
    result = ran(name)
    for figure in ("rung 2", "rung 3", "self", "induced"):
        for arm in ("reminder", "discount"):
            assert covers(result.tallies[figure, arm], at_least=name == "heavy-tailed"), (figure, arm)


@pytest.mark.slow
def test_needless_discounts_are_covered_where_baskets_are_alike_and_their_bounds_where_not() -> None:
    assert covers(ran("plain").tallies["needless", "discount"])
    broken = ran("other-basket")
    assert not covers(broken.tallies["needless", "discount"])
    for name in ("plain", "other-basket"):
        assert covers(ran(name).tallies["bounds", "discount"], at_least=True)


@pytest.mark.slow
def test_where_nothing_happens_one_in_twenty_seems_to() -> None:
    result = ran("aa")
    wrong = Counter({True: 0})
    for figure in ("rung 2", "rung 3"):
        for arm in ("reminder", "discount"):
            tally = result.tallies[figure, arm]
            wrong.update({True: tally.told - tally.nil})
            assert tally.told - tally.nil <= binom.ppf(0.9995, tally.told, 0.05)
    assert wrong[True] > 0


@pytest.mark.slow
def test_the_short_winner_leads_below_and_loses_on_rung_4() -> None:
    result = ran("short-winner-loses", runs=RUNS_OF_FOUR, four=RUNS_OF_FOUR)
    assert result.best["rung1"]["discount"] == RUNS_OF_FOUR
    assert result.best["rung2"]["discount"] >= 0.9 * RUNS_OF_FOUR
    # 90% of the runs are asked for over 1,000 of them; of 14, P(fewer than 10) = .01 then
    assert result.best["rung4"]["reminder"] >= binom.ppf(0.01, RUNS_OF_FOUR, 0.9)
