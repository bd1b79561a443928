"""How large a discount, when and for whom: profit by depth and time since the lapse, and a policy under a budget.

Every mean that is shown is a plain comparison with the control. What is *chosen* is chosen on a surface on which
each cell borrows from its neighbours, since the highest of many noisy cells is mostly the luckiest; and what the
chosen policy is *worth* is read off customers who had no part in choosing it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from primeta.errors import BadTable
from primeta.reactivation.policy.discount_cells import (
    Cells,
    action_of,
    cells_of,
    differences_of,
    named_policy,
)
from primeta.reactivation.policy.discount_choice import (
    LEARNING,
    PARTS,
    chosen_before,
    influence_of,
    modelled,
    regret_of,
    rivals_of,
    told_of,
)
from primeta.reactivation.policy.discount_gains import gains_of
from primeta.reactivation.policy.discount_shown import curve_of, responses_of, segments_of
from primeta.reactivation.policy.inputs import SMALL_ARM, Lapsed
from primeta.reactivation.policy.off_policy import folds_by_id
from primeta.reactivation.policy.result import Choice, PolicyResult
from primeta.reactivation.records import NAN, Note
from primeta.stats.budget import choose_within

SEED = 20_262


def discount_of(lapsed: Lapsed, *, budget: float | None = None, eligible: int = 0) -> PolicyResult:
    """What `door.discount` answers, of customers that were read already."""
    terms = lapsed.terms
    _depths_told(lapsed)
    plain = PolicyResult(
        kind="discount",
        basis="over-control",
        control=terms.control,
        horizon=terms.horizon,
        level=terms.level,
        n=lapsed.n,
        arms={name: int((lapsed.arm == name).sum()) for name in sorted(set(lapsed.arm.tolist()))},
        currency=terms.currency,
        notes=lapsed.notes,
        by=terms.by,
        budget=NAN if budget is None else float(budget),
        eligible=eligible or lapsed.n,
    )
    if not terms.control or not lapsed.is_control.any():
        return replace(plain, why_not="no-control")
    control = lapsed.is_control
    depth = np.where(control, np.nan, np.round(lapsed.depth, 9))
    levels, counts = np.unique(depth[~control], return_counts=True)
    small = levels[counts < SMALL_ARM]
    if control.sum() < SMALL_ARM or len(small) == len(levels):
        return replace(plain, why_not="small-arm" if len(levels) else "no-contact-arm")
    kept = control | ~np.isin(depth, small)
    cells = cells_of(lapsed.select(kept))
    notes = [*cells.seen.notes, *(Note("small-depth", {"depth": float(x)}) for x in small)]
    if not (cells.depths == 0).any():
        notes.append(Note("no-zero-discount"))
    if not np.any(lapsed.sums["discount"]):
        notes.append(Note("no-discounts-in-orders"))
    plain = replace(plain, notes=tuple(notes))
    if cells.seen.why_not:
        return replace(plain, why_not=cells.seen.why_not)
    limit = np.inf if budget is None else budget / (eligible or lapsed.n)
    return _answered(plain, cells, limit)


def _answered(plain: PolicyResult, cells: Cells, limit: float) -> PolicyResult:
    level, c = plain.level, cells.contexts
    differences = differences_of(cells, cells.outcome)
    if not (differences.count[:, 0] > 1).all():
        return replace(plain, why_not="no-control-in-part")
    gains = gains_of(cells)
    gain, cost = np.column_stack([np.zeros(c), gains.mean]), gains.cost
    chosen, price = choose_within(gain, cost, cells.share, budget=limit)
    fold = folds_by_id(cells.seen.lapsed.customer, PARTS)
    policies, constants = chosen_before(cells, fold, limit, gains.parameters)
    model = modelled(cells, fold)
    policy = influence_of(cells, model, policies, fold)
    judged = fold >= LEARNING
    value = told_of(cells, policy[judged], level)
    rivals = rivals_of(cells, model, fold, policy, constants, level)
    rng = np.random.default_rng(SEED)
    wary = gains_of(cells, start=gains.parameters, open_minded=True)
    regret, high, kept = regret_of(cells, wary, chosen, cost, limit, level, rng)
    recommended = named_policy(cells, chosen)
    return replace(
        plain,
        curve=curve_of(cells, differences, level),
        recommended=recommended,
        value=value.value,
        low=value.low,
        high=value.high,
        rivals=rivals,
        choices=tuple(
            Choice(
                by=cells.label(at),
                x=action_of(cells, int(chosen[at])),
                share=float(cells.share[at]),
                value=float(gain[at, chosen[at]]),
                cost=float(cost[at, chosen[at]]),
            )
            for at in range(c)
        ),
        responses=responses_of(cells, level),
        regret=regret,
        regret_low=0.0,
        regret_high=high,
        kept=kept,
        cost=float((cells.share * cost[np.arange(c), chosen]).sum()) * plain.eligible,
        price_of_budget=float(price),
        segments=segments_of(cells, policy, chosen, judged, level),
        extra={"chosen": chosen, "policies": policies, "cells": cells},
    )


def _depths_told(lapsed: Lapsed) -> None:
    missing = np.isnan(lapsed.depth) & ~lapsed.is_control
    if missing.any():
        at = int(np.flatnonzero(missing)[0])
        if missing.all() or np.isnan(lapsed.depth).all():
            raise BadTable(
                "the assignments carry no discount: give each its depth as a share of the list price, 0 for a contact "
                "without one. Only the control has none."
            )
        raise BadTable(
            f"the discount of customer {lapsed.customer[at]} (arm {lapsed.arm[at]}) is missing ({int(missing.sum()):,} such "
            f"in all). Write 0 for a contact without a discount; only the control, named by --control, has none."
        )
    if (np.nan_to_num(lapsed.depth) >= 1).any():
        raise BadTable(
            "a discount of 100% or more leaves nothing to pay; give shares of the list price below 1"
        )
