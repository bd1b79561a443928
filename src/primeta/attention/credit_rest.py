"""How long a customer who no longer looks is left alone."""

from __future__ import annotations

from math import log as ln

REST_LEAST, REST_MOST = 14.0, 120.0
"""Days of rest that are ever advised."""
AGAIN_AT = 0.5
"""Probability of blindness to which rest should bring it before the probe."""


def rest_days(blind: float, recovery: float) -> float:
    """Days after which blindness is no likelier than not; within bounds, since recovery is poorly known."""
    if blind <= AGAIN_AT:
        return REST_LEAST
    return float(min(max(ln(blind / AGAIN_AT) / max(recovery, 1e-6), REST_LEAST), REST_MOST))
