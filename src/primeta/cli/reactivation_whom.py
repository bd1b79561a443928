"""`primeta reactivation whom`: whom to write, learnt from a lottery and held against simple rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from primeta.cli.reactivation_options import (
    Margin,
    Shown,
    Terms,
    days_and_day,
    known,
    need_experiment,
    opened,
    refuse_files,
)
from primeta.cli.terminal import clock, put, put_json

if TYPE_CHECKING:
    from primeta.reactivation.whom.result import Whom

Costs = Annotated[
    list[str] | None,
    Parameter(name=("--cost", "--contact-cost"), negative_iterable="", consume_multiple=True),
]


def whom(
    file: Path | None = None,
    /,
    *,
    orders: Path | None = None,
    assignments: Path | None = None,
    until: str = "",
    control: str = "",
    horizon: str = "",
    margin: Margin = None,
    messages: Path | None = None,
    lines: Path | None = None,
    customers: Path | None = None,
    experiment: str = "",
    arm: str = "arm",
    outcome: str = "",
    features: str = "",
    cost: Costs = None,
    propensity: str = "",
    risk: str = "",
    recency: str = "",
    customer: str = "",
    terms: Terms = Terms(),
    repeats: int = 3,
    seed: int = 0,
    out: Path | None = None,
    shown: Shown = Shown(),
) -> None:
    """Whom to write: uplift learnt from a lottery, and what writing by it is worth.

    Parameters
    ----------
    file
        A ready table, CSV or Parquet, one row a customer; instead of --orders and --assignments. Or a workspace, with
        --experiment.
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
    repeats
        Divisions into folds over which everything is averaged.
    seed
        Another number divides the customers otherwise.
    out
        CSV or Parquet to write: customer_id, uplift, rank, arm.
    """
    from primeta.reactivation.policy.inputs import contact_costs_of

    costs, wanted = contact_costs_of(cost), [name.strip() for name in features.split(",") if name.strip()]
    files = {
        "orders": orders,
        "assignments": assignments,
        "messages": messages,
        "lines": lines,
        "customers": customers,
    }
    if file is not None and file.is_dir():
        refuse_files(file, files)
        need_experiment(file, experiment)
        ws, lang = opened(file, shown)
        asked = {
            "control": control or None,
            **days_and_day(horizon, until),
            "margin": margin,
            "features": wanted or None,
            "contact_costs": costs or None,
            "level": terms.level,
            "repeats": None if repeats == 3 else repeats,
            "seed": seed or None,
            "out": out,
        }
        _show(ws.whom(experiment, now=clock(), **known(asked)), shown.json, lang)
        return
    from primeta.reactivation.whom.door import whom as find

    found = find(
        file,
        **files,
        until=until,
        control=control,
        arm=arm,
        outcome=outcome,
        features=wanted,
        cost=costs,
        propensity=propensity,
        risk=risk,
        recency=recency,
        customer=customer,
        horizon=horizon or "365d",
        margin=margin,
        experiment=experiment,
        **terms.asked(),
        repeats=repeats,
        seed=seed,
        out=out,
    )
    _show(found, shown.json, shown.lang)


def _show(result: Whom, json: bool, lang: str) -> None:
    if json:
        put_json(result.as_dict())
        return
    put(result.line(lang))
    if not result.recommended:
        for text in result.remarks(lang):
            put(text)
        return
    put("\n" + result.table(lang).text())
    put("\n" + result.calibration_table(lang).text())
    put("\n" + result.feature_table(lang).text())
