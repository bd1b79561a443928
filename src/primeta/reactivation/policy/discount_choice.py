"""The policy that customers before choose, judged on those after; its rivals, and what the best of all would add."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from primeta.reactivation.policy.discount_cells import NONE, Cells, action_of, differences_of
from primeta.reactivation.policy.discount_gains import Gains, gains_of
from primeta.reactivation.policy.result import Action, Rival
from primeta.reactivation.records import NAN
from primeta.stats.budget import choose_within
from primeta.stats.doubly_robust import Estimate, estimate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DRAWS, BUDGET_DRAWS = 4_000, 400
PARTS, LEARNING = 6, 2
"""Parts of the customers in which a policy is judged by one that the parts before it chose; the first only choose."""


def chosen_before(
    cells: Cells, fold: Ints, limit: float, start: tuple[Floats, Floats, Floats]
) -> tuple[Ints, Ints]:
    """(F, C) for each part the policy that the parts before it choose, and (F, C) the best constant one.

    The first `LEARNING` parts only choose. That each part is judged by a policy that knows nothing of it nor of what
    comes after keeps the errors of the parts apart: with ordinary cross-fitting the luck of two parts that chose each
    other's policy adds up, and the interval is too short.

    Source:
        Luedtke & van der Laan (2016), "Statistical inference for the mean outcome under a possibly non-unique
        optimal treatment strategy", the online estimator.
    """
    c = cells.contexts
    policies, constants = np.zeros((PARTS, c), dtype=np.int64), np.zeros((PARTS, c), dtype=np.int64)
    for part in range(LEARNING, PARTS):
        gains = gains_of(cells, fold < part, start)
        gain, cost = np.column_stack([np.zeros(c), gains.mean]), gains.cost
        policies[part] = choose_within(gain, cost, cells.share, budget=limit)[0]
        total = cells.share @ gain
        total[cells.share @ cost > limit + 1e-12] = -np.inf
        constants[part] = int(np.argmax(total))
    return policies, constants


def modelled(cells: Cells, fold: Ints) -> Floats:
    """(n, 1 + D) outcome to expect under each option, made without the customer's own fold."""
    found = np.zeros((len(cells.outcome), 1 + len(cells.depths)))
    d = 1 + len(cells.depths)
    for part in range(PARTS):
        rows = fold != part
        base = _bases(cells, rows)
        shift = differences_of(cells, cells.outcome, rows)
        known = np.where(np.isfinite(shift.value), shift.value, 0.0)
        pooled = np.array(
            [np.average(known[:, o], weights=np.maximum(shift.count[:, o], 1e-9)) for o in range(d)]
        )
        # a cell stands between its own mean and that of its depth
        part_own = shift.count / (shift.count + 100.0)
        guess = base[:, None] + part_own * known + (1 - part_own) * pooled
        mine = fold == part
        found[mine] = guess[cells.context[mine]]
    return found


def _bases(cells: Cells, rows: npt.NDArray[np.bool_]) -> Floats:
    """(C,) the control's means; a context without one stands at that of all."""
    use = rows & (cells.option == 0)
    key = cells.context % len(cells.segments) if cells.shared_control else cells.context
    size = np.bincount(key[use], cells.weight[use], minlength=cells.contexts)
    total = np.bincount(key[use], (cells.weight * cells.outcome)[use], minlength=cells.contexts)
    overall = float(total.sum() / max(size.sum(), 1e-300))
    mean = np.where(size > 0, total / np.maximum(size, 1e-300), overall)
    return mean[np.arange(cells.contexts) % len(cells.segments)] if cells.shared_control else mean


def influence_of(cells: Cells, model: Floats, policies: Ints, fold: Ints) -> Floats:
    """(n,) doubly robust influences of the policies' value over no contact; each fold by its own policy.

    Args:
        policies: (F, C) options.
    """
    n = len(cells.outcome)
    d = 1 + len(cells.depths)
    size = np.bincount(cells.context * d + cells.option, minlength=cells.contexts * d).reshape(-1, d)
    whole = size.sum(axis=1)
    rows = np.arange(n)

    def of(wanted: Ints) -> Floats:
        got = cells.option == wanted
        # the share of the option in its context: drawn evenly within it, but for what `weight` undoes
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = np.where(
                got, whole[cells.context] / size[cells.context, cells.option] * cells.weight, 0.0
            )
        expected = model[rows, wanted]
        return expected + inverse * (cells.outcome - expected)

    wanted = policies[fold, cells.context]
    return np.where(wanted == 0, 0.0, of(wanted) - of(np.zeros(n, dtype=np.int64)))


def told_of(cells: Cells, influence: Floats, level: float) -> Estimate:
    least = int(np.bincount(cells.option).min())
    return estimate(influence, df=max(least - 1.0, 1.0), level=level)


def rivals_of(
    cells: Cells, model: Floats, fold: Ints, policy: Floats, constants: Ints, level: float
) -> tuple[Rival, ...]:
    c = cells.contexts
    judged = fold >= LEARNING
    common = action_of(cells, int(np.argmax(np.bincount(constants[LEARNING:, 0]))))
    named: list[tuple[str, Action, Ints]] = [
        ("best-constant", common, constants),
        ("no-contact", NONE, np.zeros((PARTS, c), dtype=np.int64)),
    ]
    if cells.depths[0] == 0:
        named.append(("zero-discount", 0.0, np.ones((PARTS, c), dtype=np.int64)))
    named.append(("largest", float(cells.depths[-1]), np.full((PARTS, c), len(cells.depths), dtype=np.int64)))
    found = []
    for name, x, policies in named:
        own = influence_of(cells, model, policies, fold)
        # On the same customers as the policy, so that the difference is the difference.
        value = told_of(cells, own[judged], level)
        ahead = told_of(cells, (policy - own)[judged], level)
        found.append(
            Rival(
                name=name,
                x=x,
                value=value.value,
                low=value.low,
                high=value.high,
                ahead=ahead.value,
                ahead_low=ahead.low,
                ahead_high=ahead.high,
            )
        )
    return tuple(found)


def regret_of(
    cells: Cells,
    gains: Gains,
    chosen: Ints,
    cost: Floats,
    limit: float,
    level: float,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Expected regret against the best policy, its upper bound, and the share of the best's gain over the best
    constant that is kept; from the surface's posterior, which choosing does not bias.
    """
    c, k = cells.contexts, len(cells.depths)
    budgeted = bool(np.isfinite(limit))
    values, vectors = np.linalg.eigh(gains.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = BUDGET_DRAWS if budgeted else DRAWS
    z = rng.standard_normal((draws, len(values)))
    profit = gains.mean + (z @ root.T).reshape(draws, c, k)
    drawn = np.concatenate([np.zeros((draws, c, 1)), profit], axis=2)
    mine = drawn[:, np.arange(c), chosen] @ cells.share
    if budgeted:
        best = np.array(
            [
                (
                    cells.share * gain[np.arange(c), choose_within(gain, cost, cells.share, budget=limit)[0]]
                ).sum()
                for gain in drawn
            ]
        )
        best = np.maximum(best, mine)
    else:
        best = drawn.max(axis=2) @ cells.share
    totals = np.einsum("rcd,c->rd", drawn, cells.share)
    totals[:, cells.share @ cost > limit + 1e-12] = -np.inf
    constant = totals[:, int(np.argmax(totals.mean(axis=0)))]
    regret = best - mine
    above = float((best - constant).mean())
    kept = float((mine - constant).mean()) / above if above > 0 else NAN
    return float(regret.mean()), float(np.quantile(regret, level)), kept
