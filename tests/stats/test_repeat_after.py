"""Orders after a return: the likelihood is one of probabilities, and what is expected is what a simulation brings."""

import numpy as np
import pytest
from scipy.special import betaln, gammaln

from primeta.stats.repeat_after import (
    PARAMETERS,
    Returned,
    by_customer,
    expected,
    fit,
    fit_freely,
    start,
)

NONE = -30.0
"""Logit of a share that is none."""


def one(later, last, age, delay=0.0):
    return Returned(*(np.atleast_1d(np.asarray(v, dtype=float)) for v in (later, last, age, delay, 1.0)))


def theta(timing, *, second=-0.5, fading=0.6, slow=0.9):
    leaving = (5.0, 1.0, 3.5, 0.3) if timing == 0 else (-0.7, 1.0, 1.2, 0.8)
    pace = np.log(45 / max(timing, 1))
    return np.array(
        [
            0.4,
            pace,
            0.1,
            leaving[0],
            leaving[1],
            0.2,
            0.2,
            pace + 0.3,
            leaving[2],
            leaving[3],
            second,
            0.3,
            fading,
            slow,
            3.6,
        ]
    )


@pytest.mark.parametrize("timing", [0, 1, 2, 3])
def test_probabilities_of_all_histories_add_up_to_one(timing):
    age = 60.0
    points, weights = np.polynomial.legendre.leggauss(60)
    # a later order counts from half a day on
    last = 0.5 + (age - 0.5) * (points + 1) / 2
    total = np.exp(by_customer(theta(timing), one(0, 0, age, 0.7), timing)[0])[0]
    for x in range(1, 40):
        states = Returned(*np.broadcast_arrays(float(x), last, age, 0.7, 1.0))
        total += weights @ np.exp(by_customer(theta(timing), states, timing)[0]) * (age - 0.5) / 2
    assert total == pytest.approx(1.0, abs=0.012)  # less the first half day


@pytest.mark.parametrize("timing", [0, 1, 2, 3])
def test_gradient_is_the_slope(timing):
    rng = np.random.default_rng(2)
    age, later = rng.uniform(20, 180, 40), rng.integers(0, 6, 40).astype(float)
    last = np.where(later > 0, np.maximum(age * rng.random(40), 0.6), 0.0)
    states = Returned(later, last, age, rng.normal(size=40), np.ones(40))
    at = theta(timing)
    step = 1e-5
    slope = [
        (by_customer(at + step * axis, states, timing)[0] - by_customer(at - step * axis, states, timing)[0])
        / (2 * step)
        for axis in np.eye(len(PARAMETERS))
    ]
    assert by_customer(at, states, timing)[1] == pytest.approx(np.array(slope).T, abs=1e-7)


def test_one_type_without_fading_is_the_mbg_nbd():
    # Batislam, Denizel & Filiztekin (2007), eq. 6, times t_x^(x−1) / Γ(x): the orders between are anywhere
    r, alpha, a, b = 0.525, 6.183, 0.891, 1.614  # CDNOW, weeks (BTYDplus)
    x, last, age = 3.0, 20.0, 30.0
    mine = np.zeros(15)
    mine[[0, 1, 3, 4, 10]] = np.log(r), np.log(alpha), np.log(a / b), np.log(a + b), NONE
    alive = betaln(a, b + x + 1) - (r + x) * np.log(alpha + age)
    gone = betaln(a + 1, b + x) - (r + x) * np.log(alpha + last)
    known = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b) + np.logaddexp(alive, gone)
    known += (x - 1) * np.log(last) - gammaln(x)
    assert by_customer(mine, one(x, last, age), 1)[0] == pytest.approx([known], rel=1e-10)


def lives(rng, n, timing, at, until):
    """Orders of n customers by two horizons, simulated one order at a time."""
    second = rng.random(n) < 1 / (1 + np.exp(-at[10]))
    r, alpha = (np.exp(np.where(second, at[i], at[j])) for i, j in ((6, 0), (7, 1)))
    place, size = np.where(second, at[8], at[3]), np.exp(np.where(second, at[9], at[4]))
    rate, fading = rng.gamma(r) / alpha, at[12] / 100
    if timing:
        mean = 1 / (1 + np.exp(-place))
        leave, life = rng.beta(mean * size, (1 - mean) * size), np.full(n, np.inf)
    else:
        leave, life = np.zeros(n), rng.exponential(1, n) / (rng.gamma(size) / np.exp(place))
    here = rng.random(n) >= leave
    # the clock on which orders come evenly, by plain sums
    day = np.linspace(0, 2 * until, 20_001)
    speed = np.exp(-fading * day) * (1 - (1 - np.exp(-at[13])) * np.exp(-day / np.exp(at[14])))
    clock = day if timing == 0 else np.append(0.0, np.cumsum((speed[1:] + speed[:-1]) / 2) * day[1])
    run, later, last, ahead = (np.zeros(n) for _ in range(4))
    while here.any():
        run = run + rng.gamma(max(timing, 1), 1 / rate)
        now = np.interp(run, clock, day, right=np.inf)
        here &= (now < 2 * until) & (now < life)
        seen = here & (now < until)
        later += seen
        last = np.where(seen, now, last)
        ahead += here & (now >= until)
        here &= rng.random(n) >= leave
    return later, last, ahead


@pytest.mark.parametrize("timing", [0, 1, 2])
def test_expected_orders_are_those_of_a_simulation(timing):
    at = theta(timing)
    at[[2, 5, 11]] = 0.0
    n, until = 15_000, 150.0
    later, last, ahead = lives(np.random.default_rng(5), n, timing, at, until)
    states = Returned(later, last, np.full(n, until), np.zeros(n), np.ones(n))
    cuts = np.array([until, 220.0, 2 * until])
    found = expected(at, states, timing=timing, begin=states.age, cuts=cuts, daily_discount=0.0).sum(axis=1)
    for group in (later == 0, later == 1, later == 2, later > 2):
        error = ahead[group].std() / np.sqrt(group.sum())
        assert found[group].mean() == pytest.approx(ahead[group].mean(), abs=3.5 * error)


def test_discounting_and_cuts_add_up():
    states = one([2.0, 0.0], [40.0, 0.0], [90.0, 50.0])
    states = Returned(states.later, states.last, states.age, np.zeros(2), np.ones(2))
    asked = {"timing": 1, "begin": np.array([120.0, 120.0])}
    whole = expected(theta(1), states, cuts=np.array([120.0, 365.0]), daily_discount=0.0, steps=12, **asked)
    parts = expected(theta(1), states, cuts=np.linspace(120, 365, 6), daily_discount=0.0, steps=12, **asked)
    worth = expected(theta(1), states, cuts=np.array([120.0, 365.0]), daily_discount=0.001, steps=12, **asked)
    assert parts.sum(axis=1) == pytest.approx(whole[:, 0], rel=1e-6)
    assert (worth < whole * np.exp(-0.001 * 120)).all()
    assert (worth > whole * np.exp(-0.001 * 365)).all()


@pytest.mark.parametrize(
    ("fading", "slow", "rate"), [(1.2, 0.0, "fading"), (0.0, 1.5, "slow start"), (0.0, 0.0, "even")]
)
def test_fit_finds_how_rates_go(fading, slow, rate):
    at = theta(1, second=NONE, fading=fading, slow=slow)
    at[[2, 5, 11]] = 0.0
    later, last, _ = lives(np.random.default_rng(8), 3_000, 1, at, 180.0)
    states = Returned(later, last, np.full(3_000, 180.0), np.zeros(3_000), np.ones(3_000))
    fitted, found = fit_freely(states, timing=1, centre=start(states, 1))
    assert found == rate
    assert fitted.theta[12] == pytest.approx(fading, abs=0.6)


@pytest.mark.parametrize("later", [[0.0, 0.0, 0.0], [1.0, 700.0, 0.0]])
def test_few_or_strange_customers_still_give_a_fit(later):
    states = Returned(
        np.array(later), np.array([0.0, 89.0, 0.0]), np.array([90.0, 90.0, 0.0]), np.zeros(3), np.ones(3)
    )
    for timing in (0, 1, 3):
        fitted = fit(states, timing=timing)
        assert np.isfinite(fitted.theta).all()
        assert np.isfinite(fitted.inverse).all()
        ahead = expected(
            fitted.theta,
            states,
            timing=timing,
            begin=states.age,
            cuts=np.array([90.0, 365.0]),
            daily_discount=0.0,
        )
        assert np.isfinite(ahead).all()
