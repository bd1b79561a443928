"""Experiments on the moment, the sequence and the discount before they start: arms, sizes, days, and the lottery."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import norm

from primeta.errors import BadInput, BadTable
from primeta.experiments.assignment import Lottery, assign_ids
from primeta.experiments.ids import unit_text
from primeta.experiments.imported import read_assignments
from primeta.reactivation.policy import design_words as words
from primeta.reactivation.policy.inputs import read_rows
from primeta.reactivation.policy.result import Kind
from primeta.reactivation.records import NAN
from primeta.show import locale
from primeta.show.result import Head, Table
from primeta.warehouse.write_rows import write_rows

CONTROL = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedArm:
    """One arm: what it does and how likely a customer is to get it."""

    name: str
    probability: float
    stage: int = 1
    delay_days: float | None = None
    discount: float | None = None
    channel: str = ""
    per_week: float = NAN
    n: float = NAN
    """At the end of entering; of stage 2, of those who stay silent."""
    difference: float = NAN
    """Against never, that would be seen with the power asked for, in money per eligible customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPlan:
    """An experiment that can be started as it stands."""

    kind: Kind
    arms: tuple[PlannedArm, ...]
    per_week: float
    weeks: float
    """Weeks of entering."""
    n: float
    days: float
    """From the first day of entering until everybody has lived through the horizon."""
    horizon: int
    sd: float
    effect: float
    level: float
    power: float
    why_not: str = ""

    def line(self, lang: str = "en") -> str:
        return words.headline(self, lang)

    def table(self, lang: str = "en") -> Table:
        two = any(arm.stage == 2 for arm in self.arms)
        heads = (
            *([Head(words.word("stage", lang), "right")] if two else []),
            Head(words.word("arm", lang)),
            Head(words.word("probability", lang), "right"),
            Head(words.word("per-week", lang), "right"),
            Head(words.word("n", lang), "right"),
            Head(words.word("difference", lang), "right"),
        )
        rows = tuple(
            (
                *([str(arm.stage)] if two else []),
                arm.name,
                locale.percent(arm.probability, lang, digits=1),
                _whole(arm.per_week, lang),
                _whole(arm.n, lang),
                locale.number(arm.difference, lang) if math.isfinite(arm.difference) else "",
            )
            for arm in self.arms
        )
        return Table(heads=heads, rows=rows, note="\n".join(words.remarks(self, lang)))

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "arms": [
                {
                    "arm": arm.name,
                    "stage": arm.stage,
                    "probability": arm.probability,
                    "delay_days": arm.delay_days,
                    "discount": arm.discount,
                    "channel": arm.channel or None,
                    "per_week": arm.per_week,
                    "n": arm.n,
                    "difference": arm.difference,
                }
                for arm in self.arms
            ],
            "eligible_per_week": self.per_week,
            "weeks": self.weeks,
            "n": self.n,
            "days": self.days,
            "horizon": self.horizon,
            "sd": self.sd,
            "effect": self.effect,
            "level": self.level,
            "power": self.power,
            "why_not": self.why_not or None,
        }


def _whole(value: float, lang: str) -> str:
    return locale.number(round(value), lang) if math.isfinite(value) else ""


# Plans


def plan_moment(delays: Sequence[float], *, never: float = 0.2, **asked: Any) -> PolicyPlan:
    """One arm for each delay, and never.

    Args:
        delays: Days since the lapse. never: Share that is left alone.
        asked: As `_sized`.
    """
    _check_list(delays, "--delays", low=0.0)
    _check_never(never)
    share = (1 - never) / len(delays)
    arms = [PlannedArm(name=CONTROL, probability=never)]
    arms += [PlannedArm(name=f"day{_short(d)}", probability=share, delay_days=float(d)) for d in delays]
    return _sized("moment", arms, [arm.probability for arm in arms], last_contact=max(delays), **asked)


def plan_sequence(
    firsts: Sequence[str],
    seconds: Sequence[str],
    *,
    never: float = 0.2,
    answer: float = 0.1,
    second_day: float = 14.0,
    **asked: Any,
) -> PolicyPlan:
    """Two stages: a first channel for all but never, then a second one for those who stay silent.

    Args:
        answer: Share that is expected to come back before the second stage.
        second_day: Days from the lapse to the second stage.
    """
    for names, option in ((firsts, "--first"), (seconds, "--second")):
        if not names or len(set(names)) < len(names):
            raise BadInput(f"{option}: names of channels were expected, each once, such as email,push")
    if CONTROL in firsts:
        raise BadInput(f"{CONTROL!r} is the control's name; call the channel something else")
    _check_never(never)
    if not 0 <= answer < 1:
        raise BadInput(f"--answer is the share that comes back before the second stage; {answer:g} was given")
    one, two = (1 - never) / len(firsts), 1 / len(seconds)
    arms = [PlannedArm(name=CONTROL, probability=never)]
    arms += [PlannedArm(name=name, probability=one, channel=name, delay_days=0.0) for name in firsts]
    later = [
        PlannedArm(name=name, probability=two, stage=2, channel=name, delay_days=second_day)
        for name in seconds
    ]
    # A strategy rests on those who answered, and on the silent who got its second step: these weigh 1 / two.
    strategy = one / (answer + (1 - answer) / two)
    shares = [never] + [strategy] * len(firsts)
    found = _sized(
        "sequence", arms, shares, last_contact=second_day, comparisons=len(firsts) * len(seconds), **asked
    )
    silent = (1 - never) * (1 - answer) * two
    sized = [
        PlannedArm(
            name=arm.name, probability=arm.probability, stage=2, channel=arm.channel, delay_days=arm.delay_days,
            per_week=found.per_week * silent, n=found.n * silent,
        )
        for arm in later
    ]  # fmt: skip
    return _with_arms(found, (*found.arms, *sized))


def plan_discount(
    depths: Sequence[float], delays: Sequence[float] = (), *, never: float = 0.2, **asked: Any
) -> PolicyPlan:
    """A factorial of depth × day since the lapse, and never. A depth of 0 is a message without a discount."""
    _check_list(depths, "--depths", low=0.0, high=1.0)
    if delays:
        _check_list(delays, "--delays", low=0.0)
    _check_never(never)
    days: Sequence[float | None] = list(delays) or [None]
    share = (1 - never) / (len(depths) * len(days))
    arms = [PlannedArm(name=CONTROL, probability=never)]
    arms += [
        PlannedArm(
            name=f"off{_short(100 * depth)}" + (f"-day{_short(day)}" if day is not None else ""),
            probability=share,
            discount=float(depth),
            delay_days=None if day is None else float(day),
        )
        for depth in depths
        for day in days
    ]
    return _sized(
        "discount", arms, [arm.probability for arm in arms], last_contact=max(delays or [0.0]), **asked
    )


def _short(value: float) -> str:
    return f"{value:.6g}"


def _check_list(values: Sequence[float], option: str, *, low: float, high: float = math.inf) -> None:
    if not values or len(set(values)) < len(values) or not all(low <= v < high for v in values):
        raise BadInput(f"{option}: different numbers of {low:g} or more were expected, such as 0,7,14,28"
                       if high == math.inf
                       else f"{option}: different shares from 0 to below 1 were expected, such as 0,.1,.2")  # fmt: skip


def _check_never(never: float) -> None:
    if not 0 < never < 1:
        raise BadInput(
            f"--never is the share that is left alone, above 0 and below 1; {never:g} was given. "
            f"Without it nothing tells what comes of writing."
        )


def _sized(
    kind: Kind,
    arms: Sequence[PlannedArm],
    shares: Sequence[float],
    *,
    last_contact: float,
    per_week: float = NAN,
    weeks: float | None = None,
    sd: float = NAN,
    effect: float = NAN,
    horizon: int = 180,
    level: float = 0.95,
    power: float = 0.8,
    comparisons: int = 0,
) -> PolicyPlan:
    """Sizes for telling each arm from never, all at once at `level`.

    Args:
        shares: Of the eligible, what each arm's precision is worth; never first.
        per_week: Customers who lapse in a week. weeks: Of entering; None: as many as `effect` needs.
        sd: Of one customer's money over the horizon. effect: Money per eligible customer to be seen.
    Source:
        Normal approximation, two means: n = (z₁₋α/₂ₘ + z_power)² · sd² · (1/s + 1/s₀) / effect², Bonferroni over m.
    """
    for value, option in (
        (per_week, "--eligible-per-week"),
        (sd, "--sd"),
        (effect, "--effect"),
        (weeks, "--weeks"),
    ):
        if value is not None and not math.isnan(value) and not (math.isfinite(value) and value > 0):
            raise BadInput(f"{option} is {value:g}; expected a number above 0")
    if last_contact >= horizon:
        raise BadInput(
            f"the last contact is on day {last_contact:g} and the horizon ends on day {horizon}; lengthen it"
        )
    m = comparisons or len(arms) - 1
    z = float(norm.isf((1 - level) / 2 / m) + norm.ppf(power))
    worth = [1 / share + 1 / shares[0] for share in shares]
    n, why_not = NAN, ""
    if weeks is not None and math.isfinite(per_week):
        n = weeks * per_week
    elif math.isfinite(sd) and math.isfinite(effect):
        n = float(math.ceil((z * sd / effect) ** 2 * max(worth[1:])))
        weeks = n / per_week if math.isfinite(per_week) else NAN
    else:
        why_not = "no-size"
    if weeks is None:
        weeks = NAN
    sized = tuple(
        PlannedArm(
            name=arm.name, probability=arm.probability, stage=arm.stage, delay_days=arm.delay_days,
            discount=arm.discount, channel=arm.channel, per_week=per_week * arm.probability, n=n * arm.probability,
            difference=z * sd * math.sqrt(worth[at] / n) if at and math.isfinite(n) else NAN,
        )
        for at, arm in enumerate(arms)
    )  # fmt: skip
    return PolicyPlan(
        kind=kind,
        arms=sized,
        per_week=per_week,
        weeks=weeks,
        n=n,
        days=7 * weeks + horizon,
        horizon=horizon,
        sd=sd,
        effect=effect,
        level=level,
        power=power,
        why_not=why_not,
    )


def _with_arms(plan: PolicyPlan, arms: tuple[PlannedArm, ...]) -> PolicyPlan:
    from dataclasses import replace

    return replace(plan, arms=arms)


# The lottery


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """How many customers got each arm, and where the table lies."""

    out: Path
    counts: dict[str, int]
    stage: int

    def line(self, lang: str = "en") -> str:
        return words.drawn(self, lang)

    def as_dict(self) -> dict[str, Any]:
        return {"out": str(self.out), "counts": self.counts, "stage": self.stage}


def assign_first(plan: PolicyPlan, rows: Any, *, salt: str, out: Path) -> Drawn:
    """Draw the first stage for lapsed customers and write the table `assignments`.

    Args:
        rows: `customer_id` and `assigned_at`, the day of the lapse; other columns are kept.
        salt: Name of the experiment: a customer gets the same arm whenever he is drawn.
    Raises:
        BadTable: a column is missing or there already, an id is empty.
    """
    table = read_rows(rows, "the list of customers")
    _columns_of(table, ("customer_id", "assigned_at"))
    arms = [arm for arm in plan.arms if arm.stage == 1]
    return _drawn(table, arms, salt=salt, experiment=salt, stage=1, out=out)


def assign_second(plan: PolicyPlan, rows: Any, first: Any, *, salt: str, out: Path) -> Drawn:
    """Draw the second stage for those who stayed silent; each first arm has a lottery of its own.

    Args:
        rows: `customer_id` of those who are silent on the day of the second stage, optional `assigned_at` of that day.
        first: The table that `assign_first` wrote.
    Raises:
        BadTable: somebody without a first stage, or who is never to be contacted.
    """
    table = read_rows(rows, "the list of silent customers")
    _columns_of(table, ("customer_id",))
    began = read_assignments(first, experiment=salt)
    arm_of = dict(zip(began.column("customer_id").to_pylist(), began.column("arm").to_pylist(), strict=True))
    when = dict(
        zip(began.column("customer_id").to_pylist(), began.column("assigned_at").to_pylist(), strict=True)
    )
    ids = [unit_text(value) for value in table.column("customer_id").to_pylist()]
    for name in ids:
        if name not in arm_of:
            raise BadTable(
                f"customer {name} has no first stage in the table of the first; draw only whom it holds"
            )
        if arm_of[name] == CONTROL:
            raise BadTable(f"customer {name} is in {CONTROL!r} and is never contacted; take him off the list")
    arms = [arm for arm in plan.arms if arm.stage == 2]
    if not arms:
        raise BadInput("this plan has no second stage; give --second")
    if "assigned_at" not in table.column_names:
        day = timedelta(days=float(arms[0].delay_days or 0.0))
        table = table.append_column("assigned_at", pa.array([when[name] + day for name in ids]))
    salts = [f"{salt}:2:{arm_of[name]}" for name in ids]
    return _drawn(table, arms, salt=salts, experiment=salt, stage=2, out=out)


def _columns_of(table: pa.Table, needed: Sequence[str]) -> None:
    for name in needed:
        if name not in table.column_names:
            raise BadTable(
                f"the list of customers has no column {name!r}; it has {', '.join(table.column_names)}"
            )
    for name in ("arm", "probability", "stage", "delay_days", "discount", "experiment"):
        if name in table.column_names:
            raise BadTable(
                f"the list of customers has a column {name} already; give it as it was before the lottery"
            )


def _drawn(
    table: pa.Table,
    arms: Sequence[PlannedArm],
    *,
    salt: str | list[str],
    experiment: str,
    stage: int,
    out: Path,
) -> Drawn:
    ids = table.column("customer_id").to_pylist()
    names = np.empty(len(ids), dtype=object)
    shares = tuple((arm.name, arm.probability) for arm in arms)
    if len(arms) == 1:
        names[:] = arms[0].name
    elif isinstance(salt, str):
        names = assign_ids(Lottery(salt=salt, arms=shares), ids)[0]
    else:
        for one_salt in sorted(set(salt)):
            rows = [at for at, own in enumerate(salt) if own == one_salt]
            names[rows] = assign_ids(Lottery(salt=one_salt, arms=shares), [ids[at] for at in rows])[0]
    by_name = {arm.name: arm for arm in arms}
    chosen = [by_name[name] for name in names]
    channel = [arm.channel or None for arm in chosen]
    given = {
        name: table.column(name)
        for name in table.column_names
        if name not in ("customer_id", "assigned_at", "channel")
    }
    made = pa.table(
        {
            "experiment": pa.array([experiment] * len(ids), type=pa.string()),
            "customer_id": pa.array([unit_text(value) for value in ids], type=pa.string()),
            "arm": pa.array([arm.name for arm in chosen], type=pa.string()),
            "assigned_at": table.column("assigned_at"),
            "probability": pa.array([arm.probability for arm in chosen], type=pa.float64()),
            "stage": pa.array([str(stage)] * len(ids), type=pa.string()),
            "delay_days": pa.array([arm.delay_days for arm in chosen], type=pa.float64()),
            "channel": table.column("channel") if "channel" in table.column_names and not any(channel)
            else pa.array(channel, type=pa.string()),
            "discount": pa.array([arm.discount for arm in chosen], type=pa.float64()),
            **given,
        }
    )  # fmt: skip
    write_rows(made, Path(out))
    counts = {arm.name: int(sum(name == arm.name for name in names)) for arm in arms}
    return Drawn(out=Path(out), counts=counts, stage=stage)
