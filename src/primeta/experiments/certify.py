"""How often are we wrong here? A/A splits and planted effects on a team's own customers, metric by metric.

Nothing is assumed about the customers: they are the team's, with their whales and their zeros. They are dealt into
two arms at random thousands of times. Between such arms there is no difference, so every effect found is false; then
an effect of known size is planted in one arm and must be found as often as the plan promises. Each share is judged by
its exact binomial interval, so that a certificate is not itself a victim of chance.

The splits come from numpy's generator and not from the hash that assigns real experiments: a hash of four thousand
salts is slow, and the generator is known to be even. That the hash deals like the generator is checked apart, on a
few hundred salts.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from primeta.errors import BadInput
from primeta.experiments.certificate import Certificate, Certified, Hashed, Rung
from primeta.stats.buckets import buckets
from primeta.stats.effects import NO_SPREAD, Difference, adjusted, difference, influence
from primeta.stats.moments import Moments, stacked
from primeta.stats.sample_size import Rules, needed_drift, power_at
from primeta.stats.sequential import always_multiplier, as_t
from primeta.stats.threads import each

Floats = npt.NDArray[np.float64]
Good = Literal["up", "down", "neither"]

LADDER = tuple(500 * 4**step for step in range(9))
"""Customers in the smaller arm at which a metric is tried, below what the base gives."""
CAPS = (0.999, 0.995, 0.99)
"""Quantiles of those who have any, tried as caps where a metric fails; the mildest that helps is told."""
FEWEST = 100
"""Customers in the smaller arm below which nothing is certified."""
CERTAIN = 0.99
"""Chance that a certificate says no of nothing where all intervals are right."""
POWER_TOLERANCE = 0.01
"""Power counts as promised within a point: the planner's own approximations are as good as that."""
LARGEST = {1: 1.0, -1: 0.9}
"""Planted at most, relative: a doubling up, nine tenths down."""
ROOM = 0.9
"""Of what a share has left to 1, at most so much is filled."""
BLOCK = 128
"""Splits that are reckoned together."""
PIECE = 16_384
"""Customers whose arms are held in memory together."""
SALTS = 300
HASHED = 4_000
"""Customers that are dealt by the hash."""
HASH_P = 0.001

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """One metric, customer by customer, over a past window.

    `numerator` (n,); `denominator` (n,), or None where the metric is a mean over customers; `before` (n, q), q may
    be 0: known before the window, the numerator's first. `share`: no part may exceed its whole (or 1). Where `why_not` is set there is
    nothing to certify.
    """

    name: str
    numerator: Floats
    denominator: Floats | None
    before: Floats
    smallest: float
    """The smallest effect that matters, relative, above 0."""
    good: Good = "up"
    share: bool = False
    base: int = 0
    """Customers of whom these were taken; 0: all of them."""
    units: Callable[[npt.NDArray[np.int64]], Sequence[str]] | None = None
    """Places → ids, for the check of the hash."""
    why_not: str = ""
    about: dict[str, object] = field(default_factory=dict)
    """Passed on to the certificate: `label`, `since`, `until`, figures of `why_not`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a certificate is made."""

    splits: int = 2_000
    seed: int = 0
    level: float = 0.95
    power: float = 0.8
    share: float = 0.5
    """Of the customers in the arm that is treated."""
    looks: int = 20
    """At which the always-valid interval is tried; 0: not at all."""
    most: int = 100_000
    """Customers in one split, where the base has more."""

    def checked(self) -> Asked:
        """Raises:
        BadInput: a number that cannot be.
        """
        for name, value, least, limit in (
            ("splits", self.splits, 100, 1_000_000),
            ("seed", self.seed, 0, 2**63),
            ("looks", self.looks, 0, 1_000),
            ("sample", self.most, 1_000, 10**9),
        ):
            if not least <= value <= limit:
                raise BadInput(f"{name}: a number from {least:,} to {limit:,} was expected, not {value:,}")
        if not 0.5 <= self.level < 1:
            raise BadInput(f"the level is a share from .5 to below 1, such as .95; {self.level:g} was given")
        if not 0.01 <= self.share <= 0.99:
            raise BadInput(f"the arm's share is between .01 and .99, such as .5; {self.share:g} was given")
        return self

    @property
    def smaller(self) -> float:
        return min(self.share, 1 - self.share)


def certify(
    samples: Sequence[Sample], asked: Asked | None = None, *, progress: Progress | None = None
) -> Certificate:
    """A certificate for every metric: false positives, coverage, power, at each size from 500 customers an arm up.

    The same samples and the same `asked` give the same certificate to the last bit, on any number of cores and
    whatever other metrics are certified beside.

    Raises:
        BadInput: an option that cannot be, or no samples at all.
    """
    asked = (asked or Asked()).checked()
    if not samples:
        raise BadInput("there is no metric to certify")
    metrics = [_Metric(sample, asked) for sample in samples]
    steps = sum(len(metric.sizes) for metric in metrics) + 1
    checks = sum(metric.checks for metric in metrics)
    band = 1 - 2 * (1 - CERTAIN) / max(checks, 1)
    step, done = progress or (lambda _done, _total: None), 0
    found = []
    for metric in metrics:
        rungs = []
        for size in metric.sizes:
            step(done, steps)
            rungs.append(_rung(metric, size, asked, band))
            done += 1
        found.append(_certified(metric, rungs))
    step(done, steps)
    hashed = _hashed(next((metric for metric in metrics if not metric.why_not), None), asked)
    step(steps, steps)
    return Certificate(
        metrics=tuple(found),
        hashed=hashed,
        splits=asked.splits,
        seed=asked.seed,
        level=asked.level,
        power=asked.power,
        share=asked.share,
        looks=asked.looks,
        most=asked.most,
        band=band,
    )


class _Metric:
    """One metric as columns: numerator, denominator, covariates."""

    def __init__(self, sample: Sample, asked: Asked):
        self.sample = sample
        self.x = np.ascontiguousarray(sample.numerator, dtype=np.float64)
        self.y = None if sample.denominator is None else np.asarray(sample.denominator, dtype=np.float64)
        self.n = len(self.x)
        self.most, self.smaller = asked.most, asked.smaller
        self.why_not = sample.why_not
        self.value = math.nan
        self.sizes: tuple[int, ...] = ()
        if self.why_not:
            return
        others = [np.asarray(sample.before, dtype=np.float64).reshape(self.n, -1)]
        if self.y is not None:
            others.insert(0, self.y[:, None])
        self.others = np.concatenate(others, axis=1)
        self.denominator = None if self.y is None else 1
        first = 1 if self.y is None else 2
        self.covariates = tuple(range(first, 1 + self.others.shape[1]))
        self.why_not = self._why_not()
        if self.why_not:
            return
        whole = self.y if self.y is not None else np.ones(self.n)
        self.whole = bool(np.all(self.x == np.rint(self.x)) and np.all(self.x >= 0))
        self.bounded = sample.share and bool(np.all(self.x <= whole) and np.all(self.x >= 0))
        self.way = -1 if sample.good == "down" else 1
        top = min(self.n, asked.most)
        self.sizes = (*(size for n in LADDER if (size := round(n / asked.smaller)) <= top / 2), top)

    def _why_not(self) -> str:
        if min(self.n, self.most) * self.smaller < FEWEST:
            return "too-few-customers"
        if self.y is not None and not self.y.sum() > 0:
            return "no-denominator"
        if not self.x.any():
            return "no-events"
        of = influence(self._alone(self.x), denominator=self.denominator, covariates=self.covariates)
        self.value = float(of.value[0])
        if not float(of.variance[0]) > 0:
            return "no-variance"
        if not float(adjusted(of).kept) > NO_SPREAD:
            return "no-noise"
        return "" if self.value > 0 else "no-mean"

    def _alone(self, x: Floats) -> Moments:
        return stacked([Moments.of_rows(self.rows(x))])

    @property
    def checks(self) -> int:
        """Questions that are asked of it, each with a chance to be answered wrongly."""
        return len(self.sizes) * 5 + (1 if self.sizes else 0)

    def rows(
        self, x: Floats, chosen: npt.NDArray[np.int64] | slice = slice(None), *, cap: float = math.inf
    ) -> Floats:
        """(n, k) columns of the chosen with `x` as their numerator; the cap holds for the time before as well."""
        others = self.others[chosen]
        if math.isfinite(cap) and self.covariates:
            others = others.copy()
            place = self.covariates[0] - 1
            others[:, place] = np.minimum(others[:, place], cap)
        return np.concatenate([x[:, None], others], axis=1)

    def capped(self, cap: float) -> Floats:
        """The numerator as it counts under a cap."""
        return np.minimum(self.x, cap)

    def planted(
        self,
        effect: float,
        rng: np.random.Generator,
        cap: float,
        chosen: npt.NDArray[np.int64] | slice = slice(None),
    ) -> Floats:
        """The numerator of the chosen, had all of them been treated; `effect` relative, signed.

        A share is planted by turning what is not into what is (or back) at random, so it stays a share; a count by
        repeating (or losing) each of its events at random, so it stays a count; money is multiplied.
        """
        x = self.x[chosen]
        if self.bounded and effect > 0:
            room = (self.y[chosen] if self.y is not None else 1.0) - x
            fill = effect * self.value / (1 - self.value)
            moved = x + (_drawn(room, fill, rng) if self._events else fill * room)
        elif self._events:
            moved = x + math.copysign(1.0, effect) * _drawn(x, abs(effect), rng)
        else:
            moved = x * (1 + effect)
        return np.minimum(moved, cap)

    @property
    def _events(self) -> bool:
        """Whether it counts things, one by one."""
        return self.whole and (self.y is None or not self.bounded or bool(np.all(self.y == np.rint(self.y))))

    @property
    def largest(self) -> float:
        if self.bounded and self.way > 0:
            return min(LARGEST[1], ROOM * (1 - self.value) / self.value)
        return LARGEST[self.way]


def _drawn(events: Floats, share: float, rng: np.random.Generator) -> Floats:
    """(n,) how many of each customer's `events` are among a share of all of them, drawn without replacement.

    The share is exact, so the effect that is planted is the same in every copy.
    """
    owner = np.repeat(np.arange(len(events), dtype=np.int32), np.rint(events).astype(np.int64))
    some = rng.choice(len(owner), round(share * len(owner)), replace=False, shuffle=False)
    return np.bincount(owner[some], minlength=len(events)).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promise:
    """What a plan says of one planted effect: the difference, and how often it is seen."""

    effect: float
    """Relative, signed, as planted on the raw numerator."""
    difference: float
    power: float
    plain_power: float
    """Without covariates."""


def _promise(metric: _Metric, effect: float, arms: tuple[float, float], cap: float, asked: Asked) -> _Promise:
    """Read off the whole base, as a plan would from history, with the spread that each arm then has."""
    rng = np.random.default_rng(np.random.SeedSequence(asked.seed, spawn_key=(_key(metric), 0)))
    base = Moments.of_rows(metric.rows(metric.capped(cap), cap=cap))
    moved = Moments.of_rows(metric.rows(metric.planted(effect, rng, cap), cap=cap))
    both = stacked([base, moved])
    n = np.array(arms)
    sized = Moments(n, both.mean, both.scatter * (n / metric.n)[:, None, None])
    rules = Rules(level=asked.level, power=asked.power)
    powers = []
    gap = 0.0
    for covariates in (metric.covariates, ()):
        of = influence(sized, denominator=metric.denominator, covariates=covariates)
        gap = float(of.value[1] - of.value[0])
        spread = np.sqrt(adjusted(of).variance * n)
        sd = float(spread[0]), float(spread[1])
        powers.append(power_at(gap, sd=sd, n=arms, rules=rules).power if gap and min(sd) > 0 else math.nan)
    return _Promise(effect=effect, difference=gap, power=powers[0], plain_power=powers[1])


def _detectable(metric: _Metric, arms: tuple[float, float], cap: float, asked: Asked) -> _Promise:
    """The relative effect that the plan promises its power for, or the largest that is ever planted."""
    rules = Rules(level=asked.level, power=asked.power)
    of = influence(
        stacked([Moments.of_rows(metric.rows(metric.capped(cap), cap=cap))]),
        denominator=metric.denominator,
        covariates=metric.covariates,
    )
    sd = math.sqrt(float(adjusted(of).variance[0]) * metric.n)
    needed = needed_drift(rules)
    first = needed * sd * math.sqrt(1 / arms[0] + 1 / arms[1]) / float(of.value[0])
    effect = metric.way * min(first, metric.largest)
    found = _promise(metric, effect, arms, cap, asked)
    for _ in range(4):
        if not abs(found.power - asked.power) > 0.002 or not 0 < found.power < 1:
            break
        # Effect over its standard error moves about as the effect does.
        now = stats.norm.isf((1 - asked.level) / 2) + stats.norm.ppf(found.power)
        effect = metric.way * min(abs(found.effect) * needed / max(float(now), 0.5), metric.largest)
        if effect == found.effect:
            break
        found = _promise(metric, effect, arms, cap, asked)
    return found


class _Columns:
    """Everything whose sums over an arm tell its moments: v, v·v, and for each planted copy p, p·p, p·v."""

    def __init__(self, rows: Floats, planted: Sequence[Floats]):
        self.k = rows.shape[1]
        self.pairs = [(i, j) for i in range(self.k) for j in range(i, self.k)]
        self.shift = np.array([_near(column) for column in rows.T])
        v = np.ascontiguousarray((rows - self.shift).T)
        parts = [*v, *(v[i] * v[j] for i, j in self.pairs)]
        self.copy_shift = [_near(copy) for copy in planted]
        for copy, shift in zip(planted, self.copy_shift):
            p = copy - shift
            parts += [p, p * p, *(p * v[j] for j in range(1, self.k))]
        self.table = np.stack(parts)
        """(columns, customers)"""
        self.base = self.k + len(self.pairs)

    def moments(self, n: Floats, sums: Floats, *, copy: int | None = None) -> Moments:
        """From sums (…, columns) over n (…,) customers; with the planted copy as their numerator."""
        cross = np.empty((*n.shape, self.k, self.k))
        for at, (i, j) in enumerate(self.pairs):
            cross[..., i, j] = cross[..., j, i] = sums[..., self.k + at]
        total, shift = sums[..., : self.k], self.shift
        if copy is not None:
            total, shift = total.copy(), shift.copy()
            shift[0] = self.copy_shift[copy]
            first = self.base + copy * (self.k + 1)
            total[..., 0] = sums[..., first]
            cross[..., 0, 0] = sums[..., first + 1]
            for j in range(1, self.k):
                cross[..., 0, j] = cross[..., j, 0] = sums[..., first + 1 + j]
        return Moments.of_sums(n, total, cross, shift=shift)


def _near(column: Floats) -> float:
    """The mean, where it is so large that the squares would lose the digits that the variance is made of; else 0.

    With 0, counts are summed exactly: an arm in which nothing happened has no variance, not even dust.
    """
    mean = float(column.mean())
    return mean if abs(mean) > 10 * float(column.std()) else 0.0


@dataclass(slots=True)
class _Counts:
    """Over splits: how many there were, and in how many each thing happened."""

    splits: int = 0
    false: int = 0
    false_plain: int = 0
    scaled: int = 0
    always: int = 0
    peeked: int = 0
    answered: int = 0
    """Whose interval is known, of those with the detectable effect."""
    covered: int = 0
    covered_smallest: int = 0
    covered_plain: int = 0
    answered_smallest: int = 0
    answered_plain: int = 0
    seen: int = 0
    seen_smallest: int = 0
    seen_plain: int = 0

    def __add__(self, other: _Counts) -> _Counts:
        return _Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def _rung(metric: _Metric, size: int, asked: Asked, band: float) -> Rung:
    """One size, as it is and, where it fails, under the caps that may help."""
    found = _tried(metric, size, asked, band, math.inf)
    if not found.failed or metric.bounded:
        return found
    some = metric.x[metric.x > 0]
    last = math.inf
    for quantile in CAPS:
        cap = float(np.quantile(some, quantile)) if len(some) else math.inf
        if not 0 < cap < min(last, float(some.max())):
            continue
        last = cap
        again = _tried(metric, size, asked, band, cap)
        if not again.failed:
            return found.with_cap(cap, quantile)
    return found


def _tried(metric: _Metric, size: int, asked: Asked, band: float, cap: float) -> Rung:
    arms = (size * (1 - asked.share), size * asked.share)
    promise = _detectable(metric, arms, cap, asked)
    smallest = _promise(metric, metric.way * min(metric.sample.smallest, metric.largest), arms, cap, asked)
    top = size == metric.sizes[-1]
    runs = _Runs(metric, size, asked, cap, (promise, smallest), looks=asked.looks if top else 0)
    counts = runs.counted()
    return Rung.judged(
        n=size,
        n_per_arm=round(size * asked.smaller),
        counts={name: getattr(counts, name) for name in counts.__slots__},
        looked=asked.looks if top else 0,
        effect=promise.effect,
        promised=promise.power,
        promised_plain=promise.plain_power,
        smallest=smallest.effect,
        promised_smallest=smallest.power,
        kept=runs.kept,
        level=asked.level,
        band=band,
        tolerance=POWER_TOLERANCE,
    )


class _Runs:
    """All splits of one metric at one size."""

    def __init__(
        self,
        metric: _Metric,
        size: int,
        asked: Asked,
        cap: float,
        promises: tuple[_Promise, _Promise] | tuple[()],
        *,
        looks: int,
    ):
        self.metric = metric
        self.size = size
        self.asked = asked
        self.cap = cap
        self.promises = promises
        """Of the detectable effect, then of the smallest; empty: splits without an effect only."""
        self.smallest = promises[1].effect if promises else 0.0
        self.looks = looks
        self.taken = min(metric.n, asked.most)
        """Customers whom one block deals with."""
        self.groups = self.taken // size
        self.x = metric.capped(cap)
        whole = stacked([Moments.of_rows(metric.rows(self.x, cap=cap))])
        of = influence(whole, denominator=metric.denominator, covariates=metric.covariates)
        self.kept = float(adjusted(of).kept)

    def _columns(self, rng: np.random.Generator) -> tuple[_Columns, tuple[float, ...]]:
        """Columns of the block's customers with both effects planted, and the differences that these truly make.

        Where the block has the whole base the truth is that of its customers; else they stand for the base.
        """
        metric = self.metric
        chosen: npt.NDArray[np.int64] | slice = slice(None)
        if self.taken < metric.n:
            chosen = rng.choice(metric.n, self.taken, replace=False, shuffle=False)
        copies = [metric.planted(promise.effect, rng, self.cap, chosen) for promise in self.promises]
        truths = tuple(promise.difference for promise in self.promises)
        if self.taken == metric.n:
            bottom = 1.0 if metric.y is None else float(metric.y.mean())
            truths = tuple(float(copy.mean() - self.x.mean()) / bottom for copy in copies)
        return _Columns(metric.rows(self.x[chosen], chosen, cap=self.cap), copies), truths

    def counted(self) -> _Counts:
        """Blocks on all cores; each has its own generator, so their order does not matter."""
        block = BLOCK if self.groups == 1 else 4 * BLOCK
        starts = range(0, self.asked.splits, block)
        found: list[_Counts] = [_Counts()] * len(starts)

        def work(at: int, splits: int) -> None:
            cap = 0 if math.isinf(self.cap) else zlib.crc32(repr(self.cap).encode())
            key = (_key(self.metric), self.size, cap, at)
            rng = np.random.default_rng(np.random.SeedSequence(self.asked.seed, spawn_key=key))
            found[at] = self._block(rng, splits)

        each([(at, min(block, self.asked.splits - start)) for at, start in enumerate(starts)], work)
        total = _Counts()
        for entry in found:
            total = total + entry
        return total

    def false_positives(self) -> float:
        """Share of splits in which an effect is found though nothing was done."""
        return self.counted().false / self.asked.splits

    def _block(self, rng: np.random.Generator, splits: int) -> _Counts:
        columns, truths = self._columns(rng)
        if self.groups == 1:
            n, sums = self._dealt_whole(rng, columns, splits)
        else:
            n, sums = self._dealt_in_groups(rng, columns, splits)
        counts = self._read(columns, n[:, :, -1], sums[:, :, -1], truths)
        if self.looks:
            counts.always, counts.peeked = self._looked_at(columns, n, sums)
        return counts

    def _dealt_whole(self, rng: np.random.Generator, columns: _Columns, splits: int) -> tuple[Floats, Floats]:
        """Everybody dealt into two arms, `splits` times.

        Returns:
            n (splits, 2, looks) and sums (splits, 2, looks, columns), up to each look; control first.
        """
        # One order of arrival a block: everybody who came by a look is in it.
        order = rng.permutation(self.size)
        edges = np.rint(np.linspace(0, self.size, max(self.looks, 1) + 1)).astype(int)
        n = np.empty((splits, 2, len(edges) - 1))
        sums = np.empty((splits, 2, len(edges) - 1, len(columns.table)))
        for look, (first, last) in enumerate(pairwise(edges)):
            treated, total = np.zeros((splits, sums.shape[-1])), np.zeros(sums.shape[-1])
            count = np.zeros(splits)
            for start in range(first, last, PIECE):
                part = columns.table[:, order[start : min(start + PIECE, last)]]
                in_arm = _coins(rng, splits, part.shape[1], self.asked.share)
                treated += in_arm @ part.T
                total += part.sum(axis=1)
                count += in_arm.sum(axis=1)
            n[:, 1, look], n[:, 0, look] = count, last - first - count
            sums[:, 1, look], sums[:, 0, look] = treated, total - treated
        return n.cumsum(axis=2), sums.cumsum(axis=2)

    def _dealt_in_groups(
        self, rng: np.random.Generator, columns: _Columns, splits: int
    ) -> tuple[Floats, Floats]:
        """All dealt into groups of `size` (on average, as arrivals are), each into two arms; again until enough."""
        groups, size, taken = self.groups, self.size, self.taken
        n, sums = [], []
        for start in range(0, splits, groups):
            many = min(groups, splits - start)
            # What is left over after the last whole group has a number of its own and goes.
            group = rng.integers(0, taken, taken) // size
            arm = 2 * group + _coins(rng, 1, taken, self.asked.share)[0].astype(np.int64)
            last = 2 * (groups + 1)
            dealt = np.stack([np.bincount(arm, weights=column, minlength=last) for column in columns.table])
            n.append(np.bincount(arm, minlength=last)[: 2 * many].reshape(many, 2))
            sums.append(dealt.T[: 2 * many].reshape(many, 2, -1))
        return np.concatenate(n)[:, :, None].astype(np.float64), np.concatenate(sums)[:, :, None]

    def _gap(self, arms: Moments, *, covariates: bool, factor: float = 1.0) -> Difference:
        chosen = self.metric.covariates if covariates else ()
        of = influence(arms, denominator=self.metric.denominator, covariates=chosen)
        return difference(adjusted(of), 1, 0, factor=factor)

    def _read(self, columns: _Columns, n: Floats, sums: Floats, truths: tuple[float, ...]) -> _Counts:
        """What the analyser says of each split."""
        level, way = self.asked.level, self.metric.way
        counts = _Counts(splits=len(n))
        alike = columns.moments(n, sums)
        low, high = self._gap(alike, covariates=True).t_bounds(level)
        counts.false = _sum((low > 0) | (high < 0))
        # "Scale": shown to be good, and an effect that matters is not ruled out (`experiments.decide`).
        beyond = self._gap(alike, covariates=True, factor=1 + self.smallest).t_bounds(level)
        good_low, _ = _turned(low, high, way)
        counts.scaled = _sum((good_low > 0) & ~(_turned(*beyond, way)[1] < 0))
        low, high = self._gap(alike, covariates=False).t_bounds(level)
        counts.false_plain = _sum((low > 0) | (high < 0))

        for place, (promise, truth) in enumerate(zip(self.promises, truths)):
            treated = columns.moments(n[:, 1], sums[:, 1], copy=place)
            control = alike[:, 0]
            arms = Moments(
                n,
                np.stack([control.mean, treated.mean], axis=1),
                np.stack([control.scatter, treated.scatter], axis=1),
            )
            name = "" if place == 0 else "_smallest"
            for covariates in (True, False) if place == 0 else (True,):
                low, high = self._gap(arms, covariates=covariates).t_bounds(level)
                suffix = name if covariates else "_plain"
                setattr(counts, f"answered{suffix}", _sum(np.isfinite(low)))
                setattr(counts, f"covered{suffix}", _sum((low <= truth) & (truth <= high)))
                setattr(counts, f"seen{suffix}", _sum(low > 0 if promise.effect > 0 else high < 0))
        return counts

    def _looked_at(self, columns: _Columns, n: Floats, sums: Floats) -> tuple[int, int]:
        """Splits in which an interval ever left zero out: the one that is valid at every look, and the ordinary one."""
        arms = columns.moments(n.swapaxes(1, 2), sums.swapaxes(1, 2))
        gap = self._gap(arms, covariates=True)
        # An arm that is empty, or does not vary yet, shows nothing.
        df = np.where(gap.df > 0, gap.df, 1.0)
        in_all = n.sum(axis=1)
        multiplier = always_multiplier(in_all, alpha=1 - self.asked.level, tuned=float(self.size))
        ever = []
        for low, high in (gap.bounds(as_t(multiplier, df)), gap.t_bounds(self.asked.level)):
            ever.append(_sum(((low > 0) | (high < 0)).any(axis=1)))
        return ever[0], ever[1]


def _coins(rng: np.random.Generator, splits: int, customers: int, share: float) -> Floats:
    """(splits, customers) 1 where the customer is in the arm."""
    if share == 0.5:
        width = -(-customers // 8)
        bits = rng.integers(0, 256, size=(splits, width), dtype=np.uint8)
        return np.unpackbits(bits, axis=1, count=customers).astype(np.float64)
    drawn = rng.integers(0, 65_536, size=(splits, customers), dtype=np.uint16)
    return (drawn < round(share * 65_536)).astype(np.float64)


def _turned(low: Floats, high: Floats, way: int) -> tuple[Floats, Floats]:
    """An interval turned so that up is good."""
    return (low, high) if way > 0 else (-high, -low)


def _sum(happened: Any) -> int:
    return int(np.count_nonzero(happened))


def _key(metric: _Metric) -> int:
    """Of the name, so that a metric's splits do not depend on what is certified beside it."""
    return zlib.crc32(metric.sample.name.encode())


def _certified(metric: _Metric, rungs: Sequence[Rung]) -> Certified:
    sample = metric.sample
    if metric.why_not:
        return Certified.unknown(
            name=sample.name, n=metric.n, why_not=metric.why_not, about=dict(sample.about), good=sample.good
        )
    return Certified.of(
        name=sample.name,
        base=metric.sample.base or metric.n,
        rungs=tuple(rungs),
        about=dict(sample.about),
        good=sample.good,
    )


def _hashed(metric: _Metric | None, asked: Asked) -> Hashed | None:
    """The same customers dealt by the hash and by the generator: both are wrong equally often."""
    if metric is None or metric.sample.units is None:
        return None
    rng = np.random.default_rng(np.random.SeedSequence(asked.seed, spawn_key=(_key(metric), 1)))
    chosen = np.sort(rng.permutation(metric.n)[:HASHED])
    units = metric.sample.units(chosen)
    dealt = np.stack(
        [buckets(f"certify-{asked.seed}-{salt}", units) < asked.share for salt in range(SALTS)]
    ).astype(np.float64)
    by_hash = _false(metric, chosen, dealt, asked)
    by_chance = _false(metric, chosen, _coins(rng, asked.splits, len(chosen), asked.share), asked)
    table = [[by_hash, SALTS - by_hash], [by_chance, asked.splits - by_chance]]
    alike_p = float(stats.fisher_exact(table)[1])  # pyright: ignore[reportArgumentType, reportIndexIssue]
    spread = len(chosen) * asked.share * (1 - asked.share)
    sizes = ((dealt.sum(axis=1) - len(chosen) * asked.share) ** 2 / spread).sum()
    # Too even would be as suspicious as too uneven.
    tail = float(stats.chi2.sf(sizes, SALTS))
    sizes_p = 2 * min(tail, 1 - tail)
    return Hashed(
        metric=metric.sample.name,
        salts=SALTS,
        customers=len(chosen),
        false_positives=by_hash / SALTS,
        by_generator=by_chance / asked.splits,
        p=alike_p,
        sizes_p=sizes_p,
        ok=min(alike_p, sizes_p) >= HASH_P,
    )


def _false(metric: _Metric, chosen: npt.NDArray[np.int64], in_arm: Floats, asked: Asked) -> int:
    columns = _Columns(metric.rows(metric.x)[chosen], ())
    treated = in_arm @ columns.table.T
    count = in_arm.sum(axis=1)
    n = np.stack([len(chosen) - count, count], axis=1)
    sums = np.stack([columns.table.sum(axis=1) - treated, treated], axis=1)
    of = influence(columns.moments(n, sums), denominator=metric.denominator, covariates=metric.covariates)
    low, high = difference(adjusted(of), 1, 0).t_bounds(asked.level)
    return _sum((low > 0) | (high < 0))
