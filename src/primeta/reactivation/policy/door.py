"""`moment`, `sequence` and `discount` as a person calls them: files in, a result out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from primeta.errors import BadInput
from primeta.reactivation.door import day_given, days_of
from primeta.reactivation.policy.discount import discount_of
from primeta.reactivation.policy.inputs import Lapsed, Terms, read_lapsed
from primeta.reactivation.policy.moment import moment_of
from primeta.reactivation.policy.off_policy import valued
from primeta.reactivation.policy.result import PolicyResult, Valued
from primeta.reactivation.policy.sequence import sequence_of, valued_sequence


def moment(
    orders: Any,
    assignments: Any,
    *,
    until: date | str,
    control: str,
    horizon: str | int = "365d",
    margin: float | None = None,
    by: str = "",
    contact_cost: Mapping[str, float] | None = None,
    messages: Any = None,
    policy: Any = None,
    experiment: str = "",
    columns: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    level: float = 0.95,
    currency: str = "",
) -> PolicyResult:
    """The best day since the lapse to write on, from an experiment that drew the day by lot.

    Args:
        orders: A path to CSV or Parquet, an Arrow table, a data frame or a mapping of columns: `customer_id`,
            `ordered_at`, `revenue`, optional `order_id`, `discount`, `margin`, `status`.
        assignments: Likewise: `customer_id`, `arm`, `assigned_at` (the lapse), `delay_days` (none for the control),
            optional `probability`, `experiment`, `channel`, and the column of `by`.
        until: The last day of the log, inclusive.
        control: The arm that is never contacted.
        horizon: Days since the lapse over which money is counted, such as "180d".
        margin: Of list price, where orders carry none of their own.
        by: Column of the assignments, known before them, by which the curve is split.
        contact_cost: Arm or channel → money for one contact; "*" for all but the control.
        messages: What was sent (`customer_id`, `sent_at`, `cost`), instead of `contact_cost`.
        policy: A table customer_id (or segment) → arm or delay_days, whose value is asked for.
        columns: Canonical name → the name in the files.
    Raises:
        BadTable: a column, a delay, a probability is missing or cannot be; somebody stands in two arms.
        BadInput: an option that cannot be.
    """
    lapsed = _read(
        orders, assignments, messages, until=until, control=control, horizon=horizon, margin=margin, by=by,
        contact_cost=contact_cost, experiment=experiment, columns=columns, timezone=timezone, level=level,
        currency=currency,
    )  # fmt: skip
    return _with_policy(moment_of(lapsed), policy, lambda: valued(policy, lapsed, kind="moment"))


def sequence(
    orders: Any,
    assignments: Any,
    *,
    until: date | str,
    control: str = "",
    horizon: str | int = "365d",
    margin: float | None = None,
    by: str = "",
    contact_cost: Mapping[str, float] | None = None,
    messages: Any = None,
    policy: Any = None,
    experiment: str = "",
    columns: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    level: float = 0.95,
    currency: str = "",
) -> PolicyResult:
    """The best sequence of contacts, from an experiment that drew the first, and a second for the silent.

    Args: as `moment`, but
        assignments: `stage` is 1 for everybody, and 2 on a second row of those who stayed silent.
        control: May be left out; then sequences are compared with each other only.
        policy: A table customer_id (or segment) → sequence, by its name in the result.
    Raises:
        BadTable: as `moment`; a second stage before the first, without one, or for who had come back.
    """
    lapsed = _read(
        orders, assignments, messages, until=until, control=control, horizon=horizon, margin=margin, by=by,
        contact_cost=contact_cost, experiment=experiment, columns=columns, timezone=timezone, level=level,
        currency=currency,
    )  # fmt: skip
    return _with_policy(sequence_of(lapsed), policy, lambda: valued_sequence(policy, lapsed))


def discount(
    orders: Any,
    assignments: Any,
    *,
    until: date | str,
    control: str,
    horizon: str | int = "365d",
    margin: float | None = None,
    by: str = "",
    contact_cost: Mapping[str, float] | None = None,
    budget: float | None = None,
    eligible: int = 0,
    messages: Any = None,
    policy: Any = None,
    experiment: str = "",
    columns: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    level: float = 0.95,
    currency: str = "",
) -> PolicyResult:
    """The best discount by time since the lapse (and by segment), under a budget.

    Args: as `moment`, but
        assignments: `discount` as a share of list price, 0 for a contact without one; `delay_days` where the time
            since the lapse was drawn or differed.
        budget: Money for discounts and contacts, beyond what is given away without contact.
        eligible: Customers for whom the budget is meant; 0: as many as were assigned.
        policy: A table customer_id (or segment) → arm or discount.
    Raises:
        BadTable: as `moment`; a discount that is missing.
    """
    if budget is not None and not (np.isfinite(budget) and budget >= 0):
        raise BadInput(f"the budget is {budget:g}; expected money of 0 or more")
    if eligible < 0:
        raise BadInput(f"eligible is {eligible}; expected the number of customers the budget is meant for")
    lapsed = _read(
        orders, assignments, messages, until=until, control=control, horizon=horizon, margin=margin, by=by,
        contact_cost=contact_cost, experiment=experiment, columns=columns, timezone=timezone, level=level,
        currency=currency,
    )  # fmt: skip
    return _with_policy(
        discount_of(lapsed, budget=budget, eligible=eligible),
        policy,
        lambda: valued(policy, lapsed, kind="discount"),
    )


def _read(
    orders: Any,
    assignments: Any,
    messages: Any,
    *,
    until: date | str,
    control: str,
    horizon: str | int,
    margin: float | None,
    by: str,
    contact_cost: Mapping[str, float] | None,
    experiment: str,
    columns: Mapping[str, str] | None,
    timezone: str,
    level: float,
    currency: str,
) -> Lapsed:
    terms = Terms(
        control=control,
        horizon=days_of(horizon, "--horizon"),
        until=day_given(until, "--until"),
        margin=margin,
        contact_costs=dict(contact_cost or {}),
        by=by,
        timezone=timezone,
        level=level,
        currency=currency,
    )
    return read_lapsed(
        orders, assignments, terms=terms, messages=messages, columns=columns, experiment=experiment
    )


def _with_policy(found: PolicyResult, policy: Any, value: Callable[[], Valued]) -> PolicyResult:
    """The value of a policy that was given, beside what was found; where nothing was found it has none."""
    return found if policy is None or found.why_not else replace(found, policy=value())
