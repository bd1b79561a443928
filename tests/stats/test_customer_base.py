"""Customer-base models against published values and against themselves."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import mpmath
import numpy as np
import pytest
from benchmarks.customer_base import drawn
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import skip_or_fail

from primeta.errors import BadInput, UnitMismatch
from primeta.stats.customer_base import (
    Covariates,
    Fit,
    Histories,
    draw_orders,
    expected_discounted_orders,
    expected_new,
    expected_orders,
    fit,
    log_likelihood_rows,
    p_alive,
    probability_of_count,
    scores,
)
from primeta.stats.histories import distinct, per_unit_discount

MODELS = ("bg-nbd", "mbg-nbd", "pareto-nbd", "mbg-cnbd")
NAMES = {"pareto-nbd": ("r", "alpha", "s", "beta")}


def known(model, *values, k=None, unit="week"):
    """A fit with given parameters."""
    parameters = dict(zip(NAMES.get(model, ("r", "alpha", "a", "b")), values, strict=True))
    if k:
        parameters["k"] = float(k)
    return Fit(
        model=model,
        unit=unit,
        parameters=parameters,
        errors={},
        covariance=np.full((4, 4), np.nan),
        log_likelihood=0.0,
        customers=1.0,
        converged=True,
    )


def one(x, last, age, unit="week"):
    return Histories(repeats=[x], last=[last], age=[age], unit=unit)


FITS = (
    known("bg-nbd", 0.243, 4.414, 0.793, 2.426),
    known("mbg-nbd", 0.525, 6.183, 0.891, 1.614),
    known("pareto-nbd", 0.553, 10.578, 0.606, 11.669),
    known("mbg-cnbd", 0.9, 3.0, 0.8, 2.4, k=3),
)


@pytest.fixture(scope="module")
def cdnow(shared_data: Path) -> Histories:
    """The 1/10 sample of CDNOW: repeat orders to 1997-09-30, orders of a day as one, in weeks."""
    path = shared_data / "cdnow" / "CDNOW_sample.txt.gz"
    if not path.is_file():
        skip_or_fail("needs the CDNOW sample among the real data sets")
    days: dict[str, set[int]] = {}
    with gzip.open(path, "rt") as lines:
        for _, customer, day, *_ in map(str.split, lines):
            days.setdefault(customer, set()).add(
                date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}").toordinal()
            )
    end = date(1997, 9, 30).toordinal()
    seen = [sorted(day for day in own if day <= end) for own in days.values()]
    return Histories(
        repeats=[len(own) - 1 for own in seen],
        last=[(own[-1] - own[0]) / 7 for own in seen],
        age=[(end - own[0]) / 7 for own in seen],
        unit="week",
    )


def simulated(model, parameters, n, seed, *, stages=1, age=None, unit="week") -> Histories:
    rng = np.random.default_rng(seed)
    age = rng.uniform(10, 80, n) if age is None else age
    x, last = drawn(model, parameters, age, rng, stages=stages)
    return Histories(repeats=x, last=last, age=age, unit=unit)


# Published


def test_cdnow_has_the_customers_and_rows_of_the_papers(cdnow):
    # Fader, Hardie & Lee (2005): 2,357 customers, 2,457 repeat orders, 1,411 without one; REFERENCE: 1,016 rows
    assert (cdnow.customers, cdnow.repeats.sum(), (cdnow.repeats == 0).sum()) == (2357, 2457, 1411)
    assert len(cdnow.collapsed()) == 1016


def test_bg_nbd_of_cdnow_as_in_fader_hardie_and_lee_2005_and_clvtools(cdnow):
    found = fit(cdnow, model="bg-nbd")
    # the paper, three digits; CLVTools stops a little short of the top in b (2.4258881; ours 2.4259066)
    assert list(found.parameters) == ["r", "alpha", "a", "b"]
    assert [round(value, 3) for value in found.parameters.values()] == [0.243, 4.414, 0.793, 2.426]
    assert list(found.parameters.values()) == pytest.approx(
        [0.2425945, 4.4136019, 0.7929199, 2.4258881], rel=1e-5
    )
    assert round(found.log_likelihood, 4) == -9582.4292
    assert found.converged
    assert (found.why_not, found.warnings) == ("", ())


def test_pareto_nbd_of_cdnow_as_in_fader_hardie_and_lee_2005_and_clvtools(cdnow):
    found = fit(cdnow, model="pareto-nbd")
    assert list(found.parameters.values()) == pytest.approx([0.553, 10.578, 0.606, 11.669], abs=6e-4)
    assert round(found.log_likelihood, 3) == -9594.976
    # CLVTools' standard errors
    assert list(found.errors.values()) == pytest.approx(
        [0.0476264, 0.8427222, 0.1872594, 6.2105448], rel=2e-4
    )


def test_mbg_nbd_of_cdnow_as_in_btydplus(cdnow):
    found = fit(cdnow, model="mbg-nbd")
    assert [round(value, 3) for value in found.parameters.values()] == [0.525, 6.183, 0.891, 1.614]


def test_cdnow_has_no_regular_timing_as_btydplus_finds(cdnow):
    found = fit(cdnow, model="mbg-cnbd")
    assert found.parameters["k"] == 1
    assert found.log_likelihood == pytest.approx(fit(cdnow, model="mbg-nbd").log_likelihood, abs=1e-6)


def test_expected_orders_of_bg_nbd_as_in_hardies_spreadsheet():
    found = expected_orders(FITS[0], one(2, 30.43, 38.86), horizon=39)
    assert found == pytest.approx([1.226], abs=5e-4)


def test_orders_of_a_new_customer_as_in_hardies_spreadsheet(cdnow):
    found = expected_new(fit(cdnow, model="bg-nbd"), [0.1429, 1, 3, 31.8571, 32])
    assert [round(float(value), 4) for value in found] == [0.0078, 0.0532, 0.1506, 1.0405, 1.0437]


def test_orders_of_a_new_customer_in_78_weeks_where_the_spreadsheet_cuts_its_series_short(cdnow):
    """It shows 1.8576: the sum of the first 151 terms of a series that has converged to 1.8580 only by the 300th."""
    found = fit(cdnow, model="bg-nbd")
    r, alpha, a, b = found.parameters.values()

    def summed(terms):
        j = np.arange(terms)
        ratio = (r + j) * (b + j) / ((a + b - 1 + j) * (j + 1)) * 78 / (alpha + 78)
        series = 1 + np.cumprod(ratio).sum()
        return (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + 78)) ** r * series)

    assert round(summed(150), 4) == 1.8576
    assert float(expected_new(found, 78)[0]) == pytest.approx(summed(2000), rel=1e-9)


def test_pareto_nbd_forecasts_as_in_the_r_package_btyd():
    # BTYD's own fit of CDNOW: r .5528797, α 10.5838911, s .6060625, β 11.6562237; printed to two and four digits
    own = known("pareto-nbd", 0.5528797, 10.5838911, 0.6060625, 11.6562237)
    assert expected_orders(own, one(26, 30.86, 31), horizon=52) == pytest.approx([25.46], abs=0.01)
    assert p_alive(own, one(26, 30.86, 31)) == pytest.approx([0.9979], abs=5e-5)
    # from CLVTools' finer parameters of the same fit
    finer = known("pareto-nbd", 0.55315, 10.57633, 0.60625, 11.67150)
    assert p_alive(finer, one(0, 0, 39)) == pytest.approx([0.2941633], abs=2e-4)


# Against other formulas


def test_discounted_orders_of_pareto_nbd_are_the_closed_form_of_fader_hardie_and_lee_2005b():
    """DERT by Tricomi's function (their eq. 5), at 40 digits."""
    delta = per_unit_discount(0.15, "week")
    r, alpha, s, beta = 0.553, 10.578, 0.606, 11.669
    histories = Histories(
        repeats=[0, 2, 7, 26], last=[0, 30.43, 35, 30.86], age=[39, 38.86, 35, 31], unit="week"
    )
    found = expected_discounted_orders(FITS[2], histories, annual_discount=0.15)
    heights = log_likelihood_rows(FITS[2], histories)
    for row, value in enumerate(found):
        x, age = int(histories.repeats[row]), float(histories.age[row])
        with mpmath.workdps(40):
            true = (
                mpmath.mpf(alpha) ** r * mpmath.mpf(beta) ** s * mpmath.mpf(delta) ** (s - 1)
                * mpmath.gamma(r + x + 1) * mpmath.hyperu(s, s, delta * (beta + age))
                / (mpmath.gamma(r) * mpmath.mpf(alpha + age) ** (r + x + 1) * mpmath.exp(heights[row]))
            )  # fmt: skip
        assert value == pytest.approx(float(true), rel=1e-8)


@pytest.mark.parametrize("own", FITS, ids=MODELS)
def test_discounted_orders_lie_between_none_and_all_and_add_up(own):
    histories = Histories(repeats=[0, 2, 9], last=[0, 30.0, 33.5], age=[39, 38.0, 34.0], unit="week")
    plain = expected_orders(own, histories, horizon=52)
    assert expected_discounted_orders(own, histories, horizon=52, annual_discount=0) == pytest.approx(plain)
    # orders by week, each worth e^−δt at its middle, is the same sum but for the spread within a week
    edges = np.linspace(0, 52, 209)
    by_week = np.diff([expected_orders(own, histories, horizon=edge) for edge in edges], axis=0)
    middle = np.exp(-per_unit_discount(0.15, "week") * (edges[:-1] + edges[1:]) / 2)
    found = expected_discounted_orders(own, histories, horizon=52, annual_discount=0.15)
    assert found == pytest.approx(middle @ by_week, rel=1e-6)
    assert (found < plain).all()
    assert (expected_discounted_orders(own, histories, annual_discount=0.15) > found).all()


@pytest.mark.parametrize("own", FITS, ids=MODELS)
def test_drawn_orders_are_those_expected(own):
    """20,000 draws a customer: the mean within 4.5 standard errors."""
    rows = [(0, 0, 39), (2, 30.4, 38.9), (7, 35, 35), (3, 5, 39)]
    for x, last, age in rows:
        many = Histories(
            repeats=np.full(20_000, x), last=np.full(20_000, last), age=np.full(20_000, age), unit="week"
        )
        orders = draw_orders(own, many, 40.0, np.random.default_rng(5))
        error = orders.std() / np.sqrt(len(orders))
        assert abs(orders.mean() - expected_orders(own, one(x, last, age), horizon=40)[0]) < 4.5 * error


@pytest.mark.parametrize("own", FITS, ids=MODELS)
def test_counts_of_new_customers_have_the_mean_that_is_expected(own):
    orders = np.arange(0, 20_000)
    for time in (0.0, 0.4, 9.3, 60.0):
        shares = probability_of_count(own, orders, time)
        assert shares.sum() == pytest.approx(1, abs=1e-9)
        assert shares @ orders == pytest.approx(float(expected_new(own, time)[0]), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("own", FITS, ids=MODELS)
def test_slopes_of_each_customer_are_those_of_his_likelihood(own):
    """Central differences in the logs of the parameters."""
    histories = Histories(
        repeats=[0, 1, 2, 9, 40, 3],
        last=[0, 3.5, 30, 33.5, 39.9, 38],
        age=[39, 39, 38, 34.0, 40, 38],
        unit="week",
    )
    slopes = scores(own, histories)
    names = list(own.parameters)[:4]
    for place, name in enumerate(names):
        sides = []
        for step in (1e-5, -1e-5):
            moved = {**own.parameters, name: own.parameters[name] * np.exp(step)}
            sides.append(
                log_likelihood_rows(known(own.model, *list(moved.values())[:4], k=moved.get("k")), histories)
            )
        assert slopes[:, place] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=2e-6, abs=2e-8)


@pytest.mark.parametrize("model", MODELS)
def test_standard_errors_are_those_of_the_curvature(model):
    """The covariance is the inverse of minus the second differences of the log-likelihood."""
    parameters = (0.6, 8.0, 0.7, 12.0) if model == "pareto-nbd" else (0.6, 8.0, 0.8, 2.4)
    histories = simulated("bg-nbd" if model == "bg-nbd" else model, parameters, 4000, 3)
    found = fit(histories, model=model, stages=2 if model == "mbg-cnbd" else None)
    logs = found.log_parameters[:4]

    def slope(at):
        own = known(model, *np.exp(at), k=2 if model == "mbg-cnbd" else None)
        return scores(own, histories).sum(axis=0)

    curvature = np.array([(slope(logs + step) - slope(logs - step)) / 2e-4 for step in 1e-4 * np.eye(4)])
    # the forward product: an inverse of near-singular matrices would lose the digits that are compared
    assert -curvature @ found.covariance == pytest.approx(np.eye(4), abs=2e-4)


@pytest.mark.parametrize("own", FITS[:3], ids=MODELS[:3])
def test_forecasts_between_ages_are_those_at_them(own):
    """200 ages with one number of orders are interpolated; one by one they are not."""
    age = np.random.default_rng(3).uniform(31, 300, 200)
    many = Histories(repeats=np.full(200, 4), last=np.full(200, 30.0), age=age, unit="week")
    together = expected_discounted_orders(own, many, annual_discount=0.1)
    alone = [expected_discounted_orders(own, one(4, 30.0, each), annual_discount=0.1)[0] for each in age[:20]]
    assert together[:20] == pytest.approx(alone, rel=1e-9)


# Properties


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from(MODELS),
    st.lists(st.floats(-2, 2), min_size=4, max_size=4),
    st.integers(0, 300),
    st.floats(0.01, 1),
    st.floats(-1, 3.5),
    st.floats(-1, 3.5),
)
def test_forecasts_make_sense_for_any_parameters(model, logs, x, share, log_age, log_ahead):
    values = 10.0 ** np.array(logs)
    own = known(model, *values, k=4 if model == "mbg-cnbd" else None)
    age, ahead = 10**log_age, 10**log_ahead
    customer = one(x, age * share if x else 0.0, age)
    here = float(p_alive(own, customer)[0])
    assert 0 <= here <= 1
    soon, late = (float(expected_orders(own, customer, horizon=part)[0]) for part in (ahead / 2, ahead))
    assert 0 <= soon <= late * (1 + 1e-9)
    if model != "mbg-cnbd":
        # nobody can order more than at his rate for all of the time
        assert late <= here * (values[0] + x) / (values[1] + age) * ahead * (1 + 1e-9) + 1e-300
    worth = float(expected_discounted_orders(own, customer, horizon=ahead, annual_discount=0.2)[0])
    assert 0 <= worth <= late * (1 + 1e-9)
    assert np.isfinite(log_likelihood_rows(own, customer)).all()


@pytest.mark.parametrize("model", MODELS)
def test_a_change_of_unit_changes_only_what_is_a_time(model):
    parameters = (0.6, 8.0, 0.7, 12.0) if model == "pareto-nbd" else (0.6, 8.0, 0.8, 2.4)
    weeks = simulated(model, parameters, 3000, 4)
    days = Histories(repeats=weeks.repeats, last=weeks.last * 7, age=weeks.age * 7, unit="day")
    by_week, by_day = fit(weeks, model=model), fit(days, model=model)
    for name, value in by_week.parameters.items():
        assert by_day.parameters[name] == pytest.approx(
            value * (7 if name in ("alpha", "beta") else 1), rel=1e-4
        )
    assert p_alive(by_day, days) == pytest.approx(p_alive(by_week, weeks), rel=1e-4)
    assert expected_discounted_orders(by_day, days, annual_discount=0.15) == pytest.approx(
        expected_discounted_orders(by_week, weeks, annual_discount=0.15), rel=1e-4
    )


@pytest.mark.parametrize("model", MODELS)
def test_counts_weigh_as_so_many_customers(model):
    parameters = (0.6, 8.0, 0.7, 12.0) if model == "pareto-nbd" else (0.6, 8.0, 0.8, 2.4)
    single = simulated(model, parameters, 2000, 5, age=np.repeat([20.0, 35.5, 60.25, 71.0], 500))
    rng = np.random.default_rng(1)
    times = rng.poisson(1.0, len(single)).astype(float)
    drawn_twice = Histories(
        repeats=np.repeat(single.repeats, times.astype(int)),
        last=np.repeat(single.last, times.astype(int)),
        age=np.repeat(single.age, times.astype(int)),
        unit="week",
    )
    weighed = Histories(repeats=single.repeats, last=single.last, age=single.age, count=times, unit="week")
    first, second = fit(drawn_twice, model=model), fit(weighed, model=model)
    assert second.log_likelihood == pytest.approx(first.log_likelihood, rel=1e-10)
    assert list(second.parameters.values()) == pytest.approx(list(first.parameters.values()), rel=1e-4)
    # a start nearby leads to the same top, in fewer steps
    again = fit(weighed, model=model, start=first)
    assert again.steps <= second.steps
    assert again.log_likelihood == pytest.approx(second.log_likelihood, rel=1e-10)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, -0.0, 1.5, 7.0])), min_size=1, max_size=60)
)
def test_equal_rows_fall_together_and_no_others(rows):
    columns = tuple(np.array(column, dtype=float) for column in zip(*rows, strict=True))
    first, place = distinct(*columns)
    for column in columns:
        assert (column[first][place] == column).all()
    assert len(first) == len(set(rows))
    alone, where = distinct(columns[0])
    assert (columns[0][alone][where] == columns[0]).all()
    assert len(alone) == len(set(columns[0]))


# Simulated truth


@pytest.mark.parametrize(
    ("model", "truth"),
    [
        ("bg-nbd", (0.6, 8.0, 0.8, 2.4)),
        ("mbg-nbd", (0.6, 8.0, 0.8, 2.4)),
        ("pareto-nbd", (0.6, 8.0, 0.9, 12.0)),
    ],
)
def test_95_intervals_hold_the_truth_about_as_often_as_they_say(model, truth):
    """40 bases of 4,000 customers, four intervals of logs to a base."""
    inside = 0
    for seed in range(40):
        found = fit(
            simulated(model, truth, 4000, seed, age=np.repeat(np.linspace(12, 80, 40), 100)), model=model
        )
        spread = np.sqrt(np.diag(found.covariance))
        inside += int((np.abs(found.log_parameters - np.log(truth)) < 1.96 * spread).sum())
    # tied among themselves, as if two of the four were independent: 0.95 − 3 √(0.95 · 0.05 / 80)
    assert inside / 160 > 0.95 - 0.073


def test_regular_timing_is_found_and_forecasts_better():
    """k = 3 from Reutterer, Platzer & Schröder (2020), simulated; the true k and parameters come back."""
    truth = (0.85, 1.45, 0.79, 2.42)
    histories = simulated("mbg-cnbd", truth, 8000, 11, stages=3, age=np.full(8000, 32.0))
    found = fit(histories, model="mbg-cnbd")
    assert found.parameters["k"] == 3
    assert np.abs(found.log_parameters - np.log(truth)) == pytest.approx(
        0, abs=4 * np.sqrt(np.diag(found.covariance)).max()
    )
    assert found.log_likelihood > fit(histories, model="mbg-nbd").log_likelihood + 100


def test_known_gaps_tell_regular_timing_from_few_customers():
    """300 customers with gaps of four stages: with the gaps themselves the likelihood finds 4."""
    rng = np.random.default_rng(2)
    repeats, last, gaps = [], [], []
    for _ in range(300):
        own = rng.gamma(4.0, 1 / rng.gamma(3, 0.5), 200)
        times = np.cumsum(own)
        inside = times <= 40
        repeats.append(inside.sum())
        last.append(times[inside][-1] if inside.any() else 0.0)
        gaps.append(np.log(own[inside]).sum())
    histories = Histories(repeats=repeats, last=last, age=np.full(300, 40.0), log_gaps=gaps, unit="week")
    assert fit(histories, model="mbg-cnbd").parameters["k"] == 4


@pytest.mark.parametrize("model", ["bg-nbd", "pareto-nbd"])
def test_covariates_move_the_customers_who_have_them(model):
    """An arm that orders 1.5 times as often (γ = ln 1.5): found within 4 standard errors, and in the forecast."""
    truth = (0.7, 8.0, 0.8, 2.4) if model == "bg-nbd" else (0.7, 8.0, 0.9, 12.0)
    n = 12_000
    rng = np.random.default_rng(7)
    arm = np.repeat([0.0, 1.0], n // 2)
    age = rng.uniform(20, 80, n)
    alpha = truth[1] * np.exp(-np.log(1.5) * arm)
    x, last = drawn(model, (truth[0], alpha, truth[2], truth[3]), age, rng)
    histories = Histories(repeats=x, last=last, age=age, unit="week")
    known_before = Covariates(values=arm[:, None], names=("arm",))
    found = fit(histories, model=model, covariates=known_before)
    third, fourth = ("a", "b") if model == "bg-nbd" else ("s", "beta")
    labels = ["alpha:arm", "a:arm", "b:arm"] if model == "bg-nbd" else ["alpha:arm", "beta:arm"]
    assert list(found.coefficients) == labels
    assert found.coefficients["alpha:arm"] == pytest.approx(
        np.log(1.5), abs=4 * found.coefficient_errors["alpha:arm"]
    )
    for label in labels[1:]:
        assert abs(found.coefficients[label]) < 4 * found.coefficient_errors[label]
    assert found.coefficient_errors["alpha:arm"] < 0.15
    # apart, the two halves give the same likelihood but for what r and the like share
    halves = [
        fit(Histories(repeats=x[part], last=last[part], age=age[part], unit="week"), model=model)
        for part in (arm == 0, arm == 1)
    ]
    together = sum(half.log_likelihood for half in halves)
    plain = fit(histories, model=model).log_likelihood
    assert plain < found.log_likelihood <= together + 1e-6
    # a customer of each arm is forecast with his own parameters
    pair = Histories(repeats=[2, 2], last=[20, 20], age=[30, 30], unit="week")
    arms = Covariates(values=np.array([[0.0], [1.0]]), names=("arm",))
    orders = expected_orders(found, pair, horizon=30, covariates=arms)
    shift = found.coefficients
    other = dict(found.parameters)
    other["alpha"] *= np.exp(-shift["alpha:arm"])
    if model == "bg-nbd":
        other[third] *= np.exp(shift["a:arm"])
        other[fourth] *= np.exp(shift["b:arm"])
    else:
        other[fourth] *= np.exp(-shift["beta:arm"])
    plain_arm = known(model, *found.parameters.values())
    treated = known(model, *other.values())
    assert orders[0] == pytest.approx(expected_orders(plain_arm, one(2, 20, 30), horizon=30)[0], rel=1e-9)
    assert orders[1] == pytest.approx(expected_orders(treated, one(2, 20, 30), horizon=30)[0], rel=1e-9)
    # the scores of all parameters and coefficients vanish at the top
    assert scores(found, histories, known_before).sum(axis=0) == pytest.approx(
        np.zeros(4 + len(labels)), abs=0.01
    )


# What is refused


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"repeats": [-1], "last": [0], "age": [3]}, "repeats of history 1 is -1"),
        ({"repeats": [1.5], "last": [1], "age": [3]}, "repeats of history 1"),
        ({"repeats": [1], "last": [4], "age": [3]}, "between 0 and the age"),
        ({"repeats": [0], "last": [1], "age": [3]}, "no repeat order"),
        ({"repeats": [2], "last": [0], "age": [3]}, "orders of one moment"),
        ({"repeats": [1], "last": [1], "age": [np.nan]}, "age of history 1"),
        ({"repeats": [1], "last": [1], "age": [2], "count": [-1]}, "count of history 1"),
        ({"repeats": [1, 2], "last": [1], "age": [2]}, "expected one each"),
    ],
)
def test_histories_that_cannot_be_are_named(columns, message):
    with pytest.raises(BadInput, match=message):
        Histories(**columns, unit="week")


def test_what_does_not_fit_together_is_refused():
    histories = one(2, 20, 30)
    with pytest.raises(UnitMismatch, match="days but the fit is in weeks"):
        expected_orders(FITS[0], one(2, 20, 30, unit="day"), horizon=30)
    with pytest.raises(BadInput, match="expected one of"):
        fit(histories, model="nbd")  # pyright: ignore[reportArgumentType]
    with pytest.raises(BadInput, match="the unit of histories is 'month'"):
        Histories(repeats=[0], last=[0], age=[3], unit="month")  # pyright: ignore[reportArgumentType]
    with pytest.raises(BadInput, match="horizon is -1"):
        expected_orders(FITS[0], histories, horizon=-1)
    with pytest.raises(BadInput, match="the fit has none"):
        p_alive(FITS[0], histories, Covariates(values=np.ones((1, 1)), names=("arm",)))
    with pytest.raises(BadInput, match="rows of covariates"):
        fit(histories, covariates=Covariates(values=np.ones((2, 1)), names=("arm",)))
    with pytest.raises(BadInput, match="annual discount"):
        expected_discounted_orders(FITS[0], histories, annual_discount=-0.1)
