"""The week in one page: text for a chat, Markdown for a note, HTML for a mail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.messages import count, say, t, word
from primeta.show.result import Head, Table
from primeta.workspace.digest_said import Said, end_of_week, said_in
from primeta.workspace.documents import trend_document
from primeta.workspace.experiment_documents import experiment_entry
from primeta.workspace.experiment_words import finding, reading_of
from primeta.workspace.views import Change, GlanceRow, Overview
from primeta.workspace.words import money_figure, origins_line

if TYPE_CHECKING:
    from primeta.trends.records import Trend
    from primeta.workspace.workspace import Workspace

_STYLE = (
    "body{font:16px/1.5 Georgia,serif;color:#161d24;background:#fdfdfc;max-width:44rem;margin:2rem auto;"
    "padding:0 1rem}h1{font-size:1.6rem;font-weight:400;line-height:1.2}h2{font:650 1.1rem sans-serif;"
    "border-top:2px solid #161d24;padding-top:.5rem;margin-top:2rem}table{border-collapse:collapse;"
    "width:100%;font:.9rem sans-serif}th{text-align:left;font-weight:400;color:#606b75;"
    "border-bottom:1px solid #161d24}td,th{padding:.35rem .75rem .35rem 0;vertical-align:top}"
    "tr{border-bottom:1px solid #dcdfdc}.num{text-align:right;white-space:nowrap}"
    ".note{font:.8rem sans-serif;color:#46515b}"
    "blockquote{margin:.5rem 0 .5rem 0;padding-left:.75rem;border-left:2px solid #dcdfdc}"
)


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    body: str | Table | Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One week of a workspace; the same content in three dresses."""

    title: str
    headline: str
    sections: tuple[Section, ...]
    foot: str
    language: Language
    overview: Overview
    said: Said | None = None
    """What is being said; None where no source is declared."""

    @property
    def text(self) -> str:
        parts = [self.title, "", self.headline]
        for section in self.sections:
            body = section.body if isinstance(section.body, str) else section.body.text()
            parts += ["", section.title.upper(), body]
        return "\n".join([*parts, "", self.foot]) + "\n"

    @property
    def markdown(self) -> str:
        parts = [f"# {self.headline}", "", f"*{self.title}*"]
        for section in self.sections:
            body = section.body if isinstance(section.body, str) else section.body.markdown()
            parts += ["", f"## {section.title}", "", body]
        return "\n".join([*parts, "", self.foot]) + "\n"

    @property
    def html(self) -> str:
        """A page that stands alone: no script, nothing loaded from anywhere."""
        body = "".join(
            f"<h2>{escape(section.title)}</h2>"
            + (f"<p>{escape(section.body)}</p>" if isinstance(section.body, str) else section.body.html())
            for section in self.sections
        )
        return (
            f'<!doctype html><html lang="{self.language}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style></head><body>"
            f'<p class="note">{escape(self.title)}</p><h1>{escape(self.headline)}</h1>{body}'
            f'<p class="note">{escape(self.foot)}</p></body></html>\n'
        )

    def line(self) -> str:
        return self.headline

    def as_dict(self) -> dict[str, Any]:
        week = self.overview.week
        return {
            "week": week.code if week else None,
            "seen_until": self.overview.seen_until,
            "headline": self.headline,
            "watched": self.overview.watched,
            "reported": self.overview.reported,
            "false_share": self.overview.false_share,
            "waiting": [trend_document(trend) for trend in self.overview.waiting],
            "overdue": [trend_document(trend) for trend in self.overview.overdue],
            "said": self.said.as_dict() if self.said else None,
            "attention": self.overview.attention.as_dict() if self.overview.attention is not None else None,
            "experiments": [experiment_entry(view) for view in self.overview.experiments],
            "changes": [
                {
                    "at": change.at,
                    "name": change.name,
                    "was": change.was,
                    "now": change.now,
                    "trend": change.trend,
                }
                for change in self.overview.changes
            ],
        }


def digest(ws: Workspace, *, now: datetime, language: str) -> Digest:
    """The digest of the last watched week."""
    lang: Language = "ru" if language == "ru" else "en"
    seen = ws.in_language(lang).overview(now=now)
    currency = ws.config.currency
    week = (
        say(lang, "{name}, {week:period}", name=ws.config.name, week=seen.week.code)
        if seen.week
        else ws.config.name
    )
    said = _said(ws, seen, lang, now)
    return Digest(
        title=week,
        headline=headline(seen, lang),
        sections=(
            Section(say(lang, "Waits for a decision"), _trend_table(seen.waiting, lang, currency)),
            *_experiments(ws, seen, lang),
            Section(say(lang, "Overdue"), _overdue_table(seen, lang)),
            *_glance(ws, seen, lang, currency),
            *_attention(seen, lang),
            *([Section(say(lang, "What is being said"), said)] if said else []),
            Section(say(lang, "What changed"), _change_table(seen.changes, ws, lang)),
        ),
        foot=_foot(ws, seen, lang),
        language=lang,
        overview=seen,
        said=said,
    )


def _said(ws: Workspace, seen: Overview, lang: Language, now: datetime) -> Said | None:
    if seen.seen_until is None:
        return None
    return said_in(ws, until=end_of_week(seen.seen_until, ws.config.zone), lang=lang, now=now)


def _attention(seen: Overview, lang: Language) -> tuple[Section, ...]:
    """One line where something of attention needs a person."""
    if not seen.attention:
        return ()
    return (Section(say(lang, "Attention"), " ".join(told for told, _ in seen.attention.sentences(lang))),)


def _glance(ws: Workspace, seen: Overview, lang: Language, currency: str) -> tuple[Section, ...]:
    """The metrics of the week; no section where only texts are watched."""
    if not seen.glance and not seen.watched and ws.config.sources.declared:
        return ()
    return (Section(say(lang, "The week in one glance"), _glance_table(seen.glance, lang, currency)),)


def headline(seen: Overview, lang: Language) -> str:
    """What happened and what is asked of the reader, in one or two sentences."""
    if seen.week is None:
        return say(lang, "Nothing has been watched yet.")
    order = ("noticed", "holding", "repeating", "confirmed")
    moved = [change for change in seen.changes if change.trend]
    stronger = sum(
        change.now in order and (change.was is None or order.index(change.now) > _rank(change.was, order))
        for change in moved
    )
    refuted = sum(change.now == "refuted" for change in moved)
    parts = []
    if stronger:
        parts.append(count(lang, "{n} trend grew stronger", "{n} trends grew stronger", stronger))
    if refuted:
        parts.append(count(lang, "{n} was refuted", "{n} were refuted", refuted))
    first = ", ".join(parts) if parts else say(lang, "No trend changed its grade")
    asked = []
    if seen.waiting:
        asked.append(count(lang, "{n} decision waits", "{n} decisions wait", len(seen.waiting)))
    if seen.experiments:
        asked.append(
            count(
                lang,
                "{n} experiment waits for a decision",
                "{n} experiments wait for a decision",
                len(seen.experiments),
            )
        )
    if seen.overdue:
        asked.append(count(lang, "{n} review is overdue", "{n} reviews are overdue", len(seen.overdue)))
    second = ", ".join(asked) if asked else say(lang, "nothing waits for a decision")
    return f"{first}. {second[0].upper()}{second[1:]}."


def _rank(grade: str, order: tuple[str, ...]) -> int:
    return order.index(grade) if grade in order else -1


def _trend_table(trends: tuple[Trend, ...], lang: Language, currency: str) -> str | Table:
    if not trends:
        return say(lang, "Nothing waits.")
    # Where texts are watched, who has seen a thing differs from trend to trend.
    said = any(entry.origin != "metric" for trend in trends for entry in trend.evidence.origins)
    heads = (
        Head(say(lang, "trend")),
        Head(say(lang, "grade")),
        *([Head(say(lang, "seen by"))] if said else []),
        Head(say(lang, "money a year, P10 to P90"), "right"),
    )
    rows = tuple(
        (
            trend.card.name,
            word(lang, trend.evidence.grade),
            *([origins_line(trend.evidence, lang)] if said else []),
            str(money_figure(trend.weighing.scenario("money") if trend.weighing else None, lang, currency)),
        )
        for trend in trends
    )
    return Table(heads=heads, rows=rows)


def _experiments(ws: Workspace, seen: Overview, lang: Language) -> tuple[Section, ...]:
    """Experiments whose answer waits; no section where none does."""
    if not seen.experiments:
        return ()
    read = reading_of(ws, lang)
    heads = (Head(say(lang, "experiment")), Head(say(lang, "owner")), Head(say(lang, "what it says")))
    rows = tuple((view.name, view.plan.owner, finding(view, read)) for view in seen.experiments)
    return (Section(say(lang, "Experiments with an answer"), Table(heads=heads, rows=rows)),)


def _overdue_table(seen: Overview, lang: Language) -> str | Table:
    if not seen.overdue:
        return say(lang, "No review is overdue.")
    heads = (
        Head(say(lang, "trend")),
        Head(say(lang, "decision")),
        Head(say(lang, "due")),
        Head(say(lang, "owner")),
    )
    rows = tuple(
        (
            trend.card.name,
            word(lang, trend.decision.answer),
            locale.day(trend.decision.due, lang),
            trend.decision.owner,
        )
        for trend in seen.overdue
        if trend.decision
    )
    return Table(heads=heads, rows=rows)


def _glance_table(rows: tuple[GlanceRow, ...], lang: Language, currency: str) -> str | Table:
    if not rows:
        return say(lang, "No metric is measured yet.")
    heads = (
        Head(say(lang, "metric")),
        Head(say(lang, "last week"), "right"),
        Head(say(lang, "against expected"), "right"),
        Head(say(lang, "reading")),
    )
    return Table(
        heads=heads,
        rows=tuple(
            (
                row.metric.label_in(lang),
                str(locale.figure(row.value, lang, unit=row.metric.unit, currency=currency)),
                str(locale.figure(row.relative, lang, unit="relative", low=row.low, high=row.high, sign=True))
                if math.isfinite(row.relative)
                else locale.CANNOT_TELL[lang],
                word(lang, row.reading),
            )
            for row in rows
        ),
    )


def _change_table(changes: tuple[Change, ...], ws: Workspace, lang: Language) -> str | Table:
    if not changes:
        return say(lang, "No grade moved this week.")
    heads = (Head(say(lang, "day")), Head(say(lang, "trend")), Head(say(lang, "was")), Head(say(lang, "is")))
    rows = tuple(
        (
            locale.day_short(ws.day_of(change.at), lang),
            change.name + (f" ({t(lang, *change.note[:1], **change.note[1])})" if change.signal else ""),
            word(lang, change.was) if change.was else "",
            word(lang, change.now),
        )
        for change in changes[:12]
    )
    rest = len(changes) - len(rows)
    more = count(lang, "and {n} more", "and {n} more", rest) if rest > 0 else ""
    return Table(heads=heads, rows=rows, note=more)


def _foot(ws: Workspace, seen: Overview, lang: Language) -> str:
    if seen.seen_until is None:
        return say(lang, "Run `primeta watch` to measure the first week.")
    if not seen.watched and ws.config.sources.declared:
        return say(
            lang,
            "{topics:int} changes are reported; at most {share:share} of them are expected to be false. Texts seen "
            "until {until}.",
            topics=seen.reported,
            share=seen.false_share,
            until=locale.moment(seen.seen_until, lang, ws.config.zone),
        )
    return say(
        lang,
        "{watched:int} slices were watched; {reported:int} changes are reported; at most {share:share} of them "
        "are expected to be false. Facts seen until {until}.",
        watched=seen.watched,
        reported=seen.reported,
        share=seen.false_share,
        until=locale.moment(seen.seen_until, lang, ws.config.zone),
    )
