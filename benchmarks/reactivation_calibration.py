"""Do the ladder's intervals hold what they promise? On worlds whose expected truth is known, setting by setting.

Every run draws a world (`worlds/reactivation.py`), takes its follow-up (`reactivation_worlds.follow_up`) through
`climb_ladder` and, in the first runs, `rung_four`, and compares each interval with what the model of the setting
expects. Beside it stands the same lottery in a log in which everybody lived through the horizon.

`python -m benchmarks "reactivation calibration"` runs every setting; `python -m benchmarks.reactivation_calibration
[--settings plain aa] [--runs 200] [--four 50] [--write PAGE]` runs some of them and writes the table of the page.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from scipy.stats import binom

from benchmarks.reactivation_worlds import campaign_of, follow_up
from primeta.reactivation.estimates import VALUE, gap, per_assigned
from primeta.reactivation.ladder import climb_ladder
from primeta.reactivation.records import LadderFacts
from primeta.reactivation.tail import rung_four
from primeta.worlds.reactivation import simulate_reactivation
from primeta.worlds.reactivation_truth import Truth, truth_of
from primeta.worlds.reactivation_types import SETTINGS, Setting

NAME = "reactivation calibration"
RUNS, RUNS_OF_FOUR = 2_000, 1_000
"""Rung 4 takes a second and more a run."""
FEWER_OF_FOUR = 200
OFTEN_FOUR = ("plain", "aa", "short-winner-loses", "short-winner-pulls", "short-winner-teaches")
"""Settings that go to rung 4 the full number of times; the others FEWER_OF_FOUR times."""
QUICK, QUICK_OF_FOUR = 60, 6
SEED = 5_000_000
"""Of the first run of the first setting; each setting has its own, and the truth's own draws use others."""
APART = 10_000
"""Seeds between settings."""
FLOOR, CEILING = 0.93, 0.97
"""Between which a 95% interval is to cover."""
BROKEN: dict[str, tuple[str, ...]] = {
    "other-basket": ("needless",),
    "farms": ("needless",),
    "quality": ("needless",),
    "short-winner-loses": ("needless",),
    "short-winner-teaches": ("needless",),
}
"""Setting → figures whose assumption it breaks: they are shown and not held to the band."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """One interval of one arm over the runs."""

    runs: int = 0
    told: int = 0
    covered: int = 0
    below: int = 0
    """Intervals that lie wholly below the truth."""
    nil: int = 0
    """Intervals that hold 0."""
    width: float = 0.0
    full_width: float = 0.0
    """Of the interval in a log in which everybody lived through the horizon, summed over the runs with one."""
    full_runs: int = 0
    full_covered: int = 0
    error: float = 0.0
    error_squares: float = 0.0

    def add(self, value: float, low: float, high: float, truth: float) -> None:
        self.runs += 1
        if not (math.isfinite(low) and math.isfinite(high)):
            return
        self.told += 1
        self.covered += low <= truth <= high
        self.below += high < truth
        self.nil += low <= 0 <= high
        self.width += high - low
        if math.isfinite(value):
            self.error += value - truth
            self.error_squares += (value - truth) ** 2

    def add_full(self, low: float, high: float, truth: float) -> None:
        self.full_runs += 1
        self.full_covered += low <= truth <= high
        self.full_width += high - low

    def __iadd__(self, other: Tally) -> Tally:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def share(self) -> float:
        return self.covered / self.told if self.told else math.nan

    @property
    def ok(self) -> bool:
        """Whether so many covered could come from a share inside the band, at 99.9%."""
        low = binom.ppf(0.0005, self.told, FLOOR)
        high = binom.ppf(0.9995, self.told, CEILING)
        return not self.told or bool(low <= self.covered <= high)

    @property
    def enough(self) -> bool:
        """The same for what must cover at least 95%."""
        return not self.told or bool(self.covered >= binom.ppf(0.0005, self.told, 0.95))

    @property
    def bias(self) -> float:
        """Mean error in standard deviations of the estimate."""
        if self.told < 2:
            return math.nan
        mean = self.error / self.told
        return mean / math.sqrt(max(self.error_squares / self.told - mean**2, 1e-300))

    @property
    def widths(self) -> float:
        """Mean width over that of the full log."""
        if not (self.told and self.full_width):
            return math.nan
        return (self.width / self.told) / (self.full_width / self.full_runs)


@dataclass(slots=True, kw_only=True)
class Result:
    """One setting."""

    setting: str
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    """(figure, arm) → its runs."""
    best: dict[str, Counter[str]] = field(default_factory=dict)
    """rung1 … rung4 → the arm it led with."""
    why_not: Counter[str] = field(default_factory=Counter)
    """Of rung 4."""
    seconds: float = 0.0

    def tally(self, figure: str, arm: str) -> Tally:
        return self.tallies.setdefault((figure, arm), Tally())

    def __iadd__(self, other: Result) -> Result:
        for key, tally in other.tallies.items():
            self.tallies.setdefault(key, Tally()).__iadd__(tally)
        for rung, arms in other.best.items():
            self.best.setdefault(rung, Counter()).update(arms)
        self.why_not.update(other.why_not)
        self.seconds += other.seconds
        return self


def run_some(setting: Setting, truth: Truth, *, runs: Iterable[int], four: int) -> Result:
    """Some runs of one setting, by their numbers; those below `four` go to rung 4 too."""
    result = Result(setting=setting.name)
    started = time.process_time()
    first = SEED + APART * list(SETTINGS).index(setting.name)
    for number in runs:
        world = simulate_reactivation(setting, seed=first + number)
        seen = follow_up(world)
        modelled = number < four
        fourth = rung_four(seen) if modelled else None
        facts = climb_ladder(seen, fourth)
        _compare(result, facts, truth, modelled=modelled)
        if modelled:
            whole = follow_up(world, campaign_of(world, full=True))
            for arm, name in enumerate(whole.arms):
                for figure, days in (("rung 3", seen.seen_days), ("rung 4", setting.horizon_days)):
                    if arm and days:
                        means = [per_assigned(whole, place, VALUE, until_day=days) for place in (arm, 0)]
                        found = gap(*means, level=0.95)
                        result.tally(figure, name).add_full(
                            found.low, found.high, truth.value(name, days=days)
                        )
    result.seconds = time.process_time() - started
    return result


def _compare(result: Result, facts: LadderFacts, truth: Truth, *, modelled: bool) -> None:
    setting = truth.setting
    for rung in facts.rungs:
        if rung.rung >= 2 and (rung.rung < 4 or modelled):
            days = setting.horizon_days if rung.rung == 4 else rung.window
            expected = truth.value(rung.arm, days=days)
            if rung.rung == 4 and rung.why_not:
                result.why_not[rung.why_not] += 1
                result.tally("rung 4", rung.arm).add(math.nan, math.nan, math.nan, expected)
            else:
                result.tally(f"rung {rung.rung}", rung.arm).add(
                    rung.value_per_assigned, rung.low, rung.high, expected
                )
    for back in facts.returners:
        own = truth.arms[back.arm]
        result.tally("self", back.arm).add(back.self_share, back.self_low, back.self_high, own.self_share)
        result.tally("induced", back.arm).add(
            back.induced_share, back.induced_low, back.induced_high, own.induced_share
        )
        if setting.arm(back.arm).code:
            # each run has its own number of assigned, so both are compared per assigned
            result.tally("needless", back.arm).add(
                back.needless_discount / back.n,
                back.needless_low / back.n,
                back.needless_high / back.n,
                own.needless_per_assigned,
            )
            low, high = back.needless_bounds
            result.tally("bounds", back.arm).add(
                math.nan, low / back.n, high / back.n, own.needless_per_assigned
            )
    for rung, arm in facts.best.items():
        if rung != "rung4" or modelled:
            result.best.setdefault(rung, Counter())[str(arm)] += 1


# The whole table


def _piece(name: str, truth: Truth, first: int, last: int, four: int) -> Result:
    return run_some(SETTINGS[name], truth, runs=range(first, last), four=four)


def table(*, names: Sequence[str], runs: int, four: int) -> list[tuple[Truth, Result]]:
    """Every setting, over two processes."""
    pieces = max(1, min(200, runs // 10))
    ends = [round(place * runs / pieces) for place in range(pieces + 1)]
    rows = []
    with ProcessPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        for name in names:
            fourth = four if name in OFTEN_FOUR else min(four, FEWER_OF_FOUR)
            truth = pool.submit(truth_of, SETTINGS[name]).result()
            jobs = [pool.submit(_piece, name, truth, low, high, fourth) for low, high in pairwise(ends)]
            result = Result(setting=name)
            for job in jobs:
                result += job.result()
            rows.append((truth, result))
            for row in _rows(truth, result):
                print(f"  {row['what']}: {row['reached']}; {row['note']}", file=sys.stderr, flush=True)
    return rows


FIGURES = ("rung 2", "rung 3", "rung 4", "self", "induced", "needless", "bounds")


def _rows(truth: Truth, result: Result) -> list[dict[str, Any]]:
    setting, rows = truth.setting, []
    for figure in FIGURES:
        mine = {arm: tally for (name, arm), tally in result.tallies.items() if name == figure}
        if not any(tally.runs for tally in mine.values()):
            continue
        bounds, broken = figure == "bounds", figure in BROKEN.get(setting.name, ())
        if bounds and not any(truth.arms[arm].needless_per_assigned for arm in mine):
            continue
        said, notes, peers = [], [], []
        for arm, tally in mine.items():
            good = tally.enough if bounds else tally.ok
            text = f"{100 * tally.share:.1f}" if tally.told else "not told"
            said.append(f"{arm} {text if good or broken else f'**{text}**'}")
            if not bounds and math.isfinite(tally.bias):
                notes.append(f"{arm}: bias {tally.bias:+.2f} sd")
            if tally.told and tally.told < tally.runs:
                notes.append(f"told in {100 * tally.told / tally.runs:.0f}%")
            if setting.name == "aa" and figure.startswith("rung") and tally.told:
                notes.append(f"{arm}: false positives {100 * (1 - tally.nil / tally.told):.1f}%")
            if math.isfinite(tally.widths):
                peers.append(
                    f"{arm} {tally.widths:.2f} × (covers {100 * tally.full_covered / tally.full_runs:.1f})"
                )
        if broken:
            notes.append("assumption broken on purpose")
        if figure == "rung 4" and result.why_not:
            notes.append(f"why not: {dict(result.why_not)}")
        runs = max(tally.runs for tally in mine.values())
        rows.append(
            {
                "what": f"{setting.name}: {figure}",
                "aim": "≥ 95" if bounds else "any" if broken else "93–97",
                "reached": ", ".join(said),
                "peer": "; ".join(peers),
                "note": "; ".join([*notes, f"{runs:,} runs"]),
            }
        )
    best = truth.best(days=setting.horizon_days)
    if setting.name != "aa":
        led = [
            f"{rung.replace('rung', 'rung ')}: {100 * arms[best] / arms.total():.0f}%"
            for rung, arms in sorted(result.best.items())
            if arms
        ]
        rows.append(
            {
                "what": f"{setting.name}: leads with the arm that is best at the horizon ({best})",
                "aim": "rung 4 ≥ 90%" if setting.name.startswith("short-winner") else "",
                "reached": ", ".join(led),
                "peer": "",
                "note": f"{1000 * result.seconds / max(1, _most(result)):.0f} ms a run",
            }
        )
    return rows


def _most(result: Result) -> int:
    return max((tally.runs for tally in result.tallies.values()), default=0)


def run(*, quick: bool) -> list[dict[str, Any]]:
    runs, four = (QUICK, QUICK_OF_FOUR) if quick else (RUNS, RUNS_OF_FOUR)
    names = ("plain", "aa", "short-winner-loses", "staggered") if quick else tuple(SETTINGS)
    return [row for truth, result in table(names=names, runs=runs, four=four) for row in _rows(truth, result)]


BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def page(rows: Sequence[tuple[Truth, Result]], *, day: date) -> str:
    """What docs/methods/reactivation-worlds.md shows between its marks."""
    heads = ("rung 2", "rung 3", "rung 4", "net induced", "needless", "bounds")
    lines = [
        f"Measured on {day:%-d %B %Y} with numpy {version('numpy')} and scipy {version('scipy')}; reminder / discount, in %. "
        "In brackets: the assumption does not hold in that world. Width: of the interval, beside a log in which "
        "everybody lived through the horizon.",
        "",
        f"| setting | {' | '.join(heads)} | width, rung 3 | width, rung 4 | rung 4 told, % | leads with the best, rung 1 / 2 / 3 / 4, % | runs (rung 4) |",
        "|---" * (len(heads) + 6) + "|",
    ]
    for truth, result in rows:
        cells = [_cell(result, "induced" if head == "net induced" else head) for head in heads]
        four = [tally for (figure, _), tally in result.tallies.items() if figure == "rung 4" and tally.runs]
        told = sum(tally.told for tally in four) / max(1, sum(tally.runs for tally in four))
        best = truth.best(days=truth.setting.horizon_days)
        led = [
            f"{100 * arms[best] / arms.total():.0f}" if (arms := result.best.get(f"rung{rung}")) else "–"
            for rung in range(1, 5)
        ]
        cells += [_widths(result, "rung 3"), _widths(result, "rung 4"), f"{100 * told:.0f}" if four else "–"]
        cells += ["–" if truth.setting.name == "aa" else " / ".join(led)]
        runs = max((tally.runs for tally in four), default=0)
        lines.append(f"| `{truth.setting.name}` | {' | '.join(cells)} | {_most(result):,} ({runs:,}) |")
    return "\n".join(lines)


def _cell(result: Result, figure: str) -> str:
    said = [
        f"{100 * tally.share:.1f}"
        for arm in ("reminder", "discount")
        if (tally := result.tallies.get((figure, arm))) and tally.told
    ]
    text = " / ".join(said) or "–"
    return f"({text})" if figure in BROKEN.get(result.setting, ()) else text


def _widths(result: Result, figure: str) -> str:
    found = [tally.widths for (name, _), tally in result.tallies.items() if name == figure]
    found = [width for width in found if math.isfinite(width)]
    return f"{sum(found) / len(found):.2f}" if found else "–"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reactivation_calibration")
    parser.add_argument("--settings", nargs="*", default=list(SETTINGS))
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--four", type=int, default=RUNS_OF_FOUR, help="how many of them go to rung 4")
    parser.add_argument("--write", type=Path, help="the page whose table is replaced")
    given = parser.parse_args(arguments)
    measured = table(names=given.settings, runs=given.runs, four=given.four)
    if given.write:
        before, _, rest = given.write.read_text(encoding="utf-8").partition(BEGIN)
        told = page(measured, day=datetime.now(UTC).date())
        given.write.write_text(f"{before}{BEGIN}\n{told}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print("| what | aim | reached | width beside a full log | note |\n|---|---|---|---|---|")
    for truth, result in measured:
        for row in _rows(truth, result):
            print(
                f"| {row['what']} | {row['aim']} | {row['reached']} | {row['peer']} | {row['note']} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
