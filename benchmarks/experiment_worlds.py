"""Experiments whose truth is known: customers drawn at random, summed up as an engine would, and analysed.

A `Case` draws many runs of one experiment at once and says what is true of it. `tally` sends every look of every
run through the analyser itself, `effects_of` and `decide`, and counts how often it was wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from primeta.experiments.assignment import Lottery, assign_ids
from primeta.experiments.decide import decide
from primeta.experiments.evaluate import Looking, Measured, effects_of, money_of, sample_ratio
from primeta.experiments.records import Amount, Kind, Role
from primeta.stats.effects import Influence, influence
from primeta.stats.moments import Moments
from primeta.stats.sequential import ratio_log_evidence
from primeta.stats.spending import bounds
from primeta.stats.staggered import block_edges, blocks_seen, staggered

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rng = np.random.Generator
EVEN = (0.5, 0.5)
CELLS = 20_000_000
"""Numbers that are held in memory together."""


# What is drawn and what is true of it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """One metric in R runs at L looks: influences with leading axes (R, L), arms last; control first."""

    influence: Influence
    skewness: Floats | None = None
    """(R, L, G) of one customer, where it is measured."""
    n_effective: Floats | None = None
    """(R, L) customers whose window has passed, counting parts."""
    events: Floats | None = None
    """(R, L, G) successes of a share."""
    covariates: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """R runs of an experiment, at L looks each."""

    metrics: dict[str, Seen]
    counts: Floats
    """(R, L, G) customers assigned so far."""
    difference: tuple[float, ...]
    """The true difference of each treated arm on the primary metric."""
    lift: tuple[float, ...] = ()
    """The true lift of each treated arm; empty where the control's mean is not above 0."""


Draw = Callable[[Rng, int, bool], Drawn]
"""(rng, runs, whether the arms do anything) → what was drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One experiment: how it is drawn, and how it was declared to be read."""

    what: str
    size: str
    """In words: customers and days."""
    draw: Draw
    waiting: Draw | None = None
    """The same as peers read it: only customers whose whole window has passed."""
    kind: Kind = "mean"
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """Of further metrics."""
    roles: Mapping[str, Role] = field(default_factory=dict)
    """Of further metrics; the first is primary."""
    amounts: Mapping[str, Amount] = field(default_factory=dict)
    """The smallest effect that matters, or a guardrail's margin."""
    shares: tuple[float, ...] = EVEN
    design: Literal["fixed", "always", "planned"] = "fixed"
    planned_n: int = 0
    money: str = ""
    """The metric whose unit is money; empty: no money is known."""
    cost: float = 0.0
    """Of each treated customer."""
    level: float = 0.95
    wrong: Literal["", "scale", "ruled_out"] = ""
    """Where the arms do something that must not be decided so: what is wrong. Empty: wrong is to scale or to call
    harmful an arm that does nothing."""
    note: str = ""

    @property
    def arms(self) -> tuple[str, ...]:
        return ("control", *("abcdefgh"[place] for place in range(len(self.shares) - 1)))

    @property
    def looks_many(self) -> bool:
        return self.design != "fixed"

    @property
    def alpha(self) -> float:
        """Of each treated arm's deciding interval."""
        return (1 - self.level) / (len(self.shares) - 1)


# Reading


@dataclass(slots=True)
class Tally:
    """Of how many runs what was true."""

    runs: int = 0
    covered: int = 0
    """The deciding interval held the truth: at the one look, or at every look; of several arms all of them."""
    lift_covered: int = 0
    lift_runs: int = 0
    lift_methods: dict[str, int] = field(default_factory=dict)
    scale: int = 0
    """Any arm was to be scaled, at any look."""
    harm: int = 0
    ruled_out: int = 0
    """An effect that matters was held to be ruled out."""
    ratio_alarms: int = 0
    cautions: dict[str, int] = field(default_factory=dict)
    unknown: int = 0
    """At the last look there was no interval."""
    naive_wrong: int = 0
    """A 95% interval for one look, read at every look, ever left the truth out."""
    naive_scale: int = 0
    """That interval, at the level shared between the arms, once lay wholly above 0 for some arm."""
    blind_lift_covered: int = 0
    """An interval of the lift that takes the control's mean as known held the truth."""
    width: float = 0.0
    """Sum of the intervals' widths."""

    def share(self, name: str) -> float:
        return getattr(self, name) / self.runs if self.runs else math.nan


def tally(case: Case, *, runs: int, seed: int, moved: bool, most: int = 0) -> Tally:
    """Draw `runs` runs of a case and read each of them as a person would, look by look.

    Args:
        moved: Whether the arms do what the case says, or nothing.
        most: Runs that are drawn together; 0: as many as the case asks for at once.
    """
    rng = np.random.default_rng([seed, int(moved)])
    found = Tally()
    block = most or 200
    while found.runs < runs:
        drawn = case.draw(rng, min(block, runs - found.runs), moved)
        evidence = np.maximum.accumulate(ratio_log_evidence(drawn.counts, case.shares), axis=1)
        always_p = np.exp(-np.maximum(evidence, 0.0))
        for run in range(len(drawn.counts)):
            _read(case, drawn, run, always_p, found)
    return found


def _read(case: Case, drawn: Drawn, run: int, always_p: Floats, found: Tally) -> None:
    looks = drawn.counts.shape[1]
    covered, naive, alarm, unknown, naive_scale = True, False, False, False, False
    states: set[str] = set()
    """And the rules that led to them."""
    cautions: set[str] = set()
    for look in range(looks):
        counts = dict(zip(case.arms, drawn.counts[run, look].astype(int).tolist()))
        looking = _looking(case, look, looks)
        measured = measured_at(case, drawn, (run, look))
        effects = effects_of(measured, arms=case.arms, control="control", level=case.level, looking=looking)
        money = {}
        if case.money:
            worth = next(metric for metric in measured if metric.name == case.money)
            money = money_of(
                worth,
                arms=case.arms,
                control="control",
                costs=dict.fromkeys(case.arms[1:], case.cost),
                level=case.level,
                looking=looking,
            )
        ratio = sample_ratio(
            counts,
            dict(zip(case.arms, case.shares)),
            always_p=float(always_p[run, look]),
            repeated=looks > 1,
        )
        decisions, _ = decide(
            effects,
            ratio=ratio,
            money=money,
            basis="measured" if money else "no-value",
            ended=look == looks - 1,
        )
        alarm |= not ratio.ok
        states |= {entry.state for entry in decisions} | {entry.rule for entry in decisions}
        primaries = [effect for effect in effects if effect.role == "primary"]
        for effect, truth in zip(primaries, drawn.difference):
            low, high = effect.decision_low, effect.decision_high
            if not math.isfinite(low):
                # nothing was claimed, so nothing was wrong
                unknown |= look == looks - 1
                continue
            covered &= low <= truth <= high
            naive |= not effect.low <= truth <= effect.high
            naive_scale |= effect.difference > 0 and effect.p < case.alpha
            cautions |= set(effect.cautions)
    first = primaries[0]
    found.runs += 1
    found.covered += covered
    found.naive_wrong += naive
    found.naive_scale += naive_scale
    found.unknown += unknown
    found.ratio_alarms += alarm
    found.scale += "scale" in states
    found.harm += "harm" in states
    found.ruled_out += bool(states & {"too-small", "effect-ruled-out"})
    found.width += first.high - first.low
    for code in cautions:
        found.cautions[code] = found.cautions.get(code, 0) + 1
    if drawn.lift and math.isfinite(first.lift_low):
        found.lift_runs += 1
        found.lift_covered += first.lift_low <= drawn.lift[0] <= first.lift_high
        found.lift_methods[first.lift_method] = found.lift_methods.get(first.lift_method, 0) + 1
        blind = first.low / first.control_mean, first.high / first.control_mean
        found.blind_lift_covered += blind[0] <= drawn.lift[0] <= blind[1]


def _looking(case: Case, look: int, looks: int) -> Looking:
    tuned = {"tuned": float(case.planned_n)} if case.planned_n else {}
    if case.design == "planned":
        fractions = [(place + 1) / looks for place in range(looks)]
        return Looking(how="planned", bound=float(bounds(fractions, alpha=case.alpha)[look]), **tuned)
    return Looking(how=case.design, **tuned)


def measured_at(case: Case, drawn: Drawn, at: tuple[int, int]) -> list[Measured]:
    """The metrics of one run at one look, as the analysis of a table would hand them on."""
    found = []
    for place, (name, seen) in enumerate(drawn.metrics.items()):
        kind = case.kind if place == 0 else case.kinds.get(name, "mean")
        found.append(
            Measured(
                name=name,
                kind=kind,
                influence=at_place(seen.influence, at),
                role="primary" if place == 0 else case.roles.get(name, "secondary"),
                good="down"
                if (amount := case.amounts.get(name)) and amount.value < 0 and place == 0
                else "up",
                smallest=case.amounts.get(name),
                covariates=seen.covariates,
                events=() if seen.events is None else seen.events[at].tolist(),
                skewness=() if seen.skewness is None else seen.skewness[at].tolist(),
                n_effective=math.nan if seen.n_effective is None else float(seen.n_effective[at]),
            )
        )
    return found


def at_place(of: Influence, place: Any) -> Influence:
    """Some runs and looks of it."""
    return Influence(
        n=of.n[place],
        value=of.value[place],
        variance=of.variance[place],
        with_covariates=of.with_covariates[place],
        covariates=of.covariates[place],
        covariate_mean=of.covariate_mean[place],
    )


# Drawing


def arms_at_random(rng: Rng, shape: tuple[int, ...], shares: Sequence[float]) -> Ints:
    """The arm of each customer, by a lottery of its own."""
    return np.searchsorted(np.cumsum(shares)[:-1], rng.random(shape), side="right")


def summed(rows: Floats, arm: Ints, arms: int) -> tuple[Moments, Floats]:
    """Moments (R, 1, G) of rows (R, N, k) by arm (R, N), and the third central moment of the first column."""
    shift = rows.mean(axis=(0, 1))
    moved = rows - shift
    n, sums, products, cubes = [], [], [], []
    for place in range(arms):
        mine = (arm == place)[..., None] * moved
        n.append((arm == place).sum(axis=1).astype(float))
        sums.append(mine.sum(axis=1))
        products.append(np.swapaxes(mine, 1, 2) @ moved)
        cubes.append((mine[..., 0] * moved[..., 0] ** 2).sum(axis=1))
    count, total, cross = np.stack(n, axis=1), np.stack(sums, axis=1), np.stack(products, axis=1)
    moments = Moments.of_sums(count, total, cross, shift=shift)
    safe = np.maximum(count, 1)
    mean, square = total[..., 0] / safe, cross[..., 0, 0] / safe
    third = np.stack(cubes, axis=1) / safe - 3 * mean * square + 2 * mean**3
    return Moments(moments.n[:, None], moments.mean[:, None], moments.scatter[:, None]), third[:, None]


def skewness_of(moments: Moments, third: Floats) -> Floats:
    variance = moments.scatter[..., 0, 0] / np.maximum(moments.n, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance > 0, third / variance**1.5, 0.0)


def skewness_of_ratio(rows: Floats, arm: Ints, moments: Moments) -> Floats:
    """(R, 1, G) of x − R·y, whose mean is 0 in each arm."""
    found = []
    for place in range(moments.n.shape[-1]):
        ratio = moments.mean[:, 0, place, 0] / moments.mean[:, 0, place, 1]
        part = np.where(arm == place, rows[..., 0] - ratio[:, None] * rows[..., 1], 0.0)
        n = moments.n[:, 0, place]
        found.append((part**3).sum(axis=1) / n / ((part**2).sum(axis=1) / n) ** 1.5)
    return np.stack(found, axis=1)[:, None]


Columns = Callable[[Rng, Ints, bool], Floats]
"""(rng, arm (R, N), whether the arms do anything) → (R, N, k): numerator, denominator, covariates."""


def from_rows(
    columns: Columns,
    *,
    n: int,
    shares: Sequence[float] = EVEN,
    difference: Sequence[float],
    lift: Sequence[float] = (),
    ratio: bool = False,
    share: bool = False,
    covariates: Sequence[int] = (),
    cap: float = math.inf,
) -> Draw:
    """Customers drawn one by one; `n` of all arms together. `difference` and `lift` hold where the arms act."""

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        arm = arms_at_random(rng, (runs, n), shares)
        rows = columns(rng, arm, moved)
        if cap < math.inf:
            rows[..., 0] = np.minimum(rows[..., 0], cap)
        moments, third = summed(rows, arm, len(shares))
        seen = Seen(
            influence=influence(moments, denominator=1 if ratio else None, covariates=covariates),
            skewness=None
            if share
            else skewness_of_ratio(rows, arm, moments)
            if ratio
            else skewness_of(moments, third),
            events=np.round(moments.mean[..., 0] * moments.n) if share else None,
            covariates=len(covariates),
        )
        none = tuple(0.0 for _ in difference)
        return Drawn(
            metrics={"primary": seen},
            counts=moments.n,
            difference=tuple(difference) if moved else none,
            lift=tuple(lift) if moved else tuple(0.0 for _ in lift),
        )

    return draw


def normal_mean(effects: Sequence[float], *, mean: float = 10.0, sd: float = 5.0) -> Columns:
    gain = np.array([0.0, *effects])

    def columns(rng: Rng, arm: Ints, moved: bool) -> Floats:
        return (mean + sd * rng.standard_normal(arm.shape) + gain[arm] * moved)[..., None]

    return columns


def gamma_mean(lift: float, *, shape: float) -> Columns:
    """Right-skewed values of mean 1; the arm's are larger by a factor."""

    def columns(rng: Rng, arm: Ints, moved: bool) -> Floats:
        return (rng.gamma(shape, 1 / shape, arm.shape) * (1 + lift * (arm > 0) * moved))[..., None]

    return columns


def correlated(effect: float, *, rho: float, mean: float = 10.0, sd: float = 5.0) -> Columns:
    """A normal outcome and what is known of it beforehand."""

    def columns(rng: Rng, arm: Ints, moved: bool) -> Floats:
        before = rng.standard_normal(arm.shape)
        noise = rho * before + math.sqrt(1 - rho**2) * rng.standard_normal(arm.shape)
        return np.stack([mean + sd * noise + effect * (arm > 0) * moved, before], axis=-1)

    return columns


def baskets(lift: float, *, before: bool) -> Columns:
    """Revenue over orders: customers order by their own rhythm and spend by their own level.

    Each has a rate (gamma, mean 2) and a level (lognormal, mean 30); a basket is gamma about the level. Where
    `before`, the same customer's revenue and orders of an earlier period follow as covariates.
    """

    def period(rng: Rng, rate: Floats, level: Floats) -> tuple[Floats, Floats]:
        orders = rng.poisson(rate).astype(float)
        return np.where(orders > 0, rng.gamma(2 * np.maximum(orders, 1.0)) / 2, 0.0) * level, orders

    def columns(rng: Rng, arm: Ints, moved: bool) -> Floats:
        rate = rng.gamma(2.0, 1.0, arm.shape)
        level = 30 * np.exp(rng.normal(-0.125, 0.5, arm.shape))
        revenue, orders = period(rng, rate, level)
        found = [revenue * (1 + lift * (arm > 0) * moved), orders]
        if before:
            found += period(rng, rate, level)
        return np.stack(found, axis=-1)

    return columns


def share_of(
    *,
    p: float,
    effect: float,
    n: int,
    shares: Sequence[float] = EVEN,
) -> Draw:
    """Yes or no per customer: only the counts are drawn."""

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        counts = rng.multinomial(n, shares, size=runs).astype(float)[:, None, :]
        chance = p + effect * moved * (np.arange(len(shares)) > 0)
        events = rng.binomial(counts.astype(np.int64), chance).astype(float)
        moments = counted(counts, events)
        return Drawn(
            metrics={"primary": Seen(influence=influence(moments), events=events)},
            counts=counts,
            difference=tuple(effect * moved for _ in shares[1:]),
            lift=tuple(effect / p * moved for _ in shares[1:]),
        )

    return draw


def counted(n: Floats, events: Floats) -> Moments:
    """Moments of a column of zeros and ones."""
    rate = events / np.maximum(n, 1)
    return Moments(n, rate[..., None], (events * (1 - rate))[..., None, None])


BUYERS, BUYERS_MORE, SPREAD = 0.05, 0.06, 1.5
"""Share of customers who buy at all, with and without the effect, and the lognormal spread of what they spend."""


def heavy_revenue(*, n: int, shares: Sequence[float] = EVEN, cap: float = math.inf, looks: int = 1) -> Draw:
    """95% zeros, else lognormal: mean spend of a buyer 3.08, standard deviation 8.97, skewness 33."""
    typical = _capped_lognormal(cap)

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        each = n // looks
        counts = rng.multinomial(each, shares, size=(runs, looks))
        chance = np.where(np.arange(len(shares)) > 0, BUYERS_MORE if moved else BUYERS, BUYERS)
        buyers = rng.binomial(counts, chance)
        spend = np.minimum(np.exp(rng.normal(0.0, SPREAD, int(buyers.sum()))), cap)
        ends = np.cumsum(buyers.ravel())
        powers = [np.concatenate([[0.0], np.cumsum(spend**power)]) for power in (1, 2, 3)]
        starts = ends - buyers.ravel()
        one, two, three = (
            (sums[ends] - sums[starts]).reshape(buyers.shape).cumsum(axis=1) for sums in powers
        )
        total = counts.cumsum(axis=1).astype(float)
        moments = Moments.of_sums(total, one[..., None], two[..., None, None])
        safe = np.maximum(total, 1)
        mean, square = one / safe, two / safe
        third = three / safe - 3 * mean * square + 2 * mean**3
        gain = (BUYERS_MORE - BUYERS) * typical * moved
        return Drawn(
            metrics={"primary": Seen(influence=influence(moments), skewness=skewness_of(moments, third))},
            counts=total,
            difference=tuple(gain for _ in shares[1:]),
            lift=tuple(gain / (BUYERS * typical) for _ in shares[1:]),
        )

    return draw


def _capped_lognormal(cap: float) -> float:
    """E[min(X, cap)] of a lognormal with mean of logs 0."""
    whole = math.exp(SPREAD**2 / 2)
    if math.isinf(cap):
        return whole
    z = math.log(cap) / SPREAD
    return whole * float(norm.cdf(z - SPREAD)) + cap * float(norm.sf(z))


def normal_looks(
    *, n: int, looks: int, effect: float, shares: Sequence[float] = EVEN, sd: float = 5.0, mean: float = 10.0
) -> Draw:
    """A normal mean, looked at again and again: only the sums of each look are drawn, which are exact."""

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        counts = rng.multinomial(n // looks, shares, size=(runs, looks)).astype(float)
        gain = effect * moved * (np.arange(len(shares)) > 0)
        means = mean + gain + sd * rng.standard_normal(counts.shape) / np.sqrt(np.maximum(counts, 1))
        scatter = np.where(counts > 1, sd**2 * rng.chisquare(np.maximum(counts - 1, 1)), 0.0)
        means = np.where(counts > 0, means, 0.0)
        moments = running(Moments(counts, means[..., None], scatter[..., None, None]))
        return Drawn(
            metrics={"primary": Seen(influence=influence(moments))},
            counts=counts.cumsum(axis=1),
            difference=tuple(effect * moved for _ in shares[1:]),
            lift=tuple(effect / mean * moved for _ in shares[1:]),
        )

    return draw


def share_looks(*, n: int, looks: int, p: float, effect: float, shares: Sequence[float] = EVEN) -> Draw:
    """A share, looked at again and again."""

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        counts = rng.multinomial(n // looks, shares, size=(runs, looks))
        events = rng.binomial(counts, p + effect * moved * (np.arange(len(shares)) > 0))
        total, hits = counts.cumsum(axis=1).astype(float), events.cumsum(axis=1).astype(float)
        return Drawn(
            metrics={"primary": Seen(influence=influence(counted(total, hits)), events=hits)},
            counts=total,
            difference=tuple(effect * moved for _ in shares[1:]),
            lift=tuple(effect / p * moved for _ in shares[1:]),
        )

    return draw


def running(moments: Moments) -> Moments:
    """What has been seen by each look: the looks (axis 1) merged one after another."""
    looks = moments.n.shape[1]
    parts = [moments[:, : look + 1].merged(1) for look in range(looks)]
    return Moments(
        np.stack([part.n for part in parts], axis=1),
        np.stack([part.mean for part in parts], axis=1),
        np.stack([part.scatter for part in parts], axis=1),
    )


# Windows that have not passed for everybody


def returned_by(days: npt.ArrayLike, *, ever: float, typical: float) -> Floats:
    """Share of customers who have come back within so many days: `ever` of them, after `typical` days."""
    return ever * -np.expm1(-np.asarray(days, dtype=float) / typical)


def retention(
    *,
    n: int,
    arrive_days: int,
    window: int,
    looks: Sequence[int],
    ever: float = 0.4,
    effect: float = 0.06,
    typical: float = 20.0,
    drift: float = 0.0,
    mature_only: bool = False,
) -> Draw:
    """Whether a customer returns within the window; customers arrive evenly over `arrive_days`.

    Args:
        looks: Days of the test on which it is looked at; a cohort's age is the day less its day of arrival.
        drift: How much the last cohort's share who ever return lies above the first's, in both arms.
        mature_only: As peers do: only cohorts whose whole window has passed.
    """
    edges = np.array(block_edges(window))
    blocks = len(edges) - 1
    tilt = drift * (np.arange(arrive_days) / max(arrive_days - 1, 1) - 0.5)

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        cells = np.full(2 * arrive_days, 1 / (2 * arrive_days))
        counts = rng.multinomial(n, cells, size=runs).reshape(runs, 2, arrive_days)
        lasting = ever + tilt[None, :] + np.array([0.0, effect * moved])[:, None]
        by_block = np.diff(returned_by(edges, ever=1.0, typical=typical))
        chances = lasting[..., None] * by_block
        chances = np.concatenate([chances, 1 - chances.sum(axis=-1, keepdims=True)], axis=-1)
        hits = rng.multinomial(counts, chances)[..., :blocks].astype(float)
        seen = [blocks_seen(np.maximum(day - np.arange(arrive_days), 0), window) for day in looks]
        found = []
        for day, passed in zip(looks, seen):
            here = counts * (np.arange(arrive_days) < day)
            if mature_only:
                here = here * (passed >= blocks)
            rate = hits / np.maximum(here, 1)[..., None] * (here > 0)[..., None]
            lived = hits * (here > 0)[..., None]
            scatter = -lived[..., :, None] * rate[..., None, :]
            scatter[..., np.arange(blocks), np.arange(blocks)] += lived
            found.append(staggered(Moments(here.astype(float), rate, scatter), passed, blocks=blocks))
        gain = effect * moved * float(by_block.sum())
        base = ever * float(by_block.sum())
        arrived = [counts[..., : min(day, arrive_days)].sum(axis=-1) for day in looks]
        return Drawn(
            metrics={"primary": _stacked_looks(found)},
            counts=np.stack(arrived, axis=1).astype(float),
            difference=(gain,),
            lift=(gain / base,),
        )

    return draw


def _stacked_looks(found: Sequence[Any]) -> Seen:
    """Looks along the second axis."""
    parts = {
        name: np.stack([getattr(look.influence, name) for look in found], axis=1)
        for name in Influence.__dataclass_fields__
    }
    return Seen(
        influence=Influence(**parts),
        n_effective=np.stack([look.n_effective.sum(axis=-1) for look in found], axis=1),
    )


def revenue_in_window(
    *,
    a_day: int,
    arrive_days: int,
    window: int,
    looks: Sequence[int],
    lift: float = 0.1,
    covariate: bool = False,
) -> Draw:
    """Revenue within the window; customers arrive evenly, order by their own rhythm and cool down.

    Args:
        a_day: Customers who arrive each day, in both arms together.
        covariate: Their revenue before the test is known.
    """
    edges = np.array(block_edges(window))
    blocks = len(edges) - 1
    weight = np.diff(-np.expm1(-edges / 30.0)) * 30.0

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        shape = (runs, arrive_days, a_day)
        arm = arms_at_random(rng, shape, EVEN)
        rate = rng.gamma(1.0, 0.04, shape)
        level = 30 * np.exp(rng.normal(-0.125, 0.5, shape))
        grown = level * (1 + lift * (arm > 0) * moved)
        orders = rng.poisson(rate[..., None] * weight)
        spent = np.where(orders > 0, rng.gamma(2.0 * np.maximum(orders, 1)) / 2, 0.0) * grown[..., None]
        if covariate:
            before = rng.poisson(rate * 60.0)
            known = np.where(before > 0, rng.gamma(2.0 * np.maximum(before, 1)) / 2, 0.0) * level
            spent = np.concatenate([spent, known[..., None]], axis=-1)
        cohorts = _cohorts(spent, arm)
        found = []
        for day in looks:
            here = np.arange(arrive_days) < day
            passed = blocks_seen(np.maximum(day - np.arange(arrive_days), 0), window)
            part = Moments(cohorts.n * here, cohorts.mean, cohorts.scatter)
            found.append(staggered(part, passed, blocks=blocks, q=int(covariate)))
        typical = 0.04 * float(weight.sum()) * 30
        arrived = [cohorts.n[..., : min(day, arrive_days)].sum(axis=-1) for day in looks]
        seen = _stacked_looks(found)
        return Drawn(
            metrics={
                "primary": Seen(
                    influence=seen.influence, n_effective=seen.n_effective, covariates=int(covariate)
                )
            },
            counts=np.stack(arrived, axis=1),
            difference=(typical * lift * moved,),
            lift=(lift * moved,),
        )

    return draw


def _cohorts(rows: Floats, arm: Ints) -> Moments:
    """(R, G, C) moments of rows (R, C, m, k) by arm (R, C, m)."""
    parts = []
    for place in range(2):
        mine = (arm == place)[..., None] * rows
        parts.append(
            Moments.of_sums((arm == place).sum(axis=-1), mine.sum(axis=-2), np.swapaxes(mine, -1, -2) @ rows)
        )
    return Moments(
        np.stack([part.n for part in parts], axis=1),
        np.stack([part.mean for part in parts], axis=1),
        np.stack([part.scatter for part in parts], axis=1),
    )


# Other experiments on the same people, money, guardrails


def overlapping(*, people: int, effect: float, other_effect: float, holdout: float) -> Draw:
    """A test beside another on the same people, in another layer, under a universal holdout.

    The arms come from the lottery itself: each run is a test with a salt of its own. The other test moves the
    metric by `other_effect` in one of its three arms.
    """
    ids = [f"c{number}" for number in range(people)]

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        parts, counts = [], []
        for _ in range(runs):
            salt = f"{rng.integers(1 << 62)}"
            ours = Lottery(
                salt=f"ours:{salt}", arms=(("control", 0.5), ("a", 0.5)), layer="price", slots=(0.0, 0.8),
                holdout=holdout,
            )  # fmt: skip
            theirs = Lottery(
                salt=f"theirs:{salt}", arms=(("x", 0.2), ("y", 0.3), ("z", 0.5)), holdout=holdout
            )
            arms, _ = assign_ids(ours, ids)
            others, _ = assign_ids(theirs, ids)
            takes_part = np.array([name is not None for name in arms])
            arm = (arms[takes_part] == "a").astype(np.int64)[None]
            value = 10 + 5 * rng.standard_normal(arm.shape) + effect * moved * arm
            value = value + other_effect * (others[takes_part] == "z")
            moments, _ = summed(value[..., None], arm, 2)
            parts.append(moments)
            counts.append(moments.n)
        whole = Moments(
            np.concatenate([part.n for part in parts]),
            np.concatenate([part.mean for part in parts]),
            np.concatenate([part.scatter for part in parts]),
        )
        return Drawn(
            metrics={"primary": Seen(influence=influence(whole))},
            counts=np.concatenate(counts),
            difference=(effect * moved,),
            lift=(effect * moved / (10 + 0.5 * other_effect),),
        )

    return draw


def gain_with_guardrail(*, n: int, gain: float, p: float, fall: float) -> Draw:
    """A primary metric that gains for sure, and a share that falls: independent of each other."""

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        primary = normal_looks(n=n, looks=1, effect=gain)(rng, runs, True)
        counts = primary.counts
        events = rng.binomial(counts.astype(np.int64), p - fall * np.arange(2)).astype(float)
        return Drawn(
            metrics={
                **primary.metrics,
                "guard": Seen(influence=influence(counted(counts, events)), events=events),
            },
            counts=counts,
            difference=primary.difference,
        )

    return draw


def gain_without_money(*, n: int, gain: float, worth: float) -> Draw:
    """Orders gain for sure; what they bring (mean `worth` more per customer) is all that the arm costs."""

    def draw(rng: Rng, runs: int, moved: bool) -> Drawn:
        arm = arms_at_random(rng, (runs, n), EVEN)
        orders = 2 + rng.standard_normal(arm.shape) + gain * arm
        money = 20 + 15 * rng.standard_normal(arm.shape) + worth * arm
        both = [summed(part[..., None], arm, 2)[0] for part in (orders, money)]
        return Drawn(
            metrics={name: Seen(influence=influence(part)) for name, part in zip(("primary", "money"), both)},
            counts=both[0].n,
            difference=(gain,),
        )

    return draw
