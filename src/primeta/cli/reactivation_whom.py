"""`primeta reactivation whom`: whom to write, learnt from a lottery and held against simple rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, put, put_json

Pairs = Annotated[list[str] | None, Parameter(negative_iterable="", consume_multiple=True)]
Flag = Annotated[bool, Parameter(negative="")]


def whom(
    file: Path | None = None,
    /,
    *,
    orders: Path | None = None,
    assignments: Path | None = None,
    until: str = "",
    control: str = "",
    horizon: str = "365d",
    margin: float | None = None,
    messages: Path | None = None,
    lines: Path | None = None,
    customers: Path | None = None,
    experiment: str = "",
    arm: str = "arm",
    outcome: str = "",
    features: str = "",
    cost: Pairs = None,
    propensity: str = "",
    risk: str = "",
    recency: str = "",
    customer: str = "",
    columns: str = "",
    timezone: str = "UTC",
    level: float = 0.95,
    currency: str = "",
    repeats: int = 3,
    seed: int = 0,
    out: Path | None = None,
    json: Flag = False,
    language: Language = "",
) -> None:
    """Whom to write: uplift learnt from a lottery, and what writing by it is worth.

    Parameters
    ----------
    file
        A ready table, CSV or Parquet, one row a customer; instead of --orders and --assignments.
    orders
        CSV or Parquet: customer_id, ordered_at, revenue, optional order_id, discount, margin, status.
    assignments
        CSV or Parquet: customer_id, arm, assigned_at, optional probability, experiment and attributes.
    until
        The last day up to which the order log is complete, inclusive.
    control
        The arm that is left alone.
    horizon
        Over which money is counted since the assignment, such as 90d.
    margin
        Of the list price, such as .4; where orders carry a margin of their own, that counts.
    messages
        What was sent: customer_id, sent_at, cost; instead of --cost.
    lines
        Order lines: order_id, category.
    customers
        One row a customer: customer_id and attributes known before the assignment.
    experiment
        Which one, where the assignments hold several.
    arm
        Of a ready table: the column of the arm.
    outcome
        Of a ready table: the column of money per customer, before the contact's cost.
    features
        Columns known before the assignment, such as a,b,c; with --orders beside the order history.
    cost
        ARM=MONEY for the contact of one customer.
    propensity
        Of a ready table: the column of the probability with which each customer got his arm.
    risk
        Of a ready table: a column, the higher the more at risk of having left.
    recency
        Of a ready table: a column, the higher the longer ago the last order.
    customer
        Of a ready table: the column of ids; default: customer_id, else the number of the row.
    columns
        canonical=theirs,… where the files call a column otherwise.
    timezone
        Of times that carry none; --until ends in it.
    level
        Of the intervals.
    currency
        ISO code in which money is written, such as RUB.
    repeats
        Divisions into folds over which everything is averaged.
    seed
        Another number divides the customers otherwise.
    out
        CSV or Parquet to write: customer_id, uplift, rank, arm.
    json
        Print one JSON document.
    language
        en or ru.
    """
    from primeta.reactivation.columns import parse_columns
    from primeta.reactivation.policy.inputs import contact_costs_of
    from primeta.reactivation.whom.door import whom as find

    result = find(
        file,
        orders=orders,
        assignments=assignments,
        until=until,
        control=control,
        arm=arm,
        outcome=outcome,
        features=[name.strip() for name in features.split(",") if name.strip()],
        cost=contact_costs_of(cost),
        propensity=propensity,
        risk=risk,
        recency=recency,
        customer=customer,
        horizon=horizon,
        margin=margin,
        messages=messages,
        lines=lines,
        customers=customers,
        experiment=experiment,
        columns=parse_columns(columns),
        timezone=timezone,
        level=level,
        currency=currency,
        repeats=repeats,
        seed=seed,
        out=out,
    )
    if json:
        put_json(result.as_dict())
        return
    lang = "ru" if language == "ru" else "en"
    put(result.line(lang))
    if not result.recommended:
        for text in result.remarks(lang):
            put(text)
        return
    put("\n" + result.table(lang).text())
    put("\n" + result.calibration_table(lang).text())
    put("\n" + result.feature_table(lang).text())
