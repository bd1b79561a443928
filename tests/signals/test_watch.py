"""Watching a panel through a promise year."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from primeta.facts import Provenance
from primeta.signals.scan import scan_panel
from primeta.signals.watch import WatchSettings, signal_id, watch_series
from primeta.stats.multiplicity import e_bh
from primeta.warehouse.metric import Metric
from primeta.warehouse.series import Series, Slice
from primeta.worlds.panel import PanelPlan, simulate_panel

START = date(2022, 1, 3)
PROMISE = START + timedelta(weeks=104)
SETTINGS = WatchSettings()
METRIC = Metric(
    name="items", numerator="items", denominator="orders", unit="count", good="up", smallest_effect=0.01
)


def a_series(value, *, name="x", metric="items", part=None, numerator=None, denominator=None):
    value = np.asarray(value, float)
    unknown = np.full(value.size, np.nan)
    return Series(
        metric=metric,
        slice=part if part is not None else Slice((("shop", name),)),
        grain="week",
        starts=np.datetime64(START, "D") + 7 * np.arange(value.size),
        value=value,
        se=unknown,
        customers=unknown,
        numerator=unknown if numerator is None else numerator,
        denominator=unknown if denominator is None else denominator,
        half_value=np.stack([value, value]),
        half_se=np.full((2, value.size), np.nan),
        provenance=Provenance(source="test", seen_until=None, code_version=""),
    )


def a_panel(n=60, seed=0, weeks=156):
    """n shops around 100 with independent noise of sd 3."""
    return 100 + 3 * np.random.default_rng(seed).standard_normal((n, weeks))


def watched(values, *, week, frozen=None, settings=SETTINGS):
    series = (
        [a_series(row, name=f"{i:02d}") for i, row in enumerate(values)]
        if isinstance(values, np.ndarray)
        else values
    )
    return watch_series(
        series,
        [],
        [],
        metrics={"items": METRIC},
        promise_start=PROMISE,
        seen_until=datetime.combine(PROMISE + timedelta(weeks=week), datetime.min.time(), tzinfo=UTC),
        frozen=frozen or {},
        settings=settings,
    )


@pytest.fixture(scope="module")
def came_and_went():
    """Shop 07 rises by 2 sd from week 5 to week 32 of the promise year and falls back."""
    values = a_panel(seed=3)
    values[7, 104 + 5 : 104 + 33] += 6
    return values


@pytest.fixture(scope="module")
def by_week(came_and_went):
    return {week: watched(came_and_went, week=week) for week in (9, 10, 16, 30, 52)}


def test_each_grade_is_reached_in_turn(by_week):
    name = signal_id("items", "shop=07", PROMISE, "up")
    grades = []
    for result in by_week.values():
        for signal in result.signals:
            if signal.id == name and (not grades or grades[-1] != signal.grade):
                grades.append(signal.grade)
    order = ["noticed", "holding", "repeating", "fading", "refuted"]
    assert [grade for grade in grades if grade != "fading"] == ["noticed", "holding", "repeating", "refuted"]
    assert sorted(grades, key=order.index) == grades


def test_a_signal_says_what_where_since_when_and_how_much(by_week):
    signal = by_week[30].signals[0]
    assert (signal.frozen.about, signal.frozen.slice, signal.frozen.direction) == ("items", "shop=07", "up")
    # frozen after five weeks of 2 sd: the onset is known to about three weeks
    assert abs((signal.frozen.since - (PROMISE + timedelta(weeks=5))).days) <= 21
    assert signal.low <= 6 <= signal.high
    assert signal.low <= signal.observed - signal.expected <= signal.high
    assert signal.expected == pytest.approx(100, abs=1)
    assert signal.frozen.smallest_effect == 0.01
    assert signal.halves == pytest.approx((6, 6), abs=1.5)
    assert [block.code for block in signal.months][:1] >= ["2024-02"]
    assert signal.frozen.first_seen.tzinfo is UTC


def test_blocks_begin_after_first_sight(by_week):
    signal = by_week[52].signals[0]
    seen = signal.frozen.first_seen.date()
    assert signal.weeks[0].code == f"{seen.isocalendar().year}-W{seen.isocalendar().week:02d}"
    assert len(signal.weeks) == (PROMISE + timedelta(weeks=52) - seen).days // 7


def test_running_every_week_gives_the_list_of_running_once(came_and_went, by_week):
    frozen = {}
    for week in (10, 30):
        result = watched(came_and_went, week=week, frozen=frozen)
        frozen |= {signal.id: signal.frozen for signal in result.signals}
    once = by_week[30]
    assert [(one.id, one.grade, one.frozen, one.e_value) for one in result.signals] == [
        (one.id, one.grade, one.frozen, one.e_value) for one in once.signals
    ]


def test_the_list_only_grows_within_the_year(by_week):
    names = [{signal.id for signal in result.signals} for result in by_week.values()]
    assert all(early <= late for early, late in pairwise(names))


def test_what_was_frozen_is_kept(came_and_went, by_week):
    signal = by_week[16].signals[0]
    moved = replace(signal.frozen, smallest_effect=0.2, since=signal.frozen.since + timedelta(weeks=1))
    again = watched(came_and_went, week=24, frozen={signal.id: moved})
    assert again.signals[0].frozen == moved
    # +6% does not go beyond a smallest effect of 20%
    assert not any(block.passes for block in again.signals[0].weeks)
    assert again.signals[0].grade == "holding"


def test_a_glitch_of_three_weeks_never_holds():
    values = a_panel(seed=4)
    values[3, 110:113] += 60
    values[4, 120:122] -= 500
    result = watched(values, week=52)
    assert not [one for one in result.signals if one.grade in ("holding", "repeating")]


def test_a_shock_shared_by_all_is_nobodys_signal():
    values = a_panel(seed=5)
    values[:, 115:] += 12
    result = watched(values, week=40)
    assert not [one for one in result.signals if one.grade != "noticed"]


def test_a_parents_move_is_not_reported_by_its_slices_nor_a_slices_move_by_the_parent():
    rng = np.random.default_rng(6)
    regions = [f"r{i}" for i in range(6)]
    orders = np.full((6, 156), 1000.0)
    items = orders * (5 + 0.05 * rng.standard_normal((6, 156)))
    everybody = items.copy()
    everybody[:, 112:] *= 1.04
    one = items.copy()
    one[2, 112:] *= 1.06

    def tree(counts):
        parts = [
            a_series(row / n, part=Slice((("region", name),)), numerator=row, denominator=n)
            for name, row, n in zip(regions, counts, orders)
        ]
        total, n = counts.sum(axis=0), orders.sum(axis=0)
        return [*parts, a_series(total / n, part=Slice(), numerator=total, denominator=n)]

    def holding(counts):
        result = watched(tree(counts), week=35)
        return [signal.frozen.slice for signal in result.signals if signal.grade in ("holding", "repeating")]

    assert holding(everybody) == ["all"]
    assert holding(one) == ["region=r2"]


def test_what_cannot_be_watched_is_listed_with_its_reason():
    values = a_panel(n=12, seed=7)
    gaps = values[1].copy()
    gaps[::2] = np.nan
    series = [
        *(a_series(row, name=f"{i:02d}") for i, row in enumerate(values)),
        a_series(gaps, name="gaps"),
        a_series(np.full(156, 5.0), name="same"),
        a_series(np.where(np.arange(156) < 90, np.nan, values[0]), name="young"),
        a_series(np.where(np.arange(156) > 103, np.nan, values[0]), name="gone"),
        a_series(np.full(156, np.nan), name="empty"),
    ]
    result = watched(series, week=10)
    assert {part: why for _, part, why in result.not_watched} == {
        "shop=gaps": "gaps",
        "shop=same": "constant",
        "shop=young": "short_history",
        "shop=gone": "no_recent_weeks",
        "shop=empty": "short_history",
    }
    assert result.watched == 12
    assert result.weeks_seen == 10


def test_before_the_promise_year_nothing_is_said():
    result = watched(a_panel(n=12), week=0)
    assert (result.signals, result.watched, result.weeks_seen) == ((), 12, 0)
    nothing = watch_series(
        [],
        [],
        [],
        metrics={},
        promise_start=PROMISE,
        seen_until=datetime(2024, 6, 1, tzinfo=UTC),
        frozen={},
    )
    assert (nothing.signals, nothing.watched) == ((), 0)


def test_bands_hold_nineteen_weeks_of_twenty(by_week):
    values, inside = a_panel(seed=3), []
    for i in range(60):
        band = by_week[52].bands["items", f"shop={i:02d}"]
        if i != 7:
            inside.append(np.mean((values[i] >= band.low) & (values[i] <= band.high)))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_a_missing_week_is_no_evidence():
    values = a_panel(seed=8)
    values[5, 110:130] = np.nan
    assert not [one for one in watched(values, week=40).signals if one.frozen.slice == "shop=05"]


@pytest.mark.parametrize("values", [a_panel(n=1, seed=1), a_panel(n=3, seed=2)])
def test_a_handful_of_series_can_be_watched(values):
    values = values.copy()
    values[0, 110:] += 9
    grades = {one.frozen.slice: one.grade for one in watched(values, week=40).signals}
    assert grades.pop("shop=00") == "repeating"
    assert set(grades.values()) <= {"noticed", "fading", "refuted"}


@pytest.mark.slow
def test_false_share_of_holding_over_a_year_stays_below_what_is_stated():
    false = listed = 0
    for seed in range(6):
        plan = PanelPlan(series=3000, shifted=0.02)
        panel = simulate_panel(plan, rng=np.random.default_rng(seed))
        scan = scan_panel(panel.value, se=panel.se, group=panel.group, baseline=104)
        e = 1 / np.stack([scan.p_up[:, -1], scan.p_down[:, -1]], axis=1)
        passed = e_bh(e.ravel(), share=0.10).reshape(e.shape)
        right = np.stack([panel.true & (panel.size > 0), panel.true & (panel.size < 0)], axis=1)
        false += (passed & ~right).sum()
        listed += passed.sum()
        assert passed[right].mean() > 0.85
    # six years of about 65 each: the upper end of a binomial band of three sd around .10
    assert false / listed <= 0.10 + 3 * np.sqrt(0.10 * 0.90 / listed)


def test_after_the_promise_year_its_signals_are_followed_and_no_new_ones_taken(by_week, came_and_went):
    rng = np.random.default_rng(9)
    later = np.hstack([came_and_went, 100 + 3 * rng.standard_normal((60, 20))])
    later[20, 156:] += 30
    once = by_week[52].signals
    after = watched(
        later,
        week=72,
        frozen={signal.id: signal.frozen for signal in once},
        settings=replace(SETTINGS, follow_weeks=52),
    )
    assert {signal.id for signal in after.signals} == {signal.id for signal in once}
    assert [signal.e_value for signal in after.signals] == pytest.approx([signal.e_value for signal in once])
    assert len(after.signals[0].weeks) == len(once[0].weeks) + 20
