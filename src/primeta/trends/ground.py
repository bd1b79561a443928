"""What is measured about a trend before it is weighed: reach, effects, needs, time to an answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt

from primeta.facts import TABLES
from primeta.signals.signal import Signal
from primeta.stats.longrun import long_run_variance
from primeta.stats.power import weeks_to_see
from primeta.trends.evidence import strongest
from primeta.trends.weigh import REVENUES, Ground, KpiEffect, Need

Floats = npt.NDArray[np.float64]
WEEKS_ALONE = 4
"""Weeks after first sight from which they alone measure the effect: they did not help to find it."""
MONEY = REVENUES[0]
OF_THE_BASKET = frozenset(
    {
        "average_order_value",
        "items_per_order",
        "discount_share",
        "full_price_share",
        "categories_per_customer",
    }
)
KPIS: dict[str, tuple[str, ...]] = {
    "arpu": (MONEY,),
    "retention": ("retention_30", "retention_90", "retention_7"),
    "conversion": ("conversion",),
}
"""Outcome of the scenarios → the metrics that measure it, the first that is there."""

FEEDS: dict[str, tuple[str, ...]] = {
    "orders_per_customer": (MONEY, "margin_per_customer"),
    "average_order_value": (MONEY, "margin_per_customer"),
    "items_per_order": ("average_order_value", MONEY),
    "categories_per_customer": (MONEY,),
    "discount_share": ("margin_per_customer",),
    "full_price_share": ("margin_per_customer",),
    "visits_per_customer": ("orders_per_customer", MONEY),
    "churn": (MONEY, "retention_30", "retention_90"),
    "reactivation_rate": (MONEY,),
    "attention": ("conversion", "click_rate", "retention_30"),
    "open_rate": ("conversion", "click_rate"),
    "click_rate": ("conversion",),
    "click_to_open": ("conversion",),
    "unsubscribe_rate": ("conversion", "open_rate"),
    "complaint_rate": ("conversion",),
    "retention_7": (MONEY,),
    "retention_30": (MONEY, "churn"),
    "retention_90": (MONEY, "churn"),
}
"""Metric → metrics that it feeds directly: a goal that is fed counts by half."""


class Observed(Protocol):
    """A series with what was expected of it; arrays are (T,)."""

    @property
    def starts(self) -> npt.NDArray[np.datetime64]: ...
    @property
    def observed(self) -> Floats: ...
    @property
    def se(self) -> Floats: ...
    @property
    def customers(self) -> Floats: ...
    @property
    def numerator(self) -> Floats: ...
    @property
    def expected(self) -> Floats: ...


Lookup = Callable[[str, str, str], Observed | None]
"""(metric, slice, grain) → the series, or None where it is not measured."""


def ground_of(
    signals: Sequence[Signal],
    *,
    lookup: Lookup,
    margin: float | None,
    fullness: Mapping[str, float],
    tables: Iterable[str],
    table_of: Mapping[str, str],
    consent_share: float,
    of_the_basket: Collection[str] = OF_THE_BASKET,
) -> Ground:
    """Everything that can be measured about the trend that these signals tell.

    Args:
        fullness: `table.column` → share of rows that carry a value, 0–1.
        tables: Canonical tables that the workspace maps.
        table_of: Metric → the table that it is counted from.
        of_the_basket: Metrics that say what is in an order, not how many orders there are.
    """
    slices = outermost({entry.frozen.slice for entry in signals})
    lead = strongest(signals)
    customers, revenue = _reach(slices, lookup)
    since, seen = _window(signals)
    touched = {entry.frozen.about for entry in signals}
    kpis = {
        outcome: _effect(metrics, slices, lookup, since=since, seen=seen)
        for outcome, metrics in {**KPIS, "arpu": _revenues(touched, of_the_basket)}.items()
    }
    return Ground(
        reach_customers=customers,
        reach_revenue=revenue,
        revenue_year=_revenue_year(lookup),
        margin=margin,
        kpis=kpis,
        touched=sorted(touched),
        needs=_needs(signals, fullness, set(tables), table_of) if signals else (),
        weeks_to_answer=_weeks_to_answer(lead, lookup) if lead else math.nan,
        smallest_effect=lead.frozen.smallest_effect if lead else math.nan,
        consent_share=consent_share,
        same_cause=FEEDS,
    )


def outermost(codes: Iterable[str]) -> tuple[str, ...]:
    """Slices without those that lie inside another of them: nobody is counted twice down a branch."""
    every = set(codes)
    if "all" in every:
        return ("all",)
    parts = {code: set(code.split("&")) for code in every}
    return tuple(sorted(code for code in every if not any(parts[other] < parts[code] for other in every)))


def _reach(slices: Sequence[str], lookup: Lookup) -> tuple[float, float]:
    """Shares of customers and revenue in the slices, over the last 13 weeks.

    Slices of one attribute do not overlap and add up; slices of different attributes are taken
    as independent, which is said where the number is shown.
    """
    if not slices:
        return math.nan, math.nan
    if slices == ("all",):
        return 1.0, 1.0
    whole = _revenue("all", lookup)
    by_attribute: dict[str, list[tuple[float, float]]] = {}
    for code in slices:
        view = _revenue(code, lookup)
        if view is None or whole is None:
            # Slices of messages have no orders of their own.
            return math.nan, math.nan
        attribute = "&".join(part.partition("=")[0] for part in code.split("&"))
        by_attribute.setdefault(attribute, []).append(
            (_recent(view.customers, whole.customers), _recent(view.numerator, whole.numerator))
        )
    outside = np.prod(
        [1 - np.minimum(np.sum(shares, axis=0), 1.0) for shares in by_attribute.values()], axis=0
    )
    return float(1 - outside[0]), float(1 - outside[1])


def _revenues(touched: set[str], of_the_basket: Collection[str]) -> tuple[str, ...]:
    """What measures ARPU: a basket may stand for it only where nothing but baskets changed, since the
    number of orders is then taken as it was."""
    return REVENUES if touched <= set(of_the_basket) else (MONEY,)


def _revenue(code: str, lookup: Lookup) -> Observed | None:
    return next((view for metric in REVENUES if (view := lookup(metric, code, "week")) is not None), None)


def _recent(part: Floats, whole: Floats, *, weeks: int = 13) -> float:
    total = float(np.nansum(whole[-weeks:]))
    return float(np.nansum(part[-weeks:])) / total if total else math.nan


def _revenue_year(lookup: Lookup) -> float:
    """Revenue of everybody over the last 52 weeks; a shorter history is scaled up to a year."""
    whole = _revenue("all", lookup)
    if whole is None:
        return math.nan
    weekly = whole.numerator[-52:]
    known = weekly[np.isfinite(weekly)]
    return float(known.mean() * 52) if len(known) else math.nan


def _window(signals: Sequence[Signal]) -> tuple[date | None, date | None]:
    lead = strongest(signals)
    return (None, None) if lead is None else (lead.frozen.since, lead.frozen.first_seen.date())


def _effect(
    metrics: Sequence[str], slices: Sequence[str], lookup: Lookup, *, since: date | None, seen: date | None
) -> KpiEffect:
    """How far the first of the metrics that has an expectation stands from it, by customers over the slices."""
    why_not = "not-measured"
    for metric in metrics:
        views = [view for code in slices if (view := lookup(metric, code, "week")) is not None]
        parts = [_effect_in(view, since=since, seen=seen) for view in views]
        weights = np.array([_level(view.customers) for view in views])
        if not views:
            continue
        if not all(math.isfinite(part[0]) for part in parts) or not weights.sum() > 0:
            why_not = "no-expectation"
            continue
        weights = weights / weights.sum()
        return KpiEffect(
            metric=metric,
            relative=float(weights @ [part[0] for part in parts]),
            se=float(np.sqrt(weights**2 @ [part[1] ** 2 for part in parts])),
            base=float(weights @ [part[2] for part in parts]),
            weeks=min(part[3] for part in parts),
        )
    return KpiEffect(
        metric=metrics[0], relative=math.nan, se=math.nan, base=math.nan, weeks=0, why_not=why_not
    )


def _level(values: Floats, *, weeks: int = 13) -> float:
    known = values[-weeks:][np.isfinite(values[-weeks:])]
    return float(known.mean()) if len(known) else 0.0


def _effect_in(view: Observed, *, since: date | None, seen: date | None) -> tuple[float, float, float, int]:
    """(relative effect, its standard error, expected level, weeks) in one series.

    Weeks after first sight are used where there are enough of them: those before it were chosen
    because they were extreme. The error holds the noise of the window and of the baseline, both by
    the long-run variance of the residuals before the onset.
    """
    nothing = (math.nan, math.nan, math.nan, 0)
    if since is None or seen is None:
        return nothing
    residual = view.observed / view.expected - 1
    known = np.isfinite(residual)
    after = known & (view.starts >= np.datetime64(seen, "D"))
    if after.sum() < WEEKS_ALONE:
        after = known & (view.starts >= np.datetime64(since, "D"))
    before = known & (view.starts < np.datetime64(since, "D"))
    if after.sum() < 1 or before.sum() < 8:
        return nothing
    noise = long_run_variance(residual[before] - residual[before].mean())
    m, n = int(after.sum()), int(before.sum())
    se = math.sqrt(noise / m + noise / n)
    return float(residual[after].mean()), se, float(view.expected[after].mean()), m


def _weeks_to_answer(lead: Signal, lookup: Lookup) -> float:
    """From the standard errors of the lead's metric in its slice over weeks, months and quarters."""
    relative_se: dict[int, float] = {}
    for grain, weeks in (("week", 1), ("month", 4), ("quarter", 13)):
        view = lookup(lead.frozen.about, lead.frozen.slice, grain)
        if view is None:
            continue
        size = np.abs(view.observed[-13:])
        # Where nothing was observed an error has no relative size.
        relative = np.divide(view.se[-13:], size, out=np.full(len(size), np.nan), where=size > 0)
        relative = relative[np.isfinite(relative)]
        if len(relative):
            relative_se[weeks] = float(np.median(relative))
    return weeks_to_see(lead.frozen.smallest_effect, relative_se=relative_se)


def _needs(
    signals: Sequence[Signal], fullness: Mapping[str, float], tables: set[str], table_of: Mapping[str, str]
) -> tuple[Need, ...]:
    """What acting on the trend takes: its own facts, its segments, a channel, reactions, consents."""
    wanted = {table_of.get(entry.frozen.about, "orders") for entry in signals}
    columns = {
        f"customers.{part.partition('=')[0]}"
        for entry in signals
        for part in entry.frozen.slice.split("&")
        if "=" in part and not part.startswith("channel=")
    }
    needs = [Need(name=name, exists=name in tables, full=_full(name, fullness)) for name in sorted(wanted)]
    needs += [
        Need(name=name, exists=name in fullness, full=fullness.get(name, 0.0)) for name in sorted(columns)
    ]
    for name in ("messages", "reactions", "consents"):
        if name not in wanted:
            needs.append(Need(name=name, exists=name in tables, full=_full(name, fullness)))
    return tuple(needs)


def _full(table: str, fullness: Mapping[str, float]) -> float:
    """A table is as full as the emptiest of the columns that it must have."""

    shares = [fullness[key] for name in TABLES[table].required if (key := f"{table}.{name}") in fullness]
    return min(shares, default=0.0)
