"""What is shown of an experiment on discounts: profit by depth, who comes back at each, and the policy by segment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from primeta.reactivation.policy.discount_cells import NONE, Cells, Differences, action_of
from primeta.reactivation.policy.result import Point, Response, Segment
from primeta.reactivation.records import NAN
from primeta.stats.best_set import may_be_best
from primeta.stats.doubly_robust import estimate
from primeta.stats.monotone_dose import elasticity, rising
from primeta.stats.multiplicity import adjusted_holm

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def curve_of(cells: Cells, differences: Differences, level: float) -> tuple[Point, ...]:
    """Profit over no contact by depth: over everybody, then context by context."""
    c, k = cells.contexts, len(cells.depths)
    points: list[Point] = []
    share = np.kron(cells.share, np.eye(k)).reshape(k, c, k).reshape(k, c * k)
    known = (differences.count[:, 1:] > 1).reshape(-1)
    if known.all():
        value = share @ differences.value[:, 1:].reshape(-1)
        spread = share @ differences.covariance @ share.T
        counts = np.bincount(cells.option, minlength=k + 1)
        best = may_be_best(np.r_[0.0, value], np.pad(spread, ((1, 0), (1, 0))), level=level)
        points += _points(cells, None, value, np.diag(spread), counts[1:], counts[0], best, level)
    if c == 1:
        return tuple(points)
    for at in range(c):
        block = differences.covariance[at * k : (at + 1) * k, at * k : (at + 1) * k]
        value = differences.value[at, 1:]
        usable = differences.count[at, 1:] > 1
        best = np.zeros(k + 1, dtype=bool)
        inner = np.r_[True, usable]
        best[inner] = may_be_best(
            np.r_[0.0, value[usable]], np.pad(block[np.ix_(usable, usable)], ((1, 0), (1, 0))), level=level
        )
        points += _points(
            cells,
            cells.label(at),
            value,
            np.diag(block),
            differences.count[at, 1:],
            differences.count[at, 0],
            best,
            level,
        )
    return tuple(points)


def _points(
    cells: Cells,
    by: Any,
    value: Floats,
    variance: Floats,
    counts: npt.ArrayLike,
    controls: float,
    best: npt.NDArray[np.bool_],
    level: float,
) -> list[Point]:
    found = []
    for d, (v, s2, n) in enumerate(zip(value, variance, np.asarray(counts), strict=True)):
        x = float(cells.depths[d])
        if n < 10:
            found.append(Point(x=x, by=by, n=int(n), why_not="small-arm"))
            continue
        reach = float(stdtrit(max(min(n, controls) - 1, 1), 0.5 + level / 2)) * float(np.sqrt(s2))
        found.append(
            Point(
                x=x,
                by=by,
                value=float(v),
                low=float(v - reach),
                high=float(v + reach),
                n=int(n),
                best=bool(best[d + 1]),
            )
        )
    return found


def responses_of(cells: Cells, level: float) -> tuple[Response, ...]:
    """Who comes back by depth, over everybody and by context, with the elasticity from depth to depth."""
    came = cells.seen.came
    c, d = cells.contexts, 1 + len(cells.depths)
    groups: list[tuple[Any, npt.NDArray[np.bool_]]] = [(None, np.ones(len(came), dtype=bool))]
    if c > 1:
        groups += [(cells.label(at), cells.context == at) for at in range(c)]
    z = float(stdtrit(1e6, 0.5 + level / 2))
    found = []
    for by, rows in groups:
        share, variance, count = np.full(d, np.nan), np.full(d, np.nan), np.zeros(d)
        for option in range(1, d):
            use = rows & (cells.option == option)
            count[option] = use.sum()
            if count[option] > 1:
                w = cells.weight[use]
                share[option] = np.average(came[use], weights=w)
                variance[option] = float((w**2 * (came[use] - share[option]) ** 2).sum() / w.sum() ** 2)
        known = np.flatnonzero(count > 1)
        if not len(known):
            continue
        fitted = rising(share[known], count[known])
        slope = elasticity(share[known], variance[known], cells.depths[known - 1], z=z)
        for place, option in enumerate(known):
            reach = z * float(np.sqrt(variance[option]))
            lean = [float(part[place - 1]) for part in slope] if place else [NAN, NAN, NAN]
            found.append(
                Response(
                    x=float(cells.depths[option - 1]),
                    by=by,
                    share=float(share[option]),
                    low=float(max(share[option] - reach, 0.0)),
                    high=float(min(share[option] + reach, 1.0)),
                    monotone=float(fitted[place]),
                    elasticity=lean[0],
                    elasticity_low=lean[1],
                    elasticity_high=lean[2],
                )
            )
    return tuple(found)


def segments_of(
    cells: Cells, policy: Floats, chosen: Ints, judged: npt.NDArray[np.bool_], level: float
) -> tuple[Segment, ...]:
    if len(cells.segments) < 2:
        return ()
    found = []
    for at, name in enumerate(cells.segments):
        rows = cells.context % len(cells.segments) == at
        told = estimate(
            policy[rows], df=max(int(np.bincount(cells.option[rows]).min()) - 1.0, 1.0), level=level
        )
        options = {
            action_of(cells, int(chosen[c])) for c in range(cells.contexts) if c % len(cells.segments) == at
        }
        depths = sorted(x for x in options if isinstance(x, float))
        p = 2 * float(stdtr(max(int(rows.sum()) - 1, 1), -abs(told.value / told.se))) if told.se > 0 else NAN
        found.append(
            Segment(
                by=name,
                n=int(rows.sum()),
                recommended=depths[0] if len(options) == 1 and depths else (NONE if not depths else None),
                recommended_low=depths[0] if depths else NONE,
                recommended_high=depths[-1] if depths else NONE,
                value=told.value,
                low=told.low,
                high=told.high,
                p=p,
                p_adjusted=NAN,
            )
        )
    adjusted = adjusted_holm(np.array([entry.p for entry in found]))
    return tuple(replace(entry, p_adjusted=float(p)) for entry, p in zip(found, adjusted, strict=True))
