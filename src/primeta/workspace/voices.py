"""`voices`: what customers speak of in tickets, reviews, NPS answers and interviews, and what those customers did afterwards.

What is compared is what was seen: nobody was drawn by lot to say a thing. A customer who said it is set beside customers
who spoke in the same month, by the same way, after the same silence and with the same worth in the year before, of
something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from primeta.errors import BadInput
from primeta.sources.records import GROUP_OF, Document, Source, SourceKind
from primeta.warehouse.facts_store import Facts, load_facts
from primeta.workspace.texts_views import After, Theme, Themes

if TYPE_CHECKING:
    from primeta.signals.texts.themes import FoundThemes, VoiceTheme
    from primeta.warehouse.voices_after import AfterVoices
    from primeta.workspace.workspace import Workspace

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WEEKS = 26
"""Of the period, where none is asked for."""
WINDOW_DAYS = 90
YEAR = timedelta(days=365)
"""Before the period: what customers did after they had said the same is learnt from it too."""
LEVEL = 0.95
FEWEST = 30
"""Customers on each side of a comparison."""
FEWEST_EVENTS = 10
"""Customers who are to be expected with the outcome, and without it, on each side."""
SEGMENT_FEWEST = 20
"""Voices of a segment whose share is told."""
MOST_SEGMENTS = 12
MOST_VOICES = 300_000
"""The latest that are read of the period and the year before."""
QUOTES = 5
_QUOTE = 280
VOICES: tuple[SourceKind, ...] = tuple(kind for kind in get_args(SourceKind) if GROUP_OF[kind] == "voice")
SILENCE = "silence"
VALUE = "value"
OWN = (SILENCE, VALUE)
"""Segments that are worked out at the voice: how long silent, and worth of the year before."""
_SILENT_DAYS = (30.0, 90.0, 180.0, 365.0)
_SILENT_NAMES = ("≤30", "31-90", "91-180", "181-365", ">365", "never")
_VALUE_NAMES = ("none", "low", "middle", "high")
OUTCOMES = ("returned", "orders", "opted_out")
NAN = float("nan")


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
    inside = [_at(one) >= begin for one in spoken]
    current = [one for one, there in zip(spoken, inside, strict=True) if there]
    empty = Themes(
        since=first, until=last, sources=(), voices=len(current), with_customer=0, weeks=_weeks(first, last),
        segment=by, themes=(), why_not="no-voices",
    )  # fmt: skip
    if not current:
        return empty
    from primeta.signals.texts.themes import find_themes

    found = find_themes([_text(one) for one in current], [one.source for one in current])
    joined = _joined(facts, spoken, window_days, by)
    after, compared = _after(ws, facts, spoken, found, joined, window_days, now, by)
    segments = _segments(joined, np.array(inside, dtype=bool), by) if joined is not None and by else {}
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
        themes=_with_topics(ws, themes),
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
    from primeta.store.documents import documents_said

    with ws.database.read() as connection:
        spoken = list(documents_said(connection, VOICES, since=since, until=until, most=MOST_VOICES))
    own = {name for name, source in declared_sources(ws.config).items() if source.reader == "voices"}
    if "voices" in ws.config.tables and not any(one.source in own for one in spoken):
        spoken += _of_facts(ws, since, until, now)
    spoken.sort(key=lambda one: (_at(one), one.id))
    return spoken[-MOST_VOICES:], len(spoken) >= MOST_VOICES


def _of_facts(ws: Workspace, since: datetime, until: datetime, now: datetime) -> list[Document]:
    from primeta.sources.voices import voices_documents
    from primeta.warehouse.engine import open_warehouse

    source = Source(name="voices", reader="voices", kind="support", at="voices", owner=ws.config.name)
    found: list[Document] = []
    with open_warehouse(ws.config) as warehouse:
        for part in voices_documents(warehouse, source=source, since=since, seen_at=now):
            found += [one for one in part.documents if VOICES.count(one.kind) and since <= _at(one) < until]
            found = found[-MOST_VOICES:]
    return found


def _at(one: Document) -> datetime:
    return one.published_at or one.seen_at


def _text(one: Document) -> str:
    return f"{one.title}\n{one.text}" if one.title else one.text


def _start(ws: Workspace, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ws.config.zone).astimezone(UTC)


def _weeks(first: date, last: date) -> tuple[date, ...]:
    monday = first - timedelta(days=first.weekday())
    return tuple(monday + timedelta(weeks=at) for at in range((last - monday).days // 7 + 1))


# What the facts say of who spoke


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Joined:
    """The voices whose customer is named, with what the facts have of them."""

    place: Ints
    """(m,) among all voices."""
    facts: AfterVoices
    silence: Ints
    """(m,) band."""
    value: Ints
    """(m,) band."""
    segment: tuple[str, ...]
    """(m,) value of the attribute, empty where unknown or where none was asked for."""


def _joined(facts: Facts | None, spoken: Sequence[Document], window_days: int, by: str) -> _Joined | None:
    from primeta.warehouse.voices_after import after_voices

    place = np.array([at for at, one in enumerate(spoken) if one.customer_id], dtype=np.int64)
    if facts is None or not len(place):
        return None
    mine = [spoken[at] for at in place]
    read = after_voices(
        facts,
        [one.customer_id for one in mine],
        [_at(one) for one in mine],
        window_days=window_days,
        attribute="" if by in OWN else by,
    )
    silence = np.where(
        np.isnan(read.silent_days), len(_SILENT_DAYS) + 1, np.searchsorted(_SILENT_DAYS, read.silent_days)
    ).astype(np.int64)
    spent = read.value[read.value > 0]
    thirds = np.quantile(spent, [1 / 3, 2 / 3]) if len(spent) else np.array([0.0, 0.0])
    value = np.where(read.value > 0, 1 + np.searchsorted(thirds, read.value), 0).astype(np.int64)
    if by == SILENCE:
        segment = tuple(_SILENT_NAMES[band] for band in silence)
    elif by == VALUE:
        segment = tuple(_VALUE_NAMES[band] for band in value)
    else:
        segment = tuple(each or "" for each in read.attribute)
    return _Joined(place=place, facts=read, silence=silence, value=value, segment=segment)


def _segments(joined: _Joined, inside: Bools, by: str) -> dict[str, Bools]:
    """Slice → which voices of the period are its own, the largest first."""
    before = np.cumsum(inside) - 1
    found: dict[str, Bools] = {}
    for at, name, there in zip(joined.place, joined.segment, joined.facts.known, strict=True):
        if inside[at] and there and name:
            found.setdefault(f"{by}={name}", np.zeros(int(inside.sum()), dtype=bool))[before[at]] = True
    often = sorted(found, key=lambda code: (-int(found[code].sum()), code))
    return {code: found[code] for code in often[:MOST_SEGMENTS] if found[code].sum() >= SEGMENT_FEWEST}


# What they did afterwards


def _after(
    ws: Workspace,
    facts: Facts | None,
    spoken: Sequence[Document],
    found: FoundThemes,
    joined: _Joined | None,
    window_days: int,
    now: datetime,
    by: str,
) -> tuple[list[tuple[After, ...]], dict[str, Any]]:
    """Each theme's outcomes, and what was compared."""
    if joined is None or facts is None or facts.seen_until is None:
        why = "no-facts" if facts is None or facts.seen_until is None else "no-customers"
        return [_untold(window_days, why)] * len(found.themes), {"why_not": why}
    # Whatever happened later than the facts were seen is not there.
    over = min(facts.seen_until, now) - timedelta(days=window_days)
    first = _first_of_month(ws, spoken, joined)
    mature = first & np.array([_at(spoken[at]) <= over for at in joined.place], dtype=bool)
    rows = np.flatnonzero(mature)
    told: dict[str, Any] = {
        "window_days": window_days,
        "since": ws.day_of(_at(spoken[int(joined.place[rows[0]])])) if len(rows) else None,
        "until": ws.day_of(over),
        "customers": len({spoken[joined.place[row]].customer_id for row in rows}),
        "not_over": len({spoken[joined.place[row]].customer_id for row in np.flatnonzero(first & ~mature)}),
        "comparisons": 0,
    }
    if not len(rows):
        why = "not-over" if first.any() else "no-customers"
        return [_untold(window_days, why)] * len(found.themes), {**told, "why_not": why}
    place = joined.place[rows]
    said = found.of([_text(spoken[at]) for at in place], [spoken[at].source for at in place])
    table = _Compared(
        said=said,
        stratum=_coded(
            [
                (
                    ws.day_of(_at(spoken[at])).strftime("%Y-%m"),
                    spoken[at].kind,
                    int(joined.silence[row]),
                    int(joined.value[row]),
                    joined.segment[row] if by else "",
                )
                for row, at in zip(rows, place, strict=True)
            ]
        ),
        customer=_coded([spoken[at].customer_id for at in place]),
        outcomes={
            "returned": np.where(
                np.isnan(joined.facts.orders[rows]),
                np.nan,
                (joined.facts.orders[rows] > 0).astype(np.float64),
            ),
            "orders": joined.facts.orders[rows],
            "opted_out": joined.facts.opted_out[rows],
        },
    )
    plan = [(at, name) for at in range(len(found.themes)) for name in OUTCOMES if not table.why_not(at, name)]
    told["comparisons"] = len(plan)
    level = 1 - (1 - LEVEL) / max(1, len(plan))
    return [
        tuple(table.compare(at, name, window_days=window_days, level=level) for name in OUTCOMES)
        for at in range(len(found.themes))
    ], told


def _first_of_month(ws: Workspace, spoken: Sequence[Document], joined: _Joined) -> Bools:
    """(m,) whether it is its customer's first voice of the month, of a customer whom the facts know."""
    seen: set[tuple[str, str]] = set()
    first = np.zeros(len(joined.place), dtype=bool)
    for row, at in enumerate(joined.place):
        key = (spoken[at].customer_id, ws.day_of(_at(spoken[at])).strftime("%Y-%m"))
        if joined.facts.known[row] and key not in seen:
            seen.add(key)
            first[row] = True
    return first


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Compared:
    """Customers' first voices of each month, whose window is over."""

    said: Bools
    """(n, themes)."""
    stratum: Ints
    customer: Ints
    outcomes: Mapping[str, Floats]

    def why_not(self, theme: int, name: str) -> str:
        """Why the outcome is not compared; empty where it is."""
        outcome = self.outcomes[name]
        if np.isnan(outcome).all():
            return "no-orders" if name != "opted_out" else "no-reactions"
        said = self.said[:, theme]
        here = np.bincount(self.stratum, weights=said)
        there = np.bincount(self.stratum, weights=~said)
        kept = ((here > 0) & (there > 0))[self.stratum]
        groups = [len(np.unique(self.customer[kept & side])) for side in (said, ~said)]
        if len(np.unique(self.customer[said])) < FEWEST:
            return "too-few"
        if min(groups) < FEWEST:
            return "nobody-alike"
        share = float(np.mean(outcome[kept] > 0))
        if min(share, 1 - share if name != "orders" else 1.0) * min(groups) < FEWEST_EVENTS:
            return "too-rare"
        return ""

    def compare(self, theme: int, name: Any, *, window_days: int, level: float) -> After:
        from primeta.stats.stratified_difference import stratified_difference

        why = self.why_not(theme, name)
        said = self.said[:, theme]
        if why:
            return _none(name, window_days, why, n=len(np.unique(self.customer[said])))
        answer = stratified_difference(self.outcomes[name], said, self.stratum, self.customer, level=level)
        return After(
            outcome=name,
            window_days=window_days,
            said=answer.exposed,
            others=answer.others,
            difference=answer.difference,
            low=answer.low,
            high=answer.high,
            n=answer.clusters,
            n_others=answer.clusters_others,
        )


def _untold(window_days: int, why: str) -> tuple[After, ...]:
    return tuple(_none(name, window_days, why) for name in OUTCOMES)


def _none(name: Any, window_days: int, why: str, *, n: int = 0) -> After:
    return After(
        outcome=name, window_days=window_days, said=NAN, others=NAN, difference=NAN, low=NAN, high=NAN, n=n,
        n_others=0, why_not=why,
    )  # fmt: skip


def _coded(keys: Sequence[Any]) -> Ints:
    place: dict[Any, int] = {}
    return np.array([place.setdefault(key, len(place)) for key in keys], dtype=np.int64)


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
    week_of = np.array([(ws.day_of(_at(one)) - weeks[0]).days // 7 for one in current], dtype=np.int64)
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
    from dataclasses import replace

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
