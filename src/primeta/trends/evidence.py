"""What all signals of a trend say together: independent origins, blocks, the grade by rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from urllib.parse import urlsplit

from primeta.facts import Grain, Period
from primeta.signals.grades import REPEATS, counted, independent_origins, repeats
from primeta.signals.note import Note
from primeta.signals.signal import Block, Grade, Origin, Signal
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


def gather(signals: Sequence[Signal], notes: Sequence[Note], *, today: date) -> Evidence:
    """The evidence of a trend from its attached signals and notes.

    The grade is that of its strongest metric signal; *confirmed* where that one repeats by months
    or longer and a second independent origin agrees. Notes alone are *noticed*: nobody measured.
    Source: DESIGN §5, "Grades".
    """
    lead = strongest(signals)
    origins: list[OriginEvidence] = []
    if lead is not None:
        origins.append(
            OriginEvidence(
                origin="metric",
                what=f"{lead.frozen.about}|{lead.frozen.direction}|{lead.frozen.slice}",
                weeks=lead.weeks,
                months=lead.months,
                quarters=lead.quarters,
                e_value=lead.e_value,
                grade=lead.grade,
                sources=tuple(sorted({f"{entry.frozen.about} · {entry.frozen.slice}" for entry in signals})),
            )
        )
    origins.extend(_of_notes(notes, today=today))

    grade, why = _grade(lead, independent_origins([entry.origin for entry in origins]))
    since = min(
        [entry.frozen.since for entry in signals] + [note.happened_at for note in notes], default=None
    )
    return Evidence(
        grade=grade,
        since=since,
        origins=tuple(origins),
        weeks=_counted(lead, "week"),
        months=_counted(lead, "month"),
        quarters=_counted(lead, "quarter"),
        why=why,
        refute=lead.frozen.direction if lead is not None else "",
    )


def strongest(signals: Sequence[Signal]) -> Signal | None:
    """The signal that carries the trend: best grade, then most evidence."""
    return max(signals, key=lambda entry: (STRENGTH[entry.grade], entry.e_value, entry.id), default=None)


def _counted(lead: Signal | None, grain: Grain) -> tuple[int, int]:
    if lead is None:
        return 0, 0
    every = {"week": lead.weeks, "month": lead.months, "quarter": lead.quarters}[grain]
    return counted(every, kind=KINDS[grain])


def _grade(lead: Signal | None, independent: int) -> tuple[Grade, tuple[str, ...]]:
    """The lead's own grade, raised to *confirmed* where a second origin agrees with months."""
    if lead is None:
        return "noticed", ("notes_only",)
    by_months = repeats(lead.months, kind="months") or repeats(lead.quarters, kind="quarters")
    if lead.grade != "repeating" or not by_months or independent < 2:
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
        marks.add("source:" + " ".join(note.source.casefold().split()))
    if note.url.strip():
        parts = urlsplit(note.url.strip().casefold())
        site = parts.netloc.removeprefix("www.")
        # Two channels of one platform are not one owner, so its first path segment counts too.
        owner = f"{site}/{parts.path.strip('/').split('/')[0]}" if site in _PLATFORMS else site
        marks.add("site:" + owner)
    return marks or {"note:" + note.id}


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
