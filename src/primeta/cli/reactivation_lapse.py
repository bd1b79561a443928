"""`primeta reactivation lapse`: who is silent longer than his own rhythm allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from primeta.cli.reactivation_options import LogFile, ShownThere, opened
from primeta.cli.terminal import clock, put, put_json
from primeta.errors import BadInput


def lapse(
    directory: Path | None = None,
    /,
    *,
    orders: Path | None = None,
    until: str = "",
    silence: float = 0.05,
    cooling: float = 0.2,
    days: int = 90,
    weeks: int = 26,
    out: Path | None = None,
    only: Literal["", "active", "cooling", "lapsed", "gone"] = "",
    log: LogFile = LogFile(),
    shown: ShownThere = ShownThere(),
) -> None:
    """Who is silent longer than his own rhythm allows, since when, and who moves between the states.

    Parameters
    ----------
    directory
        A workspace; or give --orders.
    orders
        CSV or Parquet file of orders (also a glob of Parquet files): customer_id, ordered_at, optional revenue.
    until
        The last day that counts, inclusive, such as 2026-11-22; default: the last day with an order.
    silence
        A customer lapses when so long a silence has become less likely than this for him.
    cooling
        He is cooling from this probability on.
    days
        A fixed number of days to compare with: what it would get wrong.
    weeks
        Weeks of flow between the states.
    out
        CSV or Parquet file: one row a customer, to assign an experiment on.
    only
        Rows of customers in this state only: active, cooling, lapsed or gone.
    """
    if (directory is None) == (orders is None):
        raise BadInput("give a workspace, or a file of orders with --orders; one of the two")
    asked: dict[str, Any] = {
        "until": until or None,
        "silence": silence,
        "cooling": cooling,
        "days": days,
        "weeks": weeks,
        "out": out,
        "only": only,
    }
    if directory is not None:
        from primeta.workspace.lapses import lapse_in

        ws, lang = opened(directory, shown)
        found = lapse_in(ws, now=clock(), **asked)
    else:
        from primeta.reactivation.lapse import lapse as find

        lang = shown.lang
        found = find(orders, **log.asked(), **asked)
    if shown.json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    if not found.why_not:
        put("\n" + found.table(lang).text())
        if found.flow:
            put("\n" + found.flow_table(lang).text())
