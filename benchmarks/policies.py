"""Moment, sequence and discount on worlds whose truth is known: coverage, and how much of the best policy is reached.

Truth is `DoseWorld.value`, exact expectations. A policy is judged by its true value in its world: how much of what
the best policy gains over the best constant discount it keeps, on average over seeds; where one discount is best for
all there is nothing to gain, and the share of the best policy's whole gain over no contact is what is told.

`python -m benchmarks policies`, or `python -m benchmarks.policies [--runs 200] [--large 20]`.
"""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.policy_worlds import discount_test, moment_test, sequence_test
from primeta.reactivation.policy.discount import discount_of
from primeta.reactivation.policy.discount_choice import LEARNING
from primeta.reactivation.policy.moment import moment_of
from primeta.reactivation.policy.sequence import sequence_of
from primeta.worlds.dose import DoseWorld, Shape

NAME = "policies"
Floats = npt.NDArray[np.float64]
MOMENTS = (0.0, 3.0, 7.0, 14.0, 28.0)
DELAYS, DEPTHS = (7.0, 21.0, 42.0), (0.0, 0.1, 0.2, 0.3)
DIFFER: tuple[Shape, ...] = ("deepening", "loyal", "waiting", "steep")
"""Worlds in which the best discount differs by time or segment; in the others one is best for all."""
ALIKE: tuple[Shape, ...] = ("fading", "flat")
CUSTOMERS = 200_000


def truth_of(world: DoseWorld) -> tuple[Floats, Floats]:
    """(C, 1 + D) value over no contact of each depth in each context, and (C,) shares."""
    none = [world.value(s, delay=None) for s in (0, 1)]
    value = np.array(
        [[0.0] + [world.value(s, delay=t, depth=d) - none[s] for d in DEPTHS] for t in DELAYS for s in (0, 1)]
    )
    return value, np.array([share / len(DELAYS) for _ in DELAYS for share in world.shares()])


def moments(runs: int, *, n: int, late: float = 0.0) -> tuple[float, float, float]:
    """Coverage of the curve at the days tried, how often the set holds the best, regret of the recommendation."""
    world = DoseWorld(shape="patient")
    nothing = world.value_of_all(delay=None)
    truth = {day: world.value_of_all(delay=day) - nothing for day in MOMENTS}
    best = max(truth, key=truth.__getitem__)
    hits, held, lost = [], 0, 0.0
    for seed in range(runs):
        lapsed, _ = moment_test(world, n, delays=MOMENTS, rng=np.random.default_rng(seed), entry_days=late)
        found = moment_of(lapsed)
        hits += [
            p.low <= truth[float(p.x)] <= p.high for p in found.curve if p.tried and isinstance(p.x, float)
        ]
        held += best in found.best_set
        lost += truth[best] - (truth[found.recommended] if isinstance(found.recommended, float) else 0.0)
    return float(np.mean(hits)), held / runs, lost / runs / truth[best]


def sequences(runs: int, *, n: int, uneven: bool) -> tuple[float, float, float]:
    """Coverage of the doubly robust and of the weighted intervals, how often the set holds the best."""
    world = DoseWorld()
    nothing = world.value_of_all(delay=None)
    truth = {
        f"{a}, then {b} if silent": world.value_of_all(delay=0.0, channel=a, then=(14.0, b)) - nothing
        for a in ("email", "push")
        for b in ("email", "push", "call")
    }
    best = max(truth, key=truth.__getitem__)
    hits, plain, held = [], [], 0
    for seed in range(runs):
        lapsed, _ = sequence_test(world, n, rng=np.random.default_rng(seed), uneven=uneven)
        found = sequence_of(lapsed)
        hits += [p.low <= truth[str(p.x)] <= p.high for p in found.curve]
        plain += [p.weighted_low <= truth[str(p.x)] <= p.weighted_high for p in found.curve]
        held += best in found.best_set
    return float(np.mean(hits)), float(np.mean(plain)), held / runs


def discounts(shape: Shape, runs: int, *, n: int) -> dict[str, float]:
    """What the chosen policy is truly worth, and how often the intervals hold."""
    world = DoseWorld(shape=shape)
    truth, share = truth_of(world)
    best, constant = float(share @ truth.max(axis=1)), float((share @ truth).max())
    rows = np.arange(len(share))
    everywhere = np.concatenate([share @ truth[:, 1:], truth[:, 1:].reshape(-1)])
    worth, curve, policy, learnt, regret, bound = [], [], [], [], [], []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        found = discount_of(discount_test(world, n, delays=DELAYS, depths=DEPTHS, rng=rng)[0])
        value = float(share @ truth[rows, found.extra["chosen"]])
        judged = np.mean([share @ truth[rows, p] for p in found.extra["policies"][LEARNING:]])
        worth.append(value)
        curve += [p.low <= true <= p.high for p, true in zip(found.curve, everywhere, strict=True)]
        policy.append(found.low <= value <= found.high)
        learnt.append(found.low <= judged <= found.high)
        regret.append(best - value <= found.regret_high)
        bound.append(found.regret_high)
    mean = float(np.mean(worth))
    return {
        "best": best,
        "constant": constant,
        "kept": (mean - constant) / (best - constant) if best - constant > 1e-6 else math.nan,
        "of_best": mean / best,
        "curve": float(np.mean(curve)),
        "policy": float(np.mean(policy)),
        "judged": float(np.mean(learnt)),
        "regret": float(np.mean(regret)),
        "bound": float(np.mean(bound)),
        "lost": best - mean,
    }


def table(*, runs: int, large: int) -> list[dict[str, Any]]:
    """Moment and sequence `runs` times, discount `large` times on many customers and ten times as often on few."""
    found: list[dict[str, Any]] = []
    for what, late in (("all followed", 0.0), ("late ones followed for less", 150.0)):
        covered, held, lost = moments(runs, n=4_000, late=late)
        found.append(
            {
                "what": f"moment, {what}: 95% intervals of the curve cover",
                "aim": "93–97%",
                "reached": f"{covered:.1%}",
                "note": f"4,000 customers, 5 delays, {runs} seeds; the set holds the best day in {held:.1%}; "
                f"the recommended day loses {lost:.0%} of the best one's value",
            }
        )
    for what, uneven in (("even lotteries", False), ("uneven lotteries", True)):
        covered, plain, held = sequences(runs, n=4_000, uneven=uneven)
        found.append(
            {
                "what": f"sequence, {what}: 95% intervals cover",
                "aim": "93–97%",
                "reached": f"doubly robust {covered:.1%}, weighted {plain:.1%}",
                "note": f"4,000 customers, 2 × 3 channels, {runs} seeds; the set holds the best in {held:.1%}",
            }
        )
    for shape in (*DIFFER, *ALIKE):
        seen = discounts(shape, large, n=CUSTOMERS)
        differs = shape in DIFFER
        found.append(
            {
                "what": f"discount, world {shape}: share of the best policy's gain over the best constant"
                if differs
                else f"discount, world {shape} (one is best for all): share of the best policy's value",
                "aim": "≥ 90%",
                "reached": f"{seen['kept']:.1%}" if differs else f"{seen['of_best']:.1%}",
                "note": f"{CUSTOMERS:,} customers, 4 depths × 3 days × 2 segments, {large} seeds; best {seen['best']:.2f}, best "
                f"constant {seen['constant']:.2f} over no contact; lost {seen['lost']:.3f}, bound on the regret "
                f"{seen['bound']:.3f} holds in {seen['regret']:.1%}; intervals cover: curve {seen['curve']:.1%}, policy "
                f"{seen['policy']:.1%}, the policies judged {seen['judged']:.1%}",
            }
        )
    seen = discounts("loyal", 10 * large, n=12_000)
    found.append(
        {
            "what": "discount, world loyal, few customers: 95% intervals of the policy's value cover",
            "aim": "93–97%",
            "reached": f"{seen['policy']:.1%}",
            "note": f"12,000 customers, {10 * large} seeds; keeps {seen['kept']:.0%} of the gain over the best constant; the "
            f"regret's bound is {seen['bound'] / seen['lost']:.1f} times what is lost and holds in {seen['regret']:.1%}; curve {seen['curve']:.1%}, the policies judged {seen['judged']:.1%}",
        }
    )
    return found


def run(*, quick: bool) -> list[dict[str, Any]]:
    return table(runs=40, large=4) if quick else table(runs=1_000, large=200)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=40, help="of moment and sequence")
    parser.add_argument("--large", type=int, default=4, help="of the discount on many customers")
    given = parser.parse_args()
    for line in table(runs=given.runs, large=given.large):
        sys.stdout.write(f"{line['what']} | {line['reached']} | {line['note']}\n")
