"""Signals, trends and drafts in words: the rows of the terminal, the first name of a card."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.messages import count, say, word
from primeta.show.result import Head, Table
from primeta.signals.note import Note
from primeta.signals.signal import ORIGINS, Signal
from primeta.signals.texts.records import Topic
from primeta.trends.evidence import strongest
from primeta.trends.records import TREND_TYPES, Card, Evidence, Trend, TrendType
from primeta.warehouse.metric import Metric

MANY_SLICES = 2


def metric_name(name: str, metrics: Mapping[str, Metric], lang: Language) -> str:
    """The name people read: a metric's, or a topic's words."""
    metric = metrics.get(name)
    return metric.label_in(lang) if metric else locale.topic_name(name, lang) or name


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


def share_move(signal: Signal, lang: Language) -> str:
    """Of a topic: its share of all stories before → since; a ratio to next to nothing would tell nobody anything."""
    return f"{locale.percent(signal.expected, lang)} → {locale.percent(signal.observed, lang)}"


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
            share_move(signal, lang) if signal.topic else str(change_of(signal, lang)),
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
    if members[0].topic:
        return say(lang, "More is said of {what}", what=what)
    slices = [entry.frozen.slice for entry in members if not entry.topic]
    where = [locale.slice_name(code, lang) for code in slices]
    if "all" in slices:
        place = ""
    elif len(where) > MANY_SLICES:
        rest = len(where) - 1
        place = say(lang, "{first} and {rest:int} more slices", first=where[0], rest=rest)
    else:
        place = locale.listed(where, lang)
    if first.origin == "attention":
        look = (
            say(lang, "More is welcomed")
            if first.direction == "up"
            else say(lang, "Fewer look at what we send")
        )
        return f"{look}: {place}" if place else look
    moved = (
        say(lang, "{what}: up", what=what)
        if first.direction == "up"
        else say(lang, "{what}: down", what=what)
    )
    return f"{moved}, {place}" if place else moved


def draft_description(lead: Signal, metrics: Mapping[str, Metric], lang: Language) -> str:
    if lead.topic:
        return say(
            lang,
            "{what}: {observed:share} of all stories since {since:date}, {expected:share} before; told by {owners}.",
            what=metric_name(lead.frozen.about, metrics, lang),
            observed=lead.observed,
            expected=lead.expected,
            since=lead.frozen.since,
            owners=owners_named(lead.owners, lang),
        )
    if lead.frozen.origin == "attention":
        return say(
            lang,
            "{observed:share} of messages are welcomed in {slice:slice} since {since:date}, {expected:share} expected "
            "of the same purposes and channels ({change}).",
            observed=lead.observed,
            expected=lead.expected,
            slice=lead.frozen.slice,
            since=lead.frozen.since,
            change=str(change_of(lead, lang)),
        )
    return say(
        lang,
        "{what} in {slice:slice} stands {change} from what was expected since {since:date}.",
        what=metric_name(lead.frozen.about, metrics, lang),
        slice=lead.frozen.slice,
        change=str(change_of(lead, lang)),
        since=lead.frozen.since,
    )


OWNERS_NAMED = 4


def owners_named(owners: Sequence[str], lang: Language) -> str:
    """`A, B, C, D and 3 more`."""
    rest = len(owners) - OWNERS_NAMED
    if rest <= 1:
        return locale.listed(owners, lang)
    more = count(lang, "{n} more", "{n} more", rest)
    return locale.listed([*owners[:OWNERS_NAMED], more], lang)


def draft_sources(signals: Iterable[Signal], metrics: Mapping[str, Metric], lang: Language) -> str:
    """`Own metrics: orders per customer (age 35–44), …. Outside text: Trade Daily, Counter Talk.`"""
    every = list(signals)
    listed = sorted(
        {
            f"{metric_name(entry.frozen.about, metrics, lang)} ({locale.slice_name(entry.frozen.slice, lang)})"
            for entry in every
            if not entry.topic
        }
    )
    told = [say(lang, "Own metrics: {listed}.", listed=locale.listed(listed, lang))] if listed else []
    for origin in ORIGINS:
        owners = [
            owner
            for entry in every
            if entry.topic and entry.frozen.origin == origin
            for owner in entry.owners
        ]
        if owners:
            who = capital(word(lang, origin))
            told.append(f"{who}: {owners_named(tuple(dict.fromkeys(owners)), lang)}.")
    return " ".join(told)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def origins_line(evidence: Evidence, lang: Language) -> str:
    """Which sides have seen a trend: `Own metric; outside text (5 independent owners)`; what is missing to confirm it."""
    parts = []
    for entry in evidence.origins:
        name = word(lang, entry.origin)
        owners = len(entry.sources)
        if entry.origin in ("outside", "competitor", "regulator") and owners:
            many = count(lang, "{n} independent owner", "{n} independent owners", owners)
            name = f"{name} ({many})"
        parts.append(name if entry.counts else say(lang, "{name}, without evidence of its own", name=name))
    if not parts:
        return ""
    if evidence.independent_origins == 1:
        return say(lang, "one origin: {listed}", listed=locale.listed(parts, lang))
    return locale.listed(parts, lang)


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
    topics: Mapping[str, Topic] | None = None,
) -> Card:
    """A card filled with all that its signals tell; the rest is for people.

    Args:
        members: In the order in which they were first seen.
        weeks, effect: Until an experiment would see a difference of `effect`.
        topics: Of those of the members that are sides of a topic: its type, and of a rule the day from which it
            applies, which is suggested as the day of review.
    """
    lead = strongest(members)
    assert lead is not None
    told = [topics[entry.topic] for entry in members if topics and entry.topic in topics]
    if lead.topic:
        kinds: list[TrendType] = [kind for entry in told for kind in TREND_TYPES if kind == entry.type]
        type = kinds[0] if kinds else type
    seen = draft_description(lead, metrics, lang)
    return Card(
        name=draft_name(members, metrics, lang),
        description=seen,
        signal_sources=draft_sources(members, metrics, lang),
        metrics=tuple(sorted({entry.frozen.about for entry in members if not entry.topic})),
        experiment_plan=draft_plan(weeks, effect, lang),
        review=min((entry.applies_from for entry in told if entry.applies_from), default=None),
        type=type,
        decomposition={"signal": seen},
    )


def in_language(
    trend: Trend,
    signals: Mapping[str, Signal],
    metrics: Mapping[str, Metric],
    lang: Language,
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
    # What the topics told when it was drafted stays: a type, a day of review.
    return dataclasses.replace(
        trend, card=dataclasses.replace(card, type=trend.card.type, review=trend.card.review)
    )
