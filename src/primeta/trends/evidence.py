"""What all signals of a trend say together: independent origins, blocks, the grade by rule."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from urllib.parse import urlsplit

from primeta.facts import Grain, Period
from primeta.signals.grades import REPEATS, counted, independent_origins, repeats
from primeta.signals.note import Note
from primeta.signals.signal import MEASURED, ORIGINS, Block, Grade, Origin, Signal
from primeta.signals.texts.origins import story_link
from primeta.trends.records import Evidence, OriginEvidence

KINDS: dict[Grain, str] = {"week": "weeks", "month": "months", "quarter": "quarters"}
BLOCKS_NEEDED: dict[Grain, int] = {grain: REPEATS[kind][0] for grain, kind in KINDS.items()}
BLOCKS_SHOWN: dict[Grain, int] = {grain: REPEATS[kind][1] for grain, kind in KINDS.items()}
STRENGTH: dict[Grade, int] = {
    "refuted": 0,
    "fading": 1,
    "noticed": 2,
    "holding": 3,
    "repeating": 4,
    "confirmed": 5,
}


TWO_OWNERS_ERROR = 0.10
"""An outside text is a second origin where "at most one owner speaks more of it" is refuted at this level."""


def gather(signals: Sequence[Signal], notes: Sequence[Note], *, today: date) -> Evidence:
    """The evidence of a trend from its attached signals and notes.

    The grade is that of its strongest signal; *confirmed* where that one repeats by months or longer and a second
    independent origin agrees: another signal with evidence of its own (`stands_alone`), or a note that does not
    repeat what a signal tells already. Notes alone are *noticed*: nobody measured.
    Source: DESIGN §5, "Grades"; docs/methods/origins.md.
    """
    lead = strongest(signals)
    by_origin = {origin: _of_signals(those, lead) for origin, those in _by_origin(signals).items()}
    for entry in _of_notes(_own_words(notes, signals), today=today):
        measured = by_origin.get(entry.origin)
        by_origin[entry.origin] = entry if measured is None else _beside(measured, entry)
    if lead is not None and not any(entry.counts for entry in by_origin.values()):
        # Whatever it is worth, somebody has seen it.
        first = by_origin[lead.frozen.origin]
        by_origin[first.origin] = dataclasses.replace(first, counts=True)
    origins = tuple(sorted(by_origin.values(), key=lambda entry: ORIGINS.index(entry.origin)))

    grade, why = _grade(lead, independent_origins([entry.origin for entry in origins if entry.counts]))
    since = min(
        [entry.frozen.since for entry in signals] + [note.happened_at for note in notes], default=None
    )
    return Evidence(
        grade=grade,
        since=since,
        origins=origins,
        weeks=_counted(lead, "week"),
        months=_counted(lead, "month"),
        quarters=_counted(lead, "quarter"),
        why=why,
        refute=lead.frozen.direction if lead is not None else "",
    )


def strongest(signals: Sequence[Signal]) -> Signal | None:
    """The signal that carries the trend: best grade, then repeating by months, a metric, the most evidence."""
    return max(signals, key=_strength, default=None)


def _strength(signal: Signal) -> tuple[int, bool, bool, float, str]:
    return (
        STRENGTH[signal.grade],
        _by_months(signal),
        signal.frozen.origin in MEASURED,
        signal.e_value,
        signal.id,
    )


def stands_alone(signal: Signal) -> bool:
    """Whether a signal is a second origin beside another one.

    It must hold by itself: a metric in its list of series, a topic in its list of topics, each with the stated share
    of false ones. An outside text must besides be told by two owners at least (TWO_OWNERS_ERROR): one who posts
    more of a thing, and those who repeat him, are nobody's confirmation. Customers speak through one channel, and
    a regulator or a rival is alone by nature, so of them no second owner is asked.
    """
    if STRENGTH[signal.grade] < STRENGTH["holding"]:
        return False
    return signal.frozen.origin != "outside" or signal.second_owner >= 1 / TWO_OWNERS_ERROR


def _by_origin(signals: Sequence[Signal]) -> dict[Origin, list[Signal]]:
    found: dict[Origin, list[Signal]] = defaultdict(list)
    for signal in signals:
        found[signal.frozen.origin].append(signal)
    return found


def _of_signals(signals: Sequence[Signal], lead: Signal | None) -> OriginEvidence:
    """What one origin saw, told by its strongest signal."""
    first = max(signals, key=_strength)
    listed = {f"{entry.frozen.about} · {entry.frozen.slice}" for entry in signals if not entry.topic}
    return OriginEvidence(
        origin=first.frozen.origin,
        what=first.words or f"{first.frozen.about}|{first.frozen.direction}|{first.frozen.slice}",
        weeks=first.weeks,
        months=first.months,
        quarters=first.quarters,
        e_value=first.e_value,
        grade=first.grade,
        # Owners in the order in which they spoke; of metrics, where it was seen.
        sources=tuple(
            dict.fromkeys([*sorted(listed), *(owner for entry in signals for owner in entry.owners)])
        ),
        counts=(first is lead and not first.topic) or any(map(stands_alone, signals)),
    )


def _own_words(notes: Sequence[Note], signals: Sequence[Signal]) -> list[Note]:
    """Notes that do not repeat what a topic of the trend tells already: same link, site or owner."""
    return [note for note in notes if not any(retells(note, entry) for entry in signals)]


def retells(note: Note, signal: Signal) -> bool:
    """Whether a note goes back to what a topic's stories say: one link, one owner."""
    return bool(signal.topic) and bool(_marks_of_topic(signal) & _marks(note))


def _beside(measured: OriginEvidence, noted: OriginEvidence) -> OriginEvidence:
    """One origin that a topic measured and people noted besides: the measurement speaks, the sources add up."""
    return dataclasses.replace(
        measured,
        sources=tuple(dict.fromkeys((*measured.sources, *noted.sources))),
        counts=measured.counts or noted.counts,
    )


def _by_months(signal: Signal) -> bool:
    return repeats(signal.months, kind="months") or repeats(signal.quarters, kind="quarters")


def _counted(lead: Signal | None, grain: Grain) -> tuple[int, int]:
    if lead is None:
        return 0, 0
    every = {"week": lead.weeks, "month": lead.months, "quarter": lead.quarters}[grain]
    return counted(every, kind=KINDS[grain])


def _grade(lead: Signal | None, independent: int) -> tuple[Grade, tuple[str, ...]]:
    """The lead's own grade, raised to *confirmed* where a second origin agrees with months."""
    if lead is None:
        return "noticed", ("notes_only",)
    if lead.grade != "repeating" or not _by_months(lead) or independent < 2:
        return lead.grade, lead.why
    return "confirmed", (*(code for code in lead.why if code != "one_origin"), "two_origins")


def _of_notes(notes: Sequence[Note], *, today: date) -> list[OriginEvidence]:
    """Notes by origin; those that share a link, a source or its owner count as one source."""
    by_origin: dict[Origin, list[list[Note]]] = defaultdict(list)
    for together in independent_sources(notes):
        # Whoever spoke first is the origin; the others repeated it.
        first = min(together, key=lambda note: (note.happened_at, note.id))
        by_origin[first.origin].append(together)
    return [
        OriginEvidence(
            origin=origin,
            what=min(groups, key=lambda group: min(note.happened_at for note in group))[0].subject,
            weeks=_counts(groups, "week", today=today),
            months=_counts(groups, "month", today=today),
            quarters=_counts(groups, "quarter", today=today),
            e_value=float("nan"),
            grade="noticed",
            sources=tuple(sorted(group[0].source for group in groups)),
        )
        for origin, groups in sorted(by_origin.items())
    ]


def independent_sources(notes: Sequence[Note]) -> list[list[Note]]:
    """Groups of notes that could have copied one another; each group is one source."""
    groups: list[tuple[set[str], list[Note]]] = []
    for note in notes:
        marks = _marks(note)
        joined, rest = [note], []
        for known, members in groups:
            if known & marks:
                marks, joined = marks | known, members + joined
            else:
                rest.append((known, members))
        groups = [*rest, (marks, joined)]
    return [members for _, members in groups]


def _marks(note: Note) -> set[str]:
    """What gives a common source away: the link, the site, the name of the source."""
    marks = set()
    if note.source.strip():
        marks.add("source:" + _name(note.source))
    if note.url.strip():
        marks |= {"site:" + _site(note.url), "link:" + story_link(note.url.strip().casefold())}
    return marks - {"link:"} or {"note:" + note.id}


def _marks_of_topic(signal: Signal) -> set[str]:
    """The owners, by name and as a site; every page where a story stands or which it cites, and no more of that site."""
    owned = {mark for owner in signal.owners for mark in ("source:" + _name(owner), "site:" + _name(owner))}
    return owned | {"link:" + link for link in map(str.casefold, signal.links)}


def _name(source: str) -> str:
    return " ".join(source.casefold().split())


def _site(url: str) -> str:
    """Whose page it is: the site; two channels of one platform are not one owner, so there the channel too."""
    url = url.strip().casefold()
    parts = urlsplit(url if "//" in url else f"//{url}")
    site = parts.netloc.removeprefix("www.")
    return f"{site}/{parts.path.strip('/').split('/')[0]}" if site in _PLATFORMS else site


_PLATFORMS = {
    "t.me",
    "vk.com",
    "youtube.com",
    "medium.com",
    "habr.com",
    "vc.ru",
    "dzen.ru",
    "x.com",
    "reddit.com",
}


def _counts(groups: list[list[Note]], grain: Grain, *, today: date) -> tuple[Block, ...]:
    """How many independent sources spoke first in each of the last blocks."""
    firsts = Counter(Period.holding(min(note.happened_at for note in group), grain).start for group in groups)
    period = Period.holding(today, grain)
    starts = [period.start]
    while len(starts) <= BLOCKS_SHOWN[grain]:
        # The day before a period's first day lies in the one before it.
        starts.append(Period.holding(date.fromordinal(starts[-1].toordinal() - 1), grain).start)
    return tuple(
        Block(
            code=Period(start, grain).code,
            effect=float(firsts[start]),
            low=float("nan"),
            high=float("nan"),
            e_value=float("nan"),
            passes=firsts[start] > 0,
            finished=start != period.start,
        )
        for start in reversed(starts)
    )
