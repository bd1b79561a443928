"""A panel of weekly series with known truth: noise, seasons, shared shocks, true shifts and artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Kind = Literal["quiet", "shift", "glitch", "level_glitch"]
KINDS: tuple[Kind, ...] = ("quiet", "shift", "glitch", "level_glitch")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelPlan:
    """What to simulate; sizes in long-run standard deviations of each series' own noise."""

    series: int = 1000
    groups: int = 10
    """Metrics: each has its own shared season and shared shocks."""
    baseline: int = 104
    promise: int = 52
    shifted: float = 0.01
    shift_size: float = 1.5
    shift_from: tuple[int, int] = (4, 26)
    """First and last week of the promise year in which a shift may begin."""
    phi: tuple[float, float] = (0.0, 0.6)
    df: tuple[float, float] = (3.0, 5.0)
    """Degrees of freedom of the innovations; infinite for normal ones."""
    own_season: float = 0.5
    """Share of the series with a season of their own, of amplitude up to 1.5 sd."""
    shared_season: float = 1.0
    shocks: int = 3
    """Shared shocks a group and year, of 1–6 weeks and up to 4 sd."""
    lasting_shock: bool = False
    """Also one shared shock per group that begins in the promise year and stays."""
    loading: tuple[float, float] = (0.7, 1.3)
    known_se: float = 0.5
    """Share of the series whose standard error is known (and makes up most of the noise)."""
    uneven: float = 0.2
    """Share of the series whose noise grows and shrinks over the weeks."""
    glitches: float = 0.01
    """Share with a glitch of 1–3 weeks of 4–10 sd in the promise year; half as many in the baseline."""
    level_glitches: float = 0.005
    """Share whose level jumps by 2–6 sd for 2–3 weeks and goes back."""
    level_glitch_weeks: tuple[int, int] = (2, 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """`value`, `se` (n, T); `half_value` (2, n, T); `group` (n,); the truth in `kind`, `onset`, `size` (n,)."""

    plan: PanelPlan
    value: Floats
    se: Floats
    half_value: Floats
    group: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    """Index into KINDS."""
    onset: npt.NDArray[np.int64]
    """Week of the promise year, −1 where nothing happens."""
    size: Floats
    """Shift in the series' own unit."""

    @property
    def true(self) -> npt.NDArray[np.bool_]:
        """(n,) a change that lasts at least four weeks."""
        return self.kind == KINDS.index("shift")


def simulate_panel(plan: PanelPlan, *, rng: np.random.Generator) -> Panel:
    """A panel drawn from `plan`; halves of the customers share the signal and split the noise."""
    n, weeks = plan.series, plan.baseline + plan.promise
    group = rng.integers(plan.groups, size=n)
    level = rng.lognormal(3, 1, n)
    sd = level * rng.uniform(0.02, 0.15, n)
    phi = rng.uniform(*plan.phi, n)
    long_run = sd / (1 - phi)

    halves = np.stack([_noise(plan, phi, weeks, rng) for _ in range(2)])
    uneven = np.where(rng.random(n) < plan.uneven, rng.uniform(0.2, 0.5, n), 0.0)
    phase = rng.uniform(0, 2 * np.pi, n)
    wave = 1 + uneven[:, None] * np.sin(2 * np.pi * np.arange(weeks) / 26 + phase[:, None])
    halves *= wave * sd[:, None] * np.sqrt(2)

    shared = _shared(plan, weeks, rng)
    loading = rng.uniform(*plan.loading, n)
    common = loading[:, None] * shared[group] * sd[:, None]
    angle = 2 * np.pi * np.arange(weeks) / (365.2425 / 7)
    amplitude = np.where(rng.random(n) < plan.own_season, rng.uniform(0, 1.5, n), 0.0) * sd
    common += amplitude[:, None] * np.sin(angle + rng.uniform(0, 2 * np.pi, n)[:, None])

    kind, onset, size, change = _changes(plan, long_run, weeks, rng)
    half_value = level[:, None] + common + change + halves
    se = np.where(
        rng.random(n)[:, None] < plan.known_se,
        0.9 * wave * sd[:, None] * np.ones(weeks),
        np.full(weeks, np.nan),
    )
    return Panel(
        plan=plan,
        value=half_value.mean(axis=0),
        se=se,
        half_value=half_value,
        group=group,
        kind=kind,
        onset=onset,
        size=size,
    )


def _noise(plan: PanelPlan, phi: Floats, weeks: int, rng: np.random.Generator) -> Floats:
    """(n, weeks) autocorrelated noise with innovations of unit variance."""
    df = rng.uniform(*plan.df, phi.size) if np.isfinite(plan.df[1]) else np.full(phi.size, np.inf)
    warm = 40
    innovations = rng.standard_normal((phi.size, weeks + warm))
    if np.isfinite(plan.df[1]):
        innovations /= np.sqrt(rng.chisquare(df[:, None], innovations.shape) / df[:, None])
        innovations *= np.sqrt((df - 2) / df)[:, None]
    for week in range(1, weeks + warm):
        innovations[:, week] += phi * innovations[:, week - 1]
    return innovations[:, warm:]


def _shared(plan: PanelPlan, weeks: int, rng: np.random.Generator) -> Floats:
    """(groups, weeks) seasons, shocks and a slow wander that all series of a group follow, in sd."""
    angle = 2 * np.pi * np.arange(weeks) / (365.2425 / 7)
    result = np.zeros((plan.groups, weeks))
    for row in result:
        for order in (1, 2, 3):
            row += (
                plan.shared_season / order * rng.normal() * np.sin(order * angle + rng.uniform(0, 2 * np.pi))
            )
        peak = rng.integers(52)
        for year in range(0, weeks, 52):
            row[year + peak : year + peak + 2] += 2 * plan.shared_season
        for _ in range(plan.shocks * weeks // 52):
            begin = rng.integers(weeks)
            row[begin : begin + rng.integers(1, 7)] += rng.uniform(-4, 4)
        if plan.lasting_shock:
            row[plan.baseline + rng.integers(plan.promise // 2) :] += rng.uniform(-3, 3)
    return result


def _changes(
    plan: PanelPlan, long_run: Floats, weeks: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats, Floats]:
    n = long_run.size
    kind = np.zeros(n, dtype=np.int64)
    drawn = rng.permutation(n)
    counts = [round(share * n) for share in (plan.shifted, plan.glitches, plan.level_glitches)]
    edges = np.cumsum([0, *counts])
    for index in range(3):
        kind[drawn[edges[index] : edges[index + 1]]] = index + 1
    onset = np.full(n, -1, dtype=np.int64)
    size = np.zeros(n)
    change = np.zeros((n, weeks))
    sign = rng.choice([-1.0, 1.0], n)
    first, last = plan.shift_from
    for i in np.flatnonzero(kind == 1):
        onset[i] = rng.integers(first, last + 1)
        size[i] = sign[i] * plan.shift_size * long_run[i]
        change[i, plan.baseline + onset[i] :] = size[i]
    for i in np.flatnonzero(kind > 1):
        onset[i] = rng.integers(plan.promise - 4)
        if kind[i] == 2:
            lasts, height = rng.integers(1, 4), rng.uniform(4, 10)
        else:
            low, high = plan.level_glitch_weeks
            lasts, height = rng.integers(low, high + 1), rng.uniform(2, 6)
        begin = plan.baseline + onset[i]
        change[i, begin : begin + lasts] = sign[i] * height * long_run[i]
    for i in rng.permutation(n)[: counts[1] // 2]:
        begin = rng.integers(plan.baseline - 3)
        change[i, begin : begin + rng.integers(1, 4)] += sign[i] * rng.uniform(4, 10) * long_run[i]
    return kind, onset, size, change
