"""How many of several blocks repeat a finding: partial conjunction of e-values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def partial_conjunction(e_values: Sequence[float], *, of: int, at_least: int) -> float:
    """E-value against "fewer than `at_least` of the `of` blocks hold": mean of the n − u + 1 smallest.

    If at most u − 1 nulls are false, at least n − u + 1 blocks are null; the mean of the n − u + 1 smallest is
    at most the mean of that many null ones, whose expectation is at most 1. It needs no independence.

    Args:
        e_values: One per block; blocks that are not there yet are left out.
    Returns:
        1, which says nothing either way, as long as blocks are missing.
    Raises:
        ValueError: `at_least` is not within 1..`of`.
    Source:
        Benjamini & Heller (2008) for p-values; DESIGN of this project for the e-value form.
    """
    if not 1 <= at_least <= of:
        raise ValueError(f"at_least must be within 1..{of}, not {at_least}")
    if len(e_values) < of:
        return 1.0
    return float(np.mean(np.sort(np.asarray(e_values[-of:], float))[: of - at_least + 1]))
