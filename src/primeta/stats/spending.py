"""Group-sequential bounds: the error is spent look by look, and how likely a path is to cross them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.special import ndtr
from scipy.stats import norm

from primeta.errors import BadInput

Floats = npt.NDArray[np.floating[Any]]
Spending = Literal["obrien-fleming", "pocock", "power"]
SPENDINGS: tuple[Spending, ...] = ("obrien-fleming", "pocock", "power")

REACH = 8.5
"""Standard deviations of a path that are followed; beyond lies 1e-17."""
DENSITY = 2.0
"""Nodes per standard deviation of the narrowest step: bounds are then exact to 1e-8, with 200 looks too."""
PANEL = 64
"""Nodes of one Gauss–Legendre panel."""
CLOSEST = 0.01
"""Looks that are nearer than 1e-4 of the information are reckoned to be that far apart."""
SMALLEST_SPEND = 1e-13


def spent(
    fractions: Floats, *, alpha: float, spending: Spending = "obrien-fleming", exponent: float = 2.0
) -> Floats:
    """Error that may be spent in one direction by each information fraction; all of `alpha` at 1.

    Args:
        fractions: (K,) in (0, 1]. exponent: of "power", α·tᵉ.
    Source:
        Lan & DeMets (1983), Biometrika 70, 659; "power" is Kim & DeMets (1987), Biometrika 74, 149.
    """
    fractions = np.asarray(fractions, float)
    if spending == "obrien-fleming":
        return 2 * norm.sf(norm.isf(alpha / 2) / np.sqrt(fractions))
    if spending == "pocock":
        return alpha * np.log1p((math.e - 1) * fractions)
    return alpha * fractions**exponent


def bounds(
    fractions: Sequence[float] | Floats,
    *,
    alpha: float,
    spending: Spending = "obrien-fleming",
    exponent: float = 2.0,
    sides: Literal[1, 2] = 2,
) -> Floats:
    """The z that a test must pass at each look, for looks at any information fractions.

    Args:
        fractions: (K,) information so far over what is planned, rising, in (0, 1]. The last look of all is
            given as 1, however many customers came: it spends what is left.
        alpha: Of all looks together; with `sides=2` half of it upwards and half downwards.
        exponent: Of the spending function "power".
    Returns:
        (K,) bounds; with `sides=2` the test ends at |z| ≥ bound. Infinity where nothing may be spent yet.
    Raises:
        BadInput: fractions that do not rise within (0, 1], an unknown spending function, alpha outside (0, 1).
    Source:
        Lan & DeMets (1983); recursion of Armitage, McPherson & Rowe (1969) as in Jennison & Turnbull (2000),
        ch. 19, with Gauss–Legendre nodes.
    """
    times = tuple(float(fraction) for fraction in fractions)
    if not times or not all(a < b <= 1 for a, b in itertools.pairwise((0.0, *times))):
        raise BadInput(f"information fractions must rise within (0, 1]; {list(times)} were given")
    if spending not in SPENDINGS:
        raise BadInput(f"no spending function {spending!r}; there are {', '.join(SPENDINGS)}")
    if not 0 < alpha < 1:
        raise BadInput(f"alpha must lie between 0 and 1, not {alpha:g}")
    if not exponent > 0:
        raise BadInput(f"the exponent of a spending function is above 0, not {exponent:g}")
    return np.array(_bounds(times, alpha, spending, exponent, sides))


@lru_cache(maxsize=512)
def _bounds(
    times: tuple[float, ...], alpha: float, spending: Spending, exponent: float, sides: int
) -> tuple[float, ...]:
    steps = np.diff(
        spent(np.array(times), alpha=alpha / sides, spending=spending, exponent=exponent), prepend=0
    )
    path, found = _Path(times), []
    for step in np.maximum(steps, 0.0):
        bound = _bound(path, float(step))
        found.append(bound)
        path.step(-bound if sides == 2 else -math.inf, bound)
    return tuple(found)


def _bound(path: _Path, step: float) -> float:
    """The z above which `step` of all paths lie at this look."""
    if step <= 0:
        return math.inf
    # of all paths, those ended before too, no more than the step lies beyond this
    highest = float(norm.isf(step))
    if step < SMALLEST_SPEND or path.above(highest) >= step:
        return highest
    root = optimize.brentq(lambda z: path.above(z) - step, -REACH, highest, xtol=1e-12)
    return float(root)  # pyright: ignore[reportArgumentType]


def crossing(
    bounds: Sequence[float] | Floats,
    fractions: Sequence[float] | Floats,
    drift: float,
    *,
    sides: Literal[1, 2] = 2,
) -> Floats:
    """Probability of having crossed upwards by each look.

    Args:
        bounds: (K,) on the z of each look, infinite where there is none. fractions: (K,) rising, above 0.
        drift: Mean of z at full information: effect / standard error.
        sides: 2: a path that has crossed the mirrored bound downwards has ended there.
    Returns:
        (K,) rising; the last is the power of the whole test.
    Source:
        Armitage, McPherson & Rowe (1969), JRSS A 132, 235.
    """
    path, out = _Path(tuple(float(fraction) for fraction in fractions), drift), []
    for bound in bounds:
        out.append(path.above(float(bound)))
        path.step(-float(bound) if sides == 2 else -math.inf, float(bound))
    return np.minimum(np.cumsum(out), 1.0)


class _Path:
    """z of a Brownian motion with drift at its looks, on Gauss–Legendre nodes between the bounds."""

    def __init__(self, times: tuple[float, ...], drift: float = 0.0):
        self._times, self._drift, self._look = times, drift, 0
        self._nodes: Floats = np.zeros(1)
        self._mass: Floats = np.ones(1)
        """Probability at each node of the look before, paths that have ended left out."""

    def above(self, bound: float) -> float:
        """Probability of reaching this look and lying above `bound`."""
        if math.isinf(bound):
            return 0.0 if bound > 0 else float(self._mass.sum())
        ahead, spread = self._ahead()
        return float(self._mass @ ndtr((ahead - bound) / spread))

    def step(self, low: float, high: float) -> None:
        """Keep what lies between the bounds and go on to the next look."""
        now = self._times[self._look]
        centre = self._drift * math.sqrt(now)
        low, high = max(low, centre - REACH), min(high, centre + REACH)
        ahead, spread = self._ahead()
        self._look += 1
        if low >= high:
            self._mass, self._nodes = np.zeros(1), np.array([centre])
            return
        narrowest = min(spread, self._ahead()[1]) if self._look < len(self._times) else spread
        nodes, weights = _nodes(low, high, DENSITY / narrowest)
        kernel = np.exp(-0.5 * ((nodes[:, None] - ahead) / spread) ** 2)
        self._mass = (kernel @ self._mass) * weights / (spread * math.sqrt(2 * math.pi))
        self._nodes = nodes

    def _ahead(self) -> tuple[Floats, float]:
        """Mean of this look's z from each node of the look before, and its standard deviation."""
        now = self._times[self._look]
        before = self._times[self._look - 1] if self._look else 0.0
        drifted = self._drift * (now - before) / math.sqrt(now)
        spread = max(math.sqrt(1 - before / now), CLOSEST)
        return self._nodes * math.sqrt(before / now) + drifted, spread


def _nodes(low: float, high: float, density: float) -> tuple[Floats, Floats]:
    """Points and weights of an integral from `low` to `high`: Gauss–Legendre, in panels where many are needed."""
    panels = math.ceil((high - low) * density / PANEL)
    points, weights = _legendre(PANEL)
    half = (high - low) / panels / 2
    middles = low + half * (2 * np.arange(panels) + 1)
    return (middles[:, None] + half * points).ravel(), np.tile(half * weights, panels)


@lru_cache(maxsize=1)
def _legendre(count: int) -> tuple[Floats, Floats]:
    return np.polynomial.legendre.leggauss(count)
