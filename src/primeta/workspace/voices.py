"""`voices`: what customers speak of in tickets, reviews, NPS answers and interviews, and what those customers did afterwards.

What is compared is what was seen: nobody was drawn by lot to say a thing. A customer who said it is set beside customers
who spoke in the same quarter, by the same way, after the same silence and with the same spending of the year before, of
something else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from primeta.errors import BadInput
from primeta.sources.records import GROUP_OF, Document, Source, SourceKind
from primeta.warehouse.facts_store import Facts, load_facts
from primeta.workspace.reactivation_kept import file_name, keep, kept
from primeta.workspace.texts_views import After, Theme, Themes
from primeta.workspace.voices_compared import OWN, after_of, joined_to, segments_of, text_of, told_at

if TYPE_CHECKING:
    from primeta.signals.texts.themes import VoiceTheme
    from primeta.workspace.workspace import Workspace

Bools = npt.NDArray[np.bool_]
NAN = float("nan")

WEEKS = 26
"""Of the period, where none is asked for."""
WINDOW_DAYS = 90
YEAR = timedelta(days=365)
"""Before the period: what customers did after they had said the same is learnt from it too."""
MOST_VOICES = 300_000
"""The latest that are read of the period and the year before."""
FOLDER = "cache/voices"
WORKED_OUT = 2
"""Rises whenever an answer is worked out otherwise: those that were kept before it count no more."""
KEPT = 40
"""Answers that are kept."""
QUOTES = 5
_QUOTE = 280
VOICES: tuple[SourceKind, ...] = tuple(kind for kind in get_args(SourceKind) if GROUP_OF[kind] == "voice")


def voices(
    ws: Workspace,
    *,
    since: date | None = None,
    until: date | None = None,
    by: str = "",
    window_days: int = WINDOW_DAYS,
    now: datetime,
) -> Themes:
    """Themes of a period, by week and segment, with what the customers who spoke of them did afterwards.

    Args:
        since: The first day; default: 26 weeks before `until`.
        until: The last day, which is in; default: today.
        by: An attribute of the customers, or `silence` or `value`, both as they were when the voice was heard.
        window_days: After the voice, in which orders and opting out count.
    Returns:
        Themes, the largest first. `extra`: `rest` (voices of no theme), `templates` (voices that a program wrote),
        `after` (since, until, customers compared, those whose window is not over, comparisons), `score_of`, `cut`.
    Raises:
        BadInput: The period is empty, or there is no such attribute.
    """
    last = until or ws.day(now)
    first = since or last - timedelta(weeks=WEEKS) + timedelta(days=1)
    if first > last:
        raise BadInput(
            f"the period begins on {first} and ends on {last}; give a --since that is before --until."
        )
    if not 1 <= window_days <= 730:
        raise BadInput(f"the window is {window_days} days; give 1 to 730.")
    facts = load_facts(ws.folder / "facts")
    known = (*(facts.attributes if facts else ()), *OWN)
    if by and by not in known:
        raise BadInput(f"customers have no attribute {by!r}; they have {', '.join(known)}.")
    begin, end = _start(ws, first), _start(ws, last + timedelta(days=1))
    spoken, cut = _spoken(ws, begin - YEAR, min(end, now), now)
    question = f"{first} {last} {window_days} {by}"
    seen_until = min(facts.seen_until, now) if facts and facts.seen_until else None
    mark = _mark(spoken, question, facts.version if facts else "", seen_until)
    path = ws.folder / FOLDER / f"{file_name(question)}.json"
    there = kept(path, Themes)
    if there is not None and there.mark == mark:
        found = there.record
    else:
        found = _worked_out(ws, facts, spoken, begin, first, last, by, window_days, now, cut)
        keep(path, found, mark=mark, at=now)
        _forget(path.parent)
    return replace(found, themes=_with_topics(ws, found.themes))


def _mark(spoken: Sequence[Document], question: str, facts_version: str, seen_until: datetime | None) -> str:
    """Changes with everything that the answer is made of."""
    digest = hashlib.sha256(
        f"{version('primeta')} {WORKED_OUT} {question} {facts_version} {seen_until}".encode()
    )
    for one in spoken:
        digest.update(f"\0{one.id} {one.customer_id} {one.score} {told_at(one).timestamp()} ".encode())
        digest.update(one.text.encode("utf-8", "replace"))
    return digest.hexdigest()


def _forget(folder: Path) -> None:
    """Answers to questions of long ago: the cache keeps the newest."""
    files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-KEPT]:
        path.unlink(missing_ok=True)


def _worked_out(
    ws: Workspace,
    facts: Facts | None,
    spoken: Sequence[Document],
    begin: datetime,
    first: date,
    last: date,
    by: str,
    window_days: int,
    now: datetime,
    cut: bool,
) -> Themes:
    inside = [told_at(one) >= begin for one in spoken]
    current = [one for one, there in zip(spoken, inside, strict=True) if there]
    empty = Themes(
        since=first, until=last, sources=(), voices=len(current), with_customer=0, weeks=_weeks(first, last),
        segment=by, themes=(), why_not="no-voices",
    )  # fmt: skip
    if not current:
        return empty
    from primeta.signals.texts.themes import find_themes

    found = find_themes([text_of(one) for one in current], [one.source for one in current])
    joined = joined_to(facts, spoken, window_days, by)
    after, compared = after_of(ws, facts, spoken, found, joined, window_days, now, by)
    segments = segments_of(joined, np.array(inside, dtype=bool), by) if joined is not None and by else {}
    score_of = _score_of(current)
    themes = [
        _theme(ws, theme, found.members[:, at], current, empty.weeks, segments, after[at], score_of)
        for at, theme in enumerate(found.themes)
    ]
    rest = int((~found.members.any(axis=1)).sum()) if found.themes else len(current)
    return Themes(
        since=first,
        until=last,
        sources=tuple(sorted({one.source for one in current})),
        voices=len(current),
        with_customer=sum(bool(one.customer_id) for one in current),
        weeks=empty.weeks,
        segment=by,
        themes=tuple(themes),
        why_not="" if themes else "too-few-voices",
        extra={
            "rest": {"voices": rest, "share": rest / len(current)},
            "templates": int(found.templates.sum()),
            "score_of": score_of,
            "after": compared,
            "cut": cut,
        },
    )


# What was said


def _spoken(ws: Workspace, since: datetime, until: datetime, now: datetime) -> tuple[list[Document], bool]:
    """Voices in the order of time: what sources brought, and the workspace's own where none brings them."""
    from primeta.sources.declare import declared_sources
    from primeta.store.voices import documents_said

    with ws.database.read() as connection:
        spoken = list(documents_said(connection, VOICES, since=since, until=until, most=MOST_VOICES))
    own = {name for name, source in declared_sources(ws.config).items() if source.reader == "voices"}
    if "voices" in ws.config.tables and not any(one.source in own for one in spoken):
        spoken += _of_facts(ws, since, until, now)
    spoken.sort(key=lambda one: (told_at(one), one.id))
    return spoken[-MOST_VOICES:], len(spoken) >= MOST_VOICES


def _of_facts(ws: Workspace, since: datetime, until: datetime, now: datetime) -> list[Document]:
    from primeta.sources.voices import voices_documents
    from primeta.warehouse.engine import open_warehouse

    source = Source(name="voices", reader="voices", kind="support", at="voices", owner=ws.config.name)
    found: list[Document] = []
    with open_warehouse(ws.config) as warehouse:
        for part in voices_documents(warehouse, source=source, since=since, seen_at=now):
            found += [
                one for one in part.documents if VOICES.count(one.kind) and since <= told_at(one) < until
            ]
            found = found[-MOST_VOICES:]
    return found


def _start(ws: Workspace, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ws.config.zone).astimezone(UTC)


def _weeks(first: date, last: date) -> tuple[date, ...]:
    monday = first - timedelta(days=first.weekday())
    return tuple(monday + timedelta(weeks=at) for at in range((last - monday).days // 7 + 1))


# A theme


def _theme(
    ws: Workspace,
    theme: VoiceTheme,
    member: Bools,
    current: Sequence[Document],
    weeks: tuple[date, ...],
    segments: Mapping[str, Bools],
    after: tuple[After, ...],
    score_of: str,
) -> Theme:
    week_of = np.array([(ws.day_of(told_at(one)) - weeks[0]).days // 7 for one in current], dtype=np.int64)
    week_of = np.clip(week_of, 0, len(weeks) - 1)
    every = np.bincount(week_of, minlength=len(weeks))
    mine = np.bincount(week_of[member], minlength=len(weeks))
    own = [one for one, there in zip(current, member, strict=True) if there]
    scores = [one.score for one in own if one.score is not None and one.kind == score_of]
    return Theme(
        id=theme.id,
        terms=theme.terms,
        voices=len(own),
        customers=len({one.customer_id for one in own if one.customer_id}),
        share=len(own) / len(current),
        weekly=tuple(float(m / n) if n else NAN for m, n in zip(mine, every, strict=True)),
        by_segment={code: float(member[there].mean()) for code, there in segments.items()},
        score=float(np.mean(scores)) if scores else NAN,
        after=after,
        quotes=_quotes(own),
    )


def _score_of(current: Sequence[Document]) -> str:
    """The kind with most scores: stars and NPS are not averaged together."""
    counts: dict[str, int] = {}
    for one in current:
        if one.score is not None:
            counts[one.kind] = counts.get(one.kind, 0) + 1
    return max(sorted(counts), key=lambda kind: counts[kind], default="")


def _quotes(own: Sequence[Document]) -> tuple[str, ...]:
    """Different ones of a telling length, spread over the period; of different customers where they are known."""
    from primeta.signals.texts.plain_words import normal_form
    from primeta.signals.texts.quotes import cut

    usual = [one for one in own if 20 <= len(one.text) <= 400] or list(own)
    step = max(1, len(usual) // (4 * QUOTES))
    chosen: list[str] = []
    seen: set[str] = set()
    people: set[str] = set()
    for one in [*usual[::step], *usual]:
        plain = normal_form(one.text)
        if plain in seen or (one.customer_id and one.customer_id in people):
            continue
        seen.add(plain)
        people.add(one.customer_id)
        chosen.append(cut(one.text, _QUOTE))
        if len(chosen) == QUOTES:
            break
    return tuple(chosen)


def _with_topics(ws: Workspace, themes: Sequence[Theme]) -> tuple[Theme, ...]:
    """Themes with the emerging topic that shares a leading term, or two of all."""
    from primeta.signals.texts.plain_words import words
    from primeta.store.topics import load_topics

    with ws.database.read() as connection:
        topics = load_topics(connection)
    spoken = [(topic.id, [frozenset(words(term)) for term in topic.terms[:6]]) for topic in topics]
    told: list[Theme] = []
    for theme in themes:
        mine = [frozenset(words(term)) for term in theme.terms]
        best = max(((len(set(mine) & set(theirs)), identity) for identity, theirs in spoken), default=(0, ""))
        told.append(replace(theme, topic=best[1]) if best[0] >= 2 else theme)
    return tuple(told)
