"""How long a customer who no longer looks is left alone."""

from __future__ import annotations

from math import log as ln

REST_LEAST, FIRST_MOST, REST_MOST = 14.0, 30.0, 120.0
"""Days of the first rest, from … to …, since an alarm may be false; and of any, when silent probes have doubled it."""
AGAIN_AT = 0.5
"""Probability of blindness to which rest should bring it before the probe."""


def rest_days(blind: float, recovery: float) -> float:
    """Days of a first rest: until blindness is no likelier than not; within bounds, since recovery is poorly known."""
    if blind <= AGAIN_AT:
        return REST_LEAST
    return float(min(max(ln(blind / AGAIN_AT) / max(recovery, 1e-6), REST_LEAST), FIRST_MOST))
