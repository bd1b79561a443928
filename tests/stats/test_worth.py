"""The value of knowing, against simulation and against its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeta.stats.worth import worth_of_knowing


def test_it_is_what_acting_on_the_result_brings_in_simulation():
    mean, sd, se, value, cost = 0.2, 0.5, 0.4, 3.0, 1.0
    rng = np.random.default_rng(7)
    truth = rng.normal(mean, sd, 400_000)
    seen = truth + rng.normal(0, se, truth.size)
    after = (mean / sd**2 + seen / se**2) / (1 / sd**2 + 1 / se**2)
    acted = np.where(value * after > cost, value * truth - cost, 0.0)
    found = worth_of_knowing(mean=mean, sd=sd, se=se, value=value, cost=cost, customers=1)
    assert found.with_test == pytest.approx(acted.mean(), abs=4 * acted.std() / truth.size**0.5)
    best = np.maximum(value * truth - cost, 0)
    assert found.with_truth == pytest.approx(best.mean(), abs=4 * best.std() / truth.size**0.5)


def test_unit_normal_loss_at_zero():
    # Raiffa & Schlaifer (1961), table II: the unit normal loss at 0 is .3989
    found = worth_of_knowing(mean=0, sd=1, se=0, value=1, cost=0, customers=1)
    assert found.of_truth == pytest.approx(0.3989, abs=5e-5)
    assert found.of_test == pytest.approx(found.of_truth)


@given(
    mean=st.floats(-5, 5),
    sd=st.floats(0.01, 5),
    se=st.floats(0, 50),
    value=st.floats(-5, 5),
    cost=st.floats(-5, 5),
)
def test_a_test_is_worth_between_nothing_and_the_truth(mean, sd, se, value, cost):
    found = worth_of_knowing(mean=mean, sd=sd, se=se, value=value, cost=cost, customers=1000)
    assert -1e-6 <= found.of_test <= found.of_truth + 1e-6
    none = worth_of_knowing(mean=mean, sd=sd, se=float("inf"), value=value, cost=cost, customers=1000)
    assert none.of_test == pytest.approx(0, abs=1e-9)
