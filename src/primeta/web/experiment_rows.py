"""What a look at an experiment saw, as the rows of a page: arms with their letters, effects with their scales, checks."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from primeta.experiments.records import Amount, Goal, Plan
from primeta.experiments.views_words import Names, decision_line, number, text, why
from primeta.experiments.words import word as experiment_word
from primeta.show import locale
from primeta.show.interval import Scale, scale_of, verdict_of
from primeta.store.experiments import Look
from primeta.warehouse.metric import Metric
from primeta.web.reader import Reader
from primeta.workspace.views import ExperimentView

NAN = math.nan
LETTERS = "abcdefghijklmnopqrstuvwxyz"
COLOURED = 3
"""So many treated arms have a colour of their own in the style sheet."""
WIDEST = 6.0
"""An interval beyond six times what matters is cut at the edge of its column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """An arm as a page names it: a letter on its colour, the name beside it."""

    name: str
    letter: str
    css: str
    """Class of its colour; empty for the control, which is grey."""
    share: float
    cost: float
    what: str
    is_control: bool
    customers: int | None = None


def tags_of(reader: Reader, view: ExperimentView) -> dict[str, Tag]:
    """Every arm of the plan in its order, the control first."""
    plan, counts = view.plan, dict(view.look.counts) if view.look else {}
    found: dict[str, Tag] = {}
    for arm in (plan.arm(plan.control), *plan.treated):
        place = len(found) - 1
        control = arm.name == plan.control
        found[arm.name] = Tag(
            name=arm.name,
            letter=str(reader._("C")) if control else LETTERS[place % len(LETTERS)].upper(),
            css="" if control else (LETTERS[place] if place < COLOURED else "more"),
            share=arm.share,
            cost=arm.cost,
            what=arm.what,
            is_control=control,
            customers=counts.get(arm.name),
        )
    return found


# Metrics


def names_of(reader: Reader, plan: Plan) -> Names:
    """How the plan's metrics are called and written for this reader."""
    return Names(lang=reader.lang, plan=plan, currency=reader.currency, metrics=reader.metrics)


def metric_of(reader: Reader, view: ExperimentView, name: str) -> Metric | None:
    """What the experiment measures by that name: as it was declared, with the words of today."""
    return view.basis.metrics.get(name) or reader.metrics.get(name)


def rule_text(names: Names, goal: Goal) -> str:
    """What a goal asks, in plain words; empty where it is only looked at."""
    if goal.margin is not None:
        code = "goal.fall" if goal.margin.value < 0 else "goal.rise"
        return text(code, names.lang, amount=names.amount(goal.margin, goal.name))
    if goal.smallest is not None:
        code = "goal.up" if goal.smallest.value > 0 else "goal.down"
        return text(code, names.lang, amount=names.amount(goal.smallest, goal.name))
    return ""


# Effects


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One arm against the control on one metric, ready to be drawn."""

    goal: Goal | None
    metric: str
    name: str
    tag: Tag
    role: str
    difference: locale.Figure
    lift: str
    control: str
    arm: str
    value: float
    low: float
    high: float
    """Difference and its interval in sizes that matter, for the picture: one scale serves every metric. NaN where
    nothing is said to matter."""
    outer: tuple[float, float]
    marks: tuple[float, ...]
    """Where the smallest effect, or a guardrail's margin, stands: 1 or −1."""
    relative: tuple[float, float, float]
    """Difference and its interval as shares of the control's mean, for lists of one metric; NaN where that is not
    above 0."""
    relative_mark: float
    verdict: str
    state: str
    """Of a guardrail: `holds`, `broken`, `open`; of others empty."""
    mature: float
    cautions: tuple[str, ...]
    why_not: str
    segment: str = ""
    adjusted: float = NAN


def effects_of(
    reader: Reader,
    view: ExperimentView,
    look: Look,
    *,
    key: str = "effects",
) -> list[EffectRow]:
    """Rows of one look, in the order in which the plan names its metrics."""
    tags = tags_of(reader, view)
    goals = {goal.name: goal for goal in view.plan.goals}
    rows = [
        _row(reader, view, tags[str(entry["arm"])], goals.get(str(entry["metric"])), entry)
        for entry in look.analysis.get(key) or ()
        if str(entry.get("arm")) in tags
    ]
    order = {name: place for place, name in enumerate((*goals, *tags))}
    last = len(order)
    return sorted(
        rows, key=lambda row: (order.get(row.metric, last), row.segment, order.get(row.tag.name, last))
    )


def _row(
    reader: Reader, view: ExperimentView, tag: Tag, goal: Goal | None, entry: Mapping[str, Any]
) -> EffectRow:
    metric = metric_of(reader, view, goal.metric if goal else str(entry["metric"]).rpartition(".")[0])
    names = names_of(reader, view.plan)
    base = number(entry, "control_mean")
    low, high = deciding(entry)
    wide = number(entry, "always_low"), number(entry, "always_high")
    matters = _size_that_matters(goal, metric, base)
    difference = number(entry, "difference")
    scaled = [value / abs(matters) for value in (difference, low, high, *wide)]
    figure = reader.figure(difference, names.gap(str(entry["metric"])), low, high, sign=True)
    level = metric.unit if metric else "count"
    state = _guard_state(goal, entry) if goal and goal.role == "guardrail" else ""
    up_is_bad = metric is not None and metric.good == "down"
    return EffectRow(
        goal=goal,
        metric=str(entry["metric"]),
        name=names.named(str(entry["metric"])),
        tag=tag,
        role=str(entry.get("role") or "secondary"),
        difference=figure,
        lift=reader.figure(difference / base, "relative", low / base, high / base, sign=True).text
        if base > 0
        else "",
        control=_level(reader, base, level, low, high),
        arm=_level(reader, number(entry, "arm_mean"), level, low, high),
        value=scaled[0],
        low=scaled[1],
        high=scaled[2],
        outer=(scaled[3], scaled[4]),
        relative=(difference / base, low / base, high / base) if base > 0 else (NAN, NAN, NAN),
        relative_mark=matters / base if base > 0 and goal and _amount(goal) else NAN,
        marks=(math.copysign(1.0, matters),) if math.isfinite(matters) and goal and _amount(goal) else (),
        verdict=verdict_of(low, high, up_is_bad=up_is_bad)
        if metric is None or metric.good != "neither"
        else ("unsure" if verdict_of(low, high) == "unsure" else "moved"),
        state=state,
        mature=number(entry, "mature_share"),
        cautions=tuple(entry.get("cautions") or ()),
        why_not=str(entry.get("why_not") or ""),
        segment=str(entry.get("segment") or ""),
        adjusted=number(entry, "p_adjusted"),
    )


def deciding(entry: Mapping[str, Any]) -> tuple[float, float]:
    """The interval that decides; where the document has none, the one for a single look."""
    low, high = number(entry, "decision_low"), number(entry, "decision_high")
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    return number(entry, "low"), number(entry, "high")


def _level(reader: Reader, value: float, unit: str, low: float, high: float) -> str:
    """A mean with as many digits as the interval of the difference bears."""
    if not math.isfinite(value):
        return ""
    return reader.figure(value, unit, value + low, value + high).text  # pyright: ignore[reportArgumentType]


def _amount(goal: Goal) -> Amount | None:
    return goal.margin if goal.role == "guardrail" else goal.smallest


def _size_that_matters(goal: Goal | None, metric: Metric | None, base: float) -> float:
    """The smallest effect or the margin, in the unit of the difference, with its sign; of a metric that is only
    looked at, what the workspace holds to matter. NaN where there is none."""
    amount = _amount(goal) if goal else None
    if amount is None:
        amount = Amount(metric.smallest_effect, relative=True) if metric else None
    if amount is None or not amount.value:
        return NAN
    size = amount.value * abs(base) if amount.relative else amount.value
    return size or NAN


def _guard_state(goal: Goal, entry: Mapping[str, Any]) -> str:
    """Whether the whole interval lies within the margin, beyond it, or across it."""
    low, high = number(entry, "beyond_low"), number(entry, "beyond_high")
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    if goal.margin is not None and goal.margin.value > 0:
        low, high = -high, -low
    return "holds" if low > 0 else ("broken" if high < 0 else "open")


def scale_for(rows: Sequence[EffectRow]) -> Scale:
    """One scale, in sizes that matter, for rows that stand under one another."""
    ends = [
        min(max(end, -WIDEST), WIDEST)
        for row in rows
        for end in (row.low, row.high, *row.outer, *row.marks)
        if math.isfinite(end)
    ]
    return scale_of(ends)


def relative_scale_for(rows: Sequence[EffectRow]) -> Scale:
    """One scale of the control's mean, for experiments on one metric."""
    ends = [end for row in rows for end in (*row.relative, row.relative_mark) if math.isfinite(end)]
    return scale_of(ends)


def interval_label(reader: Reader, row: EffectRow) -> str:
    """The numbers of a picture, for a listener."""
    return f"{row.tag.letter}: {row.difference}"


# Decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmWord:
    """What the analysis says of one arm."""

    tag: Tag
    state: str
    why: str
    money: locale.Figure
    low: float
    value: float
    high: float
    why_no_money: str


def arm_words(reader: Reader, view: ExperimentView, look: Look) -> list[ArmWord]:
    """One entry for each treated arm: state, rule, money."""
    tags = tags_of(reader, view)
    found = []
    for entry in look.analysis.get("decisions") or ():
        tag = tags.get(str(entry["arm"]))
        if tag is None:
            continue
        money = number(entry, "money_per_customer"), number(entry, "low"), number(entry, "high")
        basis = str(entry.get("basis") or "")
        found.append(
            ArmWord(
                tag=tag,
                state=str(entry["state"]),
                why=unbroken(why(names_of(reader, view.plan), entry)),
                money=reader.figure(money[0], "money", money[1], money[2], sign=True),
                value=money[0],
                low=money[1],
                high=money[2],
                why_no_money="" if math.isfinite(money[0]) else experiment_word(basis, reader.lang),
            )
        )
    return found


def headline(reader: Reader, view: ExperimentView, look: Look) -> str:
    """What to do, and why, in one sentence: the finding of the page."""
    return unbroken(decision_line(names_of(reader, view.plan), look.analysis))


def unbroken(told: str) -> str:
    """A sign and its currency may not part at the end of a line."""
    return re.sub(rf"([+{locale.MINUS}])(?=[^\d\s\u2060])", "\\1\u2060", told)


# How far


@dataclass(frozen=True, slots=True, kw_only=True)
class HowFar:
    """Done of what is planned: customers where a number was planned, else days."""

    done: float
    total: float
    words: str


def how_far(reader: Reader, view: ExperimentView, today) -> HowFar:
    """Customers of those planned, and the days that are left."""
    plan, look = view.plan, view.look
    days = (view.last_day - plan.starts).days
    gone = min(max((today - plan.starts).days, 0), days)
    left = days - gone
    entered = sum(look.counts.values()) if look else 0
    if left and today < plan.starts:
        ahead = (plan.starts - today).days
        words = reader._n("customers enter in {n} day", "customers enter in {n} days", ahead)
    elif left:
        words = reader._n("{n} day left", "{n} days left", left)
    else:
        words = reader._("its last day has passed")
    parts = [str(words)]
    if plan.planned_n:
        parts.insert(0, str(reader._("{n:int} of {of:int} customers", n=entered, of=plan.planned_n)))
        return HowFar(done=min(entered, plan.planned_n), total=plan.planned_n, words=", ".join(parts))
    if entered:
        parts.insert(0, str(reader._n("{n:int} customer", "{n:int} customers", entered)))
    return HowFar(done=gone, total=days, words=", ".join(parts))


def last_entry_day(view: ExperimentView):
    """The last day on which customers enter, as people name it."""
    return view.plan.ends - timedelta(days=1)
