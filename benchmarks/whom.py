"""Whom to write, on customers whose answer is known: do intervals hold the truth, and what does choosing earn?

Customers stand in 64 equally likely cells of recency, frequency and value, so that the true value of a policy is a
sum over cells: no second simulation adds its noise. Money is a purchase that few make times a lognormal amount, less
the contact. Every question that `whom` asks of customers held out is asked of the truth too, policy by policy.

`python -m benchmarks "whom to write"`, or `python -m benchmarks.whom [--runs 50] [SETTING …]`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.reactivation.whom.door import REPEATS, split_of, verdict, whom_of
from primeta.reactivation.whom.features import Known
from primeta.reactivation.whom.result import Policy
from primeta.reactivation.whom.subjects import Subjects
from primeta.reactivation.whom.value import Questions
from primeta.stats.uplift import FOLDS, Fold, held_out, spread_out

NAME = "whom to write"
Floats = npt.NDArray[np.float64]
CELLS = np.array([(r, f, v) for r in range(4) for f in range(4) for v in range(4)], dtype=np.float64)
COST = 1.0
AMOUNT, SPREAD = 30.0, 0.8
SETTINGS = (
    "nothing differs, nothing works",
    "works alike for all",
    "works for some",
    "risk is the wrong rule",
)


def chances(setting: str) -> tuple[Floats, Floats]:
    """(64,) probability of buying if left alone, and if written to."""
    recency, frequency, value = CELLS.T
    base = 0.08 + 0.02 * frequency - 0.02 * recency
    if setting == SETTINGS[0]:
        return base, base
    if setting == SETTINGS[1]:
        return base, base + 0.08
    if setting == SETTINGS[2]:
        return base, base + np.where(value >= 2, 0.12, -0.02)
    # Ascarza (2018): those silent the longest are the likeliest to have left, and cannot be won back.
    return base, base + np.array([0.14, 0.09, 0.0, -0.01])[recency.astype(int)]


def truth_of(setting: str) -> Floats:
    """(64, 2) money per customer of a cell, left alone and written to."""
    mean = AMOUNT * np.exp(SPREAD**2 / 2)
    alone, written = chances(setting)
    # Where nothing works the contact costs nothing either: then every true difference is nought.
    cost = 0.0 if setting == SETTINGS[0] else COST
    return np.column_stack([alone * mean, written * mean - cost])


def subjects_of(setting: str, n: int, rng: np.random.Generator) -> Subjects:
    cell = rng.permutation(np.r_[np.arange(64), rng.integers(0, 64, n - 64)])
    taken = (rng.random(n) < 0.5).astype(np.int64)
    alone, written = chances(setting)
    bought = rng.random(n) < np.where(taken == 1, written[cell], alone[cell])
    money = np.where(bought, AMOUNT * rng.lognormal(0, SPREAD, n), 0.0)
    if setting != SETTINGS[0]:
        money = money - COST * taken
    x = CELLS[cell]
    return Subjects(
        customer=np.array([str(at) for at in range(n)], dtype=object),
        arms=("control", "mail"),
        taken=taken,
        probability=np.full(n, 0.5),
        outcome=np.asarray(money, dtype=np.float64),
        known=Known(columns=x, names=("recency", "frequency", "value")),
        risk=x[:, 0] - 0.1 * x[:, 1],
        recency=x[:, 0],
        control="control",
    )


def one_run(setting: str, n: int, repeats: int, seed: int) -> dict[str, tuple[float, ...]]:
    """Each question → estimate, low, high, the truth, the plain standard error; and the verdict's true value."""
    subjects = subjects_of(setting, n, np.random.default_rng(seed))
    questions = Questions.of(subjects)
    found = held_out(
        subjects.known.columns, subjects.taken, subjects.probability, subjects.outcome, arms=2,
        judge=questions.judge, split=lambda r: split_of(subjects, r, folds=FOLDS, seed=seed), repeats=repeats,
        seed=seed,
    )  # fmt: skip
    truth = true_values(subjects, questions, found.models, truth_of(setting))
    low, high = found.judged.interval(n / 2 - 1, 0.95)
    result: dict[str, tuple[float, ...]] = {
        name: (
            *map(float, (found.judged.value[at], low[at], high[at], truth[at], found.judged.plain_se[at])),
        )
        for at, name in enumerate(questions.names)
    }
    gain = np.diff(truth_of(setting), axis=1)[:, 0]
    oracle = float(np.maximum(gain, 0).mean())
    policies = []
    for rule in questions.rules:
        v = result[f"value.{rule.name}"]
        a = result.get(f"ahead.{rule.name}", (np.nan,) * 5)
        policies.append(
            Policy(
                name=rule.name, value=v[0], low=v[1], high=v[2], ahead=a[0], ahead_low=a[1], ahead_high=a[2]
            )
        )
    chosen, _, _ = verdict(policies)
    result["oracle"] = (oracle,) * 5
    result["chosen"] = (*(result[f"value.{chosen}"][3],) * 4, float(chosen == "learned"))
    return result


def true_values(subjects: Subjects, questions: Questions, models: Any, truth: Floats) -> Floats:
    """(F,) what the policies, averaged over folds and repeats as the estimates are, are truly worth."""
    x = subjects.known.columns
    code = (x @ np.array([16, 4, 1])).astype(int)
    rows = np.array([int(np.argmax(code == at)) for at in range(64)])
    line, _ = spread_out(x)
    total = 0.0
    for policy in models:
        uplift = np.column_stack([model(line[rows], x[rows]) for model in policy])
        part, _ = questions.judge(Fold(rows=rows, uplift=uplift, averages=truth.mean(axis=0)), truth)
        total = total + part.mean(axis=0) / len(models)
    return np.asarray(total)


def measured(
    setting: str, *, n: int, seeds: int, repeats: int = REPEATS, workers: int = 2
) -> dict[str, float]:
    with ProcessPoolExecutor(workers) as pool:
        runs = list(pool.map(partial(one_run, setting, n, repeats), range(seeds), chunksize=4))

    def covered(name: str, *, plain: bool = False) -> float:
        rows = np.array([run[name] for run in runs])
        low, high = rows[:, 1], rows[:, 2]
        if plain:
            low, high = rows[:, 0] - 1.96 * rows[:, 4], rows[:, 0] + 1.96 * rows[:, 4]
        return float(((low <= rows[:, 3] + 1e-9) & (rows[:, 3] <= high + 1e-9)).mean())

    def true(name: str) -> float:
        return float(np.mean([run[name][3] for run in runs]))

    return {
        "Qini area covered": covered("area"),
        "without the folds’ covariance": covered("area", plain=True),
        "value of learned covered": covered("value.learned"),
        "its plain interval": covered("value.learned", plain=True),
        "ahead of all covered": covered("ahead.all"),
        "ahead of risk covered": covered("ahead.risk"),
        "Qini surely above 0": float(np.mean([run["area"][1] > 0 for run in runs])),
        "learned recommended": float(np.mean([run["chosen"][4] for run in runs])),
        "true: learned": true("value.learned"),
        "true: recommended": true("chosen"),
        "true: all": true("value.all"),
        "true: by risk": true("value.risk"),
        "true: oracle": true("oracle"),
    }


def speed(n: int, seed: int = 1) -> float:
    subjects = subjects_of(SETTINGS[2], n, np.random.default_rng(seed))
    began = time.perf_counter()
    whom_of(subjects)
    return time.perf_counter() - began


def table(settings: Sequence[str], *, seeds: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for setting in settings:
        seen = measured(setting, n=2000, seeds=seeds)
        found += [
            {
                "what": f"{setting}: the 95% interval of the Qini area holds the truth",
                "aim": "93–97%",
                "reached": f"{seen['Qini area covered']:.1%}",
                "note": f"2,000 customers, {REPEATS} repeats, {seeds} seeds; without the covariance of folds "
                f"{seen['without the folds’ covariance']:.1%}; area surely above 0 in {seen['Qini surely above 0']:.1%}",
            },
            {
                "what": f"{setting}: the 95% interval of the learned policy's value holds the truth",
                "aim": "93–97%",
                "reached": f"{seen['value of learned covered']:.1%}",
                "note": f"without the covariance {seen['its plain interval']:.1%}; ahead of all {seen['ahead of all covered']:.1%}, "
                f"ahead of risk {seen['ahead of risk covered']:.1%}",
            },
            {
                "what": f"{setting}: true money per customer, learned policy against the best possible",
                "aim": "beside its rivals",
                "reached": f"{seen['true: learned']:.2f} of {seen['true: oracle']:.2f}",
                "note": f"all {seen['true: all']:.2f}, by risk {seen['true: by risk']:.2f}; learned recommended in "
                f"{seen['learned recommended']:.1%}, what is recommended {seen['true: recommended']:.2f}",
            },
        ]
    return found


def run(*, quick: bool) -> list[dict[str, Any]]:
    found = table(SETTINGS, seeds=20 if quick else 500)
    n = 20_000 if quick else 100_000
    found.append(
        {
            "what": f"{n:,} customers of a ready table, {REPEATS} repeats",
            "aim": "minutes",
            "reached": f"{speed(n):.0f} s",
            "note": "three features, one core",
        }
    )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("settings", nargs="*", default=list(SETTINGS))
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args()
    for line in table(given.settings, seeds=given.runs):
        sys.stdout.write(f"{line['what']} | {line['reached']} | {line['note']}\n")
        sys.stdout.flush()
