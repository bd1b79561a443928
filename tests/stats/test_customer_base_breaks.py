"""What breaks other implementations of customer-base models, each with its sane answer."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.customer_base import drawn
from scipy import stats

from primeta.stats.bg_nbd import BG_NBD
from primeta.stats.customer_base import (
    Covariates,
    Fit,
    Histories,
    ModelName,
    draw_orders,
    expected_discounted_orders,
    expected_new,
    expected_orders,
    fit,
    log_likelihood_rows,
    p_alive,
    probability_of_count,
)

MODELS: tuple[ModelName, ...] = ("bg-nbd", "mbg-nbd", "pareto-nbd", "mbg-cnbd")


def with_parameters(model: ModelName, *values: float, k: float = 2.0) -> Fit:
    names = ("r", "alpha", "s", "beta") if model == "pareto-nbd" else ("r", "alpha", "a", "b")
    parameters = dict(zip(names, values, strict=True)) | ({"k": k} if model == "mbg-cnbd" else {})
    return Fit(
        model=model,
        unit="week",
        parameters=parameters,
        errors={},
        covariance=np.full((4, 4), np.nan),
        log_likelihood=0.0,
        customers=1.0,
        converged=True,
    )


def histories(x, last, age) -> Histories:
    return Histories(repeats=np.atleast_1d(x), last=np.atleast_1d(last), age=np.atleast_1d(age), unit="week")


def everything(own: Fit, rows: Histories) -> np.ndarray:
    """(n, 4) all that is told of a customer."""
    return np.stack(
        [
            p_alive(own, rows),
            expected_orders(own, rows, horizon=39),
            expected_orders(own, rows, horizon=5000),
            expected_discounted_orders(own, rows, annual_discount=0.15),
        ],
        axis=1,
    )


@pytest.mark.parametrize("model", MODELS)
def test_five_hundred_orders_and_more(model):
    """lifetimes overflows in its hypergeometric function and gives NaN."""
    own = with_parameters(model, 0.553, 10.578, 0.793, 2.426)
    rows = histories([500, 1000, 5000, 5000], [99.0, 99.9, 100.0, 50.0], [100.0] * 4)
    told = everything(own, rows)
    assert np.isfinite(told).all()
    assert np.isfinite(log_likelihood_rows(own, rows)).all()
    if model != "mbg-cnbd":
        # nearly at its own rate of about 45 a week, less who leaves on the way
        assert 0.8 < told[2, 1] / (39 * 5000.5 / 110.6 * told[2, 0]) < 1
    assert told[3, 0] < 1e-100


def test_a_of_one_has_the_true_value_that_a_formula_with_a_minus_one_cannot_give():
    # REFERENCE: r .243, α 4.414, a 1, b 2.426, x 2, t_x 30, T 38, 39 weeks ahead
    own = with_parameters("bg-nbd", 0.243, 4.414, 1.0, 2.426)
    assert expected_orders(own, histories(2, 30.0, 38.0), horizon=39)[0] == pytest.approx(
        1.126561323, abs=5e-10
    )


@pytest.mark.parametrize("model", ["bg-nbd", "mbg-nbd", "mbg-cnbd"])
def test_a_plus_b_below_one_is_between_its_neighbours(model):
    """The third parameter of the hypergeometric function is then below 0."""
    rows = histories([0, 2, 9], [0, 30.0, 37.0], [38.0] * 3)
    below, at, above = (
        everything(with_parameters(model, 0.243, 4.414, 0.3, b), rows) for b in (0.5, 0.5001, 0.5002)
    )
    assert np.isfinite(at).all()
    assert at == pytest.approx((below + above) / 2, rel=1e-7)
    new = expected_new(with_parameters(model, 0.243, 4.414, 0.3, 0.4), [1.0, 50.0, 5000.0])
    assert (np.diff(new) > 0).all()


def test_a_plus_b_below_one_against_a_plain_sum():
    """a .2, b .3: E[1 − (1 + pτ)^−c]/p over 20,000 midpoints of the Beta distribution's quantiles."""
    a, b = 0.2, 0.3
    # with x = 2 and e = 0 the posterior of who is still here is Beta(a, b + 2)
    u = (np.arange(20_000) + 0.5) / 20_000
    p = stats.beta(a, b + 2).ppf(u)
    c, tau = 2.243, 39 / 42.414
    true = np.where(
        p * tau > 1e-12, -np.expm1(-c * np.log1p(p * tau)) / np.maximum(p, 1e-300), c * tau
    ).mean()
    found = BG_NBD.expected_alive(
        (0.243, 4.414, a, b), np.array([2.0]), np.array([30.0]), np.array([38.0]), np.array([[39.0]])
    )
    assert found[0, 0] == pytest.approx(true, rel=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_a_horizon_of_five_thousand_weeks(model):
    """Orders go on growing, ever slower, and never pass what an endless horizon brings."""
    for third in (0.793, 1.0, 2.5):
        own = with_parameters(model, 0.553, 10.578, third, 11.669)
        rows = histories([0, 2, 26], [0, 30.43, 30.86], [38.86, 38.86, 31.0])
        by = np.array([expected_orders(own, rows, horizon=h) for h in (50, 500, 5000, 50_000, 1e7)])
        assert np.isfinite(by).all()
        assert (np.diff(by, axis=0) > 0).all()
        ever = expected_orders(own, rows, horizon=np.inf)
        assert (by[-1] <= ever * (1 + 1e-9)).all()
        # with a ≤ 1 (s ≤ 1) the mean over all time has no end, and that is said as infinity
        assert np.isinf(ever).all() == (third <= 1)


@pytest.mark.parametrize("model", MODELS)
def test_nobody_with_a_repeat_order(model):
    own = fit(histories(np.zeros(100), np.zeros(100), np.linspace(5, 40, 100)), model=model)
    assert own.why_not == "no-repeats"
    assert np.isnan([*list(own.parameters.values())[:4], own.log_likelihood]).all()
    assert not own.converged
    rows = histories([0, 3], [0, 5.0], [10.0, 10.0])
    assert np.isnan(everything(own, rows)).all()
    assert np.isnan(expected_new(own, [10.0])).all()
    assert np.isnan(probability_of_count(own, [0, 1], 10.0)).all()
    assert np.isnan(draw_orders(own, rows, 10.0, np.random.default_rng(0))).all()
    assert np.isnan(log_likelihood_rows(own, rows)).all()


@pytest.mark.parametrize("model", MODELS)
def test_orders_are_drawn_without_a_warning_where_next_to_nobody_leaves(model):
    """The number of orders until he leaves, or his lifetime, then overflows; it has no end."""
    rows = histories(np.full(2_000, 3.0), np.full(2_000, 10.0), np.full(2_000, 20.0))
    own = with_parameters(model, 0.5, 5.0, 1e-3, 2.0)
    orders = draw_orders(own, rows, 100.0, np.random.default_rng(1))
    expected = expected_orders(own, histories(3.0, 10.0, 20.0), horizon=100)[0]
    assert abs(orders.mean() - expected) < 4.5 * orders.std() / np.sqrt(2_000)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("row", [(0, 0.0, 30.0), (5, 20.0, 30.0)])
def test_one_customer(model, row):
    own = fit(histories(*row), model=model)
    assert own.why_not == ("few-repeats" if row[0] else "no-repeats")
    assert np.isnan(own.errors["r"])


@pytest.mark.parametrize("model", MODELS)
def test_no_customer_and_weights_that_leave_none(model):
    nobody = np.zeros(0)
    assert fit(histories(nobody, nobody, nobody), model=model).why_not == "no-customers"
    weightless = Histories(repeats=[2, 0], last=[3, 0], age=[5, 5], count=[0, 0], unit="week")
    assert fit(weightless, model=model).why_not == "no-customers"
    assert p_alive(with_parameters(model, 0.5, 8.0, 0.8, 2.4), histories(nobody, nobody, nobody)).shape == (
        0,
    )


@pytest.mark.parametrize("model", MODELS)
def test_identical_customers_are_told_as_alike(model):
    """There is no spread to fit: r runs to the edge of what is sought, which is said, and forecasts stay sane."""
    rows = histories(np.full(200, 3), np.full(200, 10.0), np.full(200, 20.0))
    own = fit(rows, model=model)
    assert own.converged
    assert "edge-r" in own.warnings
    assert np.isnan(own.errors["r"])
    told = everything(own, histories(3, 10.0, 20.0))
    assert np.isfinite(told).all()
    assert 0 <= told[0, 0] <= 1
    # a new customer is expected to do what all did
    assert 0.3 < float(expected_new(own, [20.0])[0]) < 6


@pytest.mark.parametrize("model", MODELS)
def test_nobody_ever_leaves(model):
    """Drop-out runs to its edge; the orders expected are then those of a gamma–Poisson count, (r + x)/(α + T) a week."""
    rng = np.random.default_rng(1)
    age = np.repeat(np.linspace(20, 80, 30), 40)
    x = rng.poisson(rng.gamma(2.0, 0.5, len(age)) * age)
    last = np.where(x > 0, age - age * 1e-3, 0.0)
    own = fit(histories(x, last, age), model=model, stages=1 if model == "mbg-cnbd" else None)
    assert own.converged
    assert any(warning.startswith(("edge-", "flat")) for warning in own.warnings)
    r, alpha = own.parameters["r"], own.parameters["alpha"]
    found = expected_orders(own, histories(30, 50.0, 50.0), horizon=10)
    assert found[0] == pytest.approx((r + 30) / (alpha + 50) * 10, rel=1e-3)


@pytest.mark.parametrize("model", MODELS)
def test_customers_seen_for_no_time_at_all_do_no_harm(model):
    rng = np.random.default_rng(2)
    age = np.repeat(np.linspace(5, 60, 20), 30)
    x = rng.poisson(rng.gamma(1.0, 0.2, len(age)) * age)
    last = np.where(x > 0, age * 0.8, 0.0)
    plain = fit(histories(x, last, age), model=model, stages=2 if model == "mbg-cnbd" else None)
    more = fit(
        histories(np.append(x, np.zeros(50)), np.append(last, np.zeros(50)), np.append(age, np.zeros(50))),
        model=model,
        stages=2 if model == "mbg-cnbd" else None,
    )
    # who was born at the last moment says nothing
    assert more.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-4)


def test_covariates_that_repeat_one_another_are_told_and_do_not_stop_the_fit():
    age = np.repeat(np.linspace(20, 60, 20), 60)
    x, last = drawn("bg-nbd", (0.7, 5.0, 0.8, 2.4), age, np.random.default_rng(3))
    arm = (np.arange(len(age)) % 2).astype(float)
    rows = histories(x, last, age)
    once = fit(rows, covariates=Covariates(values=arm[:, None], names=("arm",)))
    twice = fit(
        rows, covariates=Covariates(values=np.stack([arm, 1 - arm], axis=1), names=("arm", "control"))
    )
    assert twice.converged
    assert "flat" in twice.warnings
    assert np.isnan(twice.coefficient_errors["alpha:arm"])
    assert twice.log_likelihood == pytest.approx(once.log_likelihood, abs=1e-4)
