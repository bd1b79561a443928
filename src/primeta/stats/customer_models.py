"""What every customer-base model offers to the fit and to the forecasts that are common to all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Natural = Sequence[float | Floats]
"""The four parameters: numbers, or arrays with one value a row."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Log-likelihoods of n rows with their derivatives by the logs of the four parameters."""

    value: Floats
    """(n,)"""
    slope: tuple[Floats | float, ...]
    """Four of (n,)."""
    curvature: tuple[tuple[int, int, Floats | float], ...]
    """The upper triangle: (i, j, (n,)); what is missing is 0."""


class CustomerModel(Protocol):
    """A model of orders and drop-out with four parameters, all above 0."""

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> tuple[str, str, str, str]: ...

    @property
    def covaried(self) -> tuple[tuple[int, float], ...]:
        """Which parameters covariates move, and the sign of γ′z in the log of each."""
        ...

    def pair_terms(self, at: Natural, x: Floats) -> Terms:
        """The part of the log-likelihood that only the number of orders enters."""
        ...

    def row_terms(self, at: Natural, x: Floats, last: Floats, age: Floats) -> Terms:
        """The rest."""
        ...

    def p_alive(self, at: Natural, x: Floats, last: Floats, age: Floats) -> Floats: ...

    def expected_alive(self, at: Natural, x: Floats, last: Floats, age: Floats, ahead: Floats) -> Floats:
        """(n, J) orders expected within each of `ahead` (n, J) of a customer who is still here."""
        ...

    def expected_ever(self, at: Natural, x: Floats, age: Floats) -> Floats:
        """(n,) orders expected over all time of a customer who is still here; inf where there is no end."""
        ...

    def share_with(self, at: Natural, orders: Floats, age: Floats) -> Floats:
        """P(X(t) = n) of a new customer, n = `orders` and t = `age`."""
        ...

    def draw(
        self, at: Natural, x: Floats, last: Floats, age: Floats, horizon: float, rng: np.random.Generator
    ) -> Floats:
        """(n,) orders over the horizon, drawn from each customer's own posterior."""
        ...

    def looks_only_at_age(self) -> bool:
        """Whether what is expected of a customer who is still here does not depend on when he last ordered."""
        ...

    def age_scale(self, at: Natural) -> float | Floats:
        """The time before birth at which forecasts, as functions of age, are first singular."""
        ...


def rows_of(at: Natural, index: npt.NDArray[np.int64] | slice) -> list[float | Floats]:
    """Parameters of some rows."""
    return [part[index] if isinstance(part, np.ndarray) else part for part in at]


def full(at: Natural, n: int) -> list[Floats]:
    """Parameters as arrays of n."""
    return [np.broadcast_to(np.asarray(part, dtype=np.float64), (n,)) for part in at]
