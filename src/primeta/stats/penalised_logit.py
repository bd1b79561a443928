"""Logistic regression with normal priors around given values, by Newton's method."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


def fit_logit(
    columns: Floats,
    outcome: Floats,
    *,
    prior_mean: Floats,
    prior_sd: Floats,
    weight: Floats | None = None,
    rounds: int = 40,
) -> tuple[Floats, Floats]:
    """The mode of the posterior and its covariance.

    Args:
        columns: (n, p); a constant is one of them.
        outcome: (n,) 0 or 1, or a share.
        prior_mean, prior_sd: (p,) of the coefficients.
        weight: (n,) how often each row counts.
    Returns:
        (p,), (p, p).
    Source:
        McCullagh & Nelder (1989), §4.4; steps are halved until the posterior rises.
    """
    weight = np.ones(len(outcome)) if weight is None else weight
    precision = 1.0 / np.square(prior_sd)
    found = np.array(prior_mean, dtype=float)

    def value(at: Floats) -> float:
        eta = columns @ at
        return float(weight @ (outcome * eta - np.logaddexp(0, eta))) - 0.5 * float(
            precision @ np.square(at - prior_mean)
        )

    now = value(found)
    information = np.diag(precision)
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-np.clip(columns @ found, -35, 35)))
        gradient = columns.T @ (weight * (outcome - chance)) - precision * (found - prior_mean)
        information = (columns * (weight * chance * (1 - chance))[:, None]).T @ columns + np.diag(precision)
        step = np.linalg.solve(information, gradient)
        size = 1.0
        while size > 1e-4:
            then = value(found + size * step)
            if then >= now:
                break
            size /= 2
        else:
            break
        found = found + size * step
        done = then - now < 1e-8 * (abs(now) + 1)
        now = then
        if done:
            break
    return found, np.linalg.inv(information)
