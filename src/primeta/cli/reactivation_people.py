"""`primeta reactivation farms`: one person behind many accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from primeta.cli.terminal import Language, put, put_json

Json = Annotated[bool, Parameter(name="--json", negative="", help="One JSON document on standard output.")]
Pairs = Annotated[list[str] | None, Parameter(negative_iterable="", consume_multiple=True)]


def farms(
    *,
    orders: str,
    identities: str,
    until: str,
    customers: str = "",
    assignments: str = "",
    experiment: str = "",
    control: str = "",
    window: str = "30d",
    horizon: str = "365d",
    margin: float | None = None,
    promo_code: Pairs = None,
    contact_cost: Pairs = None,
    annual_discount: float = 0.0,
    smallest: int = 4,
    wide: int = 50,
    error: float = 0.05,
    columns: Pairs = None,
    timezone: str = "UTC",
    currency: str = "",
    out: Path | None = None,
    json: Json = False,
    language: Language = "",
) -> None:
    """Accounts that look like one person's, and the campaign's effects with and without them.

    Parameters
    ----------
    orders
        CSV or Parquet, also a glob: customer_id, ordered_at, revenue, optional order_id, discount, promo_code.
    identities
        CSV or Parquet: customer_id, kind (phone, device, address, payment …), value_hash.
    until
        The last day of the log, inclusive.
    customers
        CSV or Parquet: customer_id, registered_at; else an account is made at its first order.
    assignments
        CSV or Parquet: customer_id, arm, assigned_at. Then the ladder is climbed with and without the farms.
    experiment
        Name of the experiment, where the assignments hold several.
    control
        The arm left alone.
    window
        Of rungs 0 to 2, since assignment.
    horizon
        Of rung 4, since assignment.
    margin
        Of the list price, such as .4; where orders carry a margin of their own, that counts.
    promo_code
        ARM=CODE, as for the ladder.
    contact_cost
        ARM=MONEY once per assigned customer.
    annual_discount
        Of later money, back to the assignment.
    smallest
        Accounts that make a group worth a look.
    wide
        A phone or address that more accounts share joins them only if most look like one person's.
    error
        Chance that any group is called a burst where accounts are made independently.
    columns
        canonical=theirs, such as revenue=paid; for one table only orders.revenue=paid.
    timezone
        Of times that carry none.
    currency
        ISO code in which money is written.
    out
        CSV or Parquet file: each account with its group.
    json
        Print one JSON document.
    language
        en or ru.
    """
    from primeta.experiments.experiment import numbers, pairs
    from primeta.reactivation.farms import farms as find

    lang = "ru" if language == "ru" else "en"
    found = find(
        orders,
        identities,
        until=until,
        customers=customers or None,
        assignments=assignments or None,
        experiment=experiment,
        control=control,
        window=window,
        horizon=horizon,
        margin=margin,
        promo_code=pairs(promo_code, "--promo-code"),
        contact_cost=numbers(contact_cost, "--contact-cost"),
        annual_discount=annual_discount,
        smallest=smallest,
        wide=wide,
        error=error,
        columns=pairs(columns, "--columns"),
        timezone=timezone,
        currency=currency,
        out=out,
    )
    if json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    if found.clusters:
        put("\n" + found.table(lang).text())
    if found.effects:
        put("\n" + found.effects_table(lang).text())
