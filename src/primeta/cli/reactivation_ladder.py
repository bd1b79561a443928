"""`primeta reactivation ladder`: all rungs of a campaign side by side, in money."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from primeta.cli.terminal import Language, progress, put, put_json
from primeta.errors import BadInput

Pairs = Annotated[list[str] | None, Parameter(negative_iterable="", consume_multiple=True)]


def ladder(
    directory: Path | None = None,
    /,
    *,
    experiment: str = "",
    orders: str = "",
    assignments: str = "",
    lines: str = "",
    visits: str = "",
    messages: str = "",
    reactions: str = "",
    control: str = "",
    window: str = "",
    horizon: str = "",
    until: str = "",
    margin: float | None = None,
    by: str = "",
    promo_code: Pairs = None,
    contact_cost: Pairs = None,
    annual_discount: float | None = None,
    attribution: str = "",
    shares: Pairs = None,
    level: float | None = None,
    columns: Pairs = None,
    timezone: str = "UTC",
    currency: str = "",
    report: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    language: Language = "",
) -> None:
    """All rungs of a campaign side by side, in money: what each claims and what it silently assumes.

    Parameters
    ----------
    directory
        A workspace, with --experiment; or give --orders and --assignments.
    experiment
        Name of the experiment; on files only where the assignments hold several.
    orders
        CSV or Parquet, also a glob: customer_id, ordered_at, revenue, optional order_id, discount, margin,
        promo_code, status. May be left out where --lines carry customer, time and money.
    assignments
        CSV or Parquet: customer_id, arm, assigned_at, optional experiment and the column of --by.
    lines
        Order lines: order_id, optional category, customer_id, ordered_at, revenue.
    visits
        Visits: customer_id, happened_at, optional category.
    messages
        Messages: customer_id, sent_at, optional message_id, campaign, cost, withheld.
    reactions
        Opens and clicks: message_id, kind, happened_at, optional machine.
    control
        The arm left alone. Without it nothing above rung 1 can be known.
    window
        Of rungs 0 to 2, since assignment; default: 30d, or the workspace's.
    horizon
        Of rung 4, since assignment; default: 365d, or the workspace's.
    until
        The last day up to which the order log is complete, inclusive; needed on files.
    margin
        Of the list price, such as .4; where orders carry a margin of their own, that counts.
    by
        Column of the assignments, known before, by which everything is split.
    promo_code
        ARM=CODE; then only discounts of orders with the code are the campaign's.
    contact_cost
        ARM=MONEY once per assigned customer, where messages carry no cost.
    annual_discount
        Of later money, back to the assignment: .1 is 10% a year.
    attribution
        Of rung 1, since a message (an open or click, where they are known); default: 7d, or the workspace's.
    shares
        ARM=SHARE as planned, for the check of the split.
    level
        Of the intervals; default: .95, or the plan's.
    columns
        canonical=theirs, such as revenue=paid; for one table only orders.revenue=paid.
    timezone
        Of times that carry none; --until ends in it.
    currency
        ISO code in which money is written, such as RUB.
    report
        Also write one sheet for who has a minute: .html, .pdf or .svg.
    json
        Print one JSON document.
    language
        en or ru; default: the workspace's.
    """
    from primeta.experiments.experiment import numbers, pairs

    files = {
        "orders": orders,
        "assignments": assignments,
        "lines": lines,
        "visits": visits,
        "messages": messages,
        "reactions": reactions,
    }
    asked = {
        "control": control,
        "window": window,
        "horizon": horizon,
        "until": until,
        "margin": margin,
        "by": by,
        "promo_code": pairs(promo_code, "--promo-code"),
        "contact_cost": numbers(contact_cost, "--contact-cost"),
        "annual_discount": annual_discount,
        "attribution": attribution,
        "level": level,
    }
    # What was not said is left to the defaults of the files, or to the workspace and the plan.
    asked = {name: value for name, value in asked.items() if value not in ("", None, {})}
    given = {name: file for name, file in files.items() if file}
    lang = "ru" if language == "ru" else "en"
    if directory is not None:
        from primeta.cli.terminal import clock, language_of, open_at

        if given:
            raise BadInput(f"give a workspace or files, not both: {directory} and --{next(iter(given))}")
        if not experiment:
            raise BadInput(f"say which experiment of {directory} is measured: --experiment NAME")
        ws = open_at(directory)
        lang = language_of(ws, language)
        found = ws.ladder(experiment, now=clock(), **_for_workspace(asked))
    else:
        from primeta.reactivation.door import ladder as climb

        if not ({"orders", "lines"} & given.keys() and "assignments" in given):
            raise BadInput(
                "give --orders (or --lines) and --assignments, or a workspace with --experiment NAME"
            )
        if not until:
            raise BadInput(
                "give --until, the last day up to which the order log is complete: --until 2026-11-26"
            )
        with progress("ladder") as step:
            found = climb(
                given.pop("orders", None),
                given.pop("assignments"),
                **given,
                **asked,
                shares=numbers(shares, "--shares"),
                timezone=timezone,
                currency=currency,
                columns=pairs(columns, "--columns"),
                experiment=experiment,
                progress=step,
            )
    if report is not None:
        found.report(report, lang=lang)
    if json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    for table in (
        found.table(lang),
        found.returners_table(lang),
        found.behaviour_table(lang),
        found.segment_table(lang),
    ):
        if table.rows:
            put("\n" + table.text())
    if steps := found.steps(lang):
        put("\n" + "\n".join(steps))
    if todo := found.next_steps(lang):
        put("\n" + "\n".join(f"→ {heading}. {why}" for heading, why in todo))


def _for_workspace(asked: dict[str, Any]) -> dict[str, Any]:
    """The options under the names that a workspace gives them."""
    from primeta.reactivation.door import day_given, days_of

    names = {"promo_code": "promo_codes", "contact_cost": "contact_costs"}
    found: dict[str, Any] = {}
    for name, value in asked.items():
        if name in ("window", "horizon", "attribution"):
            found[f"{name}_days"] = days_of(value, f"--{name}")
        elif name == "until":
            found[name] = day_given(value, "--until")
        else:
            found[names.get(name, name)] = value
    return found
