"""The wait for a first return: a curve with a mass that stays away."""

import numpy as np
import pytest

from primeta.stats.first_return import by_customer, fit, still_away

AT = np.array([0.4, 0.7, 4.0])


def test_curve_starts_at_one_and_ends_at_those_who_never_return():
    wait = np.array([0.0, 1e12])
    assert still_away(AT, wait) == pytest.approx([1.0, 1 / (1 + np.exp(-0.4))], abs=1e-9)


def test_density_is_the_slope_of_the_curve():
    wait = np.array([3.0, 40.0, 300.0])
    fallen = (still_away(AT, wait - 1e-4) - still_away(AT, wait + 1e-4)) / 2e-4
    assert np.exp(by_customer(AT, wait, np.ones(3))[0]) == pytest.approx(fallen, rel=1e-6)
    assert np.exp(by_customer(AT, wait, np.zeros(3))[0]) == pytest.approx(still_away(AT, wait))


@pytest.mark.parametrize("came", [0.0, 1.0])
def test_gradient_is_the_slope(came):
    wait = np.array([0.5, 20.0, 200.0])
    of = np.full(3, came)
    slope = [
        (by_customer(AT + 1e-6 * axis, wait, of)[0] - by_customer(AT - 1e-6 * axis, wait, of)[0]) / 2e-6
        for axis in np.eye(3)
    ]
    assert by_customer(AT, wait, of)[1] == pytest.approx(np.array(slope).T, abs=1e-7)


def test_returns_still_to_come_are_foretold():
    # 60% never return; rates of the others are Gamma(2, 60 days); seen for 150 days, asked for the next 120
    rng = np.random.default_rng(3)
    n = 60_000
    day = np.where(rng.random(n) < 0.6, np.inf, rng.exponential(1, n) / (rng.gamma(2, 1 / 60, n)))
    seen = day < 150
    found = fit(np.where(seen, day, 150.0), seen.astype(float), np.ones(n))
    share = still_away(found.theta, np.array([150.0, 270.0]))
    to_come = 1 - share[1] / share[0]
    real = ((day >= 150) & (day < 270)).sum() / (~seen).sum()
    assert to_come == pytest.approx(real, rel=0.06)
    assert np.linalg.eigvalsh(found.inverse).min() > 0


def test_nobody_ever_came():
    found = fit(np.full(5, 90.0), np.zeros(5), np.ones(5))
    assert np.isfinite(found.theta).all()
    assert still_away(found.theta, np.array([365.0]))[0] > 0.5
