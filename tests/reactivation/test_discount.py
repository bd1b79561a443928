"""How large a discount: curves, monotone response, budget, policy and regret, against known worlds and by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks.policy_worlds import discount_test, tables_of
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.errors import BadInput, BadTable
from primeta.reactivation.policy.design import plan_discount
from primeta.reactivation.policy.discount import discount_of
from primeta.reactivation.policy.door import discount
from primeta.reactivation.policy.inputs import Lapsed
from primeta.show.result import plain
from primeta.stats.budget import choose_within
from primeta.stats.monotone_dose import elasticity, rising
from primeta.stats.smooth_cells import smooth_cells
from primeta.worlds.dose import DoseWorld

DELAYS, DEPTHS = (7.0, 42.0), (0.0, 0.1, 0.3)
WORLD = DoseWorld(shape="loyal", horizon=120)


def drawn(n: int = 3_000, seed: int = 0, **more: Any) -> Lapsed:
    return discount_test(WORLD, n, delays=DELAYS, depths=DEPTHS, rng=np.random.default_rng(seed), **more)[0]


def test_curve_of_everybody_is_the_weighted_sum_of_cell_differences_where_nothing_was_known_before():
    lapsed = drawn(by="")
    lapsed = replace(lapsed, features=np.full((lapsed.n, 3), np.nan))
    found = discount_of(lapsed)
    money = lapsed.sums["money"].sum(axis=1)
    never = np.isnan(lapsed.delay)
    cost = np.where(never | (lapsed.returned < np.nan_to_num(lapsed.delay)), 0.0, WORLD.contact_cost)
    by_day = {(p.by, p.x): p.value for p in found.curve}
    for day in DELAYS:
        for depth in DEPTHS:
            cell = (lapsed.delay == day) & (lapsed.depth == depth)
            naive = (money - cost)[cell].mean() - money[never].mean()
            assert by_day[int(day), depth] == pytest.approx(naive)
    shares = {choice.by: choice.share for choice in found.choices}
    for depth in DEPTHS:
        total = sum(shares[int(day)] * by_day[int(day), depth] for day in DELAYS)
        assert by_day[None, depth] == pytest.approx(total)


def test_files_and_arrays_say_the_same_and_the_document_is_whole():
    lapsed, lapses = discount_test(WORLD, 1_500, delays=DELAYS, depths=DEPTHS, rng=np.random.default_rng(2))
    orders, assigned = tables_of(lapses, lapsed, until=300.0)
    given_ = {"until": "2025-10-20", "control": "control", "horizon": "120d", "margin": WORLD.margin}
    found = discount(orders, assigned, **given_, by="segment", contact_cost={"*": WORLD.contact_cost})
    direct = discount_of(lapsed)
    assert [p.value for p in found.curve] == pytest.approx([p.value for p in direct.curve], abs=1e-4)
    assert found.recommended == direct.recommended
    document = plain(found.as_dict())
    assert set(document["curve"][0]) >= {"x", "by", "value", "low", "high"}
    assert {rival["name"] for rival in document["rivals"]} == {
        "best-constant", "no-contact", "zero-discount", "largest",
    }  # fmt: skip
    assert 0 <= document["regret"]["value"] <= document["regret"]["high"]
    for lang in ("en", "ru"):
        assert found.line(lang)
        assert found.choice_table(lang).rows
        assert found.remarks(lang)


def test_one_depth_for_all_is_a_number():
    lapsed = drawn(by="")
    lapsed = replace(lapsed, delay=np.full(lapsed.n, np.nan))
    found = discount_of(lapsed)
    assert found.recommended in (*DEPTHS, "none")
    assert {point.by for point in found.curve} == {None}


def test_a_smaller_budget_is_kept_and_never_earns_more():
    lapsed = drawn()
    free = discount_of(lapsed)
    worth = {}
    for budget in (0.0, 500.0, 2_000.0):
        found = discount_of(lapsed, budget=budget)
        assert found.cost <= budget + 1e-6
        worth[budget] = sum(choice.share * choice.value for choice in found.choices)
    most = sum(choice.share * choice.value for choice in free.choices)
    assert worth[0.0] <= worth[500.0] + 1e-9 <= worth[2_000.0] + 2e-9 <= most + 3e-9


@pytest.mark.slow
def test_the_policy_value_and_the_regret_cover_the_worlds_truth():
    base = [WORLD.value(s, delay=None) for s in (0, 1)]
    truth = np.array(
        [[0.0] + [WORLD.value(s, delay=t, depth=d) - base[s] for d in DEPTHS] for t in DELAYS for s in (0, 1)]
    )
    share = np.array([w / 2 for _ in DELAYS for w in WORLD.shares()])
    held, regrets = 0, 0
    for seed in range(60):
        found = discount_of(drawn(4_000, seed))
        chosen = found.extra["chosen"]
        worth = float(share @ truth[np.arange(4), chosen])
        held += found.low <= worth <= found.high
        regrets += float(share @ truth.max(axis=1)) - worth <= found.regret_high
    # .95 − 3.3 · √(.05 · .95 / 60) = .857
    assert held / 60 > 0.857
    assert regrets / 60 > 0.857


def test_missing_discounts_and_small_depths():
    lapsed = drawn()
    with pytest.raises(BadTable, match="carry no discount"):
        discount_of(replace(lapsed, depth=np.full(lapsed.n, np.nan)))
    hole = lapsed.depth.copy()
    hole[int(np.flatnonzero(np.isfinite(hole))[0])] = np.nan
    with pytest.raises(BadTable, match="is missing"):
        discount_of(replace(lapsed, depth=hole))
    few = lapsed.depth.copy()
    rows = np.flatnonzero(few == 0.3)
    few[rows[10:]] = 0.1
    found = discount_of(replace(lapsed, depth=few))
    assert "small-depth" in {note.code for note in found.notes}
    with pytest.raises(BadInput, match="budget"):
        discount({}, {}, until="2025-12-31", control="c", budget=-1.0)


def test_without_a_control():
    lapsed = drawn()
    treated = lapsed.select(~lapsed.is_control)
    assert discount_of(treated).why_not == "no-control"


# Pure maths


def test_pooled_neighbours_by_hand():
    # Ayer et al. (1955): 3 and 1 with weights 1 and 3 become 1.5
    assert rising([0.0, 3.0, 1.0, 4.0], [1, 1, 3, 1]) == pytest.approx([0.0, 1.5, 1.5, 4.0])


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 5)), min_size=1, max_size=12))
def test_rising_rises_and_keeps_the_mean(rows: list[tuple[float, float]]):
    value, weight = np.array(rows).T
    found = rising(value, weight)
    assert (np.diff(found) >= -1e-12).all()
    assert found @ weight == pytest.approx(value @ weight, abs=1e-8)


def test_elasticity_by_hand():
    # a price of .8 brings 1.25² as many: log 1.5625 / log .8 = −2
    value, low, high = elasticity([0.16, 0.25], [0.0, 0.0], [0.0, 0.2], z=1.96)
    assert value == pytest.approx([-2.0])
    assert (low, high) == (pytest.approx([-2.0]), pytest.approx([-2.0]))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.floats(0, 4))
def test_a_budget_is_never_exceeded_and_unbounded_money_takes_the_best(seed: int, budget: float):
    rng = np.random.default_rng(seed)
    gain, cost = rng.normal(size=(4, 5)), rng.exponential(size=(4, 5))
    gain[:, 0] = cost[:, 0] = 0.0
    share = np.full(4, 0.25)
    rows = np.arange(4)
    chosen, _ = choose_within(gain, cost, share, budget=budget)
    assert share @ cost[rows, chosen] <= budget + 1e-9
    free, price = choose_within(gain, cost, share)
    assert gain[rows, free] == pytest.approx(gain.max(axis=1))
    assert price == 0


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.1, 2))
def test_nothing_that_fits_the_budget_is_better(seed: int, budget: float):
    # all 4³ choices, looked through one by one
    rng = np.random.default_rng(seed)
    gain, cost = rng.normal(size=(3, 4)), rng.exponential(size=(3, 4))
    gain[:, 0] = cost[:, 0] = 0.0
    share = np.array([0.5, 0.3, 0.2])
    rows = np.arange(3)
    every = [np.array(options) for options in itertools.product(range(4), repeat=3)]
    # costs are rounded up by at most three four-thousandths of the budget
    fits = [float(share @ gain[rows, o]) for o in every if share @ cost[rows, o] <= budget * (1 - 3 / 4_000)]
    chosen, _ = choose_within(gain, cost, share, budget=budget)
    assert share @ gain[rows, chosen] >= max(fits) - 1e-9


def test_cells_that_are_alike_are_drawn_together():
    # 40 noisy cells of one and the same mean: the surface is nearer to it than the cells by far
    rng = np.random.default_rng(1)
    dose, time, group = (
        np.tile(np.linspace(0, 1, 5), 8),
        np.repeat(np.tile(np.linspace(0, 1, 4), 2), 5),
        np.repeat([0, 1], 20),
    )
    value = 3 + rng.standard_normal(40)
    found = smooth_cells(value, np.ones(40), dose=dose, time=time, group=group)
    assert np.sqrt(((found.mean - 3) ** 2).mean()) < 0.45
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-9


def test_a_plan_of_depth_and_day():
    made = plan_discount([0.0, 0.1], [7.0, 28.0], never=0.2, per_week=400.0, weeks=10, sd=30.0)
    assert sum(arm.probability for arm in made.arms) == pytest.approx(1.0)
    assert {(arm.discount, arm.delay_days) for arm in made.arms[1:]} == {
        (d, t) for d in (0.0, 0.1) for t in (7.0, 28.0)
    }
    assert made.n == 4_000
    assert made.arms[1].difference > 0
