"""`primeta reactivation interviews`, `farms` and `sources`: who the customers are that leave, come back, or never were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from primeta.cli.reactivation_options import (
    Files,
    Margin,
    Pairs,
    Shown,
    ShownThere,
    need_experiment,
    need_until,
    opened,
    put_tables,
    refuse_files,
)
from primeta.cli.terminal import clock, put, put_json
from primeta.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class SourceFiles(Files):
    """How the files of `sources` are read."""

    timezone: str = "UTC"
    """Of times that carry none; days are cut in it."""


def _of_files_only(directory: Path, **given: Any) -> None:
    refuse_files(directory, given, ", which the workspace knows itself")


def farms(
    directory: Path | None = None,
    /,
    *,
    orders: str = "",
    identities: str = "",
    until: str = "",
    customers: str = "",
    assignments: str = "",
    experiment: str = "",
    control: str = "",
    window: str = "30d",
    horizon: str = "365d",
    margin: Margin = None,
    promo_code: Pairs = None,
    contact_cost: Pairs = None,
    annual_discount: float = 0.0,
    smallest: int = 4,
    wide: int = 50,
    error: float = 0.05,
    read: Files = Files(),
    out: Path | None = None,
    shown: Shown = Shown(),
) -> None:
    """Accounts that look like one person's, and the campaign's effects with and without them.

    Parameters
    ----------
    directory
        A workspace, with --experiment for its effects; or give --orders and --identities.
    orders
        CSV or Parquet, also a glob: customer_id, ordered_at, revenue, optional order_id, discount, promo_code.
    identities
        CSV or Parquet: customer_id, kind (phone, device, address, payment …), value_hash.
    until
        The last day of the log, inclusive; needed on files.
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
    out
        CSV or Parquet file: each account with its group.
    """
    from primeta.experiments.experiment import numbers, pairs

    lang = shown.lang
    if directory is not None:
        _of_files_only(
            directory,
            orders=orders,
            identities=identities,
            until=until,
            customers=customers,
            assignments=assignments,
            control=control,
            margin=margin,
            promo_code=promo_code,
            contact_cost=contact_cost,
            annual_discount=annual_discount,
            columns=read.columns,
            currency=read.currency,
        )
        ws, lang = opened(directory, shown)
        found = ws.farms(
            now=clock(), experiment=experiment, smallest=smallest, wide=wide, error=error, out=out
        )
    else:
        from primeta.reactivation.farms import farms as find

        if not (orders and identities):
            raise BadInput("give --orders and --identities, or a workspace")
        need_until(until)
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
            **read.asked(),
            out=out,
        )
    if shown.json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    put_tables(found.table(lang), found.bursts_table(lang), found.effects_table(lang))


def interviews(
    directory: Path | None = None,
    /,
    *,
    experiment: str = "",
    orders: str = "",
    assignments: str = "",
    messages: str = "",
    reactions: str = "",
    consents: str = "",
    control: str = "",
    window: str = "30d",
    until: str = "",
    each: int = 8,
    reserve: int = 2,
    seed: str = "",
    called: str = "",
    answers: str = "",
    calls: str = "",
    after: str = "90d",
    code: Pairs = None,
    guide: bool = False,
    trend: str = "",
    reason: str = "",
    by: str = "",
    redraw: bool = False,
    read: Files = Files(),
    out: Path | None = None,
    shown: ShownThere = ShownThere(),
) -> None:
    """Whom to call of those who left and those who came back, what to ask, and what they said.

    Parameters
    ----------
    directory
        A workspace, with --experiment; or give --orders and --assignments.
    experiment
        Name of the experiment; on files only where the assignments hold several.
    orders
        CSV or Parquet, also a glob: customer_id, ordered_at, revenue.
    assignments
        CSV or Parquet: customer_id, arm, assigned_at.
    messages
        Messages: customer_id, sent_at, optional message_id, withheld: who was really written to.
    reactions
        Reactions: message_id, kind, happened_at. Who unsubscribed or complained is not called.
    consents
        Consents: customer_id, processing, state, happened_at. Only those with marketing consent are called.
    control
        The arm left alone. Without it nobody is known to have come back alone.
    window
        Days since assignment within which a return counts.
    until
        The last day up to which the order log is complete, inclusive; needed on files.
    each
        People to call in each of the four groups.
    reserve
        In reserve for each of them.
    seed
        Another one draws other people.
    called
        CSV or Parquet: customer_id of those called before.
    answers
        CSV or Parquet: customer_id or call, said_at, reason, optional quote, would_return, language, coder.
    calls
        The exported list that the answers belong to; default: the list as it is drawn now.
    after
        Days after the talk over which orders are looked at.
    code
        CODE=WORDS: a reason of your own.
    guide
        Print what to ask, and nothing else.
    trend
        Attach the quotes to this trend of the workspace, as signs of origin voice; with --by.
    reason
        Only quotes with this code.
    by
        Who attaches them.
    redraw
        Draw the workspace's list again.
    out
        CSV or Parquet file of the list, with the customers' ids.
    """
    from primeta.experiments.experiment import pairs

    lang = shown.lang
    if guide:
        from primeta.reactivation.interview_guide import guide as written

        put(written(lang))
        return
    codes = pairs(code, "--code")
    notes: tuple[Any, ...] = ()
    if directory is not None:
        from primeta.reactivation.door import days_of

        _of_files_only(
            directory,
            orders=orders,
            assignments=assignments,
            messages=messages,
            reactions=reactions,
            consents=consents,
            control=control,
            until=until,
            calls=calls,
            columns=read.columns,
            currency=read.currency,
        )
        need_experiment(directory, experiment, "it is about")
        if trend and not by:
            raise BadInput("--trend needs --by: who attaches the quotes")
        ws, lang = opened(directory, shown)
        found = ws.interviews(
            experiment,
            now=clock(),
            each=each,
            reserve=reserve,
            seed=seed,
            called=called or None,
            answers=answers or None,
            after_days=days_of(after, "--after"),
            codes=codes,
            fresh=redraw,
            out=out,
        )
        if trend:
            notes = ws.attach_quotes(experiment, trend, by=by, now=clock(), reason=reason, lang=lang)
    else:
        from primeta.reactivation.interviews import interviews as draw

        if not (orders and assignments):
            raise BadInput("give --orders and --assignments, or a workspace with --experiment NAME")
        need_until(until)
        if trend:
            raise BadInput("--trend is a trend of a workspace: give the workspace")
        found = draw(
            orders,
            assignments,
            until=until,
            control=control,
            window=window,
            each=each,
            reserve=reserve,
            seed=seed,
            messages=messages or None,
            reactions=reactions or None,
            consents=consents or None,
            called=called or None,
            answers=answers or None,
            calls=calls or None,
            after=after,
            codes=codes,
            experiment=experiment,
            **read.asked(),
            out=out,
        )
    if shown.json:
        put_json({**found.as_dict(), **({"notes_attached": [note.id for note in notes]} if trend else {})})
        return
    put(found.line(lang))
    tables = [found.table(lang)]
    if found.reasons is not None and not found.reasons.why_not:
        tables += [
            found.reasons.table(lang),
            found.reasons.agreement_table(lang),
            found.reasons.later_table(lang),
        ]
    put_tables(*tables)
    for note in notes:
        put(f"{note.id}  {note.subject}: {note.text}")


def sources(
    directory: Path | None = None,
    /,
    *,
    orders: str = "",
    customers: str = "",
    spend: str = "",
    identities: str = "",
    until: str = "",
    margin: Margin = None,
    cohort: str = "quarter",
    horizon: str = "365d",
    returns: Pairs = None,
    model: str = "bg-nbd",
    read: SourceFiles = SourceFiles(),
    shown: ShownThere = ShownThere(),
) -> None:
    """What customers of each acquisition source bring, cost and pay back, beside how many first orders there are.

    Parameters
    ----------
    directory
        A workspace; or give --orders and --customers.
    orders
        CSV or Parquet, also a glob: customer_id, ordered_at, revenue, optional order_id, discount, margin.
    customers
        CSV or Parquet: customer_id, source.
    spend
        CSV or Parquet: source, day, money.
    identities
        CSV or Parquet: customer_id, kind, value_hash. Then the share of farms' accounts is told.
    until
        The last day of the log, inclusive; needed on files.
    cohort
        Split by the month, quarter or year of the first order; all: not split.
    horizon
        Of LTV, since the first order: what was seen of it, and the rest by the model.
    returns
        Days since the first order at which money is held against the cost, such as 30d 90d.
    model
        bg-nbd, mbg-nbd, pareto-nbd or mbg-cnbd.
    """
    lang = shown.lang
    asked: dict[str, Any] = {"cohort": cohort, "horizon": horizon, "model": model}
    if returns:
        asked["returns"] = [part for entry in returns for part in entry.split(",") if part]
    if directory is not None:
        _of_files_only(
            directory,
            orders=orders,
            customers=customers,
            spend=spend,
            identities=identities,
            columns=read.columns,
            currency=read.currency,
        )
        ws, lang = opened(directory, shown)
        given = {"until": until or None, "margin": margin}
        found = ws.sources(**{name: value for name, value in given.items() if value is not None}, **asked)
    else:
        from primeta.reactivation.acquisition import acquisition as find

        if not (orders and customers):
            raise BadInput("give --orders and --customers, or a workspace")
        need_until(until)
        found = find(
            orders,
            customers,
            until=until,
            margin=margin,
            spend=spend or None,
            identities=identities or None,
            **read.asked(),
            **asked,
        )
    if shown.json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    put_tables(found.table(lang), found.cohort_table(lang))
