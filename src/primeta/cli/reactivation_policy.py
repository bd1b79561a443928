"""`primeta reactivation moment | sequence | discount`: what to do with lapsed customers, by experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from primeta.cli.terminal import Language, put, put_json, tell
from primeta.errors import BadInput

if TYPE_CHECKING:
    from primeta.reactivation.policy.design import PolicyPlan
    from primeta.reactivation.policy.result import PolicyResult

Pairs = Annotated[list[str] | None, Parameter(negative_iterable="", consume_multiple=True)]
Flag = Annotated[bool, Parameter(negative="")]


def moment(
    directory: Path | None = None,
    /,
    *,
    orders: Path | None = None,
    assignments: Path | None = None,
    messages: Path | None = None,
    control: str = "",
    horizon: str = "",
    until: str = "",
    margin: float | None = None,
    by: str = "",
    contact_cost: Pairs = None,
    policy: Path | None = None,
    experiment: str = "",
    columns: str = "",
    timezone: str = "UTC",
    level: float | None = None,
    currency: str = "",
    plan: Flag = False,
    delays: str = "",
    never: str = ".2",
    eligible_per_week: float | None = None,
    weeks: float | None = None,
    sd: float | None = None,
    effect: float | None = None,
    power: float = 0.8,
    assign: Path | None = None,
    out: Path | None = None,
    json: Flag = False,
    language: Language = "",
) -> None:
    """The best day since the lapse to write on: plan the experiment, draw it, read it.

    Parameters
    ----------
    directory
        A workspace, with --experiment; or give --orders and --assignments.
    orders
        CSV or Parquet: customer_id, ordered_at, revenue, optional order_id, discount, margin, status.
    assignments
        CSV or Parquet: customer_id, arm, assigned_at (the lapse), delay_days (none for the control), optional
        probability, experiment, channel and the column of --by.
    messages
        What was sent: customer_id, sent_at, cost; instead of --contact-cost.
    control
        The arm that is never contacted.
    horizon
        Over which money is counted since the lapse, such as 180d; default 365d (of a plan: 180d).
    until
        The last day up to which the order log is complete, inclusive.
    margin
        Of the list price, such as .4; where orders carry a margin of their own, that counts.
    by
        Column of the assignments, known before, by which the curve is split.
    contact_cost
        ARM=MONEY or CHANNEL=MONEY for one contact; MONEY alone for every arm but the control.
    policy
        A file customer_id (or segment) and arm or delay_days: the value of doing so.
    experiment
        Which one, where the assignments hold several; with --assign the name of the new one.
    columns
        canonical=theirs,… where the files call a column otherwise.
    timezone
        Of times that carry none; --until ends in it.
    level
        Of the intervals.
    currency
        ISO code in which money is written, such as RUB.
    plan
        Plan an experiment instead of reading one.
    delays
        Of a plan: days since the lapse, such as 0,7,14,28.
    never
        Of a plan: share that is left alone.
    eligible_per_week
        Of a plan: customers who lapse in a week.
    weeks
        Of a plan: how long customers enter; default: as long as --effect needs.
    sd
        Of a plan: standard deviation of one customer's money over the horizon.
    effect
        Of a plan: money per lapsed customer that is to be seen.
    power
        Of a plan: probability of seeing it if it is there.
    assign
        With --plan: a file customer_id, assigned_at (the lapse) of customers to draw.
    out
        With --assign: the table of assignments to write, CSV or Parquet.
    json
        Print one JSON document.
    language
        en or ru.
    """
    lang = "ru" if language == "ru" else "en"
    if plan:
        from primeta.reactivation.policy.design import plan_moment

        planned = plan_moment(
            _numbers(delays, "--delays"),
            never=_share(never),
            **_size(eligible_per_week, weeks, sd, effect, power, 0.95 if level is None else level, horizon),
        )
        _planned(planned, assign=assign, out=out, experiment=experiment, json=json, lang=lang)
        return
    if directory is not None:
        given = {"orders": orders, "assignments": assignments, "messages": messages}
        asked = _for_workspace(
            directory, given, experiment, control, horizon, until, margin, by, contact_cost, policy, level
        )
        _show_in(directory, "moment", experiment, asked, json, language)
        return
    from primeta.reactivation.policy.door import moment as find

    _show(
        find(
            **_asked(
                orders, assignments, messages, control, horizon, until, margin, by, contact_cost, policy
            ),
            experiment=experiment,
            columns=_columns(columns),
            timezone=timezone,
            level=0.95 if level is None else level,
            currency=currency,
        ),
        json,
        lang,
    )


def sequence(
    directory: Path | None = None,
    /,
    *,
    orders: Path | None = None,
    assignments: Path | None = None,
    messages: Path | None = None,
    control: str = "",
    horizon: str = "",
    until: str = "",
    margin: float | None = None,
    by: str = "",
    contact_cost: Pairs = None,
    policy: Path | None = None,
    experiment: str = "",
    columns: str = "",
    timezone: str = "UTC",
    level: float | None = None,
    currency: str = "",
    plan: Flag = False,
    first: str = "",
    second: str = "",
    second_day: str = "14d",
    answer: str = ".1",
    never: str = ".2",
    eligible_per_week: float | None = None,
    weeks: float | None = None,
    sd: float | None = None,
    effect: float | None = None,
    power: float = 0.8,
    assign: Path | None = None,
    began: Path | None = None,
    out: Path | None = None,
    json: Flag = False,
    language: Language = "",
) -> None:
    """The best sequence of channels: plan a two-stage experiment, draw it, read it.

    Parameters
    ----------
    directory
        A workspace, with --experiment; or give --orders and --assignments.
    orders
        CSV or Parquet: customer_id, ordered_at, revenue, optional order_id, discount, margin, status.
    assignments
        CSV or Parquet: customer_id, arm, assigned_at, stage (1, and 2 on a second row of those who stayed silent),
        optional probability, experiment, channel and the column of --by.
    messages
        What was sent: customer_id, sent_at, cost; instead of --contact-cost.
    control
        The arm that is never contacted; without one sequences are compared with each other only.
    horizon
        Over which money is counted since the lapse, such as 180d; default 365d (of a plan: 180d).
    until
        The last day up to which the order log is complete, inclusive.
    margin
        Of the list price, such as .4; where orders carry a margin of their own, that counts.
    by
        Column of the assignments, known before, by which everything is split.
    contact_cost
        ARM=MONEY or CHANNEL=MONEY for one contact; MONEY alone for every arm but the control.
    policy
        A file customer_id (or segment) and sequence, by its name in the result: the value of doing so.
    experiment
        Which one, where the assignments hold several; with --assign the name of the new one.
    columns
        canonical=theirs,… where the files call a column otherwise.
    timezone
        Of times that carry none; --until ends in it.
    level
        Of the intervals.
    currency
        ISO code in which money is written, such as RUB.
    plan
        Plan an experiment instead of reading one.
    first
        Of a plan: channels of the first contact, such as email,push.
    second
        Of a plan: channels of the second contact, for the silent.
    second_day
        Of a plan: from the lapse to the second contact.
    answer
        Of a plan: share that is expected back before the second contact.
    never
        Of a plan: share that is left alone.
    eligible_per_week
        Of a plan: customers who lapse in a week.
    weeks
        Of a plan: how long customers enter; default: as long as --effect needs.
    sd
        Of a plan: standard deviation of one customer's money over the horizon.
    effect
        Of a plan: money per lapsed customer that is to be seen.
    power
        Of a plan: probability of seeing it if it is there.
    assign
        With --plan: a file customer_id, assigned_at (the lapse) of customers to draw; with --began the silent ones.
    began
        With --assign: the table of the first stage; the second is drawn.
    out
        With --assign: the table of assignments to write, CSV or Parquet.
    json
        Print one JSON document.
    language
        en or ru.
    """
    lang = "ru" if language == "ru" else "en"
    if plan:
        from primeta.reactivation.door import days_of
        from primeta.reactivation.policy.design import plan_sequence

        planned = plan_sequence(
            _names(first),
            _names(second),
            never=_share(never),
            answer=_share(answer, "--answer"),
            second_day=float(days_of(second_day, "--second-day")),
            **_size(eligible_per_week, weeks, sd, effect, power, 0.95 if level is None else level, horizon),
        )
        _planned(planned, assign=assign, out=out, experiment=experiment, json=json, lang=lang, began=began)
        return
    if directory is not None:
        given = {"orders": orders, "assignments": assignments, "messages": messages}
        asked = _for_workspace(
            directory, given, experiment, control, horizon, until, margin, by, contact_cost, policy, level
        )
        _show_in(directory, "sequence", experiment, asked, json, language)
        return
    from primeta.reactivation.policy.door import sequence as find

    _show(
        find(
            **_asked(
                orders, assignments, messages, control, horizon, until, margin, by, contact_cost, policy
            ),
            experiment=experiment,
            columns=_columns(columns),
            timezone=timezone,
            level=0.95 if level is None else level,
            currency=currency,
        ),
        json,
        lang,
    )


def discount(
    directory: Path | None = None,
    /,
    *,
    orders: Path | None = None,
    assignments: Path | None = None,
    messages: Path | None = None,
    control: str = "",
    horizon: str = "",
    until: str = "",
    margin: float | None = None,
    by: str = "",
    contact_cost: Pairs = None,
    budget: float | None = None,
    eligible: int = 0,
    policy: Path | None = None,
    experiment: str = "",
    columns: str = "",
    timezone: str = "UTC",
    level: float | None = None,
    currency: str = "",
    plan: Flag = False,
    depths: str = "",
    delays: str = "",
    never: str = ".2",
    eligible_per_week: float | None = None,
    weeks: float | None = None,
    sd: float | None = None,
    effect: float | None = None,
    power: float = 0.8,
    assign: Path | None = None,
    out: Path | None = None,
    json: Flag = False,
    language: Language = "",
) -> None:
    """The best discount by time since the lapse: plan the experiment, draw it, read it.

    Parameters
    ----------
    directory
        A workspace, with --experiment; or give --orders and --assignments.
    orders
        CSV or Parquet: customer_id, ordered_at, revenue, discount, optional order_id, margin, status.
    assignments
        CSV or Parquet: customer_id, arm, assigned_at (the lapse), discount (share of list price; 0: a message without
        one), optional delay_days, probability, experiment, channel and the column of --by.
    messages
        What was sent: customer_id, sent_at, cost; instead of --contact-cost.
    control
        The arm that is never contacted.
    horizon
        Over which money is counted since the lapse, such as 180d; default 365d (of a plan: 180d).
    until
        The last day up to which the order log is complete, inclusive.
    margin
        Of the list price, such as .4; where orders carry a margin of their own, that counts.
    by
        Column of the assignments, known before: the policy then chooses by it too.
    contact_cost
        ARM=MONEY or CHANNEL=MONEY for one contact; MONEY alone for every arm but the control.
    budget
        Money for discounts and contacts, beyond what is given away without contact.
    eligible
        Customers for whom the budget is meant; default: as many as were assigned.
    policy
        A file customer_id (or segment) and arm or discount: the value of doing so.
    experiment
        Which one, where the assignments hold several; with --assign the name of the new one.
    columns
        canonical=theirs,… where the files call a column otherwise.
    timezone
        Of times that carry none; --until ends in it.
    level
        Of the intervals.
    currency
        ISO code in which money is written, such as RUB.
    plan
        Plan an experiment instead of reading one.
    depths
        Of a plan: discounts as shares, such as 0,.1,.2; 0 is a message without one.
    delays
        Of a plan: days since the lapse, such as 7,28; default: one day for all.
    never
        Of a plan: share that is left alone.
    eligible_per_week
        Of a plan: customers who lapse in a week.
    weeks
        Of a plan: how long customers enter; default: as long as --effect needs.
    sd
        Of a plan: standard deviation of one customer's money over the horizon.
    effect
        Of a plan: money per lapsed customer that is to be seen.
    power
        Of a plan: probability of seeing it if it is there.
    assign
        With --plan: a file customer_id, assigned_at (the lapse) of customers to draw.
    out
        With --assign: the table of assignments to write, CSV or Parquet.
    json
        Print one JSON document.
    language
        en or ru.
    """
    lang = "ru" if language == "ru" else "en"
    if plan:
        from primeta.reactivation.policy.design import plan_discount

        planned = plan_discount(
            _numbers(depths, "--depths"),
            _numbers(delays, "--delays") if delays else [],
            never=_share(never),
            **_size(eligible_per_week, weeks, sd, effect, power, 0.95 if level is None else level, horizon),
        )
        _planned(planned, assign=assign, out=out, experiment=experiment, json=json, lang=lang)
        return
    if directory is not None:
        given = {"orders": orders, "assignments": assignments, "messages": messages}
        asked = _for_workspace(
            directory, given, experiment, control, horizon, until, margin, by, contact_cost, policy, level
        )
        _show_in(directory, "discount", experiment, asked, json, language, budget=budget, eligible=eligible)
        return
    from primeta.reactivation.policy.door import discount as find

    _show(
        find(
            **_asked(
                orders, assignments, messages, control, horizon, until, margin, by, contact_cost, policy
            ),
            budget=budget,
            eligible=eligible,
            experiment=experiment,
            columns=_columns(columns),
            timezone=timezone,
            level=0.95 if level is None else level,
            currency=currency,
        ),
        json,
        lang,
    )


def _for_workspace(
    directory: Path,
    given: dict[str, Path | None],
    experiment: str,
    control: str,
    horizon: str,
    until: str,
    margin: float | None,
    by: str,
    contact_cost: list[str] | None,
    policy: Path | None,
    level: float | None,
) -> dict[str, Any]:
    """The options under the names that a workspace gives them; what was not said is left to it."""
    from primeta.reactivation.door import day_given, days_of
    from primeta.reactivation.policy.inputs import contact_costs_of

    file = next((name for name, path in given.items() if path is not None), "")
    if file:
        raise BadInput(f"give a workspace or files, not both: {directory} and --{file}")
    if not experiment:
        raise BadInput(f"say which experiment of {directory} is measured: --experiment NAME")
    asked = {
        "control": control or None,
        "horizon_days": days_of(horizon, "--horizon") if horizon else None,
        "until": day_given(until, "--until") if until else None,
        "margin": margin,
        "by": by or None,
        "contact_costs": contact_costs_of(contact_cost) if contact_cost else None,
        "policy": policy,
        "level": level,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _show_in(
    directory: Path,
    kind: str,
    experiment: str,
    asked: dict[str, Any],
    json: bool,
    language: Language,
    **more: Any,
) -> None:
    """The answer of a workspace, in its language unless another is asked for."""
    from primeta.cli.terminal import clock, language_of, open_at

    ws = open_at(directory)
    find = {"moment": ws.moment, "sequence": ws.sequence, "discount": ws.discount}[kind]
    _show(find(experiment, now=clock(), **asked, **more), json, language_of(ws, language))


def _asked(
    orders: Path | None,
    assignments: Path | None,
    messages: Path | None,
    control: str,
    horizon: str,
    until: str,
    margin: float | None,
    by: str,
    contact_cost: list[str] | None,
    policy: Path | None,
) -> dict[str, Any]:
    from primeta.reactivation.policy.inputs import contact_costs_of

    if orders is None or assignments is None:
        raise BadInput("give --orders FILE and --assignments FILE, or --plan to plan an experiment")
    if not until:
        raise BadInput("give --until, the last day up to which the order log is complete: --until 2026-11-26")
    return {
        "orders": orders,
        "assignments": assignments,
        "messages": messages,
        "control": control,
        "horizon": horizon or "365d",
        "until": until,
        "margin": margin,
        "by": by,
        "contact_cost": contact_costs_of(contact_cost),
        "policy": policy,
    }


def _columns(text: str) -> dict[str, str]:
    from primeta.experiments.experiment import pairs

    return pairs([text], "--columns")


def _size(
    per_week: float | None,
    weeks: float | None,
    sd: float | None,
    effect: float | None,
    power: float,
    level: float,
    horizon: str,
) -> dict[str, Any]:
    from primeta.reactivation.door import days_of

    nan = float("nan")
    if not 0 < power < 1:
        raise BadInput(f"--power is a probability such as .8; {power:g} was given")
    if not 0.5 <= level < 1:
        raise BadInput(f"--level is from .5 to below 1, such as .95; {level:g} was given")
    return {
        "per_week": nan if per_week is None else per_week,
        "weeks": weeks,
        "sd": nan if sd is None else sd,
        "effect": nan if effect is None else effect,
        "power": power,
        "level": level,
        "horizon": days_of(horizon or "180d", "--horizon"),
    }


def _numbers(text: str, option: str) -> list[float]:
    from primeta.experiments.assignment import parse_share

    return [parse_share(part, option) for part in text.split(",") if part.strip()]


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _share(text: str, option: str = "--never") -> float:
    from primeta.experiments.assignment import parse_share

    return parse_share(text, option)


def _planned(
    planned: PolicyPlan,
    *,
    assign: Path | None,
    out: Path | None,
    experiment: str,
    json: bool,
    lang: str,
    began: Path | None = None,
) -> None:
    """Show a plan, or draw by it."""
    if assign is None:
        if json:
            put_json(planned.as_dict())
            return
        put(planned.line(lang))
        put("\n" + planned.table(lang).text())
        return
    from primeta.reactivation.policy.design import assign_first, assign_second

    if out is None or not experiment:
        raise BadInput(
            "with --assign give --out FILE and --experiment NAME: the name is the salt of its lottery"
        )
    if began is None:
        drawn = assign_first(planned, assign, salt=experiment, out=out)
    else:
        drawn = assign_second(planned, assign, began, salt=experiment, out=out)
    if json:
        put_json(drawn.as_dict())
        return
    put(drawn.line(lang))


def _show(found: PolicyResult, json: bool, lang: str) -> None:
    if json:
        put_json(found.as_dict())
        return
    put(found.line(lang))
    if found.why_not:
        for remark in found.remarks(lang):
            tell(remark)
    tables = [found.rival_table(lang)]
    if found.kind == "discount":
        tables = [found.choice_table(lang), *tables, found.response_table(lang)]
    if found.segments:
        tables.append(found.segment_table(lang))
    for table in (*tables, found.table(lang)):
        if table.rows:
            put("\n" + table.text())
