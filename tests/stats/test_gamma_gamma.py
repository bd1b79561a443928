"""What an order is worth: published values, simulated truth, and what breaks other implementations."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import skip_or_fail

from primeta.errors import BadInput
from primeta.stats.gamma_gamma import (
    GammaGamma,
    expected_spend,
    expected_value,
    fit_gamma_gamma,
    fit_spend,
    log_likelihood_gamma_gamma,
    spend_tied_to_frequency,
)


@pytest.fixture(scope="module")
def cdnow(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Repeat orders to 1997-09-30 of each customer and their mean value, orders of a day summed."""
    path = shared_data / "cdnow" / "CDNOW_sample.txt.gz"
    if not path.is_file():
        skip_or_fail("needs the CDNOW sample among the real data sets")
    days: dict[str, dict[str, float]] = {}
    with gzip.open(path, "rt") as lines:
        for _, customer, day, _, value in map(str.split, lines):
            own = days.setdefault(customer, {})
            if day <= "19970930":
                own[day] = own.get(day, 0.0) + float(value)
    repeats = [[own[day] for day in sorted(own)][1:] for own in days.values()]
    return np.array([len(own) for own in repeats]), np.array(
        [np.mean(own) if own else 0.0 for own in repeats]
    )


def simulated(p, q, gamma, n, seed, *, tied=0.0):
    rng = np.random.default_rng(seed)
    orders = rng.geometric(0.3, n)
    rate = rng.gamma(q, 1.0, n) / gamma
    return orders, rng.gamma(p * orders) / rate / orders * orders**tied


def with_parameters(p, q, gamma):
    nothing = {"p": np.nan, "q": np.nan, "gamma": np.nan}
    return GammaGamma(
        p=p,
        q=q,
        gamma=gamma,
        errors=nothing,
        covariance=np.full((3, 3), np.nan),
        log_likelihood=0.0,
        customers=1.0,
    )


def test_cdnow_as_in_note_025_and_clvtools(cdnow):
    found = fit_gamma_gamma(*cdnow)
    assert [round(value, 2) for value in (found.p, found.q, found.gamma)] == [6.25, 3.74, 15.44]
    assert round(found.log_likelihood, 4) == -4055.9177
    assert (found.customers, found.left_out) == (946, 1411)
    # note 025, table 3: the first ten customers
    expected = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert expected_value(found, *cdnow)[:10] == pytest.approx(expected, abs=0.006)
    # the note finds spend and frequency all but unrelated: a correlation of .11 on the raw scale
    assert found.warnings == ()


def test_standard_errors_and_start_of_a_simulated_truth():
    """50 bases of 1,500 customers: 150 intervals of logs hold the truth 95% of the time, tied as if 75."""
    truth = np.log([6.0, 4.0, 15.0])
    inside = 0
    for seed in range(50):
        found = fit_gamma_gamma(*simulated(6.0, 4.0, 15.0, 1500, seed))
        off = np.abs(np.log([found.p, found.q, found.gamma]) - truth)
        inside += int((off < 1.96 * np.sqrt(np.diag(found.covariance))).sum())
    assert inside / 150 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 75)
    again = fit_gamma_gamma(*simulated(6.0, 4.0, 15.0, 1500, 49), start=found)
    assert again.steps <= 1
    assert again.log_likelihood == pytest.approx(found.log_likelihood, rel=1e-12)


def test_the_height_of_the_fit_is_the_sum_over_customers_and_money_may_be_in_any_unit():
    orders, value = simulated(6.0, 4.0, 15.0, 800, 1)
    found = fit_gamma_gamma(orders, value)
    rows = log_likelihood_gamma_gamma((found.p, found.q, found.gamma), orders.astype(float), value)
    assert rows.sum() == pytest.approx(found.log_likelihood, rel=1e-10)
    roubles = fit_gamma_gamma(orders, value * 9_000.0)
    assert (roubles.p, roubles.q, roubles.gamma / 9_000) == pytest.approx(
        (found.p, found.q, found.gamma), rel=1e-4
    )
    weighed = fit_gamma_gamma(np.append(orders, orders), np.append(value, value))
    assert fit_gamma_gamma(orders, value, np.full(800, 2.0)).log_likelihood == pytest.approx(
        weighed.log_likelihood
    )


def test_q_below_one_has_an_infinite_mean_and_no_negative_money():
    """Others report p γ/(q − 1) < 0 as money."""
    found = fit_gamma_gamma(*simulated(6.0, 0.6, 15.0, 4000, 2))
    assert found.q < 1
    assert "infinite-mean" in found.warnings
    assert found.mean == np.inf
    value = expected_value(found, [0, 1, 5], [0.0, 30.0, 30.0])
    assert value[0] == np.inf
    assert np.isfinite(value[1:]).all()
    assert (value > 0).all()
    # p x + q ≤ 1: even this customer's own mean has no end
    assert expected_value(with_parameters(0.2, 0.6, 15.0), [1], [30.0])[0] == np.inf
    assert with_parameters(6.0, 1.0, 15.0).mean == np.inf


@pytest.mark.parametrize("wrong", [0.0, -12.5])
def test_orders_worth_nothing_or_less_are_said_and_not_fitted(wrong):
    orders, value = simulated(6.0, 4.0, 15.0, 300, 3)
    value[7] = wrong
    found = fit_gamma_gamma(orders, value)
    assert found.why_not == "not-positive"
    assert np.isnan([found.p, found.q, found.gamma, found.mean]).all()
    assert np.isnan(expected_value(found, [2], [30.0])).all()
    # the other way takes them
    assert fit_spend(orders, value).why_not == ""


@pytest.mark.parametrize(
    ("orders", "value", "why_not"),
    [
        ([], [], "no-customers"),
        ([0, 0], [0.0, 0.0], "no-customers"),
        ([3], [25.0], "few-customers"),
        ([2] * 50, [25.0] * 50, "no-spread"),
    ],
)
def test_too_little_to_tell(orders, value, why_not):
    found = fit_gamma_gamma(orders, value)
    assert found.why_not == why_not
    assert np.isnan(found.mean)


def test_identical_customers_have_their_own_mean_as_shrunken_mean():
    found = fit_spend([2] * 50, [25.0] * 50)
    assert (found.mean, found.between) == (25.0, 0.0)
    assert expected_spend(found, [2, 0], [25.0, 0.0])[0] == pytest.approx([25.0, 25.0])


def test_what_is_no_number_is_refused():
    with pytest.raises(BadInput, match="mean value of customer 2"):
        fit_gamma_gamma([1, 2], [3.0, np.nan])
    with pytest.raises(BadInput, match="orders of customer 1"):
        fit_spend([-1], [3.0])
    with pytest.raises(BadInput, match="count of customer 1"):
        fit_spend([1], [3.0], [-2.0])
    with pytest.raises(BadInput, match="expected one each"):
        fit_gamma_gamma([1, 2], [3.0])
    with pytest.raises(BadInput, match="variance within"):
        fit_spend(np.ones(20), np.arange(20.0), within=-1.0)


def test_spend_tied_to_frequency_is_told_and_unrelated_spend_is_not():
    orders, value = simulated(6.0, 4.0, 15.0, 2000, 4, tied=0.5)
    found = fit_gamma_gamma(orders, value)
    assert "tied" in found.warnings
    assert found.tie > 0.15
    assert found.tie_p < 0.001
    assert "tied" in fit_spend(orders, value).warnings
    # 200 bases without a tie: p < 0.05 in 5% of them, 0.05 ± 3 √(0.05 · 0.95/200)
    alarms = np.mean(
        [spend_tied_to_frequency(*simulated(6.0, 4.0, 15.0, 500, seed))[1] < 0.05 for seed in range(200)]
    )
    assert alarms < 0.05 + 0.047
    assert np.isnan(spend_tied_to_frequency([2, 2, 2], [1.0, 2.0, 3.0])).all()


def test_margins_of_any_sign_shrink_by_what_is_known_of_them():
    """θ ~ N(2, 4²), orders with a deviation of 9: variances within 15%, and the forecast beats raw and common means."""
    rng = np.random.default_rng(5)
    orders = rng.geometric(0.3, 20_000)
    own = rng.normal(2.0, 4.0, len(orders))
    seen = own + rng.normal(0, 9.0, len(orders)) / np.sqrt(orders)
    assert (seen < 0).mean() > 0.3
    found = fit_spend(orders, seen)
    assert found.mean == pytest.approx(2.0, abs=4 * found.mean_error)
    assert found.between == pytest.approx(16.0, rel=0.15)
    assert found.within == pytest.approx(81.0, rel=0.15)
    value, spread = expected_spend(found, orders, seen)
    misses = [np.mean((guess - own) ** 2) for guess in (value, seen, np.full(len(own), seen.mean()))]
    assert misses[0] < min(misses[1:])
    # what it says of its own error is what it is
    assert np.mean(spread**2) == pytest.approx(misses[0], rel=0.1)
    known = fit_spend(orders, seen, within=81.0)
    assert known.between == pytest.approx(16.0, rel=0.1)


def test_one_order_each_cannot_tell_within_from_between():
    found = fit_spend(np.ones(100), np.random.default_rng(6).normal(3, 2, 100))
    assert "within-unknown" in found.warnings
    assert found.within == 0.0
