"""Simulated series with known changes, such as people mark when they look at a plot.

`detect`'s constants are chosen on these and on nothing else; `benchmarks.changepoints` scores them beside the
annotated series. Every kind draws its own length (15 to 1,000), noise (independent, AR(1) of .2 to .7,
t with 4 degrees of freedom) and size of change.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One series and the first points of its new regimes."""

    kind: str
    y: Floats
    changes: tuple[int, ...]


def corpus(rng: Rng, *, each: int) -> list[Simulated]:
    """`each` series of every kind."""
    return [make(rng) for make in KINDS for _ in range(each)]


def _length(rng: Rng, least: int = 15, most: int = 1000) -> int:
    return int(np.exp(rng.uniform(np.log(least), np.log(most))))


def _noise(rng: Rng, n: int) -> Floats:
    """Marginal standard deviation 1."""
    kind = rng.integers(3)
    if kind == 0:
        return rng.standard_normal(n)
    if kind == 1:
        return rng.standard_t(4, n) / np.sqrt(2)
    rho = rng.uniform(0.2, 0.7)
    return lfilter([1], [1, -rho], rng.standard_normal(n + 50))[50:] * np.sqrt(1 - rho**2)


def _places(rng: Rng, n: int, k: int) -> list[int]:
    """k change points, no piece shorter than a tenth of the series or 5 points."""
    apart = max(5, n // 10)
    room = n - (k + 1) * apart
    if room < 0:
        return _places(rng, n, k - 1) if k > 1 else [n // 2]
    cuts = np.sort(rng.integers(0, room + 1, k))
    return [int(c + apart * (i + 1)) for i, c in enumerate(cuts)]


def _levels(rng: Rng, n: int, places: list[int], low: float, high: float) -> Floats:
    mean = np.zeros(n)
    for place in places:
        mean[place:] += rng.choice([-1, 1]) * rng.uniform(low, high)
    return mean


def _broken_line(rng: Rng, n: int, places: list[int], low: float, high: float) -> Floats:
    """A continuous line whose slope changes; a kink lifts the next turn or the end by `low` to `high`."""
    x = np.arange(n, dtype=float)
    mean = rng.uniform(-1, 1) * rng.uniform(low, high) * x / n * (len(places) + 1)
    edges = [*places, n]
    for place, following in itertools.pairwise(edges):
        slope = rng.choice([-1, 1]) * rng.uniform(low, high) / (following - place)
        mean += slope * np.maximum(x - place, 0)
    return mean


def stable(rng: Rng) -> Simulated:
    n = _length(rng)
    return Simulated(kind="stable", y=_noise(rng, n), changes=())


def levels(rng: Rng) -> Simulated:
    n = _length(rng)
    places = _places(rng, n, int(rng.integers(1, 5)))
    return Simulated(kind="levels", y=_levels(rng, n, places, 1.5, 6) + _noise(rng, n), changes=tuple(places))


def one_level(rng: Rng) -> Simulated:
    n = _length(rng)
    places = _places(rng, n, 1)
    return Simulated(
        kind="one level", y=_levels(rng, n, places, 1.2, 4) + _noise(rng, n), changes=tuple(places)
    )


def levels_with_outliers(rng: Rng) -> Simulated:
    n = _length(rng, 40)
    places = _places(rng, n, int(rng.integers(0, 4)))
    y = _levels(rng, n, places, 2, 6) + _noise(rng, n)
    for at in rng.integers(0, n, rng.integers(1, 2 + n // 100)):
        y[at] += rng.choice([-1, 1]) * rng.uniform(5, 15)
    return Simulated(kind="outliers", y=y, changes=tuple(places))


def kinks(rng: Rng) -> Simulated:
    n = _length(rng, 20)
    places = _places(rng, n, int(rng.integers(1, 4)))
    y = _broken_line(rng, n, places, 5, 30) + _noise(rng, n)
    return Simulated(kind="kinks", y=y, changes=tuple(places))


def trend(rng: Rng) -> Simulated:
    n = _length(rng)
    y = rng.uniform(3, 40) * rng.choice([-1, 1]) * np.arange(n) / n + _noise(rng, n)
    return Simulated(kind="trend", y=y, changes=())


def trend_with_steps(rng: Rng) -> Simulated:
    n = _length(rng, 20)
    places = _places(rng, n, int(rng.integers(1, 3)))
    line = rng.uniform(3, 20) * rng.choice([-1, 1]) * np.arange(n) / n
    y = line + _levels(rng, n, places, 3, 8) + _noise(rng, n)
    return Simulated(kind="trend with steps", y=y, changes=tuple(places))


def wandering(rng: Rng) -> Simulated:
    """A random walk with drift: it never changes its law."""
    n = _length(rng, 20, 500)
    y = np.cumsum(rng.standard_normal(n) + rng.choice([0, 0.5, 1]))
    return Simulated(kind="wandering", y=y, changes=())


def wandering_with_turns(rng: Rng) -> Simulated:
    """A random walk whose drift turns, or that takes a jump far out of its usual steps."""
    n = _length(rng, 20, 500)
    places = _places(rng, n, int(rng.integers(1, 4)))
    drift = np.full(n, rng.uniform(-1, 1) * 1.5)
    steps = rng.standard_normal(n) * rng.uniform(0.3, 1)
    for place in places:
        if rng.random() < 0.3:
            steps[place] += rng.choice([-1, 1]) * rng.uniform(6, 12)
        else:
            drift[place:] -= np.sign(drift[place] + 1e-9) * rng.uniform(1, 3)
    return Simulated(kind="wandering with turns", y=np.cumsum(steps + drift), changes=tuple(places))


def smooth(rng: Rng) -> Simulated:
    """Growth that bends everywhere and breaks nowhere."""
    n = _length(rng)
    x = np.linspace(0, 1, n)
    shape = int(rng.integers(3))
    if shape == 0:
        mean = np.exp(rng.uniform(1, 3) * x)
    elif shape == 1:
        mean = 1 / (1 + np.exp(-rng.uniform(4, 9) * (x - rng.uniform(0.3, 0.7))))
    else:
        mean = x ** rng.uniform(0.4, 2.5)
    mean = (mean - mean.min()) / np.ptp(mean)
    y = rng.uniform(10, 60) * mean * rng.choice([-1, 1]) + _noise(rng, n)
    return Simulated(kind="smooth", y=y, changes=())


def onset(rng: Rng) -> Simulated:
    """Flat, then growth that goes on."""
    n = _length(rng, 20)
    place = _places(rng, n, 1)[0]
    x = np.maximum(np.arange(n) - place, 0) / (n - place)
    power = rng.uniform(0.6, 1.5)
    y = rng.uniform(6, 40) * rng.choice([-1, 1]) * x**power + _noise(rng, n)
    return Simulated(kind="onset", y=y, changes=(place,))


def seasonal(rng: Rng) -> Simulated:
    n = _length(rng, 48, 500)
    period = int(rng.choice([p for p in (4, 7, 12, 52) if 4 * p <= n]))
    season = rng.standard_normal(period) * rng.uniform(1, 4)
    k = int(rng.integers(0, 3))
    places = _places(rng, n, k) if k else []
    shape = _levels if rng.random() < 0.5 else _broken_line
    mean = shape(rng, n, places, 4, 15) + rng.uniform(-20, 20) * np.arange(n) / n
    return Simulated(kind="seasonal", y=mean + np.resize(season, n) + _noise(rng, n), changes=tuple(places))


def volatility(rng: Rng) -> Simulated:
    n = _length(rng, 60)
    place = _places(rng, n, 1)[0]
    y = _noise(rng, n)
    y[place:] *= rng.choice([1 / 3, 1 / 4, 3, 4])
    return Simulated(kind="volatility", y=y, changes=(place,))


def many_levels(rng: Rng) -> Simulated:
    """A log of layers: one level after another."""
    n = _length(rng, 300)
    k = int(rng.integers(5, 9))
    places = sorted({*_places(rng, n, k), *_places(rng, n, 2)})
    places = [b for a, b in itertools.pairwise([0, *places]) if b - a >= 8]
    return Simulated(
        kind="many levels", y=_levels(rng, n, places, 2, 8) + _noise(rng, n), changes=tuple(places)
    )


def prices(rng: Rng) -> Simulated:
    """A geometric random walk: its steps grow with its level, its law never changes."""
    n = _length(rng, 50, 800)
    steps = rng.standard_t(4, n) / np.sqrt(2) * rng.uniform(0.01, 0.06)
    return Simulated(
        kind="prices", y=np.exp(np.cumsum(steps + rng.uniform(-0.1, 0.2) * steps.std())), changes=()
    )


def bump(rng: Rng) -> Simulated:
    """A level that is left and taken up again."""
    n = _length(rng, 30)
    places = _places(rng, n, 2)
    y = _noise(rng, n)
    if len(places) == 2:
        y[places[0] : places[1]] += rng.choice([-1, 1]) * rng.uniform(1.5, 6)
        return Simulated(kind="bump", y=y, changes=tuple(places))
    return Simulated(kind="bump", y=y, changes=())


def peaks(rng: Rng) -> Simulated:
    """Up, down and up again: changes at the turns."""
    n = _length(rng, 40)
    places = _places(rng, n, int(rng.integers(1, 4)))
    mean = np.zeros(n)
    slope = rng.choice([-1, 1]) * 1.0
    edges = [0, *places, n]
    for left, right in itertools.pairwise(edges):
        rise = slope * rng.uniform(8, 30) / (right - left)
        mean[left:] += rise * np.minimum(np.arange(n - left), right - left)
        slope = -slope
    return Simulated(kind="peaks", y=mean + _noise(rng, n), changes=tuple(places))


def smooth_wandering(rng: Rng) -> Simulated:
    """Growth with momentum, as of an economy or a population: it turns slowly and breaks nowhere."""
    n = _length(rng, 20, 500)
    rho = rng.uniform(0.5, 0.95)
    steps = lfilter([1], [1, -rho], rng.standard_normal(n + 50))[50:] * np.sqrt(1 - rho**2)
    y = np.cumsum(steps + rng.choice([0, 1, 2, 4]))
    return Simulated(kind="smooth wandering", y=y, changes=())


def smooth_turns(rng: Rng) -> Simulated:
    """Growth with momentum whose slope turns, far out of its usual steps."""
    n = _length(rng, 20, 500)
    places = _places(rng, n, int(rng.integers(1, 4)))
    rho = rng.uniform(0.3, 0.8)
    steps = lfilter([1], [1, -rho], rng.standard_normal(n + 50))[50:] * np.sqrt(1 - rho**2)
    steps *= rng.uniform(0.1, 0.5)
    drift = np.full(n, rng.uniform(-2, 2))
    for place in places:
        drift[place:] -= np.sign(drift[place]) * rng.uniform(1, 3)
    return Simulated(kind="smooth turns", y=np.cumsum(steps + drift), changes=tuple(places))


def seasonal_growth(rng: Rng) -> Simulated:
    """A season that grows with the level, on a path that wanders, with or without a turn."""
    n = _length(rng, 60, 400)
    period = int(rng.choice([p for p in (4, 7, 12) if 5 * p <= n]))
    k = int(rng.integers(0, 3))
    places = _places(rng, n, k) if k else []
    drift = np.full(n, rng.uniform(0, 1.5))
    for place in places:
        drift[place:] -= np.sign(drift[place] + 1e-9) * rng.uniform(1, 3)
    level = np.cumsum(drift + rng.standard_normal(n) * rng.uniform(0.1, 0.6))
    level = level - level.min() + rng.uniform(0.3, 1.5) * np.ptp(level)
    season = np.resize(rng.standard_normal(period) * rng.uniform(0.01, 0.1), n)
    y = level * (1 + season) + np.ptp(level) * 0.01 * _noise(rng, n)
    return Simulated(kind="seasonal growth", y=y, changes=tuple(places))


KINDS: tuple[Callable[[Rng], Simulated], ...] = (
    stable,
    levels,
    one_level,
    levels_with_outliers,
    kinks,
    trend,
    trend_with_steps,
    wandering,
    wandering_with_turns,
    smooth_wandering,
    smooth_turns,
    smooth,
    onset,
    seasonal,
    seasonal_growth,
    volatility,
    many_levels,
    prices,
    bump,
    peaks,
)
