"""Uplift by doubly robust learning: what each customer brings more if he is treated, learnt from those treated by lot.

First an outcome model takes noise out of doubly robust scores (Kennedy 2023, "Towards optimal doubly robust estimation
of heterogeneous causal effects", algorithm 1), then the difference of scores is regressed on what was known before.
Probabilities are those of the lottery. Both regressions are a ridge line to which trees are added only as far as
customers kept aside confirm them, so that where there is nothing to learn everybody gets the mean effect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from primeta.stats.doubly_robust import scores
from primeta.stats.qini import Folded, folded

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
FOLDS = 5
TREES = 40
LEAVES = 8
CONFIRM_ROWS = 16_000
"""From so many rows it is told whether trees find anything; what so many do not show is not worth the time."""
TREE_ROWS = 48_000
"""Trees of a large base are grown on so many of its rows."""
ASIDE = 4
"""One in so many rows is kept aside to tell how many trees are confirmed."""
PENALTIES = np.array([1e-4, 1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1e4])
"""Of the ridge, per row, for columns of spread one."""
CLIP = 0.001
"""A share of the largest and of the smallest scores is cut to the next ones before learning, never before valuing."""


def limited() -> AbstractContextManager[object]:
    """Trees on one thread: several wait for each other longer than they save at these sizes."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="openmp")


def spread_out(x: Floats) -> tuple[Floats, Ints]:
    """(n, p) columns for a line out of (n, q) features, and (p,) the feature that each is made of.

    They are ranks, which no single sum of money pulls, and their squares. What is unknown stands in the middle; that
    it is unknown is a column of its own.
    """
    parts: list[Floats] = []
    owner: list[int] = []
    for at, column in enumerate(x.T):
        known = np.isfinite(column)
        if not known.all():
            parts.append(_even((~known).astype(np.float64)))
            owner.append(at)
        if known.sum() < 2 or np.ptp(column[known]) == 0:
            continue
        _, place, count = np.unique(column[known], return_inverse=True, return_counts=True)
        rank = (np.cumsum(count) - count / 2)[place.reshape(-1)] / known.sum() - 0.5
        whole = np.zeros(len(column))
        whole[known] = rank
        parts.append(_even(whole))
        owner.append(at)
        if len(count) > 2:
            square = np.zeros(len(column))
            square[known] = rank**2 - (rank**2).mean()
            parts.append(_even(square))
            owner.append(at)
    kept = [at for at, part in enumerate(parts) if part.any()]
    line = np.column_stack([parts[at] for at in kept]) if kept else np.zeros((len(x), 0))
    return line, np.array([owner[at] for at in kept], dtype=np.int64)


def _even(column: Floats) -> Floats:
    column = column - column.mean()
    spread = float(np.sqrt((column * column).mean()))
    return column / spread if spread > 1e-12 else np.zeros_like(column)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learnt:
    """A ridge line and trees on what it leaves."""

    mean: float
    middle: Floats
    slope: Floats
    trees: object | None
    weight: float

    def __call__(self, line: Floats, x: Floats) -> Floats:
        """(m,) predictions of (m, p) columns for the line and (m, q) features."""
        found = self.mean + (line - self.middle) @ self.slope
        if self.trees is not None:
            found = found + self.weight * self.trees.predict(x)  # pyright: ignore[reportAttributeAccessIssue]
        return found


def learn(line: Floats, x: Floats, target: Floats, *, seed: int) -> Learnt:
    """Least squares of `target` (m,) on m rows: ridge by generalised cross-validation, then trees on the rest."""
    mean, middle, slope = _ridge(line, target)
    rest = target - mean - (line - middle) @ slope
    trees, weight = _trees(x, rest, seed=seed)
    return Learnt(mean=mean, middle=middle, slope=slope, trees=trees, weight=weight)


def _ridge(line: Floats, target: Floats) -> tuple[float, Floats, Floats]:
    """Source: Golub, Heath & Wahba (1979), generalised cross-validation over a list of penalties and "no slope"."""
    m, p = line.shape
    mean, middle = float(target.mean()), line.mean(axis=0) if p else np.zeros(0)
    if p == 0 or m < 10:
        return mean, middle, np.zeros(p)
    z, y = line - middle, target - mean
    values, vectors = np.linalg.eigh(z.T @ z / m)
    values = np.maximum(values, 0.0)
    along = vectors.T @ (z.T @ y) / m
    total = float(y @ y) / m
    shrunk = along / (values + PENALTIES[:, None])  # (L, p)
    rss = total - 2 * shrunk @ along + (shrunk**2) @ values
    freedom = (values / (values + PENALTIES[:, None])).sum(axis=1)
    gcv = rss / (1 - np.minimum((freedom + 1) / m, 0.99)) ** 2
    best = int(np.argmin(gcv))
    if gcv[best] >= total / (1 - 1 / m) ** 2:
        return mean, middle, np.zeros(p)
    return mean, middle, vectors @ shrunk[best]


def _trees(x: Floats, rest: Floats, *, seed: int) -> tuple[object | None, float]:
    """Trees on what the line leaves, as many as customers kept aside confirm, shrunk to what those say."""
    m = len(rest)
    if m < 200 or x.shape[1] == 0:
        return None, 0.0
    from sklearn.ensemble import HistGradientBoostingRegressor

    def boosted(trees: int) -> HistGradientBoostingRegressor:
        return HistGradientBoostingRegressor(
            max_iter=trees, max_leaf_nodes=LEAVES, min_samples_leaf=max(20, m // 100), learning_rate=0.1,
            max_bins=64, early_stopping=False,  # pyright: ignore[reportArgumentType]
            random_state=seed,
        )  # fmt: skip

    mixed = np.random.default_rng(seed).permutation(m)
    asked = mixed[:CONFIRM_ROWS]
    aside, grown = np.split(asked, [len(asked) // ASIDE])
    first = boosted(TREES).fit(x[grown], rest[grown])
    held = rest[aside]
    stages = [np.asarray(stage) for stage in first.staged_predict(x[aside])]
    gains = np.array([(held**2 - (held - stage) ** 2).mean() for stage in stages])
    best = int(np.argmax(gains))
    stage = stages[best]
    gain = held**2 - (held - stage) ** 2
    # The best of many stages is there by luck too: one standard error is asked for.
    if gains[best] <= gain.std() / np.sqrt(len(gain)) or not (stage**2).sum() > 0:
        return None, 0.0
    weight = float(np.clip((stage @ held) / (stage @ stage), 0.0, 1.0))
    use = mixed[:TREE_ROWS]
    return boosted(best + 1).fit(x[use], rest[use]), weight


# Everybody held out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """What a policy sees of customers that it did not learn from, and what the rules beside it learnt."""

    rows: Ints
    """(m,) into all customers."""
    uplift: Floats
    """(m, A − 1) predicted for each arm against the control."""
    averages: Floats
    """(A,) mean score of each arm among those it was learnt from."""


Judge = Callable[[Fold, Floats], tuple[Floats, Floats]]
"""A fold and its scores (m, A) → (m, F) parts and influences, linear in the scores."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """Customers, each judged by policies that never saw him."""

    uplift: Floats
    """(n, A − 1) mean over repeats."""
    judged: Folded
    importance: Floats
    """(q,) share of the predictions' spread that goes when a feature is shuffled, over the sum of all."""
    models: tuple[tuple[Learnt, ...], ...]
    """One a fold and repeat, each one an arm."""


def held_out(
    x: Floats,
    taken: Ints,
    probability: Floats,
    outcome: Floats,
    *,
    arms: int,
    judge: Judge,
    split: Callable[[int], Ints],
    repeats: int = 3,
    folds: int = FOLDS,
    seed: int = 0,
) -> HeldOut:
    """Learn in every split on all folds but one and judge on that one.

    Args:
        x: (n, q) known before; NaN where unknown.
        taken: (n,) arm 0 (the control) … A − 1; probability: (n,) of it, by the lottery.
        outcome: (n,) money.
        judge: What is asked of a held-out fold.
        split: Repeat → (n,) fold of each customer.
    Source:
        Kennedy (2023); the outcome model of a score has seen neither the customer nor, where a fold is held out, that
        fold. For the covariance of folds see `stats.qini.folded`.
    """
    n = len(outcome)
    line, owner = spread_out(x)
    uplift = np.zeros((n, arms - 1))
    part = influence = None
    shared: Floats | float = 0.0
    importance = np.zeros(x.shape[1])
    models: list[tuple[Learnt, ...]] = []
    with limited():
        for repeat in range(repeats):
            fold = split(repeat)
            one = _Split(
                x=x, line=line, owner=owner, taken=taken, probability=probability, outcome=outcome, arms=arms, fold=fold,
                folds=folds, seed=seed + 1000 * repeat,
            )  # fmt: skip
            one.outcome_models()
            rows = [np.flatnonzero(fold == j) for j in range(folds)]
            own = [one.policy((j,)) for j in range(folds)]
            models += [models_of for models_of, _ in own]
            held = [one.score(rows[j], [k for k in range(folds) if k != j]) for j in range(folds)]
            mine = []
            for j in range(folds):
                seen = one.fold_of(rows[j], own[j])
                uplift[rows[j]] += seen.uplift / repeats
                found, spread = judge(seen, held[j])
                mine.append(found)
                if part is None:
                    part, influence = np.zeros((n, found.shape[1])), np.zeros((n, found.shape[1]))
                part[rows[j]] += found / repeats
                influence[rows[j]] += spread / repeats  # pyright: ignore[reportOptionalSubscript]
                if repeat == 0:
                    importance += one.importance(rows[j], own[j][0])
            for j in range(folds):
                for k in range(j + 1, folds):
                    without = one.policy((j, k))
                    h = [
                        (mine[at] - judge(one.fold_of(rows[at], without), held[at])[0]).sum(axis=0) / n
                        for at in (j, k)
                    ]
                    shared = shared + 2 * h[0] * h[1] / repeats
    assert part is not None
    assert influence is not None
    total = importance.sum()
    return HeldOut(
        uplift=uplift,
        judged=folded(part, influence, np.asarray(shared), repeats=repeats, folds=folds),
        importance=importance / total if total > 0 else importance,
        models=tuple(models),
    )


@dataclass(slots=True, kw_only=True, eq=False)
class _Split:
    """One division into folds."""

    x: Floats
    line: Floats
    owner: Ints
    taken: Ints
    probability: Floats
    outcome: Floats
    arms: int
    fold: Ints
    folds: int
    seed: int
    predicted: Floats | None = None
    """(K, n, A): [k] outcomes predicted without the customer's own fold and without k."""

    def outcome_models(self) -> None:
        """One model for each pair of folds left out, the arm being a feature: noise is all that it takes away."""
        n, arms, folds = len(self.outcome), self.arms, self.folds
        dummies = np.eye(arms)[:, 1:]
        predicted = np.zeros((folds, n, arms))
        for j in range(folds):
            for k in range(j + 1, folds):
                use = (self.fold != j) & (self.fold != k)
                marks = dummies[self.taken[use]]
                model = learn(
                    np.column_stack([self.line[use], marks]), np.column_stack([self.x[use], marks]),
                    self.outcome[use], seed=self.seed + folds * j + k,
                )  # fmt: skip
                for mine, other in ((j, k), (k, j)):
                    rows = np.flatnonzero(self.fold == mine)
                    for arm in range(arms):
                        mark = np.broadcast_to(dummies[arm], (len(rows), arms - 1))
                        predicted[other, rows, arm] = model(
                            np.column_stack([self.line[rows], mark]), np.column_stack([self.x[rows], mark])
                        )
        self.predicted = predicted

    def score(self, rows: Ints, without: Sequence[int]) -> Floats:
        """(m, A) scores of these rows: by the mean of the outcome models that saw neither the row's own fold nor one
        of the folds named."""
        assert self.predicted is not None
        own = self.fold[rows]
        guess = np.zeros((len(rows), self.arms))
        count = np.zeros((len(rows), 1))
        for k in without:
            use = own != k
            guess[use] += self.predicted[k, rows[use]]
            count[use] += 1
        return scores(self.outcome[rows], self.taken[rows], self.probability[rows], guess / count)

    def policy(self, without: tuple[int, ...]) -> tuple[tuple[Learnt, ...], Floats]:
        """Uplift of each arm learnt from the other folds, and the arms' mean scores there."""
        rows = np.flatnonzero(~np.isin(self.fold, without))
        score = self.score(rows, without)
        line, x = self.line[rows], self.x[rows]
        found = []
        for arm in range(1, self.arms):
            difference = score[:, arm] - score[:, 0]
            low, high = np.quantile(difference, (CLIP, 1 - CLIP))
            seed = self.seed + 100 * arm + sum((1 + j) * 7**at for at, j in enumerate(without))
            found.append(learn(line, x, np.clip(difference, low, high), seed=seed))
        return tuple(found), score.mean(axis=0)

    def fold_of(self, rows: Ints, policy: tuple[tuple[Learnt, ...], Floats]) -> Fold:
        models, averages = policy
        uplift = np.column_stack([model(self.line[rows], self.x[rows]) for model in models])
        return Fold(rows=rows, uplift=uplift, averages=averages)

    def importance(self, rows: Ints, models: tuple[Learnt, ...]) -> Floats:
        """(q,) mean squared change of the predicted uplift when one feature is shuffled among customers."""
        mixed = np.random.default_rng(self.seed).permutation(len(rows))
        found = np.zeros(self.x.shape[1])
        base = [model(self.line[rows], self.x[rows]) for model in models]
        for column in range(self.x.shape[1]):
            x = self.x[rows].copy()
            x[:, column] = x[mixed, column]
            line = self.line[rows].copy()
            made = self.owner == column
            line[:, made] = line[mixed][:, made]
            found[column] += sum(
                float(((model(line, x) - before) ** 2).mean())
                for model, before in zip(models, base, strict=True)
            )
        return found
