"""The verb `ltv`: what each customer of an order log will bring, and whether the model may be believed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa

from primeta.errors import BadInput
from primeta.reactivation.histories import (
    UNIT_DAYS,
    Clock,
    OrderLog,
    as_day,
    day_number,
    day_of,
    open_log,
)
from primeta.reactivation.log_words import remark
from primeta.reactivation.ltv_check import (
    MOST,
    Histogram,
    Holdout,
    Verdict,
    check_holdout,
    default_holdout,
    histogram_of,
    verdict_of,
)
from primeta.reactivation.ltv_model import COHORT, Base, fit_base, group_sql
from primeta.reactivation.ltv_money import People, Worth, people_of, worth_of
from primeta.reactivation.ltv_picture import bars_picture, count_labels, tracking_picture
from primeta.reactivation.ltv_totals import Interval, order_bounds, totals_of
from primeta.reactivation.ltv_words import WORDS, said, word
from primeta.reactivation.records import NAN, Note
from primeta.reactivation.season import seasonal_clock
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table
from primeta.warehouse.write_rows import check_ending, write_rows

if TYPE_CHECKING:
    from primeta.stats.customer_base import Fit

Unit = Literal["day", "week"]
Model = Literal["bg-nbd", "mbg-nbd", "pareto-nbd", "mbg-cnbd"]
DRAWS = 1_000
SEED = 20_26
"""Of the draws: the same log always gives the same numbers."""
LONGEST = 5_000.0
NAMES = {"bg-nbd": "BG/NBD", "mbg-nbd": "MBG/NBD", "pareto-nbd": "Pareto/NBD", "mbg-cnbd": "MBG/CNBD-k"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group of customers, with `by`."""

    name: str
    customers: int
    orders: float
    """Expected over the horizon."""
    money: float
    alive: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ltv:
    """What the customers of a log will bring, at the end of a day."""

    model: Model
    unit: Unit
    until: date
    horizon: float
    annual_discount: float
    customers: int
    distinct: int
    """Different histories that the fit had to read."""
    parameters: Mapping[str, float]
    errors: Mapping[str, float]
    coefficients: Mapping[str, float]
    log_likelihood: float
    alive: float
    """Customers expected still to be customers."""
    orders: Interval
    money: Interval
    money_kind: str
    """`margin` or `revenue`."""
    spend: Worth
    holdout: Holdout
    histogram: Histogram | None
    verdict: Verdict
    by: str = ""
    groups: tuple[Group, ...] = ()
    season: tuple[float, ...] = ()
    """Relative pace of each week of the year."""
    out: Path | None = None
    rows: pa.Table | None = None
    """One row a customer, where it was asked for."""
    notes: tuple[Note, ...] = ()
    why_not: str = ""

    # Words

    def line(self, lang: str = "en") -> str:
        """What to expect, in one sentence, and whether to believe it."""
        if self.why_not:
            return self._cannot(lang)
        money = ""
        if math.isfinite(self.money.value):
            money = said(
                "line.money",
                lang,
                value=locale.number(self.money.value, lang, digits=0),
                kind=word(f"kind.{self.money_kind}", lang),
            )
        code = "line.one" if self.customers == 1 else "line"
        text = said(
            code,
            lang,
            customers=locale.number(self.customers, lang),
            orders=locale.number(self.orders.value, lang, digits=0 if self.orders.value >= 100 else 2),
            horizon=said(self.unit, lang, n=locale.number(self.horizon, lang)),
            money=money,
        )
        return f"{text} {said(f'fit.{self.verdict.state}', lang)}"

    def _cannot(self, lang: str) -> str:
        code = f"cannot.{self.why_not}"
        if code in WORDS:
            return said(code, lang)
        return said("cannot.no-fit", lang, reason=self.why_not)

    def verdict_lines(self, lang: str = "en") -> list[str]:
        """Does it fit, and why: one sentence a reason."""
        found = [said(f"fit.{self.verdict.state}", lang)]
        for code, figures in self.verdict.reasons:
            shown = {
                "expected": locale.number(figures.get("expected", NAN), lang, digits=0),
                "actual": locale.number(figures.get("actual", NAN), lang, digits=0),
                "days": locale.number(figures.get("days", NAN), lang, digits=0),
                "error": locale.percent(figures.get("error", NAN), lang, digits=1, sign=True),
                "p": _p(figures.get("p", NAN), lang),
                "moved": locale.percent(figures.get("moved", NAN), lang, digits=1),
            }
            found.append(said(f"why.{code}", lang, **shown))
        return found

    def table(self, lang: str = "en") -> Table:
        """The totals with their intervals."""
        heads = (
            Head(word("figure", lang)),
            Head(word("value", lang), "right"),
            Head(word("interval", lang), "right"),
        )
        rows = [(word("customers", lang), locale.number(self.customers, lang), "")]
        if not self.why_not:
            rows.append((word("alive", lang), locale.number(self.alive, lang, digits=0), ""))
            rows.append((word("expected_orders", lang), *_cells(self.orders, lang)))
            if math.isfinite(self.money.value):
                rows.append((word(f"value_{self.money_kind}", lang), *_cells(self.money, lang)))
                each = Interval(
                    value=self.money.value / self.customers,
                    low=self.money.low / self.customers,
                    high=self.money.high / self.customers,
                )
                rows.append((word("per_customer", lang), *_cells(each, lang)))
                rows.append((word("mean_order", lang), locale.number(self.spend.mean, lang), ""))
            if not self.holdout.why_not:
                cell = said(
                    "holdout.cell",
                    lang,
                    expected=locale.number(self.holdout.expected.value, lang, digits=0),
                    actual=locale.number(self.holdout.actual, lang, digits=0),
                )
                rows.append((word("holdout", lang), cell, _cells(self.holdout.expected, lang)[1]))
        return Table(heads=heads, rows=tuple(rows), note="\n".join(self.remarks(lang)))

    def group_table(self, lang: str = "en") -> Table:
        """One row for each group of `by`."""
        heads = (
            Head(self.by if self.by != COHORT else word("group", lang)),
            Head(word("customers", lang), "right"),
            Head(word("alive", lang), "right"),
            Head(word("expected_orders", lang), "right"),
            Head(word(f"value_{self.money_kind}", lang), "right"),
        )
        rows = tuple(
            (
                group.name,
                locale.number(group.customers, lang),
                locale.percent(group.alive, lang, digits=0),
                locale.number(group.orders, lang, digits=0),
                locale.number(group.money, lang, digits=0),
            )
            for group in self.groups
        )
        return Table(heads=heads, rows=rows)

    def remarks(self, lang: str = "en") -> list[str]:
        """Whether it fits, how money was reckoned, what was done to the rows."""
        found: list[str] = []
        if not self.why_not:
            found += self.verdict_lines(lang)
            if self.spend.kind:
                mean = locale.number(self.spend.mean, lang)
                plain = self.spend.kind == "normal" and not self.spend.negative
                code = "normal-positive" if plain else self.spend.kind
                found.append(said(f"note.spend-{code}", lang, mean=mean))
            else:
                found.append(said("cannot.no-revenue", lang))
            if self.spend.tied:
                found.append(
                    said(
                        "note.spend-correlated",
                        lang,
                        way=word("more" if self.spend.tie > 0 else "less", lang),
                        correlation=locale.number(self.spend.tie, lang, digits=2),
                    )
                )
            if self.season:
                found.append(said("note.season", lang, ratio=locale.number(max(self.season), lang, digits=1)))
            if math.isfinite(self.orders.low):
                found.append(said("note.interval", lang))
        for note in self.notes:
            if f"note.{note.code}" in WORDS:
                found.append(said(f"note.{note.code}", lang, **note.values))
            else:
                found.append(remark(note, lang))
        return found

    # Pictures

    def picture(self, lang: str = "en") -> Picture:
        """Cumulative repeat orders, seen and as the model says; where nothing was held back, the histogram."""
        if self.holdout.tracking:
            days, seen, model = zip(*self.holdout.tracking, strict=True)
            return tracking_picture(
                days,
                seen,
                model,
                lang,
                title=" ".join(self.verdict_lines(lang)[:2]),
                source=self._source(lang),
                held_from=self.holdout.after,
            )
        return self.histogram_picture(lang)

    def repeats_picture(self, lang: str = "en") -> Picture:
        """Orders in the held-back time by repeat orders before, seen and promised."""
        rows = self.holdout.by_repeats
        labels = count_labels(MOST, lang)
        return bars_picture(
            [labels[k] for k, _, _, _ in rows],
            [actual for _, _, _, actual in rows],
            [expected for _, _, expected, _ in rows],
            lang,
            title=self.verdict_lines(lang)[0],
            subtitle=word("by-repeats", lang),
            source=self._source(lang),
        )

    def histogram_picture(self, lang: str = "en") -> Picture:
        """Customers by number of repeat orders, seen and as the model says."""
        shown = self.histogram
        return bars_picture(
            count_labels(MOST, lang),
            shown.seen if shown else [0.0] * (MOST + 1),
            shown.expected if shown else [0.0] * (MOST + 1),
            lang,
            title=self.line(lang) if self.why_not else self.verdict_lines(lang)[0],
            subtitle=word("histogram", lang),
            source=self._source(lang),
        )

    def _source(self, lang: str) -> str:
        return said("source", lang, model=NAMES[self.model], day=locale.day(self.until, lang))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        spend = self.spend
        return {
            "model": self.model,
            "unit": self.unit,
            "until": self.until,
            "horizon": self.horizon,
            "annual_discount": self.annual_discount,
            "parameters": dict(self.parameters),
            "standard_errors": dict(self.errors),
            "coefficients": dict(self.coefficients),
            "log_likelihood": self.log_likelihood,
            "customers": self.customers,
            "distinct": self.distinct,
            "alive": self.alive,
            "expected_orders": self.orders.value,
            "expected_orders_low": self.orders.low,
            "expected_orders_high": self.orders.high,
            "value": self.money.value,
            "value_low": self.money.low,
            "value_high": self.money.high,
            "value_of": self.money_kind if spend.kind else None,
            "spend": {
                "model": spend.kind or None,
                "mean": spend.mean,
                "parameters": spend.parameters,
                "standard_errors": spend.errors,
                "log_likelihood": spend.log_likelihood,
                "correlation": spend.tie,
                "correlation_p": spend.tie_p,
                "why_not": spend.why_not or None,
            },
            "fit": {
                "state": self.verdict.state,
                "why": self.verdict_lines("en")[1:] if not self.why_not else [],
                "histogram": self.histogram.as_dict() if self.histogram else None,
            },
            "holdout": self.holdout.as_dict(),
            "by": self.by or None,
            "groups": [
                {
                    "group": group.name,
                    "customers": group.customers,
                    "alive": group.alive,
                    "expected_orders": group.orders,
                    "value": group.money,
                }
                for group in self.groups
            ],
            "season": list(self.season),
            "out": str(self.out) if self.out else None,
            "notes": self.remarks("en"),
            "why_not": self.why_not or None,
        }

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_() + self.table().html()


def _p(value: float, lang: str) -> str:
    if math.isfinite(value) and value < 0.001:
        return "<" + locale.NBSP + locale.number(0.001, lang, digits=3)
    return locale.number(value, lang, digits=3)


def _cells(total: Interval, lang: str) -> tuple[str, str]:
    shown = locale.figure(total.value, lang, unit="count", low=total.low, high=total.high)
    return shown.text, shown.interval


def ltv(
    orders: Any,
    *,
    until: date | str | None = None,
    unit: Unit = "week",
    model: Model = "bg-nbd",
    horizon: float = 52,
    margin: float | None = None,
    annual_discount: float = 0.0,
    columns: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    date_format: str = "",
    holdout: date | str | None = None,
    by: str = "",
    season: bool = False,
    bootstrap: int = DRAWS,
    out: Path | str | None = None,
    keep_rows: bool = False,
    threads: int = 0,
) -> Ltv:
    """Fit a customer-base model to an order log and say what each customer will bring.

    Args:
        orders: A path to a CSV or Parquet file, a table, a data frame: `customer_id`, `ordered_at`, optional `revenue`
            (negative: a return), `discount`, `margin`.
        until: The last day of the log, inclusive; None: the day of the last order.
        unit: Of the model's time and of `horizon`.
        model: `mbg-cnbd` is MBG/NBD with regular timing, its k by likelihood.
        horizon: How far ahead, in units.
        margin: Of list price; without it, and without a column `margin`, money is revenue.
        annual_discount: .1 for 10% a year: money later is worth less today.
        holdout: The last day that the model may see for its check; None: the last third is held back where the log is
            long enough.
        by: A column that is constant for a customer, or `cohort`: groups have parameters of their own.
        season: Let time run faster in busy weeks of the year; needs two years.
        bootstrap: Draws for the intervals of totals; 0: none.
        out: CSV or Parquet file for one row a customer.
        keep_rows: Keep these rows in the result as well.
    Raises:
        BadInput, BadTable: as `open_log`; options that cannot be.
    """
    _check(unit, model, horizon, annual_discount, bootstrap)
    target = Path(out) if out else None
    if target is not None:
        check_ending(target)
    with open_log(
        orders,
        until=until,
        columns=columns,
        timezone=timezone,
        date_format=date_format,
        margin=margin,
        by=by if by != COHORT else "",
        threads=threads,
    ) as log:
        return ltv_of(
            log,
            unit=unit,
            model=model,
            horizon=float(horizon),
            annual_discount=annual_discount,
            holdout=as_day(holdout, "holdout") if holdout is not None else None,
            by=by,
            season=season,
            bootstrap=bootstrap,
            out=target,
            keep_rows=keep_rows,
        )


def _check(unit: str, model: str, horizon: float, annual_discount: float, bootstrap: int) -> None:
    if unit not in UNIT_DAYS:
        raise BadInput(f"unit {unit!r} was given; expected day or week")
    if model not in get_args(Model):
        raise BadInput(f"model {model!r} was given; expected one of {', '.join(get_args(Model))}")
    if not 0 < horizon <= LONGEST * 7 / UNIT_DAYS[unit]:
        raise BadInput(f"horizon {horizon:g} was given; expected {unit}s above 0, up to 5,000 weeks")
    if not 0 <= annual_discount < 10:
        raise BadInput(f"annual discount {annual_discount:g} was given; expected a rate such as .1, from 0")
    if not 0 <= bootstrap <= 100_000:
        raise BadInput(f"bootstrap {bootstrap} was given; expected a number of draws, 0 for none")


def ltv_of(
    log: OrderLog,
    *,
    unit: Unit = "week",
    model: Model = "bg-nbd",
    horizon: float = 52.0,
    annual_discount: float = 0.0,
    holdout: date | None = None,
    by: str = "",
    season: bool = False,
    bootstrap: int = DRAWS,
    out: Path | None = None,
    keep_rows: bool = False,
) -> Ltv:
    """The same over an open log."""
    rng = np.random.default_rng(SEED)
    end = log.until_day
    held = _held_back(log, holdout)
    clock = seasonal_clock(log, end, unit=unit) if season else Clock.calendar(unit)
    table = log.build("ltv_now", end, money=log.has_money)
    group = group_sql(log, by)
    base = fit_base(log.collapse(table, end, group=group), model=model, unit=unit, clock=clock)
    ids = out is not None or keep_rows
    people = people_of(log, table, base.collapsed, group, ids=ids)
    worth = worth_of(people, known=log.has_money, may_lose=log.has_returns or log.has_losses)
    ahead = _ahead(clock, end, horizon)
    notes = (*log.notes, *base.notes, *_edges(base.fit))
    if base.fit.why_not:
        found = _cannot(base, log, unit=unit, horizon=horizon, annual_discount=annual_discount, worth=worth)
        return _with(found, notes=notes)
    orders = base.orders(ahead)
    discounted = base.discounted(ahead, annual_discount) if annual_discount else orders
    totals = totals_of(
        base, people, worth, orders=orders, discounted=discounted, horizon=ahead, draws=bootstrap, rng=rng
    )
    alive = base.alive
    checked = Holdout(after=None, why_not="short-log")
    if held is not None:
        # A check must not see the season of the time that it is checked on.
        past = clock
        if season:
            past = _past_clock(log, held, unit, clock)
        checked = check_holdout(
            log, held, model=model, unit=unit, clock=past, by=by, draws=bootstrap or DRAWS, rng=rng
        )
    histogram = histogram_of(base)
    rows = None
    if ids:
        rows = _rows(base, people, worth, alive, orders, discounted, order_bounds(base, ahead, rng))
        if out is not None:
            write_rows(rows, out)
    count = base.collapsed.count
    customers = np.bincount(base.place, weights=count, minlength=len(base.groups))
    living = np.bincount(base.place, weights=count * alive, minlength=len(base.groups))
    return Ltv(
        model=model,
        unit=unit,
        until=day_of(end),
        horizon=horizon,
        annual_discount=annual_discount,
        customers=base.collapsed.customers,
        distinct=len(count),
        parameters=base.fit.parameters,
        errors=base.fit.errors,
        coefficients=base.fit.coefficients,
        log_likelihood=base.fit.log_likelihood,
        alive=float(count @ alive),
        orders=totals.orders,
        money=totals.money,
        money_kind=log.money_kind,
        spend=worth,
        holdout=checked,
        histogram=histogram,
        verdict=verdict_of(histogram, checked),
        by=by,
        groups=tuple(
            Group(
                name=name,
                customers=int(customers[at]),
                orders=totals.orders_by_group[at],
                money=totals.money_by_group[at],
                alive=float(living[at] / customers[at]) if customers[at] else NAN,
            )
            for at, name in sorted(enumerate(base.groups), key=lambda entry: entry[1])
        )
        if by
        else (),
        season=tuple(clock.rate.tolist()) if clock.rate is not None else (),
        out=out,
        rows=rows if keep_rows else None,
        notes=notes,
    )


def _held_back(log: OrderLog, holdout: date | None) -> int | None:
    if holdout is None:
        return default_holdout(log)
    held = day_number(holdout)
    if not log.first_day <= held < log.until_day:
        raise BadInput(
            f"--holdout {holdout}: the last day that the model may see lies between the first order "
            f"({day_of(log.first_day)}) and the end ({day_of(log.until_day)})"
        )
    return held


def _ahead(clock: Clock, end: int, horizon: float) -> float:
    """The horizon in the model's time."""
    if clock.rate is None:
        return horizon
    days = horizon * clock.unit_days
    whole = math.floor(days)
    first, last, after = clock.at(np.array([end, end + whole, end + whole + 1]))
    return float(last - first + (after - last) * (days - whole))


def _past_clock(log: OrderLog, held: int, unit: str, clock: Clock) -> Clock:
    try:
        return seasonal_clock(log, held, unit=unit)
    except BadInput:
        # Not two years before the check: the season of the whole log, which the check then has seen.
        return clock


def _edges(found: Fit) -> tuple[Note, ...]:
    names = [warning.removeprefix("edge-") for warning in found.warnings if warning.startswith("edge-")]
    return (Note("edge", {"names": ", ".join(names)}),) if names else ()


def _cannot(
    base: Base, log: OrderLog, *, unit: Unit, horizon: float, annual_discount: float, worth: Worth
) -> Ltv:
    blank = Interval(value=NAN)
    reason = base.fit.why_not
    return Ltv(
        model=base.fit.model,
        unit=unit,
        until=day_of(log.until_day),
        horizon=horizon,
        annual_discount=annual_discount,
        customers=base.collapsed.customers,
        distinct=len(base.collapsed.count),
        parameters=dict(base.fit.parameters),
        errors=dict(base.fit.errors),
        coefficients={},
        log_likelihood=NAN,
        alive=NAN,
        orders=blank,
        money=blank,
        money_kind=log.money_kind,
        spend=worth,
        holdout=Holdout(after=None, why_not="few-repeats"),
        histogram=None,
        verdict=Verdict(state="unknown", reasons=(("few-repeats", {}),)),
        why_not=reason,
    )


def _with(found: Ltv, **changes: Any) -> Ltv:
    from dataclasses import replace

    return replace(found, **changes)


def _rows(
    base: Base,
    people: People,
    worth: Worth,
    alive: np.ndarray,
    orders: np.ndarray,
    discounted: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
) -> pa.Table:
    """One row a customer: his history, what to expect of him, and bounds for what he will do."""
    row = people.row
    per_order = worth.each * np.divide(discounted, orders, out=np.zeros(len(orders)), where=orders > 0)[row]
    first = base.collapsed.first_day
    columns = {
        "customer_id": people.ids,
        "repeats": base.collapsed.repeats[row],
        "last": base.histories.last[row],
        "age": base.histories.age[row],
        "first_order": pa.array(first[row].astype("datetime64[D]")),
        "p_alive": alive[row],
        "expected_orders": orders[row],
        "orders_low": bounds[0][row],
        "orders_high": bounds[1][row],
        "value": pa.array(worth.each * discounted[row], from_pandas=True),
        "value_low": pa.array(
            np.minimum(per_order * bounds[0][row], per_order * bounds[1][row]), from_pandas=True
        ),
        "value_high": pa.array(
            np.maximum(per_order * bounds[0][row], per_order * bounds[1][row]), from_pandas=True
        ),
    }
    if len(base.groups) > 1:
        columns["group"] = pa.array([base.groups[at] for at in base.place[row]])
    return pa.table(columns).sort_by("customer_id")
