"""The power that a plan promises and the power that its analysis reaches, by simulation through the analyser.

Customers are drawn one by one, their moments go through `stats.effects` look by look, and the interval is the
one that `experiments.evaluate` decides on. The first runs of every row are also read by `effects_of`, the whole
analyser, and must give the same interval to the last digit.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.experiments.evaluate import Looking, Measured, effects_of
from primeta.experiments.size import Size, size_of
from primeta.stats.effects import adjusted, difference, influence
from primeta.stats.moments import Moments
from primeta.stats.sequential import always_multiplier, as_t
from primeta.stats.spending import bounds

NAME = "planner"
Floats = npt.NDArray[np.float64]
BLOCK = 500
"""Runs that are held in memory together."""
CHECKED = 20
"""Runs of each row that the whole analyser reads too."""

MONEY = {"kind": "mean", "baseline": 40.0, "sd": 30.0, "effect": 6.0}
SHARE = {"kind": "share", "baseline": 0.08, "effect": 0.03}
RATIO = {"kind": "ratio", "baseline": 12.0, "sd": 4.0 / math.sqrt(2.5), "effect": 0.4}
CUPED = {**MONEY, "variance_kept": 1 - 0.7**2}
KINDS: dict[str, dict[str, Any]] = {"mean": MONEY, "share": SHARE, "ratio": RATIO, "CUPED": CUPED}
DESIGNS: dict[str, dict[str, Any]] = {
    "fixed": {},
    "sequential, 5 looks": {"looks": 5},
    "anytime": {"anytime": True},
}
EXTRA: dict[str, dict[str, Any]] = {
    "mean, anytime, 4 arms": {**MONEY, "anytime": True, "arms": 4},
    "mean, sequential, control 10%": {**MONEY, "looks": 4, "shares": {"control": 0.1, "a": 0.9}},
    "mean, fixed, 15 an arm": {**MONEY, "effect": 33.0},
    "mean, sequential, 15 an arm": {**MONEY, "effect": 33.0, "looks": 3},
    "mean, anytime, 26 an arm": {**MONEY, "effect": 33.0, "anytime": True},
    "skewed revenue, anytime": {**MONEY, "anytime": True, "skewed": True},
    "share, anytime, .6% to .9%": {"kind": "share", "baseline": 0.006, "effect": 0.003, "anytime": True},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What the simulation saw."""

    power: float
    wrong: float
    """Share of runs without any effect in which the interval ever left 0 out."""
    used: float
    """Mean share of the customers after which a run with the effect ended."""


def customers(
    rng: np.random.Generator, size: Size, effect: float, runs: int, n: int, *, asked: dict[str, Any]
) -> Floats:
    """(runs, n, k) columns of one arm: the outcome, and its denominator or its covariate."""
    if size.kind == "share":
        return (rng.random((runs, n, 1)) < size.baseline + effect).astype(float)
    if size.kind == "ratio":
        # revenue over orders: 1 + Poisson(1.5) orders a customer, each worth R ± 4
        orders = 1.0 + rng.poisson(1.5, (runs, n))
        revenue = (size.baseline + effect) * orders + 4.0 * np.sqrt(orders) * rng.standard_normal((runs, n))
        return np.stack([revenue, orders], axis=-1)
    if asked.get("variance_kept", 1.0) < 1:
        before = rng.standard_normal((runs, n))
        kept = asked["variance_kept"]
        noise = math.sqrt(1 - kept) * before + math.sqrt(kept) * rng.standard_normal((runs, n))
        return np.stack([size.baseline + effect + size.sd * noise, before], axis=-1)
    if asked.get("skewed"):
        # exponential, moved to the mean: skewness 2
        return size.baseline + effect + size.sd * (rng.exponential(size=(runs, n, 1)) - 1)
    return size.baseline + effect + size.sd * rng.standard_normal((runs, n, 1))


def reached(asked: dict[str, Any], *, runs: int, seed: int) -> tuple[Size, Reached]:
    """Plan, simulate, analyse: the size that was planned and what became of it."""
    size = size_of(**{name: value for name, value in asked.items() if name != "skewed"})
    rng = np.random.default_rng(seed)
    hits, used, wrong, done = 0, 0.0, 0, 0
    while done < runs:
        block = min(BLOCK, runs - done)
        first = _first_exclusion(rng, size, size.effect, block, asked, check=CHECKED if done == 0 else 0)
        hits += int((first <= size.looks).sum())
        used += float((np.minimum(first, size.looks) / size.looks).sum())
        none = _first_exclusion(rng, size, 0.0, block, asked, both=True)
        wrong += int((none <= size.looks).sum())
        done += block
    return size, Reached(power=hits / runs, wrong=wrong / runs, used=used / runs)


def _first_exclusion(
    rng: np.random.Generator,
    size: Size,
    effect: float,
    runs: int,
    asked: dict[str, Any],
    *,
    both: bool = False,
    check: int = 0,
) -> Floats:
    """(runs,) the look, from 1, at which the interval first leaves 0 out; one past the last where none does.

    The arm with the least power stands against the control; other arms only count as customers.
    """
    sizes = list(size.n_by_arm.values())
    arm = 1 + int(np.argmin(sizes[1:]))
    moments = []
    for place, moved in ((0, 0.0), (arm, effect)):
        edges = np.round(np.arange(size.looks + 1) * sizes[place] / size.looks).astype(int)
        rows = customers(rng, size, moved, runs, sizes[place], asked=asked)
        shift = rows.mean(axis=(0, 1))
        rows = rows - shift
        parts = [rows[:, a:b] for a, b in itertools.pairwise(edges)]
        sums = np.stack([part.sum(axis=1) for part in parts], axis=1)
        products = np.stack([np.matmul(part.swapaxes(1, 2), part) for part in parts], axis=1)
        n = np.broadcast_to(edges[1:].astype(float), (runs, size.looks))
        moments.append(Moments.of_sums(n, sums.cumsum(axis=1), products.cumsum(axis=1), shift=shift))
    both_arms = Moments(
        np.stack([m.n for m in moments], axis=-1),
        np.stack([m.mean for m in moments], axis=-2),
        np.stack([m.scatter for m in moments], axis=-3),
    )
    of = influence(
        both_arms,
        denominator=1 if size.kind == "ratio" else None,
        covariates=[1] if asked.get("variance_kept", 1.0) < 1 else [],
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = difference(adjusted(of), 1, 0)
    in_all = np.round(np.arange(1, size.looks + 1) * size.n_total / size.looks)
    alpha = (1 - size.level) / (size.arms - 1)
    if size.design == "anytime":
        multipliers = always_multiplier(in_all, alpha=alpha, tuned=size.n_total)
    else:
        multipliers = bounds(in_all / size.n_total, alpha=alpha)
    low, high = gap.bounds(as_t(multipliers, gap.df))
    for run in range(check):
        for look in range(size.looks):
            _same(size, of, (run, look), float(in_all[look]), multipliers[look], alpha, low, high)
    out = (low > 0) | (high < 0) if both else (low > 0 if effect > 0 else high < 0)
    return np.where(out.any(axis=1), out.argmax(axis=1) + 1.0, size.looks + 1.0)


def _same(
    size: Size,
    of: Any,
    place: tuple[int, int],
    n_all: float,
    multiplier: float,
    alpha: float,
    low: Floats,
    high: Floats,
) -> None:
    """The whole analyser sees the same interval."""
    here = type(of)(*(getattr(of, name)[place] for name in of.__dataclass_fields__))
    how = {"fixed": "fixed", "sequential": "planned", "anytime": "always"}[size.design]
    looking = Looking(how=how, tuned=size.n_total, bound=float(multiplier))  # pyright: ignore[reportArgumentType]
    measured = Measured(name="m", kind=size.kind, influence=here, n_effective=n_all)
    (effect,) = effects_of([measured], arms=["c", "a"], control="c", level=1 - alpha, looking=looking)
    got, expected = (effect.decision_low, effect.decision_high), (float(low[place]), float(high[place]))
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


def asked_for(what: str) -> dict[str, Any]:
    """What `size_of` is asked for in one row."""
    rows = {f"{kind}, {design}": {**k, **d} for design, d in DESIGNS.items() for kind, k in KINDS.items()}
    return {**rows, **EXTRA}[what]


def run(*, quick: bool) -> list[dict[str, Any]]:
    runs = 2_000 if quick else 40_000
    found = []
    rows = [f"{kind}, {design}" for design in DESIGNS for kind in KINDS] + list(EXTRA)
    for number, what in enumerate(rows):
        size, seen = reached(asked_for(what), runs=runs, seed=number)
        band = 2.58 * math.sqrt(size.power * (1 - size.power) / runs)
        found.append(
            {
                "what": f"{what}: power",
                "aim": f"{size.power:.1%} ± 1",
                "reached": f"{seen.power:.1%} ± {100 * band:.1f}",
                "note": f"{size.n_per_arm:,} in the smallest arm, {size.n_total:,} in all; ends after {seen.used:.0%} "
                f"on average (planned {size.n_expected / size.n_total:.0%}); without an effect {seen.wrong:.1%} wrong",
            }
        )
    return found
