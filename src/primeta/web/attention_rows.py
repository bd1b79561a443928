"""Rows of the pages of attention: standings, moves, silence beside opting out, tenths, beginners, promises, campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite
from urllib.parse import quote

from markupsafe import Markup

from primeta.attention.account import PromiseAccount, Sent
from primeta.attention.health import NEW, STATES, Health, Share, Standing, State
from primeta.attention.records import PURPOSES
from primeta.attention.report import HealthReport, Spent, count_text, latest, of_channel, per_thousand
from primeta.attention.report_words import channel_name, tell
from primeta.show.interval import Scale, scale_of, verdict_of
from primeta.show.locale import Figure
from primeta.web.reader import Reader

UP: tuple[State, ...] = ("press", "sell", "useful")
"""From the best on; who goes between these rises or falls."""


def share_figure(reader: Reader, share: Share) -> Figure:
    return reader.figure(share.value, "share", share.low, share.high)


def bar_of(reader: Reader, share: Share, scale: Scale, *, bad: bool = True, basis: str = "model") -> Markup:
    """A share as an interval on a scale that begins with 0."""
    return reader.iv(
        share.value, share.low, share.high, scale=scale, verdict="loss" if bad else "gain", basis=basis
    )


# Where customers stand


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingColumn:
    """A channel of the first table."""

    name: str
    customers: str
    bar: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """A state: how many customers and which share, channel by channel."""

    state: State
    name: str
    cells: tuple[tuple[str, Figure], ...]


def columns(reader: Reader, found: HealthReport) -> list[StandingColumn]:
    return [
        StandingColumn(
            name=channel_name(entry.channel, reader.lang)
            if entry.channel
            else tell(reader.lang, "everybody"),
            customers=count_text(entry.customers, found.report.share, reader.lang),
            bar=states_bar(reader, entry),
        )
        for entry in latest(found.health)
    ]


def states_bar(reader: Reader, entry: Standing) -> Markup:
    """All customers of a channel as one bar, its parts the states."""
    label = "; ".join(
        f"{tell(reader.lang, state)}: {reader.percent(entry.states[state].value, 1)}" for state in STATES
    )
    parts, at = [], 0.0
    for state in STATES:
        width = 100 * entry.states[state].value
        parts.append(
            f'<rect class="credit-{state}" x="{at:.3f}%" width="{width:.3f}%" y="14%" height="72%"/>'
        )
        at += width
    return Markup(f'<svg class="iv states" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>')


def state_rows(reader: Reader, found: HealthReport) -> list[StateRow]:
    last = latest(found.health)
    return [
        StateRow(
            state=state,
            name=tell(reader.lang, state),
            cells=tuple(
                (
                    count_text(entry.states[state].value * entry.customers, found.report.share, reader.lang),
                    share_figure(reader, entry.states[state]),
                )
                for entry in last
            ),
        )
        for state in STATES
    ]


# How they moved


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRow:
    """One month of a channel: how many came, rose, fell, fell silent, opted out, came back."""

    month: str
    came: str
    rose: str
    fell: str
    silent: str
    left: str
    back: str


def move_rows(reader: Reader, found: HealthReport, channel: str) -> list[MoveRow]:
    """The newest month first."""
    counts: dict[str, dict[str, float]] = {}
    for move in found.health.moves if found.health else ():
        if move.channel != channel:
            continue
        kind = _kind(move.was, move.now)
        if kind:
            month = counts.setdefault(move.month, {})
            month[kind] = month.get(kind, 0.0) + move.customers
    share, lang = found.report.share, reader.lang

    def cell(month: dict[str, float], kind: str) -> str:
        return count_text(month.get(kind, 0.0), share, lang)

    return [
        MoveRow(
            month=reader.period(code),
            came=cell(month, "came"),
            rose=cell(month, "rose"),
            fell=cell(month, "fell"),
            silent=cell(month, "silent"),
            left=cell(month, "left"),
            back=cell(month, "back"),
        )
        for code, month in sorted(counts.items(), reverse=True)
    ]


def _kind(was: str, now: State) -> str:
    """What such a move is called; empty where nobody moved."""
    if was == now:
        return ""
    if now == "gone":
        return "left"
    if was == NEW:
        return "came"
    if now == "blind":
        return "silent"
    if was in ("blind", "gone"):
        return "back"
    places = (*UP, "none")
    return "rose" if places.index(now) < places.index(was) else "fell"


# Silence beside opting out


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRow:
    """One month: who no longer looks and who opted out."""

    month: str
    silent: Figure
    silent_bar: Markup
    gone: Figure
    gone_bar: Markup
    credit: Figure


def silence_rows(reader: Reader, health: Health, channel: str) -> tuple[list[SilenceRow], Scale]:
    """The newest month first; both columns on one scale."""
    rows = of_channel(health, channel)
    ends = [entry.blind.high for entry in rows] + [entry.states["gone"].high for entry in rows]
    scale = scale_of([0.0, *(end for end in ends if isfinite(end))], ticks=3)
    return [
        SilenceRow(
            month=reader.period(entry.month),
            silent=share_figure(reader, entry.blind),
            silent_bar=bar_of(reader, entry.blind, scale),
            gone=share_figure(reader, entry.states["gone"]),
            gone_bar=reader.iv(
                entry.states["gone"].value,
                entry.states["gone"].low,
                entry.states["gone"].high,
                scale=scale,
                verdict="unsure",
            ),
            credit=share_figure(reader, entry.credit),
        )
        for entry in reversed(rows)
    ], scale


# Who carries the credit, who begins


@dataclass(frozen=True, slots=True, kw_only=True)
class TenthRow:
    """A tenth of the customers."""

    name: str
    credit: Figure
    bar: Markup
    welcomes: Figure


def tenth_rows(reader: Reader, health: Health, channel: str) -> tuple[list[TenthRow], Scale]:
    mine = [entry for entry in health.tenths if entry.channel == channel]
    scale = scale_of([0.0, *(entry.credit.high for entry in mine)], ticks=3)
    return [
        TenthRow(
            name=str(reader._("tenth {n}", n=entry.tenth)),
            credit=share_figure(reader, entry.credit),
            bar=bar_of(reader, entry.credit, scale, bad=False),
            welcomes=share_figure(reader, entry.welcomes),
        )
        for entry in mine
    ], scale


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterRow:
    """New customers of a month."""

    month: str
    customers: str
    useful: Figure
    welcomed: Figure
    gone: Figure


def starter_rows(reader: Reader, found: HealthReport) -> list[StarterRow]:
    """The newest month first."""
    return [
        StarterRow(
            month=reader.period(entry.month),
            customers=count_text(entry.customers, found.report.share, reader.lang),
            useful=share_figure(reader, entry.useful),
            welcomed=share_figure(reader, entry.welcomed),
            gone=share_figure(reader, entry.gone),
        )
        for entry in reversed(found.health.starters if found.health else ())
    ]


# Promises


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRow:
    """One promise in the list."""

    entry: PromiseAccount
    href: str
    title: str
    about: str
    share: Figure
    bar: Markup
    knowable: str
    months: Markup
    breaker: str
    why_not: str


def promise_address(name: str) -> str:
    return f"/attention/promises/{quote(name, safe='')}"


def customer_address(pseudonym: str) -> str:
    return f"/attention/customers/{quote(pseudonym, safe='')}"


def campaign_address(kind: str, name: str) -> str:
    return f"/attention/campaigns/{kind}/{quote(name, safe='')}"


def promise_rows(reader: Reader, entries: Sequence[PromiseAccount]) -> tuple[list[PromiseRow], Scale]:
    from primeta.attention.replay_words import tell as tell_replay

    scale = scale_of([0.0, *(entry.share.high for entry in entries if isfinite(entry.share.high))], ticks=3)
    found: list[PromiseRow] = []
    for entry in entries:
        check = entry.check
        breakers = [one for one in entry.breakers if one.name]
        first = next(
            (one for kind in ("programme", "campaign", "team") for one in breakers if one.kind == kind), None
        )
        found.append(
            PromiseRow(
                entry=entry,
                href=promise_address(check.promise.name),
                title=check.promise.text or check.promise.name,
                about=about(reader, entry),
                share=share_figure(reader, entry.share),
                bar=bar_of(reader, entry.share, scale, basis="measured"),
                knowable=reader.percent(check.knowable / check.broken, 0) if check.broken else "",
                months=month_bars(reader, entry),
                breaker=f"{first.name} ({reader.number(first.broken)})" if first else "",
                why_not=tell_replay("ru" if reader.lang == "ru" else "en", check.why_not)
                if check.why_not
                else "",
            )
        )
    return found, scale


def about(reader: Reader, entry: PromiseAccount) -> str:
    """Of which messages it speaks and to whom it was made."""
    promise = entry.check.promise
    parts = [
        channel_name(promise.channel, reader.lang) if promise.channel else str(reader._("all channels")),
        purpose_name(reader, promise.purpose) if promise.purpose else str(reader._("all messages")),
        str(reader._n("{n:int} customer", "{n:int} customers", entry.made_to))
        if entry.made_to
        else str(reader._("all customers")),
    ]
    return ", ".join(parts)


def purpose_name(reader: Reader, purpose: str) -> str:
    from primeta.attention.credit_words import WORDS

    code = f"purpose.{purpose}"
    return (
        WORDS[code]["ru" if reader.lang == "ru" else "en"]
        if purpose in PURPOSES and code in WORDS
        else purpose
    )


def month_bars(reader: Reader, entry: PromiseAccount) -> Markup:
    """The broken share by month as small bars."""
    known = [month for month in entry.months if month.checked]
    if len(known) < 2:
        return Markup("")
    top = max(month.share.value for month in known) or 1.0
    label = ", ".join(
        f"{reader.period(month.month)}: {reader.percent(month.share.value, 1)}" for month in known
    )
    step = 100 / len(known)
    bars = "".join(
        f'<rect x="{step * place:.2f}%" width="{step * 0.74:.2f}%" y="{100 - max(92 * month.share.value / top, 2):.1f}%" '
        f'height="{max(92 * month.share.value / top, 2):.1f}%"/>'
        for place, month in enumerate(known)
    )
    return Markup(f'<svg class="month-bars" role="img" aria-label="{escape(label)}">{bars}</svg>')


# Campaigns


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentRow:
    """A campaign, programme or team in the list."""

    row: Spent
    href: str
    name: str
    of: str
    credit: Figure
    thousand: Figure
    """With each 1,000 messages."""
    kind: str
    """`gain`, `loss` or empty."""
    bar: Markup
    money: Figure | None
    cost: str


def spent_scale(rows: Sequence[Spent]) -> Scale:
    ends = [end for row in rows for end in (row.low, row.high) if isfinite(end)]
    return scale_of([0.0, *ends], ticks=4)


def spent_row(reader: Reader, row: Spent, scale: Scale) -> SpentRow:
    verdict = verdict_of(row.low, row.high, up_is_bad=True) if row.told else "unsure"
    sent = row.sent
    return SpentRow(
        row=row,
        href=campaign_address(sent.kind, sent.name),
        name=sent.name or str(reader._("without a name")),
        of=", ".join(part for part in (sent.programme, sent.team) if part and part != sent.name),
        credit=reader.figure(row.credit, "count", row.low, row.high),
        thousand=reader.figure(
            per_thousand(row.credit, row), "count", per_thousand(row.low, row), per_thousand(row.high, row)
        ),
        kind="" if verdict == "unsure" else verdict,
        bar=reader.iv(
            row.credit,
            row.low,
            row.high,
            scale=scale,
            verdict=verdict,
            basis="measured" if row.basis == "randomised" else "model",
        ),
        money=reader.figure(row.money.value, "money", row.money.low, row.money.high)
        if isfinite(row.money.value)
        else None,
        cost=reader.money(sent.cost) if isfinite(sent.cost) else "",
    )


def week_bars_of(reader: Reader, sent: Sent) -> Markup:
    """Messages by week; the part that broke promises is coloured, its numbers stand in the table below."""
    weeks = sent.weeks
    top = max((week.messages for week in weeks), default=0) or 1
    label = ", ".join(f"{reader.short(week.week)}: {reader.number(week.messages)}" for week in weeks)
    step = 100 / max(len(weeks), 1)
    bars: list[str] = []
    for place, week in enumerate(weeks):
        size = max(96 * week.messages / top, 2)
        broken = size * min(week.broken / week.messages, 1.0) if week.messages else 0.0
        at = f'x="{step * place:.2f}%" width="{step * 0.74:.2f}%"'
        bars.append(f'<rect {at} y="{100 - size:.1f}%" height="{size - broken:.1f}%"/>')
        if broken:
            bars.append(f'<rect class="broken" {at} y="{100 - broken:.1f}%" height="{broken:.1f}%"/>')
    return Markup(
        f'<svg class="month-bars tall" role="img" aria-label="{escape(label)}">{"".join(bars)}</svg>'
    )
