"""Who still looks at what we send: a filter over attention levels and blindness, one step ahead of each touch.

One sequence is one customer on one channel. Its hidden state is a level of attention on a grid of 13 points
(standard normal among customers) or *blindness*, a 14th point. Between events the level drifts back to where most
are (an Ornstein–Uhlenbeck process on the grid) and blindness wears off; each touch may wear the level down by a step
or blind the customer; a welcome may lift it. A touch is welcomed with probability σ(z + x): z of the hidden level, x
linear in what is known at the touch. The outcome is known when it comes, else in two instalments of silence, after 24
and after 72 hours. Everything is exact on the grid (a hidden Markov model in continuous time), so neither a log that is
nearly silent nor a level far from normal upsets it.

Source: Rabiner (1989), forward–backward in the scaled form; Särkkä (2013), ch. 4, for the continuous-time transition.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]

LEVELS = 13
WIDTH = LEVELS + 1
BLIND = LEVELS
STEP = 0.5
FIRST_DAYS = 1.0
"""The first instalment of silence."""
LAST_DAYS = 3.0
"""72 hours: after them a touch without reaction was not welcomed."""
TOUCH, MARK, SILENT, WELCOME_EARLY, WELCOME_LATE = 0, 1, 2, 3, 4

GRID: Floats = STEP * (np.arange(LEVELS) - LEVELS // 2)
"""Levels in standard deviations of customers."""
AT_START: Floats = np.exp(-0.5 * GRID**2) / np.exp(-0.5 * GRID**2).sum()


@lru_cache(maxsize=1)
def drift_modes() -> tuple[Floats, Floats, Floats]:
    """Eigenvalues (13,), right and left vectors of the drift's generator, for row vectors: w → w R e^{λt} L.

    A birth–death chain whose stationary law is `AT_START` and which tends to dz = −z dt + √2 dW as the step shrinks.
    """
    generator = np.zeros((LEVELS, LEVELS))
    # a walk with these rates pulls back at 2 sinh(z h / 2) e^(−h² / 4) / h: the factor makes that z
    pace = np.exp(STEP**2 / 4) / STEP**2
    for at in range(LEVELS - 1):
        up = np.sqrt(AT_START[at + 1] / AT_START[at]) * pace
        down = np.sqrt(AT_START[at] / AT_START[at + 1]) * pace
        generator[at, at + 1] += up
        generator[at, at] -= up
        generator[at + 1, at] += down
        generator[at + 1, at + 1] -= down
    root = np.sqrt(AT_START)
    symmetric = root[:, None] * generator / root[None, :]
    values, vectors = np.linalg.eigh((symmetric + symmetric.T) / 2)
    values = np.minimum(values, 0.0)
    return (
        values,
        np.ascontiguousarray(vectors / root[:, None]),
        np.ascontiguousarray(vectors.T * root[None, :]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FilterParameters:
    """How attention moves and shows."""

    welcome: Floats
    """(p,) coefficients of x."""
    onset: Floats
    """(q,) log-odds, linear in what is known at the touch, that it blinds."""
    wear: Floats
    """(r,) log-odds that it wears the level down by a step."""
    spread: float
    """Of customers, in log-odds of welcome."""
    skew: float
    """Within ±.3; above 0: a few are much keener than most."""
    drift: float
    """Back to where most are, per day."""
    recovery: float
    """From blindness, per day."""
    blind_at_start: float
    blind_level: float
    """z of the blind: visits and orders come from them too."""
    lift: float
    """Probability that a welcome lifts the level by a step."""
    within: float
    """Share of welcomes that come within the first 24 hours."""

    def levels(self) -> Floats:
        """(14,) z of each hidden state."""
        z = self.spread * (GRID + self.skew * (GRID**2 - 1) / 2)
        return np.append(z, self.blind_level)

    def hope_at_rest(self) -> Floats:
        """(14,) of welcome in each hidden state, where nothing was sent lately."""
        return sigmoid(self.levels() + float(self.welcome[0]))

    def start(self) -> Floats:
        """(14,) of a customer of whom nothing is known."""
        return np.append((1 - self.blind_at_start) * AT_START, self.blind_at_start)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """Events of many sequences, laid out step by step: step k holds the k-th events of all that have one.

    Sequences are ranked by falling length, so those that are active in a step are the first `bounds[k+1] − bounds[k]`.
    """

    sequences: int
    bounds: Ints
    """(steps + 1,)"""
    rank: Ints
    """(sequences,) place of each sequence in the ranking."""
    kind: Ints
    """(events,) TOUCH … WELCOME_LATE"""
    gap: Floats
    """(events,) days since the sequence's event before; 0 at the first."""
    touch: Ints
    """(events,) index of the touch that the event belongs to."""


def step_major(group: Ints) -> tuple[Ints, Ints, Ints]:
    """Order of rows (sorted by `group` 0 … G−1) that puts all first rows first, then all second ones …

    Returns:
        order (n,), bounds (steps + 1,), rank (G,).
    """
    count = np.bincount(group)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    by_length = np.argsort(-count, kind="stable")
    rank = np.empty(len(count), dtype=np.int64)
    rank[by_length] = np.arange(len(count))
    position = np.arange(len(group)) - start[group]
    steps = int(count.max()) if len(count) else 0
    active = np.bincount(position, minlength=steps)
    bounds = np.concatenate([[0], np.cumsum(active)])
    place = bounds[position] + rank[group]
    order = np.empty(len(group), dtype=np.int64)
    order[place] = np.arange(len(group))
    return order, bounds, rank


def stream_of(
    sequence: Ints,
    sent: Floats,
    welcomed: Floats,
    *,
    until: float,
    asked: npt.NDArray[np.bool_] | None = None,
) -> Stream:
    """Events of touches that are sorted by sequence, then time.

    Args:
        sequence: (n,) 0 … S−1, each at least once.
        sent: (n,) days.
        welcomed: (n,) days after `sent` at which it was welcomed, NaN where it was not (within 72 hours).
        until: Day at which the log ends: what would be known later is left out.
        asked: (n,) rows that are only asked about: nothing was sent, so nothing comes of them.
    """
    count = len(sent)
    touch = np.arange(count)
    hit = np.isfinite(welcomed) & (welcomed <= LAST_DAYS) & (sent + np.nan_to_num(welcomed) <= until)
    early = hit & (welcomed <= FIRST_DAYS)
    real = np.ones(count, dtype=bool) if asked is None or not len(asked) else ~asked
    hit, early = hit & real, early & real
    marked = ~early & (sent + FIRST_DAYS <= until) & real
    silent = ~hit & (sent + LAST_DAYS <= until) & real
    late = hit & ~early
    parts = [
        (touch, sent, TOUCH, 4),
        (touch[marked], sent[marked] + FIRST_DAYS, MARK, 3),
        (touch[silent], sent[silent] + LAST_DAYS, SILENT, 2),
        (touch[early], sent[early] + welcomed[early], WELCOME_EARLY, 0),
        (touch[late], sent[late] + welcomed[late], WELCOME_LATE, 0),
    ]
    which = np.concatenate([part[0] for part in parts])
    when = np.concatenate([part[1] for part in parts])
    kind = np.concatenate([np.full(len(part[0]), part[2], dtype=np.int8) for part in parts])
    turn = np.concatenate([np.full(len(part[0]), part[3], dtype=np.int8) for part in parts])
    group = sequence[which]
    order = np.lexsort((which, turn, when, group))
    which, when, kind, group = which[order], when[order], kind[order], group[order]
    gap = np.diff(when, prepend=when[:1])
    if len(group):
        # a sequence begins with its first touch: what is asked before it lets no time go by
        first = np.concatenate([[True], group[1:] != group[:-1]])
        begun = np.cumsum(real[which]) - real[which]
        gap[begun == begun[np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))]] = 0.0
    order, bounds, rank = step_major(group)
    return Stream(
        sequences=int(group[-1]) + 1 if len(group) else 0,
        bounds=bounds,
        rank=rank,
        kind=kind[order],
        gap=np.maximum(gap[order], 0.0),
        touch=which[order],
    )


def drifted(weights: Floats, gap: Floats, parameters: FilterParameters) -> Floats:
    """(n, 14) weights after `gap` (n,) days without events."""
    values, right, left = drift_modes()
    moved = np.empty_like(weights)
    stay = np.exp(-parameters.recovery * gap)
    blind = weights[:, BLIND]
    moved[:, :LEVELS] = (
        (weights[:, :LEVELS] @ right) * np.exp(parameters.drift * gap[:, None] * values)
    ) @ left
    moved[:, :LEVELS] += (blind * (1 - stay))[:, None] * AT_START
    moved[:, BLIND] = blind * stay
    # rounding of the modes may leave −1e-18 in the tails
    return np.maximum(moved, 1e-300)


def touched(weights: Floats, onset: Floats, wear: Floats) -> Floats:
    """(n, 14) weights after a touch that blinds with probability `onset` (n,) and wears down with `wear` (n,)."""
    moved = np.empty_like(weights)
    level = weights[:, :LEVELS]
    worn = level * wear[:, None]
    worn[:, 0] = 0.0
    moved[:, :LEVELS] = level - worn
    moved[:, : LEVELS - 1] += worn[:, 1:]
    gone = moved[:, :LEVELS] * onset[:, None]
    moved[:, :LEVELS] -= gone
    moved[:, BLIND] = weights[:, BLIND] + gone.sum(axis=1)
    return moved


def lifted(weights: Floats, lift: float) -> Floats:
    """(n, 14) weights after a welcome."""
    moved = weights.copy()
    rise = weights[:, : LEVELS - 1] * lift
    moved[:, : LEVELS - 1] -= rise
    moved[:, 1:LEVELS] += rise
    return moved


def likelihood(kind: Ints, chance: Floats, within: float) -> Floats:
    """(n, 14) of an outcome of this `kind` (n,) where a welcome has probability `chance` (n, 14)."""
    quiet = 1 - within * chance
    value = np.where((kind == MARK)[:, None], quiet, chance)
    late = (kind == WELCOME_LATE)[:, None]
    silent = (kind == SILENT)[:, None]
    value = np.where(late, chance / quiet, value)
    return np.where(silent, (1 - chance) / quiet, value)


def sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -35.0, 35.0)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filtered:
    """What was expected of each touch before it."""

    chance: Floats
    """(n,) of welcome."""
    variance: Floats
    """(n,) of that probability, given what is known."""
    blind: Floats
    """(n,)"""
    level: Floats
    """(n,) mean log-odds of attention of those not blind, less x."""
    log_likelihood: Floats
    """(sequences,)"""
    weights: Floats
    """(n, 14) where asked for, else (0, 14)."""
    stood_blind: Floats
    """(n,) of blindness as of the last event before the touch: the time since then left out."""
    stood_hope: Floats
    """(n,) likewise, of welcome by `FilterParameters.hope_at_rest`."""
    gap: Floats
    """(n,) days since that event."""


def run_filter(
    stream: Stream,
    parameters: FilterParameters,
    *,
    x: Floats,
    onset: Floats,
    wear: Floats,
    instead: tuple[Floats, Floats, Floats] | None = None,
    asked: npt.NDArray[np.bool_] | None = None,
    keep_weights: bool = False,
) -> Filtered:
    """One pass over all sequences.

    Args:
        x: (n,) of each touch, log-odds.
        onset, wear: (n,) probabilities of each touch.
        instead: x, onset and wear of another touch at the same moment: what is foretold is of that one, while the
            state moves with the real one.
        asked: (n,) rows that are only asked about and move nothing.
    """
    asked = np.zeros(len(x), dtype=bool) if asked is None or not len(asked) else asked
    look_x, look_onset, look_wear = instead or (x, onset, wear)
    touches = len(x)
    levels = parameters.levels()
    state = np.tile(parameters.start(), (stream.sequences, 1))
    score = np.zeros(stream.sequences)
    chance, variance, blind, level, stood_blind, stood_hope, gap = (
        np.full(touches, np.nan) for _ in range(7)
    )
    at_rest = parameters.hope_at_rest()
    kept = np.empty((touches if keep_weights else 0, WIDTH))
    for step in range(len(stream.bounds) - 1):
        rows = slice(stream.bounds[step], stream.bounds[step + 1])
        active = rows.stop - rows.start
        kind, which = stream.kind[rows], stream.touch[rows]
        now = state[:active] if step == 0 else drifted(state[:active], stream.gap[rows], parameters)
        sends = kind == TOUCH
        sent = np.flatnonzero(sends)
        if len(sent):
            index = which[sent]
            stood = state[sent]
            stood_blind[index], stood_hope[index] = stood[:, BLIND], stood @ at_rest
            gap[index] = stream.gap[rows][sent]
            after = touched(now[sent], look_onset[index], look_wear[index])
            hope = sigmoid(levels + look_x[index, None])
            mean = np.einsum("ij,ij->i", after, hope)
            chance[index] = mean
            variance[index] = np.maximum(np.einsum("ij,ij,ij->i", after, hope, hope) - mean**2, 0.0)
            blind[index] = after[:, BLIND]
            level[index] = after[:, :LEVELS] @ levels[:LEVELS] / np.maximum(1 - after[:, BLIND], 1e-12)
            if keep_weights:
                kept[index] = after
            moves = ~asked[index]
            if instead is None:
                now[sent[moves]] = after[moves]
            else:
                real, rest = index[moves], sent[moves]
                now[rest] = touched(now[rest], onset[real], wear[real])
        told = np.flatnonzero(~sends)
        if len(told):
            index = which[told]
            weight = now[told] * likelihood(kind[told], sigmoid(levels + x[index, None]), parameters.within)
            total = weight.sum(axis=1)
            score[told] += np.log(total)
            weight /= total[:, None]
            happy = kind[told] >= WELCOME_EARLY
            if happy.any():
                weight[happy] = lifted(weight[happy], parameters.lift)
            now[told] = weight
        state[:active] = now
    log_likelihood = score[stream.rank]
    return Filtered(
        chance=chance,
        variance=variance,
        blind=blind,
        level=level,
        log_likelihood=log_likelihood,
        weights=kept,
        stood_blind=stood_blind,
        stood_hope=stood_hope,
        gap=gap,
    )
