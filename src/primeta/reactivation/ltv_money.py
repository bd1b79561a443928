"""What a further order of each customer is worth, from his repeat orders, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.reactivation.histories import Collapsed, Ints, OrderLog, bucket_of
from primeta.reactivation.records import BUCKETS, NAN
from primeta.stats.gamma_gamma import expected_spend, expected_value, fit_gamma_gamma, fit_spend
from primeta.warehouse.duck import arrow, run

Floats = npt.NDArray[np.float64]
ZERO_SHARE = 0.01
"""So many customers whose orders cost nothing do not yet speak against amounts above 0."""
FEWEST_GAPS = 10
"""Orders beyond each customer's first repeat one, from which the spread of one order is known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """Every customer, n rows: his place among the collapsed histories, his bucket, his money."""

    row: Ints
    bucket: Ints
    repeats: Floats
    money: Floats
    """Of his repeat orders, summed; zeros where the log holds none."""
    squares: Floats
    first_money: Floats
    ids: pa.ChunkedArray | None = None
    """As texts, where they were asked for."""


def people_of(log: OrderLog, table: str, collapsed: Collapsed, group: str, *, ids: bool) -> People:
    """Everybody of a table made by `build`, with his row in `collapsed`."""
    names = pa.array([collapsed.groups[at] for at in collapsed.group])
    rows = pa.table(
        {
            "row_first": collapsed.first_day,
            "row_last": collapsed.last_day,
            "row_repeats": collapsed.repeats,
            "row_group": names,
            "place": np.arange(len(collapsed.count)),
        }
    )
    money = ", repeat_money, repeat_squares, coalesce(first_money, 0) AS first_money" if log.has_money else ""
    listed = ", CAST(customer AS VARCHAR) AS customer_id" if ids else ""
    log.connection.register("ltv_rows", rows)
    found = arrow(
        log.connection,
        f"SELECT place, {bucket_of()} AS bucket, repeats{money}{listed} FROM {table} JOIN ltv_rows ON "
        f"first_day = row_first AND last_day = row_last AND repeats = row_repeats AND {_same(group)}",
    )
    log.connection.unregister("ltv_rows")
    n = len(found)

    def column(name: str) -> Floats:
        return found[name].to_numpy().astype(float) if name in found.column_names else np.zeros(n)

    return People(
        row=found["place"].to_numpy().astype(np.int64),
        bucket=found["bucket"].to_numpy().astype(np.int64),
        repeats=column("repeats"),
        money=column("repeat_money"),
        squares=column("repeat_squares"),
        first_money=column("first_money"),
        ids=found["customer_id"] if ids else None,
    )


def _same(group: str) -> str:
    return "true" if group == "''" else f"coalesce(nullif({group}, ''), '?') = row_group"


def money_after(log: OrderLog, table: str, after_day: int, until_day: int) -> float:
    """Money of the customers of a table between two days, returns taken off."""
    return float(
        run(
            log.connection,
            f"SELECT coalesce(sum(money), 0) FROM order_days JOIN (SELECT customer FROM {table}) USING (customer) "
            f"WHERE day > {after_day} AND day <= {until_day}",
        )[0][0]
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Worth:
    """Money of one further order of each customer, n customers."""

    kind: Literal["gamma-gamma", "normal", "pooled", ""]
    each: Floats
    """(n,) NaN where nothing is known of money."""
    lean: Floats
    """(n,) how much of it is everybody's mean, 0 to 1."""
    spread: Floats
    """(n,) variance of one order about the customer's own mean."""
    unsure: Floats
    """(n,) variance of the customer's own mean, given the fit."""
    mean: float
    """Of one order of a customer drawn at random."""
    parameters: dict[str, float]
    errors: dict[str, float]
    log_likelihood: float = NAN
    tie: float = NAN
    tie_p: float = NAN
    tied: bool = False
    negative: bool = False
    """Whether an order may bring less than nothing."""
    why_not: str = ""


def worth_of(people: People, *, known: bool, may_lose: bool) -> Worth:
    """Gamma-Gamma where amounts are above 0, a normal model where they may be negative, else everybody's mean.

    Args:
        known: Whether the log holds money.
        may_lose: Whether an order may bring less than nothing: returns, margins eaten up by a discount.
    """
    n = len(people.row)
    if not known:
        blank = np.full(n, NAN)
        return Worth(
            kind="", each=blank, lean=blank, spread=blank, unsure=blank, mean=NAN, parameters={}, errors={},
            why_not="no-revenue",
        )  # fmt: skip
    x = people.repeats
    again = x > 0
    mean = np.divide(people.money, x, out=np.zeros(n), where=again)
    positive = again & (mean > 0)
    few_free = (again & ~positive).sum() <= ZERO_SHARE * max(again.sum(), 1)
    if not may_lose and few_free:
        found = fit_gamma_gamma(x[positive], mean[positive])
        if not found.why_not and found.q > 1 and not any(w.startswith("edge") for w in found.warnings):
            each = expected_value(found, x, mean)
            below = found.p * x + found.q - 1
            return Worth(
                kind="gamma-gamma",
                each=each,
                lean=(found.q - 1) / below,
                spread=each**2 / found.p,
                # Without a second moment the variance has no end: the square of the mean stands in for it.
                unsure=each**2 / np.maximum(below - 1, 1.0),
                mean=found.mean,
                parameters={"p": found.p, "q": found.q, "gamma": found.gamma},
                errors=found.errors,
                log_likelihood=found.log_likelihood,
                tie=found.tie,
                tie_p=found.tie_p,
                tied="tied" in found.warnings,
            )
    beyond = float((x[again] - 1).sum())
    inside = float((people.squares[again] - people.money[again] ** 2 / x[again]).clip(min=0).sum())
    within = inside / beyond if beyond >= FEWEST_GAPS else None
    found = fit_spend(x[again], mean[again], within=within)
    if not found.why_not:
        each, unsure = expected_spend(found, x, mean)
        lean = np.where(again & (found.between > 0), (unsure**2) / max(found.between, 1e-300), 1.0)
        return Worth(
            kind="normal",
            each=each,
            lean=lean,
            spread=np.full(n, found.within),
            unsure=unsure**2,
            mean=found.mean,
            parameters={"mean": found.mean, "between": found.between, "within": found.within},
            errors={"mean": found.mean_error},
            tie=found.tie,
            tie_p=found.tie_p,
            tied="tied" in found.warnings,
            negative=may_lose,
        )
    orders = float((x + 1).sum())
    pooled = float(people.money.sum() + people.first_money.sum()) / orders
    squares = float(people.squares.sum() + (people.first_money**2).sum()) / orders - pooled**2
    return Worth(
        kind="pooled",
        each=np.full(n, pooled),
        lean=np.ones(n),
        spread=np.full(n, max(squares, 0.0)),
        unsure=np.zeros(n),
        mean=pooled,
        parameters={"mean": pooled},
        errors={},
    )


def by_bucket(people: People, weights: Floats) -> Floats:
    """(BUCKETS,) sums of a column over customers."""
    return np.bincount(people.bucket, weights=weights, minlength=BUCKETS).astype(float)
