"""`primeta reactivation whom`: whom to write, learnt from a lottery and held against simple rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, put, put_json
from primeta.errors import BadInput

if TYPE_CHECKING:
    from primeta.reactivation.whom.result import Whom

Costs = Annotated[
    list[str] | None,
    Parameter(name=("--cost", "--contact-cost"), negative_iterable="", consume_multiple=True),
]
Flag = Annotated[bool, Parameter(negative="")]


def whom(
    file: Path | None = None,
    /,
    *,
    orders: Path | None = None,
    assignments: Path | None = None,
    until: str = "",
    control: str = "",
    horizon: str = "",
    margin: float | None = None,
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
    columns: str = "",
    timezone: str = "UTC",
    level: float | None = None,
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
    from primeta.experiments.experiment import pairs
    from primeta.reactivation.policy.inputs import contact_costs_of

    if file is not None and file.is_dir():
        given = {
            "orders": orders,
            "assignments": assignments,
            "messages": messages,
            "lines": lines,
            "customers": customers,
        }
        named = next((name for name, path in given.items() if path is not None), "")
        if named:
            raise BadInput(f"give a workspace or files, not both: {file} and --{named}")
        _in_workspace(
            file, experiment, json=json, language=language, control=control, horizon=horizon, until=until, margin=margin,
            features=features, cost=contact_costs_of(cost), level=level, repeats=repeats, seed=seed, out=out,
        )  # fmt: skip
        return
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
        horizon=horizon or "365d",
        margin=margin,
        messages=messages,
        lines=lines,
        customers=customers,
        experiment=experiment,
        columns=pairs([columns], "--columns"),
        timezone=timezone,
        level=0.95 if level is None else level,
        currency=currency,
        repeats=repeats,
        seed=seed,
        out=out,
    )
    _show(result, json, "ru" if language == "ru" else "en")


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


def _in_workspace(
    directory: Path,
    experiment: str,
    *,
    json: bool,
    language: Language,
    control: str,
    horizon: str,
    until: str,
    margin: float | None,
    features: str,
    cost: dict[str, float],
    level: float | None,
    repeats: int,
    seed: int,
    out: Path | None,
) -> None:
    """The answer of a workspace, in its language unless another is asked for; what was not said is left to it."""
    from primeta.cli.terminal import clock, language_of, open_at
    from primeta.reactivation.door import day_given, days_of

    if not experiment:
        raise BadInput(f"say which experiment of {directory} is measured: --experiment NAME")
    ws = open_at(directory)
    asked = {
        "control": control or None,
        "horizon_days": days_of(horizon, "--horizon") if horizon else None,
        "until": day_given(until, "--until") if until else None,
        "margin": margin,
        "features": [name.strip() for name in features.split(",") if name.strip()] or None,
        "contact_costs": cost or None,
        "level": level,
        "repeats": None if repeats == 3 else repeats,
        "seed": seed or None,
        "out": out,
    }
    found = ws.whom(
        experiment, now=clock(), **{name: value for name, value in asked.items() if value is not None}
    )
    _show(found, json, language_of(ws, language))
