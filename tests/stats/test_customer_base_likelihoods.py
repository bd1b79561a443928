"""Likelihoods and forecasts against high precision arithmetic; `python -m benchmarks "customer-base likelihoods"`
does 10,000 of each."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.customer_base_likelihoods import MODELS, ORDERS, PROMISE, likelihood_errors, orders_errors


@pytest.mark.parametrize("name", [*MODELS, "Gamma-Gamma"])
def test_random_likelihoods_are_finite_and_right_to_1e_8(name):
    # the issue: none non-finite, relative error ≤ 1e-8
    errors = likelihood_errors(name, 50 if name != "Pareto/NBD" else 25, seed=123)
    assert np.isfinite(errors).all()
    assert errors.max() <= PROMISE


@pytest.mark.parametrize("name", ORDERS)
def test_random_forecasts_are_finite_and_right_to_1e_8(name):
    errors = orders_errors(name, 25, seed=123)
    assert np.isfinite(errors).all()
    assert errors.max() <= PROMISE
