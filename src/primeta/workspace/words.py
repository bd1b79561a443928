"""Signals, trends and drafts in words: the rows of the terminal, the first name of a card."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.messages import say, word
from primeta.show.result import Head, Table
from primeta.signals.note import Note
from primeta.signals.signal import Signal
from primeta.trends.evidence import strongest
from primeta.trends.records import Card, Trend, TrendType
from primeta.warehouse.metric import Metric

MANY_SLICES = 2


def metric_name(name: str, metrics: Mapping[str, Metric], lang: Language) -> str:
    metric = metrics.get(name)
    return metric.label_in(lang) if metric else name


def change_of(signal: Signal, lang: Language) -> locale.Figure:
    """The change since the onset relative to what was expected, with its interval."""
    base = abs(signal.expected)
    if not base > 0 or not math.isfinite(base):
        return locale.figure(math.nan, lang, unit="relative")
    return locale.figure(
        (signal.observed - signal.expected) / base,
        lang,
        unit="relative",
        low=signal.low / base,
        high=signal.high / base,
        sign=True,
    )


def signals_table(
    signals: Iterable[Signal], notes: Iterable[Note], lang: Language, *, metrics: Mapping[str, Metric]
) -> Table:
    """What was seen: metric signals by strength, then notes."""
    rows = [
        (
            signal.id,
            word(lang, signal.grade),
            metric_name(signal.frozen.about, metrics, lang),
            locale.slice_name(signal.frozen.slice, lang),
            locale.day(signal.frozen.since, lang),
            str(change_of(signal, lang)),
            locale.bet(signal.e_value, lang),
        )
        for signal in signals
    ]
    rows += [
        (
            note.id,
            word(lang, note.origin),
            note.subject,
            note.source,
            locale.day(note.happened_at, lang),
            "",
            "",
        )
        for note in notes
    ]
    heads = (
        Head(say(lang, "id")),
        Head(say(lang, "grade")),
        Head(say(lang, "what")),
        Head(say(lang, "where")),
        Head(say(lang, "since")),
        Head(say(lang, "change"), "right"),
        Head(say(lang, "bet"), "right"),
    )
    note = (
        ""
        if rows
        else say(lang, "Nothing was seen yet. Run `primeta watch`, or write a sign down with `primeta log`.")
    )
    return Table(heads=heads, rows=tuple(rows), note=note)


def trends_table(trends: Iterable[Trend], lang: Language, *, currency: str) -> Table:
    """Trends with grade, money, decision and due date."""
    rows = []
    for trend in trends:
        money = trend.weighing.scenario("money") if trend.weighing else None
        decision = trend.decision
        rows.append(
            (
                trend.id,
                trend.card.name,
                word(lang, trend.evidence.grade),
                locale.number(trend.evidence.independent_origins, lang),
                str(money_figure(money, lang, currency)),
                word(lang, decision.answer) if decision else say(lang, "waits"),
                locale.day(decision.due, lang) if decision else "",
                decision.owner if decision else trend.card.owner,
            )
        )
    heads = (
        Head(say(lang, "id")),
        Head(say(lang, "trend")),
        Head(say(lang, "grade")),
        Head(say(lang, "origins"), "right"),
        Head(say(lang, "money a year"), "right"),
        Head(say(lang, "decision")),
        Head(say(lang, "due")),
        Head(say(lang, "owner")),
    )
    note = (
        ""
        if rows
        else say(
            lang,
            "No trend yet. `primeta watch` makes cards of what holds; `primeta trend new` makes one by hand.",
        )
    )
    return Table(heads=heads, rows=tuple(rows), note=note)


def money_figure(scenario, lang: Language, currency: str) -> locale.Figure:
    """P50 with P10…P90; "cannot tell" where a needed input is missing."""
    if scenario is None or scenario.why_not:
        return locale.figure(math.nan, lang, unit="money", currency=currency)
    return locale.figure(
        scenario.p50, lang, unit="money", low=scenario.p10, high=scenario.p90, currency=currency, sign=True
    )


def draft_name(members: Sequence[Signal], metrics: Mapping[str, Metric], lang: Language) -> str:
    """The first name of a card that nobody has named: what, which way, where."""
    first = members[0].frozen
    what = metric_name(first.about, metrics, lang)
    slices = [entry.frozen.slice for entry in members]
    where = [locale.slice_name(code, lang) for code in slices]
    if "all" in slices:
        place = ""
    elif len(where) > MANY_SLICES:
        rest = len(where) - 1
        place = say(lang, "{first} and {rest:int} more slices", first=where[0], rest=rest)
    else:
        place = locale.listed(where, lang)
    moved = (
        say(lang, "{what}: up", what=what)
        if first.direction == "up"
        else say(lang, "{what}: down", what=what)
    )
    return f"{moved}, {place}" if place else moved


def draft_description(lead: Signal, metrics: Mapping[str, Metric], lang: Language) -> str:
    return say(
        lang,
        "{what} in {slice:slice} stands {change} from what was expected since {since:date}.",
        what=metric_name(lead.frozen.about, metrics, lang),
        slice=lead.frozen.slice,
        change=str(change_of(lead, lang)),
        since=lead.frozen.since,
    )


def draft_sources(signals: Iterable[Signal], metrics: Mapping[str, Metric], lang: Language) -> str:
    """`Own metrics: orders per customer (age 35–44), …`"""
    listed = sorted(
        {
            f"{metric_name(entry.frozen.about, metrics, lang)} ({locale.slice_name(entry.frozen.slice, lang)})"
            for entry in signals
        }
    )
    return say(lang, "Own metrics: {listed}.", listed=locale.listed(listed, lang))


def draft_plan(weeks: float, effect: float, lang: Language) -> str:
    """What the horizon filter computed, as the first line of an experiment plan."""
    if not math.isfinite(weeks):
        return ""
    return say(
        lang,
        "Two halves of the slices by lot; {weeks:int} weeks to see a difference of {effect:share} "
        "(power 80%, level 95%, from the noise of our own series).",
        weeks=weeks,
        effect=effect,
    )


def draft_card(
    members: Sequence[Signal],
    metrics: Mapping[str, Metric],
    lang: Language,
    *,
    weeks: float,
    effect: float,
    type: TrendType,
) -> Card:
    """A card filled with all that its signals tell; the rest is for people.

    Args:
        members: In the order in which they were first seen.
        weeks, effect: Until an experiment would see a difference of `effect`.
    """
    lead = strongest(members)
    assert lead is not None
    seen = draft_description(lead, metrics, lang)
    return Card(
        name=draft_name(members, metrics, lang),
        description=seen,
        signal_sources=draft_sources(members, metrics, lang),
        metrics=tuple(sorted({entry.frozen.about for entry in members})),
        experiment_plan=draft_plan(weeks, effect, lang),
        type=type,
        decomposition={"signal": seen},
    )


def in_language(
    trend: Trend, signals: Mapping[str, Signal], metrics: Mapping[str, Metric], lang: Language
) -> Trend:
    """A trend that Primeta drafted and nobody has edited yet, told in the reader's language."""
    members = [signals[entry] for entry in trend.signals if entry in signals]
    if trend.version > 1 or not trend.history or trend.history[0].who != "primeta" or not members:
        return trend
    horizon = trend.weighing.filter("horizon") if trend.weighing else None
    effect = horizon.reason[1].get("effect") if horizon else None
    card = draft_card(
        members,
        metrics,
        lang,
        weeks=horizon.value if horizon else math.nan,
        effect=effect if isinstance(effect, float) else math.nan,
        type=trend.card.type,
    )
    return dataclasses.replace(trend, card=card)
