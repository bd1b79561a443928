"""Sources, stories and topics as the rows of their pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from primeta.facts import Grain
from primeta.signals.signal import Block, Signal
from primeta.signals.texts.records import Quote, Topic
from primeta.sources.records import Document, Trouble
from primeta.sources.trouble_words import explain_trouble
from primeta.trends.records import OriginEvidence
from primeta.web.evidence_grid import NEEDED, SHOWN, Grid, grid_of
from primeta.web.reader import Reader
from primeta.web.texts_words import COPY, HEALTH, KIND, READER, kind_word, told
from primeta.workspace.texts_views import Copied, ReadingItem, SourceView, TopicView

EXCERPT = 320
HEADLINE = 110
TERMS = 4
"""So many words name a topic."""
MOST_OWNERS = 12


def clipped(text: str, most: int) -> str:
    """The beginning of a text on one line, cut between words."""
    line = " ".join(text[: 4 * most].split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:—–-") + "…"


def safe_url(url: str) -> str:
    """An address that may stand in a link, or nothing: what a feed calls a link may be anything."""
    try:
        parts = urlsplit(url.strip())
        web = parts.scheme.casefold() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return ""
    return url.strip() if web and url.strip().isprintable() and " " not in url.strip() else ""


def host_of(url: str) -> str:
    """The name of a site as people know it."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return name.removeprefix("www.")


def share_text(reader: Reader, share: float) -> str:
    """A share of texts: single digits say less than they seem to, so whole percents from ten on."""
    if share != share:
        return "·"
    return reader.percent(share, 0 if share >= 0.095 or share == 0 else 1 if share >= 0.00095 else 2)


# Stories


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One document as a page shows it: plain text, nothing of its markup."""

    id: str
    title: str
    url: str
    host: str
    excerpt: str
    """Empty where the title says it all."""
    source: str
    owner: str
    kind: str
    author: str
    at: datetime
    dated: bool
    """False: nobody said when; `at` is when it came."""


def told_of(reader: Reader, document: Document) -> Told:
    title, text = clipped(document.title, HEADLINE), document.text
    if document.title and text.startswith(document.title):
        text = text[len(document.title) :]
    excerpt = clipped(text, EXCERPT)
    if not title:
        title, excerpt = _first_words(text)
    url = safe_url(document.url)
    host = host_of(url)
    owner = document.forwarded_from or document.owner
    return Told(
        id=document.id,
        title=title or str(reader._("without words")),
        url=url,
        host=host,
        excerpt=excerpt,
        source=document.source,
        # Who speaks, unless that is the site, which stands beside the link.
        owner=owner if owner and owner != host else document.source,
        kind=kind_word(document.kind, reader.lang),
        author=clipped(document.author, 60) if document.author != owner else "",
        at=document.published_at or document.seen_at,
        dated=document.published_at is not None,
    )


def _first_words(text: str) -> tuple[str, str]:
    """Most messages have no title: their first line, or the beginning of it, stands in its place; then the rest."""
    line, _, rest = text.strip().partition("\n")
    head = clipped(line, HEADLINE)
    if not head.endswith("…"):
        return head, clipped(rest, EXCERPT)
    # `clipped` folds white space, so the place of the cut is looked for in the folded line.
    folded = " ".join(line[: 4 * EXCERPT].split())
    return head, "… " + clipped(f"{folded[len(head) - 1 :]} {rest}", EXCERPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retelling:
    """A copy under its story, and why it is one."""

    told: Told
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryRow:
    """A story of the reading list."""

    told: Told
    item: ReadingItem
    copies: tuple[Retelling, ...]


def story_rows(reader: Reader, items: Sequence[ReadingItem]) -> list[StoryRow]:
    return [
        StoryRow(
            told=told_of(reader, item.first),
            item=item,
            copies=tuple(_retelling(reader, copy) for copy in item.copies),
        )
        for item in items
    ]


def _retelling(reader: Reader, copy: Copied) -> Retelling:
    return Retelling(told=told_of(reader, copy.document), why=told(COPY, copy.why, reader.lang))


# Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """A source of the table."""

    view: SourceView
    name: str
    kind: str
    reader: str
    health: str
    why: str
    parts: tuple[str, ...]
    bars: Markup
    first_share: float
    """Of its documents, those that it told first; NaN where it has brought none."""


def source_row(reader: Reader, view: SourceView) -> SourceRow:
    lang = reader.lang
    return SourceRow(
        view=view,
        name=view.source.name,
        kind=told(KIND, view.source.kind, lang),
        reader=told(READER, view.source.reader, lang),
        health=told(HEALTH, view.health, lang),
        why=why_of(reader, view),
        parts=tuple(part for trouble in view.part_troubles if (part := explained(reader, trouble))),
        bars=week_bars(view.weekly, str(_bars_label(reader, view.weekly))),
        first_share=view.stories / view.documents if view.documents else math.nan,
    )


def why_of(reader: Reader, view: SourceView) -> str:
    """What failed, what to do; empty where nothing did."""
    return explained(reader, view.trouble) if view.trouble is not None else ""


def explained(reader: Reader, trouble: Trouble) -> str:
    """What went wrong and what to do, in plain words."""
    return explain_trouble(trouble, "ru" if reader.lang == "ru" else "en")


def _bars_label(reader: Reader, weekly: Sequence[int]) -> Markup:
    return reader._("documents by week: {numbers}", numbers=", ".join(str(count) for count in weekly))


def week_bars(counts: Sequence[float], label: str) -> Markup:
    """Weeks as bars, oldest first; an unknown week is a gap, an empty one a hair."""
    known = [count for count in counts if math.isfinite(count)]
    top = max([*known, 0])
    step = 100 / max(len(counts), 1)
    bars = []
    for place, count in enumerate(counts):
        if not math.isfinite(count):
            continue
        high = 24 * count / top if top > 0 else 0.0
        kind = "" if count else ' class="none"'
        bars.append(
            f'<rect{kind} x="{place * step + 0.8:.1f}" width="{step - 1.6:.1f}" y="{26 - max(high, 1):.1f}" '
            f'height="{max(high, 1):.1f}"/>'
        )
    return Markup(
        f'<svg class="week-bars" viewBox="0 0 100 26" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
        f"{''.join(bars)}</svg>"
    )


# Topics


def topic_name(topic: Topic, reader: Reader) -> str:
    return ", ".join(topic.terms[:TERMS]) or str(reader._("a topic without words"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """When one owner first spoke of a topic."""

    owner: str
    origin: str
    at: date
    by_week: bool
    """Only the week is known."""
    days_later: int
    """After whoever spoke first."""


def sightings(reader: Reader, view: TopicView) -> list[Sighting]:
    """Who spoke first and when the others followed."""
    topic = view.topic
    days: dict[str, date] = {}
    for owner, at in _spoken(view):
        day = at.astimezone(reader.zone).date()
        days[owner] = min(days.get(owner, day), day)
    weeks: dict[str, date] = {}
    origins: dict[str, str] = {}
    for share in topic.shares:
        origins[share.owner] = share.origin
        if share.stories:
            weeks[share.owner] = min(weeks.get(share.owner, share.week), share.week)
    found = []
    for owner in dict.fromkeys((*topic.owners, *weeks)):
        day, week = days.get(owner), weeks.get(owner)
        # The pages hold the newest documents only: a week that begins earlier is the earlier sight.
        by_week = week is not None and (day is None or week + timedelta(days=6) < day)
        first = week if by_week else day
        if first is not None:
            found.append((first, owner, by_week))
    # The order of the topic is by the moment; where only the week is known, its Monday may lie before an earlier day.
    order = {owner: place for place, owner in enumerate(topic.owners)}
    found.sort(key=lambda entry: (order.get(entry[1], len(order)), entry[0]))
    return [
        Sighting(
            owner=owner,
            origin=origins.get(owner, ""),
            at=first,
            by_week=by_week,
            days_later=max((first - found[0][0]).days, 0),
        )
        for first, owner, by_week in found[:MOST_OWNERS]
    ]


def _spoken(view: TopicView) -> list[tuple[str, datetime]]:
    said = [(entry.owner, entry.published_at or entry.seen_at) for entry in view.documents]
    return said + [(quote.owner, quote.published_at) for quote in view.topic.quotes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One thing that the grade asks for, and whether it is there."""

    met: bool
    words: str


def counted(blocks: Sequence[Block], grain: Grain) -> tuple[int, int]:
    """How many of the last finished blocks pass, and how many there are."""
    finished = [block for block in blocks if block.finished][-SHOWN[grain] :]
    return sum(block.passes for block in finished), len(finished)


def wanted_of(reader: Reader, topic: Topic) -> list[Wanted]:
    """What would make it confirmed."""
    strong = topic.grade in ("holding", "repeating", "confirmed")
    months, quarters = counted(topic.months, "month"), counted(topic.quarters, "quarter")
    repeats = months[0] >= NEEDED["month"] or quarters[0] >= NEEDED["quarter"]
    second = len(topic.owners) > 1 and "one_origin" not in topic.why
    return [
        Wanted(met=strong, words=reader.t("passed_yearly_level" if strong else "below_yearly_level")),
        Wanted(
            met=repeats,
            words=str(
                reader._("It repeats by months or quarters.")
                if repeats
                else reader._("It must repeat: in two of the last three months, or in both of the last two quarters.")
            ),
        ),
        Wanted(
            met=second,
            words=str(
                reader._("Sources that do not copy each other speak more of it.")
                if second
                else reader._("So far it rests on one side: another outside source must speak more of it without repeating the first. Retellings do not count.")
                if len(topic.owners) > 1
                else reader._("A second source must speak more of it without repeating the first; retellings do not count.")
            ),
        ),
    ]  # fmt: skip


def topic_grid(reader: Reader, topic: Topic, signals: Sequence[Signal]) -> Grid | None:
    """The evidence of a topic by origin, where its signals are there; else as one row."""
    rows = [
        OriginEvidence(
            origin=signal.frozen.origin,
            what="",  # the topic is the page
            weeks=signal.weeks,
            months=signal.months,
            quarters=signal.quarters,
            e_value=signal.e_value,
            grade=signal.grade,
        )
        for signal in signals
        if signal.weeks or signal.months or signal.quarters
    ]
    if not rows and (topic.weeks or topic.months or topic.quarters):
        rows = [
            OriginEvidence(
                origin=topic.origins[0] if topic.origins else "outside",
                what="",  # the topic is the page
                weeks=topic.weeks,
                months=topic.months,
                quarters=topic.quarters,
                e_value=topic.e_value,
                grade=topic.grade,
            )
        ]
    if not rows:
        return None
    return grid_of(
        reader,
        rows,
        counted={
            "week": counted(topic.weeks, "week"),
            "month": counted(topic.months, "month"),
            "quarter": counted(topic.quarters, "quarter"),
        },
        matters=math.nan,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A quote of a topic."""

    quote: Quote
    text: str
    url: str
    host: str


def quotes_of(topic: Topic) -> list[Said]:
    return [
        Said(quote=quote, text=clipped(quote.text, 420), url=safe_url(quote.url), host=host_of(quote.url))
        for quote in topic.quotes
    ]


def weekly_shares(topic: Topic, weeks: int = 13) -> list[float]:
    """The share of all owners' stories that speak of it, by week, oldest first."""
    stories: dict[date, int] = {}
    volume: dict[date, int] = {}
    for share in topic.shares:
        stories[share.week] = stories.get(share.week, 0) + share.stories
        volume[share.week] = volume.get(share.week, 0) + share.volume
    if not volume:
        return []
    last = max(volume)
    days = [last - timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]
    return [stories.get(day, 0) / volume[day] if volume.get(day) else math.nan for day in days]
