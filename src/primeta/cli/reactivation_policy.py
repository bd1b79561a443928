"""`primeta reactivation moment | sequence | discount`: what to do with lapsed customers, by experiment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from primeta.cli.reactivation_options import (
    Margin,
    Pairs,
    Shown,
    Terms,
    days_and_day,
    known,
    need_experiment,
    need_until,
    opened,
    put_tables,
    refuse_files,
)
from primeta.cli.terminal import put, put_json, tell
from primeta.errors import BadInput

if TYPE_CHECKING:
    from primeta.reactivation.policy.design import PolicyPlan
    from primeta.reactivation.policy.result import PolicyResult

Directory = Annotated[
    Path | None,
    Parameter(help="A workspace, with --experiment; or give --orders and --assignments."),
]
Experiment = Annotated[
    str,
    Parameter(
        help="Which one, where the assignments hold several; with --assign the name of the new one.",
    ),
]
Plan = Annotated[bool, Parameter(negative="", help="Plan an experiment instead of reading one.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Lapses:
    """What an experiment is read from, and how its money is counted, as `moment` words it."""

    orders: Path | None = None
    """CSV or Parquet: customer_id, ordered_at, revenue, optional order_id, discount, margin, status."""
    assignments: Path | None = None
    """CSV or Parquet: customer_id, arm, assigned_at (the lapse), delay_days (none for the control), optional
    probability, experiment, channel and the column of --by."""
    messages: Path | None = None
    """What was sent: customer_id, sent_at, cost; instead of --contact-cost."""
    control: str = ""
    """The arm that is never contacted."""
    horizon: str = ""
    """Over which money is counted since the lapse, such as 180d; default 365d (of a plan: 180d)."""
    until: str = ""
    """The last day up to which the order log is complete, inclusive."""
    margin: Margin = None
    by: str = ""
    """Column of the assignments, known before, by which the curve is split."""
    contact_cost: Pairs = None
    """ARM=MONEY or CHANNEL=MONEY for one contact; MONEY alone for every arm but the control."""

    def asked(self, policy: Path | None) -> dict[str, Any]:
        """For the files; what they need and lack is refused."""
        from primeta.reactivation.policy.inputs import contact_costs_of

        if self.orders is None or self.assignments is None:
            raise BadInput("give --orders FILE and --assignments FILE, or --plan to plan an experiment")
        need_until(self.until)
        return {
            "orders": self.orders,
            "assignments": self.assignments,
            "messages": self.messages,
            "control": self.control,
            "horizon": self.horizon or "365d",
            "until": self.until,
            "margin": self.margin,
            "by": self.by,
            "contact_cost": contact_costs_of(self.contact_cost),
            "policy": policy,
        }

    def asked_of(
        self, directory: Path, experiment: str, policy: Path | None, level: float | None
    ) -> dict[str, Any]:
        """For a workspace, under its names; what was not said is left to it."""
        from primeta.reactivation.policy.inputs import contact_costs_of

        refuse_files(
            directory, {"orders": self.orders, "assignments": self.assignments, "messages": self.messages}
        )
        need_experiment(directory, experiment)
        return known(
            {
                "control": self.control or None,
                **days_and_day(self.horizon, self.until),
                "margin": self.margin,
                "by": self.by or None,
                "contact_costs": contact_costs_of(self.contact_cost) if self.contact_cost else None,
                "policy": policy,
                "level": level,
            }
        )


@dataclass(frozen=True, kw_only=True)
class Stages(Lapses):
    """The same for `sequence`."""

    assignments: Path | None = None
    """CSV or Parquet: customer_id, arm, assigned_at, stage (1, and 2 on a second row of those who stayed silent),
    optional probability, experiment, channel and the column of --by."""
    control: str = ""
    """The arm that is never contacted; without one sequences are compared with each other only."""
    by: str = ""
    """Column of the assignments, known before, by which everything is split."""


@dataclass(frozen=True, kw_only=True)
class Depths(Lapses):
    """The same for `discount`."""

    orders: Path | None = None
    """CSV or Parquet: customer_id, ordered_at, revenue, discount, optional order_id, margin, status."""
    assignments: Path | None = None
    """CSV or Parquet: customer_id, arm, assigned_at (the lapse), discount (share of list price; 0: a message without
    one), optional delay_days, probability, experiment, channel and the column of --by."""
    by: str = ""
    """Column of the assignments, known before: the policy then chooses by it too."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Size:
    """How large an experiment is planned to be."""

    never: str = ".2"
    """Of a plan: share that is left alone."""
    eligible_per_week: float | None = None
    """Of a plan: customers who lapse in a week."""
    weeks: float | None = None
    """Of a plan: how long customers enter; default: as long as --effect needs."""
    sd: float | None = None
    """Of a plan: standard deviation of one customer's money over the horizon."""
    effect: float | None = None
    """Of a plan: money per lapsed customer that is to be seen."""
    power: float = 0.8
    """Of a plan: probability of seeing it if it is there."""

    def asked(self, level: float, horizon: str) -> dict[str, Any]:
        from primeta.reactivation.door import days_of

        nan, never = float("nan"), _share(self.never, "--never")
        if not 0 < self.power < 1:
            raise BadInput(f"--power is a probability such as .8; {self.power:g} was given")
        if not 0.5 <= level < 1:
            raise BadInput(f"--level is from .5 to below 1, such as .95; {level:g} was given")
        return {
            "never": never,
            "per_week": nan if self.eligible_per_week is None else self.eligible_per_week,
            "weeks": self.weeks,
            "sd": nan if self.sd is None else self.sd,
            "effect": nan if self.effect is None else self.effect,
            "power": self.power,
            "level": level,
            "horizon": days_of(horizon or "180d", "--horizon"),
        }


Assign = Annotated[
    Path | None,
    Parameter(help="With --plan: a file customer_id, assigned_at (the lapse) of customers to draw."),
]
Out = Annotated[
    Path | None,
    Parameter(help="With --assign: the table of assignments to write, CSV or Parquet."),
]


def moment(
    directory: Directory = None,
    /,
    *,
    lapses: Lapses = Lapses(),
    policy: Path | None = None,
    experiment: Experiment = "",
    terms: Terms = Terms(),
    plan: Plan = False,
    delays: str = "",
    size: Size = Size(),
    assign: Assign = None,
    out: Out = None,
    shown: Shown = Shown(),
) -> None:
    """The best day since the lapse to write on: plan the experiment, draw it, read it.

    Parameters
    ----------
    policy
        A file customer_id (or segment) and arm or delay_days: the value of doing so.
    delays
        Of a plan: days since the lapse, such as 0,7,14,28.
    """
    if plan:
        from primeta.reactivation.policy.design import plan_moment

        days, more = _numbers(delays, "--delays"), size.asked(terms.sure, lapses.horizon)
        _planned(plan_moment(days, **more), shown, assign=assign, out=out, experiment=experiment)
    elif directory is not None:
        asked = lapses.asked_of(directory, experiment, policy, terms.level)
        _show_in(directory, "moment", experiment, asked, shown)
    else:
        from primeta.reactivation.policy.door import moment as find

        found = find(**lapses.asked(policy), experiment=experiment, **terms.asked())
        _show(found, shown.json, shown.lang)


def sequence(
    directory: Directory = None,
    /,
    *,
    lapses: Stages = Stages(),
    policy: Path | None = None,
    experiment: Experiment = "",
    terms: Terms = Terms(),
    plan: Plan = False,
    first: str = "",
    second: str = "",
    second_day: str = "14d",
    answer: str = ".1",
    size: Size = Size(),
    assign: Path | None = None,
    began: Path | None = None,
    out: Out = None,
    shown: Shown = Shown(),
) -> None:
    """The best sequence of channels: plan a two-stage experiment, draw it, read it.

    Parameters
    ----------
    policy
        A file customer_id (or segment) and sequence, by its name in the result: the value of doing so.
    first
        Of a plan: channels of the first contact, such as email,push.
    second
        Of a plan: channels of the second contact, for the silent.
    second_day
        Of a plan: from the lapse to the second contact.
    answer
        Of a plan: share that is expected back before the second contact.
    assign
        With --plan: a file customer_id, assigned_at (the lapse) of customers to draw; with --began the silent ones.
    began
        With --assign: the table of the first stage; the second is drawn.
    """
    if plan:
        from primeta.reactivation.door import days_of
        from primeta.reactivation.policy.design import plan_sequence

        planned = plan_sequence(
            _names(first),
            _names(second),
            answer=_share(answer, "--answer"),
            second_day=float(days_of(second_day, "--second-day")),
            **size.asked(terms.sure, lapses.horizon),
        )
        _planned(planned, shown, assign=assign, out=out, experiment=experiment, began=began)
    elif directory is not None:
        asked = lapses.asked_of(directory, experiment, policy, terms.level)
        _show_in(directory, "sequence", experiment, asked, shown)
    else:
        from primeta.reactivation.policy.door import sequence as find

        found = find(**lapses.asked(policy), experiment=experiment, **terms.asked())
        _show(found, shown.json, shown.lang)


def discount(
    directory: Directory = None,
    /,
    *,
    lapses: Depths = Depths(),
    budget: float | None = None,
    eligible: int = 0,
    policy: Path | None = None,
    experiment: Experiment = "",
    terms: Terms = Terms(),
    plan: Plan = False,
    depths: str = "",
    delays: str = "",
    size: Size = Size(),
    assign: Assign = None,
    out: Out = None,
    shown: Shown = Shown(),
) -> None:
    """The best discount by time since the lapse: plan the experiment, draw it, read it.

    Parameters
    ----------
    budget
        Money for discounts and contacts, beyond what is given away without contact.
    eligible
        Customers for whom the budget is meant; default: as many as were assigned.
    policy
        A file customer_id (or segment) and arm or discount: the value of doing so.
    depths
        Of a plan: discounts as shares, such as 0,.1,.2; 0 is a message without one.
    delays
        Of a plan: days since the lapse, such as 7,28; default: one day for all.
    """
    if plan:
        from primeta.reactivation.policy.design import plan_discount

        shares, days = _numbers(depths, "--depths"), _numbers(delays, "--delays")
        planned = plan_discount(shares, days, **size.asked(terms.sure, lapses.horizon))
        _planned(planned, shown, assign=assign, out=out, experiment=experiment)
    elif directory is not None:
        asked = lapses.asked_of(directory, experiment, policy, terms.level)
        _show_in(directory, "discount", experiment, {**asked, "budget": budget, "eligible": eligible}, shown)
    else:
        from primeta.reactivation.policy.door import discount as find

        of = {**lapses.asked(policy), "budget": budget, "eligible": eligible}
        _show(find(**of, experiment=experiment, **terms.asked()), shown.json, shown.lang)


def _show_in(directory: Path, kind: str, experiment: str, asked: dict[str, Any], shown: Shown) -> None:
    """The answer of a workspace, in its language unless another is asked for."""
    from primeta.cli.terminal import clock

    ws, lang = opened(directory, shown)
    find = {"moment": ws.moment, "sequence": ws.sequence, "discount": ws.discount}[kind]
    _show(find(experiment, now=clock(), **asked), shown.json, lang)


def _numbers(text: str, option: str) -> list[float]:
    return [_share(part, option) for part in text.split(",") if part.strip()]


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _share(text: str, option: str) -> float:
    from primeta.experiments.assignment import parse_share

    return parse_share(text, option)


def _planned(
    planned: PolicyPlan,
    shown: Shown,
    *,
    assign: Path | None,
    out: Path | None,
    experiment: str,
    began: Path | None = None,
) -> None:
    """Show a plan, or draw by it."""
    if assign is None:
        if shown.json:
            put_json(planned.as_dict())
            return
        put(planned.line(shown.lang))
        put("\n" + planned.table(shown.lang).text())
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
    if shown.json:
        put_json(drawn.as_dict())
        return
    put(drawn.line(shown.lang))


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
    put_tables(*tables, found.table(lang))
