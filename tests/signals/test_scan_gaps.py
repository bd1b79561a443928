"""Weeks that nobody knows: they must not spoil what is known about the others."""

from __future__ import annotations

import numpy as np
import pytest

from primeta.signals.scan import scan_panel


@pytest.mark.parametrize("gap", [30, 70], ids=["in the baseline", "in the promise year"])
def test_a_week_that_no_sibling_knows_spoils_no_other_week(gap):
    rng = np.random.default_rng(5)
    values = 10 + rng.standard_normal((12, 80))
    values[3, 60:] += 3.0
    values[:, gap] = np.nan
    scan = scan_panel(values, baseline=56, group=np.zeros(12, dtype=np.int64))
    assert np.isfinite(scan.p_up).all()
    assert np.isfinite(scan.scores).all()
    # a shift of three standard deviations for twenty weeks is beyond doubt in one series and in no other
    assert scan.p_up[3, -1] < 0.001
    assert (np.delete(scan.p_up[:, -1], 3) > 0.01).all()
