"""False share, power and delay of watching a panel for a year, beside the 3-sigma rule and a flat e-BH."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.facts import Provenance
from primeta.signals.scan import scan_panel
from primeta.signals.watch import WatchSettings, watch_series
from primeta.stats.multiplicity import e_bh
from primeta.warehouse.series import Series, Slice
from primeta.worlds.panel import KINDS, Panel, PanelPlan, simulate_panel

NAME = "watching"
Floats = npt.NDArray[np.floating[Any]]
_NEVER = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """One simulated year: who was on the list of holding, and when true shifts came on it."""

    listed: int
    false: int
    by_kind: tuple[int, ...]
    power: float
    """Share of true shifts on the list within 26 weeks of data after their onset."""
    delays: Floats

    @property
    def false_share(self) -> float:
        return self.false / max(1, self.listed)


def judge(panel: Panel, first: npt.NDArray[np.int64]) -> Year:
    """Score `first` (n, 2), the week in which up and down came on the list.

    True is a shift in its own direction that was listed after its onset; all else on the list is false.
    """
    side = np.where(panel.size > 0, 0, 1)
    row = np.arange(panel.kind.size)
    when = first[row, side]
    right = panel.true & (when < _NEVER) & (when >= panel.onset)
    listed = first < _NEVER
    false = listed.copy()
    false[row[right], side[right]] = False
    weeks = (when - panel.onset + 1).astype(float)
    weeks[~right] = np.inf
    watched_long = panel.true & (panel.plan.promise - panel.onset >= 26)
    return Year(
        listed=int(listed.sum()),
        false=int(false.sum()),
        by_kind=tuple(int(false[panel.kind == kind].sum()) for kind in range(len(KINDS))),
        power=float(np.mean(weeks[watched_long] <= 26)) if watched_long.any() else float("nan"),
        delays=weeks[panel.true],
    )


def replay(up: Floats, down: Floats, *, share: float) -> npt.NDArray[np.int64]:
    """(n, 2) week in which each side first passes e-BH; `up`, `down` (n, W) are e-values that only grow."""
    first = np.full((up.shape[0], 2), _NEVER)
    for week in range(up.shape[1]):
        passed = e_bh(np.stack([up[:, week], down[:, week]], axis=1).ravel(), share=share)
        first[passed.reshape(first.shape) & (first == _NEVER)] = week
    return first


def ours(panel: Panel, *, share: float = 0.10) -> Year:
    """What Primeta lists as holding."""
    scan = scan_panel(
        panel.value,
        se=panel.se,
        group=panel.group,
        baseline=panel.plan.baseline,
        promise=panel.plan.promise,
    )
    return judge(panel, replay(1 / scan.p_up, 1 / scan.p_down, share=share))


def three_sigma(panel: Panel) -> Year:
    """A week further than three sd from last years' mean is a change."""
    early = panel.value[:, : panel.plan.baseline]
    away = (panel.value[:, panel.plan.baseline :] - early.mean(axis=1)[:, None]) / early.std(axis=1)[:, None]
    first = np.full((panel.kind.size, 2), _NEVER)
    for side, beyond in enumerate((away > 3, away < -3)):
        first[:, side] = np.where(beyond.any(axis=1), beyond.argmax(axis=1), _NEVER)
    return judge(panel, first)


def flat_e_bh(panel: Panel, *, share: float = 0.10) -> Year:
    """Plug-in mean, season and autocorrelation; normal mixture e-process; adjusted for looking back; e-BH.

    The adjuster is ∫ κ m^(1−κ) dκ = (m − 1 − log m) / log² m (Shafer, Shen, Vereshchagin & Vovk 2011).
    """
    baseline, promise = panel.plan.baseline, panel.plan.promise
    weeks = baseline + promise
    angle = 2 * np.pi * np.arange(weeks) / (365.2425 / 7)
    columns = np.array([np.ones(weeks), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)])
    rest = panel.value.copy()
    for group in range(panel.plan.groups):
        rows = panel.group == group
        rest[rows] -= np.mean(rest[rows], axis=0)
    rest -= (rest[:, :baseline] @ np.linalg.pinv(columns[:, :baseline])) @ columns
    early = rest[:, :baseline]
    phi = np.clip(np.sum(early[:, 1:] * early[:, :-1], axis=1) / np.sum(early**2, axis=1), 0, 0.9)
    errors = rest[:, 1:] - phi[:, None] * rest[:, :-1]
    scores = errors[:, baseline - 1 :] / errors[:, : baseline - 1].std(axis=1)[:, None]
    adjusted = []
    for sign in (1.0, -1.0):
        total = np.zeros(scores.shape)
        for start in range(promise):
            sums = np.cumsum(sign * scores[:, start:], axis=1)
            for effect in (0.5, 1.0, 1.5):
                cost = effect**2 / 2 * np.arange(1, promise - start + 1)
                total[:, start:] += np.exp(np.minimum(effect * sums - cost, 300)) / (3 * promise)
        peak = np.maximum.accumulate(total + (promise - 1 - np.arange(promise)) / promise, axis=1)
        log = np.log(np.maximum(peak, 1 + 1e-6))
        adjusted.append(np.where(peak > 1.01, (peak - 1 - log) / log**2, 0.5))
    return judge(panel, replay(adjusted[0], adjusted[1], share=share))


def as_series(panel: Panel, *, first: date = date(2022, 1, 3)) -> list[Series]:
    """The panel as weekly series that `watch_series` takes."""
    weeks = panel.value.shape[1]
    starts = np.datetime64(first, "D") + 7 * np.arange(weeks)
    unknown = np.full(weeks, np.nan)
    provenance = Provenance(source="simulated panel", seen_until=None, code_version="")
    return [
        Series(
            metric=f"metric_{panel.group[i]:03d}",
            slice=Slice((("series", f"{i:06d}"),)),
            grain="week",
            starts=starts,
            value=panel.value[i],
            se=panel.se[i],
            customers=unknown,
            numerator=unknown,
            denominator=unknown,
            half_value=panel.half_value[:, i],
            half_se=np.full((2, weeks), np.nan),
            provenance=provenance,
        )
        for i in range(panel.kind.size)
    ]


def false_by_grade(panel: Panel) -> dict[str, tuple[int, int]]:
    """Grade at the end of the year → (false, all), through `watch_series` itself."""
    start = date(2022, 1, 3) + timedelta(weeks=panel.plan.baseline)
    watched = watch_series(
        as_series(panel),
        [],
        [],
        metrics={},
        promise_start=start,
        seen_until=datetime.combine(start + timedelta(weeks=panel.plan.promise), datetime.min.time()),
        frozen={},
        settings=WatchSettings(),
    )
    counts: dict[str, tuple[int, int]] = {}
    for signal in watched.signals:
        i = int(signal.frozen.slice.split("=")[1])
        true = panel.true[i] and (panel.size[i] > 0) == (signal.frozen.direction == "up")
        false, total = counts.get(signal.grade, (0, 0))
        counts[signal.grade] = (false + (not true), total + 1)
    return counts


def _table(years: list[Year]) -> tuple[str, str, str]:
    """False share with its standard error over seeds, power, median delay."""
    shares = np.array([year.false_share for year in years])
    se = shares.std(ddof=1) / np.sqrt(len(years)) if len(years) > 1 else float("nan")
    delays = np.concatenate([year.delays for year in years])
    return (
        f"{shares.mean():.3f}" + (f" ± {se:.3f} (worst {shares.max():.3f})" if len(years) > 1 else ""),
        f"{np.mean([year.power for year in years]):.3f}",
        f"{np.median(delays):.1f}",
    )


WORLDS: dict[str, dict[str, Any]] = {
    "normal noise": {"df": (np.inf, np.inf)},
    "independent, df 3": {"phi": (0.0, 0.0), "df": (3.0, 3.001)},
    "AR .6, df 3": {"phi": (0.6, 0.6), "df": (3.0, 3.001)},
    "every series its own season": {"own_season": 1.0, "shared_season": 2.0},
    "a shared shock that stays": {"lasting_shock": True, "loading": (0.3, 1.7)},
    "no standard error known, all uneven": {"known_se": 0.0, "uneven": 1.0},
    "all standard errors known": {"known_se": 1.0, "uneven": 0.5},
    "level glitches of 4–6 weeks, 1%": {"level_glitches": 0.01, "level_glitch_weeks": (4, 6)},
    "0.1% shifted": {"shifted": 0.001},
    "10% shifted": {"shifted": 0.10},
    "one year of baseline": {"baseline": 52},
    "1,000 series": {"series": 1000, "shifted": 0.02},
}


def run(*, quick: bool) -> list[dict[str, str]]:
    """Rows for the table. Full: 20 seeds of 100,000 series, 5 of 10,000 for each other world."""
    plan = PanelPlan(series=4_000 if quick else 100_000, groups=10 if quick else 100)
    plan = replace(plan, shifted=0.02) if quick else plan
    seeds = 2 if quick else 20
    years, sigma, flat = [], [], []
    for seed in range(seeds):
        began = time.perf_counter()
        panel = simulate_panel(plan, rng=np.random.default_rng(seed))
        years.append(ours(panel))
        if seed < 3:
            sigma.append(three_sigma(panel))
            flat.append(flat_e_bh(panel))
        now = years[-1]
        print(
            f"  seed {seed}: {now.listed} listed, false {now.false_share:.3f} {now.by_kind}, "
            f"power {now.power:.3f}, delay {np.median(now.delays):.1f}, {time.perf_counter() - began:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    size = f"{plan.series:,} × {plan.baseline + plan.promise} weeks, {seeds} seeds"
    share, power, delay = _table(years)
    peers = [_table(group) for group in (sigma, flat)]
    confirmed = int(np.mean([year.false for year in sigma]))
    rows = [
        {
            "what": f"false share among holding over a year of weekly looks ({size})",
            "aim": "≤ .10",
            "reached": share,
            "peer": f"3-sigma {peers[0][0]} ({confirmed:,} false); flat e-BH {peers[1][0]}",
            "note": "false by kind "
            + ", ".join(f"{kind} {sum(year.by_kind[i] for year in years)}" for i, kind in enumerate(KINDS)),
        },
        {
            "what": "power 26 weeks after a shift of 1.5 long-run sd",
            "aim": "≥ .9",
            "reached": power,
            "peer": f"3-sigma {peers[0][1]}; flat e-BH {peers[1][1]}",
            "note": "in the right direction, after the onset",
        },
        {
            "what": "median delay, weeks of data",
            "aim": "≤ 13 (oracle 10.5)",
            "reached": delay,
            "peer": f"3-sigma {peers[0][2]}; flat e-BH {peers[1][2]}",
            "note": "shifts never listed count as infinite",
        },
    ]
    grades: dict[str, list[tuple[int, int]]] = {}
    for seed in range(1 if quick else 5):
        small = replace(plan, series=2_000 if quick else 10_000, groups=10)
        for grade, counts in false_by_grade(
            simulate_panel(small, rng=np.random.default_rng(100 + seed))
        ).items():
            grades.setdefault(grade, []).append(counts)
    lists = {
        "all signals (noticed or further)": (tuple(grades), "≤ .50"),
        "holding or repeating at the end of the year": (("holding", "repeating"), "≤ .10"),
        "repeating at the end of the year": (("repeating",), "≤ .10"),
        "fading or refuted at the end of the year": (("fading", "refuted"), "mostly false"),
    }
    for what, (members, aim) in lists.items():
        counts = [one for grade in members for one in grades.get(grade, [])]
        false, total = (sum(entry[place] for entry in counts) for place in (0, 1))
        rows.append(
            {
                "what": f"false share of {what}",
                "aim": aim,
                "reached": f"{false / total:.3f}" if total else "none",
                "peer": "",
                "note": f"{false} of {total}, graded by watch_series",
            }
        )
    for name, changes in list(WORLDS.items())[: 2 if quick else None]:
        world = replace(plan, series=2_000 if quick else 10_000, groups=10)
        world = replace(world, **changes)
        found = [
            ours(simulate_panel(world, rng=np.random.default_rng(200 + seed)))
            for seed in range(1 if quick else 5)
        ]
        share, power, delay = _table(found)
        rows.append(
            {
                "what": f"other world: {name}",
                "aim": "≤ .10",
                "reached": share,
                "peer": "",
                "note": f"power {power}, delay {delay}",
            }
        )
    return rows
