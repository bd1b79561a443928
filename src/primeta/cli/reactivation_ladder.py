"""`primeta reactivation ladder`: all rungs of a campaign side by side, in money."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from primeta.cli.reactivation_options import (
    Files,
    Margin,
    Pairs,
    ShownThere,
    need_experiment,
    need_until,
    opened,
    put_tables,
    refuse_files,
)
from primeta.cli.terminal import clock, progress, put, put_json
from primeta.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class LadderFiles(Files):
    """How the files of a ladder are read."""

    timezone: str = "UTC"
    """Of times that carry none; --until ends in it."""
    currency: str = ""
    """ISO code in which money is written, such as RUB."""


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
    margin: Margin = None,
    by: str = "",
    promo_code: Pairs = None,
    contact_cost: Pairs = None,
    annual_discount: float | None = None,
    attribution: str = "",
    shares: Pairs = None,
    level: float | None = None,
    read: LadderFiles = LadderFiles(),
    report: Path | None = None,
    shown: ShownThere = ShownThere(),
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
    report
        Also write one sheet for who has a minute: .html, .pdf or .svg.
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
    lang = shown.lang
    if directory is not None:
        refuse_files(directory, given)
        need_experiment(directory, experiment)
        ws, lang = opened(directory, shown)
        found = ws.ladder(experiment, now=clock(), **_for_workspace(asked))
    else:
        from primeta.reactivation.door import ladder as climb

        if not ({"orders", "lines"} & given.keys() and "assignments" in given):
            raise BadInput(
                "give --orders (or --lines) and --assignments, or a workspace with --experiment NAME"
            )
        need_until(until)
        with progress("ladder") as step:
            found = climb(
                given.pop("orders", None),
                given.pop("assignments"),
                **given,
                **asked,
                shares=numbers(shares, "--shares"),
                **read.asked(),
                experiment=experiment,
                progress=step,
            )
    if report is not None:
        found.report(report, lang=lang)
    if shown.json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    put_tables(
        found.table(lang),
        found.returners_table(lang),
        found.behaviour_table(lang),
        found.segment_table(lang),
    )
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
