"""How many pieces, and which: cuts a series that is known not to have stayed at one level.

Five kinds of story are told with every number of changes: levels, separate lines, a broken line, a path whose
drift changes, and a smooth curve without any change. Each is scored by the Gaussian likelihood of what it leaves
unexplained, with an AR(1) memory of its own, plus a price (in units of log n, as in BIC) for telling the story and
for every change. So a wandering series is not cut just because it wanders, and the memory is estimated after
the changes are taken out. The prices were chosen on simulated series alone (`benchmarks/changepoint_corpus.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from primeta.stats.changepoint_hinges import broken_line, broken_lines
from primeta.stats.changepoint_partition import partitions, pieces_of
from primeta.stats.changepoint_scan import clip_outliers

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Story = Literal["levels", "lines", "broken line", "drift", "curve"]

MOST_CHANGES = 20
SHORTEST_LINE = 5
PATIENCE = 3
STORY_PRICE: dict[Story, float] = {"levels": 0, "lines": 1.0, "broken line": 1.0, "drift": 7.0, "curve": 0}
CHANGE_PRICE: dict[Story, float] = {
    "levels": 2.5,
    "lines": 4.25,
    "broken line": 3.5,
    "drift": 2.5,
    "curve": 0,
}
CURVE_PRICE = {2: 3.0, 3: 5.0, 4: 7.5}
"""Degree of the polynomial: its price."""
LEAST_NOISE = 1e-12
"""Variance, with the series scaled to variance 1, below which what is left is rounding."""
MEMORY = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99])
STEP_FOR_TREND = 1.5
"""A single step is told instead of a steady trend if its score is worse by less than this, in log n."""
MEMORY_OF_STEPS = MEMORY[:11]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The cut series: which story was the best, first points of new pieces, its fit (n,), its parameters."""

    story: Story
    starts: Ints
    fitted: Floats
    parameters: int
    score: float


def shortest_level(n: int) -> int:
    """Points that a level needs to be called one: 3 in short series, 1.5% in long ones."""
    return int(min(max(3, round(n / 15)), max(5, round(0.015 * n))))


def unexplained(e: Floats, memory: Floats) -> float:
    """−2 log likelihood of e (n,) as Gaussian AR(1), at the best variance and the best of `memory`.

    Variances below `LEAST_NOISE` count as that.

    Source:
        Brockwell & Davis (1991), Time Series: Theory and Methods, 8.7.4, for order 1.
    """
    n = len(e)
    ends, inner, lag = float(e[0] ** 2), float(e[1:] @ e[1:]), float(e[1:] @ e[:-1])
    squares = (1 - memory**2) * ends + inner - 2 * memory * lag + memory**2 * float(e[:-1] @ e[:-1])
    return float(np.min(n * np.log(np.maximum(squares / n, LEAST_NOISE)) - np.log(1 - memory**2)))


def stories(y: Floats, w: Floats) -> Iterator[Pieces]:
    """Every story about y (n,), clipped and scaled, with weights w (n,)."""
    n = len(y)
    root = np.sqrt(w)
    log_n = math.log(n)
    short = shortest_level(n)
    line_short = max(short, SHORTEST_LINE)

    def told(
        story: Story, starts: Ints, fit: Floats, parameters: int, price: float = 0, loss: float = math.nan
    ) -> Pieces:
        if math.isnan(loss):
            loss = unexplained(root * (y - fit), MEMORY)
        used = parameters + len(starts) + 1
        # n / (n − used): the likelihood of a series with few points left per parameter is too kind
        loss += n * math.log(n / (n - used)) if used < n else math.inf
        loss += (STORY_PRICE[story] + price + CHANGE_PRICE[story] * len(starts)) * log_n
        return Pieces(story=story, starts=starts, fitted=fit, parameters=parameters, score=loss)

    def levels() -> Iterator[Pieces]:
        for _, starts in partitions(y, weights=w, shape="level", most=MOST_CHANGES, shortest=short):
            yield told("levels", starts, pieces_of(y, w, starts, shape="level"), len(starts) + 1)

    def lines() -> Iterator[Pieces]:
        for _, starts in partitions(y, weights=w, shape="line", most=MOST_CHANGES, shortest=line_short):
            yield told("lines", starts, pieces_of(y, w, starts, shape="line"), 2 * len(starts) + 2)

    def broken() -> Iterator[Pieces]:
        for knots in broken_lines(y, weights=w, most=MOST_CHANGES, shortest=line_short):
            yield told("broken line", knots, broken_line(y, weights=w, knots=knots), len(knots) + 2)

    def drifts() -> Iterator[Pieces]:
        steps = clip_outliers(np.diff(y)[None, :])[0]
        even = np.ones(n - 1)
        for _, starts in partitions(steps, shape="level", most=MOST_CHANGES, shortest=line_short):
            drift = pieces_of(steps, even, starts, shape="level")
            loss = unexplained(steps - drift, MEMORY_OF_STEPS) * n / (n - 1)
            path = np.concatenate([[0.0], np.cumsum(drift)])
            fit = path + np.average(y - path, weights=w)
            yield told("drift", starts + 1, fit, len(starts) + 2, loss=loss)

    yield from _while_it_helps(levels())
    if n < 2 * line_short:
        return
    yield from _while_it_helps(lines())
    yield from _while_it_helps(broken())
    yield from _while_it_helps(drifts())
    x = np.linspace(-1, 1, n)
    for degree, price in CURVE_PRICE.items():
        q, _ = np.linalg.qr(np.polynomial.chebyshev.chebvander(x, degree) * root[:, None])
        yield told("curve", np.array([], dtype=np.int64), q @ (q.T @ (root * y)) / root, degree + 1, price)


def _while_it_helps(told: Iterator[Pieces]) -> Iterator[Pieces]:
    """Stops when so many further changes in a row have not lowered the best score."""
    best, vain = math.inf, 0
    for piece in told:
        yield piece
        vain = 0 if piece.score < best else vain + 1
        best = min(best, piece.score)
        if vain == PATIENCE:
            return


def cut(y: Floats, *, se: Floats | None = None) -> Pieces:
    """The best story about a series that did not stay at one level.

    Args:
        y: (n,) finite, without season; se: (n,) above 0, or None.
    """
    tame = clip_outliers(y[None, :], None if se is None else se[None, :])[0]
    w = np.ones(len(y)) if se is None else se**-2.0 / np.mean(se**-2.0)
    centre, scale = float(tame.mean()), float(tame.std()) or 1.0
    told = stories((tame - centre) / scale, w)
    ranked = sorted(told, key=lambda piece: piece.score)
    best = ranked[0]
    flat = best.story == "levels" and not len(best.starts)
    steady = best.story in ("lines", "broken line", "curve") and not len(best.starts)
    if flat or steady:
        # one level for all is what was rejected, so it gives way to several; a trend gives way to one step
        # that is almost as good, since a step looks for its place and paid for that already
        most = math.inf if flat else best.score + STEP_FOR_TREND * math.log(len(y))
        steps = (piece for piece in ranked if piece.story == "levels" and len(piece.starts))
        step = next((piece for piece in steps if flat or len(piece.starts) == 1), None)
        if step is not None and step.score < most:
            best = step
    return Pieces(
        story=best.story,
        starts=best.starts,
        fitted=best.fitted * scale + centre,
        parameters=best.parameters,
        score=best.score,
    )
