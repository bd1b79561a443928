"""`primeta reactivation lapse`: who is silent longer than his own rhythm allows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from primeta.cli.terminal import Language, put, put_json


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
    columns: str = "",
    timezone: str = "UTC",
    date_format: str = "",
    json: Annotated[bool, Parameter(negative="")] = False,
    language: Language = "",
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
    columns
        Names in the file, separated by commas: customer_id=client,ordered_at=date.
    timezone
        Of times that carry none; days are cut in it.
    date_format
        Of ordered_at, where it cannot be told from the values: "dd.mm.yyyy HH:MM".
    json
        Print one JSON document.
    language
        en or ru; default: the workspace's.
    """
    from primeta.errors import BadInput
    from primeta.experiments.experiment import pairs

    if (directory is None) == (orders is None):
        raise BadInput("give a workspace, or a file of orders with --orders; one of the two")
    lang = "ru" if language == "ru" else "en"
    if directory is not None:
        from primeta.cli.terminal import clock, language_of, open_at
        from primeta.workspace.lapses import lapse_in

        ws = open_at(directory)
        lang = language_of(ws, language)
        found = lapse_in(
            ws,
            now=clock(),
            until=until or None,
            silence=silence,
            cooling=cooling,
            days=days,
            weeks=weeks,
            out=out,
            only=only,
        )
    else:
        from primeta.reactivation.lapse import lapse as find

        found = find(
            orders,
            until=until or None,
            silence=silence,
            cooling=cooling,
            days=days,
            weeks=weeks,
            columns=pairs([columns], "--columns"),
            timezone=timezone,
            date_format=date_format,
            out=out,
            only=only,
        )
    if json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    if not found.why_not:
        put("\n" + found.table(lang).text())
        if found.flow:
            put("\n" + found.flow_table(lang).text())
