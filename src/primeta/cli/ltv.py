"""`primeta ltv`: what each customer of an order log will bring."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from primeta.cli.reactivation_options import Flag, LogFile, Shown
from primeta.cli.terminal import put, put_json


def ltv(
    file: Path,
    /,
    *,
    until: str = "",
    unit: Literal["day", "week"] = "week",
    model: Literal["bg-nbd", "mbg-nbd", "pareto-nbd", "mbg-cnbd"] = "bg-nbd",
    horizon: float = 52,
    margin: float | None = None,
    annual_discount: float = 0.0,
    holdout: str = "",
    by: str = "",
    season: Flag = False,
    bootstrap: int = 1000,
    out: Path | None = None,
    log: LogFile = LogFile(),
    shown: Shown = Shown(),
) -> None:
    """What each customer will bring, by a customer-base model of an order log, and whether the model fits.

    Parameters
    ----------
    file
        CSV or Parquet file of orders (also a glob of Parquet files): customer_id, ordered_at, optional revenue
        (negative: a return), discount, margin. Orders of one customer on one day are one.
    until
        The last day that counts, inclusive, such as 2026-11-22; default: the last day with an order.
    unit
        Of the model's time and of --horizon.
    model
        mbg-cnbd is MBG/NBD with regular timing.
    horizon
        How far ahead, in units.
    margin
        Of list price, such as .4: money is then margin. Without it, and without a column margin, it is revenue.
    annual_discount
        .1 for 10% a year: money later is worth less today.
    holdout
        The last day that the model may see for its check; default: the last third of the log is held back.
    by
        A column that does not change for a customer, or cohort: groups with parameters of their own.
    season
        Let time run faster in busy weeks of the year; needs two years of orders.
    bootstrap
        Draws for the intervals of totals; 0: none.
    out
        CSV or Parquet file: one row a customer.
    """
    from primeta.reactivation.ltv import ltv as find

    found = find(
        file,
        until=until or None,
        unit=unit,
        model=model,
        horizon=horizon,
        margin=margin,
        annual_discount=annual_discount,
        **log.asked(),
        holdout=holdout or None,
        by=by,
        season=season,
        bootstrap=bootstrap,
        out=out,
    )
    if shown.json:
        put_json(found.as_dict())
        return
    put(found.line(shown.lang))
    put("\n" + found.table(shown.lang).text())
    if found.groups:
        put("\n" + found.group_table(shown.lang).text())
