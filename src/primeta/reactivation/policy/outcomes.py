"""From what customers did to one number each, its probability, and what was known before: ready for any estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import f as f_distribution

from primeta.errors import BadInput, BadTable
from primeta.reactivation.policy.inputs import SMALL_ARM, Lapsed
from primeta.reactivation.records import Note
from primeta.stats.doubly_robust import standardised

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CONTRADICTS = 4.5
"""Standard errors between an arm's weighted size and everybody, beyond which recorded probabilities are not believed."""
NO_LOTTERY_P = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """n customers: the arm, its probability, the outcome."""

    lapsed: Lapsed
    arms: tuple[str, ...]
    """The control first, where there is one; then by name."""
    taken: Ints
    """(n,) index into `arms`."""
    probability: Floats
    features: Floats
    """(n, q), standardised."""
    outcome: Floats
    """(n,) money over the horizon; see `outcome_of`."""
    spent: Floats
    """(n,) discount given and contacts paid over the horizon, measured like `outcome`."""
    listed: Floats
    """(n,) margin of the orders before discounts, measured like `outcome`, which is `listed` − `spent`."""
    came: Floats
    """(n,) whether an order came within the horizon, measured like `outcome`."""
    mature: float
    """Share of customers followed for the whole horizon."""
    notes: tuple[Note, ...]
    why_not: str = ""

    @property
    def counts(self) -> Ints:
        return np.bincount(self.taken, minlength=len(self.arms)).astype(np.int64)


def measured(lapsed: Lapsed, *, cell: Ints | None = None) -> Measured:
    """The customers of an experiment with one stage, or of the first of two.

    Args:
        cell: (n,) finer than the arm: groups within which the outcome of who came late is completed.
    """
    control = lapsed.terms.control
    names = sorted(set(lapsed.arm.tolist()) - {control})
    arms = ((control,) if control else ()) + tuple(names)
    place = {name: index for index, name in enumerate(arms)}
    taken = np.array([place[name] for name in lapsed.arm], dtype=np.int64)
    check_costs(lapsed, arms)
    cell = taken if cell is None else cell
    contact = contact_of(lapsed)
    features = features_of(lapsed)
    probability, notes, why_not = probabilities(
        lapsed.probability, taken, [np.ones(lapsed.n, dtype=bool)], features, arms, lapsed.customer
    )
    money, late = outcome_of(lapsed.sums["money"] - contact, lapsed, cell)
    spent, _ = outcome_of(lapsed.sums["discount"] + contact, lapsed, cell)
    listed, _ = outcome_of(lapsed.sums["money"] + lapsed.sums["discount"], lapsed, cell)
    first = (lapsed.returned[:, None] >= lapsed.edges[:-1]) & (lapsed.returned[:, None] < lapsed.edges[1:])
    came, _ = outcome_of(first.astype(np.float64), lapsed, cell)
    mature = float((lapsed.followed >= lapsed.edges[-1]).mean()) if lapsed.n else float("nan")
    if mature < 1:
        notes = (*notes, Note("partly-followed", {"share": mature, "days": int(lapsed.edges[-1])}))
    return Measured(
        lapsed=lapsed,
        arms=arms,
        taken=taken,
        probability=probability,
        features=features,
        outcome=money,
        spent=spent,
        listed=listed,
        came=came,
        mature=mature,
        notes=(*lapsed.notes, *notes),
        why_not=why_not or late,
    )


def outcome_of(blocks: Floats, lapsed: Lapsed, cell: Ints) -> tuple[Floats, str]:
    """(n,) totals over the horizon, and a reason where they cannot be had.

    Who has not lived through a block yet stands in it at the mean of those of his cell who have; who has, stands
    there with his own distance from that mean times the share's inverse. The mean over a cell is then the
    partitioned estimate, and the spread over customers is that of its influence.

    Args:
        blocks: (n, K) money by block of days.
    Source:
        Lin, Feuer, Etzioni & Wax (1997); Bang & Tsiatis (2000), eq. 5, censored by the date of entry alone.
    """
    seen = lapsed.followed[:, None] >= lapsed.edges[None, 1:]
    if seen.all():
        return blocks.sum(axis=1), ""
    total = np.zeros(len(blocks))
    for which in np.unique(cell):
        inside = cell == which
        n, lived = int(inside.sum()), seen[inside]
        count = lived.sum(axis=0)
        if count[-1] < min(SMALL_ARM, n):
            return np.full(len(blocks), np.nan), "short-follow-up"
        mean = np.where(lived, blocks[inside], 0.0).sum(axis=0) / count
        total[inside] = (mean + lived * (blocks[inside] - mean) * (n / count)).sum(axis=1)
    return total, ""


def features_of(lapsed: Lapsed) -> Floats:
    """(n, q) what was known before the lapse, standardised: history of orders, and the segment."""
    parts = [lapsed.features]
    values = sorted(set(lapsed.segment.tolist()))
    if 1 < len(values) <= 20:
        parts.append(np.column_stack([(lapsed.segment == value).astype(np.float64) for value in values[1:]]))
    return standardised(np.column_stack(parts))


# What contacts cost


def check_costs(lapsed: Lapsed, arms: Sequence[str]) -> None:
    """Raises BadInput where a contact's cost is given for what there is not."""
    known = (
        set(arms)
        | {name for name in lapsed.channel if name}
        | {name for name in lapsed.second_arm if name}
        | {"*"}
    )
    for name in lapsed.terms.contact_costs:
        if name not in known:
            listed = ", ".join(sorted(known - {"*"}))
            raise BadInput(f"contact cost of {name!r}: there is no such arm or channel; there are {listed}")


def cost_of(lapsed: Lapsed, arm: str | None, channel: str | None) -> float:
    """Money for one contact of an arm: by the arm's name, else its channel's, else everybody's."""
    costs = lapsed.terms.contact_costs
    if arm is None or (arm == lapsed.terms.control and arm not in costs):
        return 0.0
    for key in (arm, channel, "*"):
        if key and key in costs:
            return costs[key]
    return 0.0


def contact_of(lapsed: Lapsed) -> Floats:
    """(n, K) money paid for contacts by block of days. Who had come back before his contact was not written to."""
    if lapsed.sent.shape[1]:
        return lapsed.sent
    first = np.array([cost_of(lapsed, a, c) for a, c in zip(lapsed.arm, lapsed.channel, strict=True)])
    found = _at(first, np.nan_to_num(lapsed.delay), lapsed)
    second = np.array([cost_of(lapsed, arm, None) for arm in lapsed.second_arm])
    return found + _at(second, np.nan_to_num(lapsed.second_day), lapsed)


def _at(cost: Floats, day: Floats, lapsed: Lapsed) -> Floats:
    paid = np.where((lapsed.returned >= day) & (day < lapsed.edges[-1]), cost, 0.0)
    block = np.searchsorted(lapsed.edges[1:-1], day, side="right")
    found = np.zeros((lapsed.n, len(lapsed.edges) - 1))
    found[np.arange(lapsed.n), block] = paid
    return found


# Probabilities


def probabilities(
    recorded: Floats,
    taken: Ints,
    strata: Sequence[npt.NDArray[np.bool_]],
    features: Floats,
    arms: Sequence[str],
    customers: npt.NDArray[np.object_],
) -> tuple[Floats, tuple[Note, ...], str]:
    """(n,) probability of what each customer got; notes; a reason why they cannot be trusted.

    Where none was recorded, the shares of the arms within each stratum stand for them, if what was known before does
    not tell the arms apart; else nobody knows how they were drawn.

    Args:
        strata: Disjoint groups of rows drawn by one lottery each; rows outside get NaN.
    """
    inside = np.zeros(len(taken), dtype=bool)
    for rows in strata:
        inside |= rows
    missing = np.isnan(recorded) & inside
    if missing.any() and not missing[inside].all():
        first = int(np.flatnonzero(missing)[0])
        raise BadTable(
            f"the probability of customer {customers[first]} is missing ({int(missing.sum()):,} such in all), while "
            f"others have one. Record it for all, or leave the column out if the lottery was the same for everybody."
        )
    found = np.full(len(taken), np.nan)
    if inside.any() and missing.any():
        for rows in strata:
            counts = np.bincount(taken[rows], minlength=len(arms))
            found[rows] = counts[taken[rows]] / max(int(rows.sum()), 1)
            if told_apart(features[rows], taken[rows]) < NO_LOTTERY_P:
                return found, (), "not-a-lottery"
        return found, (Note("probabilities-from-shares"),), ""
    found[inside] = recorded[inside]
    for rows in strata:
        n = int(rows.sum())
        for arm in np.unique(taken[rows]):
            weight = np.where(taken[rows] == arm, 1.0 / found[rows], 0.0)
            se = float(weight.std()) / np.sqrt(max(n, 1))
            if n > 1 and se > 0 and abs(float(weight.mean()) - 1) > CONTRADICTS * se:
                return found, (Note("contradicting-arm", {"arm": arms[arm]}),), "probabilities-contradict"
            if n > 1 and se == 0 and weight.mean() != 1 and len(np.unique(taken[rows])) == 1:
                return found, (Note("contradicting-arm", {"arm": arms[arm]}),), "probabilities-contradict"
    return found, (), ""


def told_apart(features: Floats, taken: Ints) -> float:
    """p-value of "what was known before does not tell the arms apart": one-way F tests, Bonferroni over features."""
    groups = [taken == arm for arm in np.unique(taken)]
    n, k, q = len(taken), len(groups), features.shape[1]
    if q == 0 or k < 2 or n <= k + 1:
        return 1.0
    least = 1.0
    for column in features.T:
        middle = column.mean()
        between = sum(g.sum() * (column[g].mean() - middle) ** 2 for g in groups) / (k - 1)
        within = sum(((column[g] - column[g].mean()) ** 2).sum() for g in groups) / (n - k)
        if within > 0:
            least = min(least, float(f_distribution.sf(between / within, k - 1, n - k)))
    return min(1.0, q * least)
