"""How often the analysis of an experiment is wrong: intervals, decisions and checks, by simulation through it.

`python -m benchmarks.experiment_calibration --write docs/methods/experiment-calibration.md` writes the whole table.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scipy.stats import binom

from benchmarks.experiment_worlds import (
    Case,
    Tally,
    baskets,
    correlated,
    from_rows,
    gain_with_guardrail,
    gain_without_money,
    gamma_mean,
    heavy_revenue,
    normal_looks,
    normal_mean,
    overlapping,
    retention,
    revenue_in_window,
    share_looks,
    share_of,
    tally,
)
from primeta.experiments.records import Amount

NAME = "experiment calibration"
SEED = 20
RUNS, RUNS_OF_LOOKS, QUICK = 10_000, 2_000, 200
CONFIDENCE = 0.999
"""Of the band of each figure: of two hundred right ones about one strays outside in ten such tables."""
CAP = 20.0
TENTH, SMALL_CONTROL = (0.9, 0.1), (0.1, 0.9)


def cases() -> list[Case]:
    """Every row of the table."""
    normal = normal_mean([0.4])
    days60 = tuple(range(1, 61))
    return [
        Case(
            what="mean, normal",
            size="2,000",
            draw=from_rows(normal, n=2_000, difference=[0.4], lift=[0.04]),
        ),
        Case(
            what="mean, normal, 10 an arm",
            size="20",
            draw=from_rows(normal_mean([4.0]), n=20, difference=[4.0]),
        ),
        Case(
            what="mean, exponential, 30 an arm",
            size="60",
            draw=from_rows(gamma_mean(0.5, shape=1.0), n=60, difference=[0.5], lift=[0.5]),
        ),
        Case(
            what="revenue, 95% zeros",
            size="4,000",
            draw=heavy_revenue(n=4_000),
        ),
        Case(
            what="the same, capped",
            size="4,000",
            draw=heavy_revenue(n=4_000, cap=CAP),
        ),
        Case(
            what="revenue, 95% zeros",
            size="40,000",
            draw=heavy_revenue(n=40_000),
        ),
        Case(
            what="the same, capped",
            size="40,000",
            draw=heavy_revenue(n=40_000, cap=CAP),
        ),
        Case(what="share of 1%", kind="share", size="20,000", draw=share_of(p=0.01, effect=0.003, n=20_000)),
        Case(what="share of 10%", kind="share", size="4,000", draw=share_of(p=0.1, effect=0.02, n=4_000)),
        Case(
            what="share of 2%, 200 an arm",
            kind="share",
            size="400",
            draw=share_of(p=0.02, effect=0.03, n=400),
            note="four events an arm",
        ),
        Case(
            what="ratio, revenue / orders",
            kind="ratio",
            size="2,000",
            draw=from_rows(baskets(0.05, before=False), n=2_000, ratio=True, difference=[1.5], lift=[0.05]),
        ),
        Case(
            what="CUPED, ρ .7",
            size="2,000",
            draw=from_rows(correlated(0.4, rho=0.7), n=2_000, covariates=[1], difference=[0.4], lift=[0.04]),
        ),
        Case(
            what="CUPED, ρ .7, 15 an arm",
            size="30",
            draw=from_rows(correlated(3.0, rho=0.7), n=30, covariates=[1], difference=[3.0]),
        ),
        Case(
            what="CUPED, ρ .7, 10% treated",
            size="1,000",
            shares=TENTH,
            draw=from_rows(
                correlated(1.0, rho=0.7), n=1_000, covariates=[1], shares=TENTH, difference=[1.0], lift=[0.1]
            ),
        ),
        Case(
            what="CUPED on a ratio",
            kind="ratio",
            size="2,000",
            draw=from_rows(
                baskets(0.05, before=True),
                n=2_000,
                ratio=True,
                covariates=[2, 3],
                difference=[1.5],
                lift=[0.05],
            ),
        ),
        Case(
            what="retention D7, 60 days of entry",
            kind="share",
            size="4,000",
            draw=retention(n=4_000, arrive_days=60, window=7, looks=[60]),
            waiting=retention(n=4_000, arrive_days=60, window=7, looks=[60], mature_only=True),
        ),
        Case(
            what="retention D30, 60 days of entry",
            kind="share",
            size="4,000",
            draw=retention(n=4_000, arrive_days=60, window=30, looks=[60]),
            waiting=retention(n=4_000, arrive_days=60, window=30, looks=[60], mature_only=True),
        ),
        Case(
            what="retention D90, 120 days of entry",
            kind="share",
            size="6,000",
            draw=retention(n=6_000, arrive_days=120, window=90, looks=[120]),
            waiting=retention(n=6_000, arrive_days=120, window=90, looks=[120], mature_only=True),
        ),
        Case(
            what="retention D30, cohorts drift by 10 points",
            kind="share",
            size="4,000",
            draw=retention(n=4_000, arrive_days=60, window=30, looks=[60], drift=0.1),
        ),
        Case(
            what="revenue in 30 days, 60 days of entry",
            size="3,000",
            draw=revenue_in_window(a_day=50, arrive_days=60, window=30, looks=[60]),
        ),
        Case(
            what="the same with CUPED",
            size="3,000",
            draw=revenue_in_window(a_day=50, arrive_days=60, window=30, looks=[60], covariate=True),
        ),
        Case(
            what="10% control, share of 5%",
            kind="share",
            size="20,000",
            shares=SMALL_CONTROL,
            draw=share_of(p=0.05, effect=0.015, n=20_000, shares=SMALL_CONTROL),
        ),
        Case(
            what="10% control, revenue, 95% zeros, capped",
            size="40,000",
            shares=SMALL_CONTROL,
            draw=heavy_revenue(n=40_000, shares=SMALL_CONTROL, cap=CAP),
        ),
        Case(
            what="10% control, revenue, 95% zeros",
            size="40,000",
            shares=SMALL_CONTROL,
            draw=heavy_revenue(n=40_000, shares=SMALL_CONTROL),
        ),
        Case(
            what="10% control, ratio, revenue / orders",
            kind="ratio",
            size="20,000",
            shares=SMALL_CONTROL,
            draw=from_rows(
                baskets(0.03, before=False),
                n=20_000,
                shares=SMALL_CONTROL,
                ratio=True,
                difference=[0.9],
                lift=[0.03],
            ),
        ),
        Case(
            what="10% treated, normal",
            size="2,000",
            shares=TENTH,
            draw=from_rows(normal_mean([1.0]), n=2_000, shares=TENTH, difference=[1.0], lift=[0.1]),
        ),
        Case(
            what="10% treated, share of 5%",
            kind="share",
            size="20,000",
            shares=TENTH,
            draw=share_of(p=0.05, effect=0.015, n=20_000, shares=TENTH),
        ),
        Case(
            what="10% treated, revenue, 95% zeros, capped",
            size="40,000",
            shares=TENTH,
            draw=heavy_revenue(n=40_000, shares=TENTH, cap=CAP),
        ),
        Case(
            what="10% treated, revenue, 95% zeros",
            size="40,000",
            shares=TENTH,
            draw=heavy_revenue(n=40_000, shares=TENTH),
        ),
        Case(
            what="three arms",
            size="3,000",
            shares=(0.4, 0.3, 0.3),
            draw=from_rows(
                normal_mean([0.5, 0.0]),
                n=3_000,
                shares=(0.4, 0.3, 0.3),
                difference=[0.5, 0.0],
                lift=[0.05, 0.0],
            ),
        ),
        Case(
            what="overlapping test, holdout of 10%",
            size="2,160 of 3,000",
            draw=overlapping(people=3_000, effect=0.5, other_effect=3.0, holdout=0.1),
            note="arms by the lottery itself",
        ),
        Case(
            what="lift, control poorly known",
            size="120",
            draw=from_rows(gamma_mean(0.5, shape=0.5), n=120, difference=[0.5], lift=[0.5]),
        ),
        Case(
            what="lift of 100%",
            size="600",
            draw=from_rows(gamma_mean(1.0, shape=0.5), n=600, difference=[1.0], lift=[1.0]),
        ),
        Case(
            what="60 looks, normal",
            size="12,000",
            design="always",
            draw=normal_looks(n=12_000, looks=60, effect=0.3),
        ),
        Case(
            what="60 looks, normal, planned end",
            size="12,000",
            design="always",
            planned_n=12_000,
            draw=normal_looks(n=12_000, looks=60, effect=0.3),
        ),
        Case(
            what="60 looks, share of 5%",
            kind="share",
            size="12,000",
            design="always",
            draw=share_looks(n=12_000, looks=60, p=0.05, effect=0.015),
        ),
        Case(
            what="60 looks, revenue, 95% zeros",
            size="24,000",
            design="always",
            draw=heavy_revenue(n=24_000, looks=60),
        ),
        Case(
            what="60 looks, 10% treated",
            size="12,000",
            design="always",
            shares=TENTH,
            draw=normal_looks(n=12_000, looks=60, effect=0.5, shares=TENTH),
        ),
        Case(
            what="60 looks, retention D30, entry goes on",
            kind="share",
            size="6,000",
            design="always",
            draw=retention(n=6_000, arrive_days=60, window=30, looks=days60),
        ),
        Case(
            what="60 looks, revenue in 30 days, entry goes on",
            size="2,400",
            design="always",
            draw=revenue_in_window(a_day=40, arrive_days=60, window=30, looks=days60),
        ),
        Case(
            what="group-sequential, 5 looks",
            size="4,000",
            design="planned",
            planned_n=4_000,
            draw=normal_looks(n=4_000, looks=5, effect=0.5),
        ),
        Case(
            what="group-sequential, 5 looks, three arms",
            size="4,800",
            design="planned",
            planned_n=4_800,
            shares=(1 / 3, 1 / 3, 1 / 3),
            draw=normal_looks(n=4_800, looks=5, effect=0.5, shares=(1 / 3, 1 / 3, 1 / 3)),
        ),
        Case(
            what="gain, guardrail falls by its margin of 2 points",
            size="8,000",
            draw=gain_with_guardrail(n=8_000, gain=1.0, p=0.2, fall=0.02),
            kinds={"guard": "share"},
            roles={"guard": "guardrail"},
            amounts={"guard": Amount(-0.02)},
            wrong="scale",
        ),
        Case(
            what="gain, guardrail falls by its margin of 10%",
            size="8,000",
            draw=gain_with_guardrail(n=8_000, gain=1.0, p=0.2, fall=0.02),
            kinds={"guard": "share"},
            roles={"guard": "guardrail"},
            amounts={"guard": Amount(-0.1, relative=True)},
            wrong="scale",
        ),
        Case(
            what="gain that costs all it brings",
            size="4,000",
            draw=gain_without_money(n=4_000, gain=0.3, worth=2.0),
            roles={"money": "secondary"},
            money="money",
            cost=2.0,
            wrong="scale",
        ),
        Case(
            what="effect as large as the smallest that matters",
            size="2,000",
            draw=from_rows(normal_mean([0.4]), n=2_000, difference=[0.4], lift=[0.04]),
            amounts={"primary": Amount(0.4)},
            wrong="ruled_out",
        ),
        Case(
            what="effect as large as the smallest, 4%",
            size="2,000",
            draw=from_rows(normal_mean([0.4]), n=2_000, difference=[0.4], lift=[0.04]),
            amounts={"primary": Amount(0.04, relative=True)},
            wrong="ruled_out",
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A share of runs beside what it may be."""

    seen: int
    runs: int
    aim: float
    at_most: bool
    """The aim is a ceiling; else for coverage it is a floor and, where one look decides, also a ceiling."""
    both: bool = False

    @property
    def share(self) -> float:
        return self.seen / self.runs if self.runs else math.nan

    @property
    def ok(self) -> bool:
        tail = (1 - CONFIDENCE) / 2
        if not self.runs:
            return True
        low, high = binom.ppf(tail, self.runs, self.aim), binom.ppf(1 - tail, self.runs, self.aim)
        if self.both:
            return bool(low <= self.seen <= high)
        return bool(self.seen <= high if self.at_most else self.seen >= low)

    def told(self, digits: int = 1) -> str:
        if not self.runs:
            return ""
        text = f"{100 * self.share:.{digits}f}"
        return text if self.ok else f"**{text}**"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one case showed."""

    case: Case
    with_effect: Tally
    without: Tally | None
    mature: Tally | None = None
    """The same with only those customers whose window has passed."""

    @property
    def coverage(self) -> Figure:
        # an interval for all looks may cover more often at those that were made; one for one look should not
        return _at_least(self.with_effect.covered, self.with_effect.runs, self.case.level)

    @property
    def family(self) -> bool:
        return len(self.case.shares) > 2

    @property
    def lift(self) -> Figure:
        return _at_least(self.with_effect.lift_covered, self.with_effect.lift_runs, self.case.level)

    @property
    def scale(self) -> Figure:
        half = (1 - self.case.level) / 2
        if self.without is None:
            return _at_most(getattr(self.with_effect, self.case.wrong), self.with_effect.runs, half)
        return _at_most(self.without.scale, self.without.runs, half)

    @property
    def harm(self) -> Figure:
        if self.without is None:
            return _at_most(0, 0, 0.0)
        return _at_most(self.without.harm, self.without.runs, (1 - self.case.level) / 2)

    @property
    def alarms(self) -> Figure:
        read = self.without or self.with_effect
        return _at_most(read.ratio_alarms, read.runs, 0.01 if self.case.looks_many else 0.001)

    @property
    def figures(self) -> tuple[Figure, ...]:
        return self.coverage, self.lift, self.scale, self.harm, self.alarms

    @property
    def ok(self) -> bool:
        return all(figure.ok for figure in self.figures)

    def peer(self) -> str:
        """What the usual way of reading the same runs gives, where it differs."""
        said = []
        null, seen = self.without, self.with_effect
        if self.case.design != "fixed" and null is not None:
            said.append(
                f"interval for one look, read at each: ever wrong {_percent(null.naive_wrong, null.runs)}"
            )
        elif len(self.case.shares) == 2 and min(self.case.shares) < 0.5 and null is not None:
            said.append(
                f"Welch's interval: covers {_percent(seen.runs - seen.naive_wrong, seen.runs)}, "
                f"wrong *scale* {_percent(null.naive_scale, null.runs)}"
            )
        if self.case.what.startswith("lift"):
            said.append(
                f"control's mean taken as known: lift covered {_percent(seen.blind_lift_covered, seen.lift_runs)}"
            )
        if self.mature is not None and self.mature.width:
            wider = self.mature.width / self.mature.runs / (seen.width / seen.runs) - 1
            said.append(f"only customers whose window has passed: interval wider by {100 * wider:.0f}%")
        return "; ".join(said)

    def cautions(self) -> str:
        seen = self.with_effect
        named = [f"{name} {100 * many / seen.runs:.0f}%" for name, many in sorted(seen.cautions.items())]
        return ", ".join(named)


def _percent(many: int, runs: int) -> str:
    return f"{100 * many / runs:.1f}%" if runs else "–"


def _at_least(seen: int, runs: int, aim: float) -> Figure:
    return Figure(seen=seen, runs=runs, aim=aim, at_most=False)


def _at_most(seen: int, runs: int, aim: float) -> Figure:
    return Figure(seen=seen, runs=runs, aim=aim, at_most=True)


def measured(place: int, *, quick: bool) -> tuple[Tally, Tally | None, Tally | None]:
    """One row, by its place in `cases`; its seeds are its own, so that rows can be made in any order."""
    case = cases()[place]
    runs = QUICK if quick else RUNS_OF_LOOKS if case.looks_many else RUNS
    seed = SEED * 1_000 + place
    with_effect = tally(case, runs=runs, seed=seed, moved=True)
    without = None if case.wrong else tally(case, runs=runs, seed=seed, moved=False)
    mature = None
    if case.waiting is not None:
        waiting = replace(case, draw=case.waiting)
        mature = tally(waiting, runs=min(runs, 500), seed=seed, moved=True)
    return with_effect, without, mature


def table(*, quick: bool, only: Sequence[int] = ()) -> list[Row]:
    """All rows, two at a time."""
    every = cases()
    places = list(only) or list(range(len(every)))
    workers = min(2, os.cpu_count() or 1)
    with ProcessPoolExecutor(max_workers=workers) as pool:
        jobs = [pool.submit(measured, place, quick=quick) for place in places]
        rows = []
        for place, job in zip(places, jobs):
            with_effect, without, mature = job.result()
            rows.append(Row(case=every[place], with_effect=with_effect, without=without, mature=mature))
            print(f"  {rows[-1].case.what}: {_line(rows[-1])}", file=sys.stderr, flush=True)
        return rows


def _line(row: Row) -> str:
    return (
        f"coverage {row.coverage.told()}, lift {row.lift.told()}, scale {row.scale.told()}, "
        f"harm {row.harm.told()}, alarms {row.alarms.told(2)}, {row.cautions()}; {row.peer()}"
    )


def run(*, quick: bool) -> list[dict[str, Any]]:
    return [
        {
            "what": f"{row.case.what}, {row.case.size}",
            "aim": "95; 95; 2.5; 2.5",
            "reached": "; ".join(figure.told() or "–" for figure in row.figures[:4]),
            "peer": row.peer(),
            "note": f"alarms {row.alarms.told(2)}%; {row.cautions()}; {row.with_effect.runs:,} runs",
        }
        for row in table(quick=quick)
    ]


BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def page(rows: Sequence[Row], *, quick: bool, day: date) -> str:
    """What the page shows between its marks."""
    many, looks = (QUICK, QUICK) if quick else (RUNS, RUNS_OF_LOOKS)
    lines = [
        f"Measured on {day:%-d %B %Y} with numpy {version('numpy')} and scipy {version('scipy')}; seed {SEED}; "
        f"{many:,} runs a row, {looks:,} where a test is looked at more than once.",
        "",
        "### Nothing happens, or what happens is known",
        "",
        "| what | customers in all | interval covers, % | of the lift, % | wrong *scale*, % | wrong *harm*, % "
        "| false alarm of arm sizes, % | warned, % of runs | beside it |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if not row.case.wrong:
            note = "; ".join(part for part in (row.peer(), row.case.note) if part)
            lines.append(
                f"| {row.case.what} | {row.case.size} | {row.coverage.told()} | {row.lift.told() or '–'} "
                f"| {row.scale.told()} | {row.harm.told()} | {row.alarms.told(2)} | {row.cautions() or '–'} | {note} |"
            )
    lines += [
        "",
        "### Something happens that must not be decided so",
        "",
        "| what | customers in all | what would be wrong | decided so, % |",
        "|---|---|---|---|",
    ]
    for row in rows:
        if row.case.wrong:
            lines.append(
                f"| {row.case.what} | {row.case.size} | {WRONG[row.case.wrong]} | {row.scale.told()} |"
            )
    lines += ["", f"Bands at {100 * CONFIDENCE:g}%: " + "; ".join(_bands(many, looks)) + "."]
    return "\n".join(lines)


WRONG = {"scale": "to scale it", "ruled_out": "to call an effect that matters ruled out"}


def _bands(many: int, looks: int) -> list[str]:
    tail = (1 - CONFIDENCE) / 2
    said = []
    for runs in sorted({many, looks}, reverse=True):
        low = binom.ppf(tail, runs, 0.95) / runs
        high = binom.ppf(1 - tail, runs, 0.025) / runs
        said.append(
            f"with {runs:,} runs coverage from {100 * low:.1f}, wrong decisions up to {100 * high:.1f}"
        )
    once, often = (binom.ppf(1 - tail, runs, p) / runs for runs, p in ((many, 0.001), (looks, 0.01)))
    said.append(f"false alarms up to {100 * once:.2f} at one look and {100 * often:.2f} at many")
    return said


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experiment_calibration")
    parser.add_argument("--write", type=Path, help="the page whose table is replaced")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=int, nargs="*", default=[], help="numbers of rows, from 0")
    given = parser.parse_args(arguments)
    rows = table(quick=given.quick, only=given.only)
    told = page(rows, quick=given.quick, day=datetime.now(UTC).date())
    print(told)
    if given.write:
        before, _, rest = given.write.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        given.write.write_text(f"{before}{BEGIN}\n{told}\n{END}{after}", encoding="utf-8")
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
