"""Topics: terms that emerge in the same stories at the same time are one thing that people have begun to speak of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from primeta.signals.grades import grade_of
from primeta.signals.signal import Grade, Origin
from primeta.signals.texts.emergence import SECOND_AT, Emerged
from primeta.signals.texts.panel_build import Built
from primeta.signals.texts.plain_words import lemma
from primeta.signals.texts.quotes import quotes_of
from primeta.signals.texts.records import Share, Topic
from primeta.signals.texts.terms import TermReader
from primeta.signals.texts.terms_shown import shown, written_forms
from primeta.signals.texts.topics_across import same_across
from primeta.sources.records import Document

pc: Any = pyarrow.compute
# Its functions are made at run time; type checkers do not see them.
Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Fetch = Callable[[Sequence[str]], Sequence[Document]]
"""Ids → their documents, in any order; those that are gone are left out."""

TOGETHER = 0.35
"""Mean cosine of two groups of terms, over the stories of their waves, from which they are one topic."""

EARLIER = 2
"""Periods before a term's onset in which its stories belong to the wave already: an onset is known to a few weeks."""

NEW = 2
"""Stories of the year before a topic began that do not yet make its word a known one: the first of them is told."""

MOST_TERMS = 1500
"""Noticed terms that are grouped, those of most evidence."""

SHOWN_TERMS = 6
READ = 300
"""Stories of one topic whose texts are read for words and quotes: the earliest, and those that hold most of it."""

INSIDE = 0.6
"""Share of a group's stories from which it is a part of another group …"""

SAME_TIME = 8
"""… that emerged at most so many periods apart."""

TELLING = 0.2
"""Share of a topic's stories from which a term is shown as one of its words."""

COVERS = 0.6
"""Share of a word's wave from which a phrase that holds the word says all that the word says."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundTopic:
    """A topic with what it was made of."""

    topic: Topic
    documents: tuple[str, ...]
    """Ids of its documents since it began, copies too, in the order of time."""
    stories: tuple[str, ...]
    """Ids of the first tellings among them."""
    weekly: Ids
    """(W,) stories in each period of the panel, also before it emerged."""
    share_before: float
    share_since: float
    """Of the leading term: its stories over all stories."""
    candidates: tuple[int, ...] = ()
    """Its terms as candidates of the panel, the leading one first; `as_signals` judges them by origin."""


def topics_of(
    built: Built,
    emerged: Emerged,
    rows: pa.Table,
    *,
    documents: Fetch,
    reader: TermReader,
    zone: tzinfo = UTC,
    least_grade: Grade = "noticed",
) -> tuple[FoundTopic, ...]:
    """Topics of what emerged, those of most evidence first.

    Args:
        emerged: Of `built.panel`.
        rows: As `panel_build.SCHEMA`, all documents known by then; copies are counted from it.
        least_grade: `holding`: only what is on the list of the stated error.
    Returns:
        The e-value of a topic is the mean of the e-values of its terms on the list (of its noticed terms, while none
        is): a mean of e-values is one under any dependence, and so is no worse for terms that go together.
    """
    on_list = emerged.selected if least_grade != "noticed" else (emerged.noticed >= 0)
    terms = np.flatnonzero(on_list[: len(built.codes)])
    if not len(terms):
        return ()
    terms = terms[np.lexsort((terms, -emerged.log_e[terms]))][:MOST_TERMS]
    waves = [_wave(built, emerged, int(term)) for term in terms]
    # What no topic can hold need not be searched for each of them.
    spoken = built.told["id"].take(pa.array(np.unique(np.concatenate(waves))))
    rows = rows.filter(pc.is_in(rows["story"], spoken.combine_chunks()))

    def told(group: Sequence[int], leads: int = 1) -> FoundTopic:
        return _topic(
            built, emerged, rows, [int(terms[at]) for at in group], [waves[at] for at in group],
            documents=documents, reader=reader, zone=zone, leads=leads,
        )  # fmt: skip

    wholes = _whole(built, groups(waves), terms, waves, emerged)
    found = [told(group) for group in wholes]
    for pair in same_across([one.topic for one in found]):
        # Groups are in the order of evidence, so the first of the two leads.
        first, second = sorted(pair)
        mine, theirs = wholes[first], wholes[second]
        found[first] = told([mine[0], theirs[0], *mine[1:], *theirs[1:]], leads=2)
        found[second] = found[first]
    found = list({one.topic.id: one for one in found}.values())
    rank = {"noticed": 1, "fading": 1, "refuted": 2}
    return tuple(
        sorted(
            found, key=lambda one: (rank.get(one.topic.grade, 0), -_sortable(one.topic.e_value), one.topic.id)
        )
    )


def _sortable(value: float) -> float:
    return value if np.isfinite(value) else 0.0


def _wave(built: Built, emerged: Emerged, term: int) -> Ids:
    rows = built.rows_of(term)
    return rows[built.period[rows] >= emerged.onset[term] - EARLIER]


def groups(waves: Sequence[Ids], *, together: float = TOGETHER) -> list[list[int]]:
    """Which of n waves are one: average linkage over the cosine of their sets of stories.

    Args:
        waves: Stories of each term since it emerged, by evidence, the most first.
    Returns:
        Lists of positions, ascending, by their first.
    """
    n = len(waves)
    if n < 2:
        return [[at] for at in range(n)]
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.sparse import csr_array
    from scipy.spatial.distance import squareform

    sizes = np.array([len(wave) for wave in waves], dtype=float)
    stories, columns = np.unique(np.concatenate(waves), return_inverse=True)
    ends = np.concatenate([[0], np.cumsum(sizes.astype(np.int64))])
    there = csr_array((np.ones(len(columns)), columns, ends), shape=(n, len(stories)))
    alike = np.asarray((there @ there.T).todense()) / np.sqrt(np.maximum(np.outer(sizes, sizes), 1.0))
    far = np.clip(1.0 - alike, 0.0, 1.0)
    np.fill_diagonal(far, 0.0)
    labels = fcluster(linkage(squareform(far, checks=False), "average"), 1.0 - together, "distance")
    found: dict[int, list[int]] = {}
    for at, label in enumerate(labels.tolist()):
        found.setdefault(label, []).append(at)
    return sorted(found.values())


def _whole(
    built: Built, found: list[list[int]], terms: Ids, waves: Sequence[Ids], emerged: Emerged
) -> list[list[int]]:
    """Groups, those put together of which one lies in the other: «включают тихий» is told where «тихий режим» is."""
    kept: list[list[int]] = []
    stories: list[Ids] = []
    for group in found:
        mine = _stories(built, [int(terms[at]) for at in group], [waves[at] for at in group])
        onset = int(emerged.onset[terms[group[0]]])
        home = next(
            (
                place
                for place, theirs in enumerate(stories)
                if len(np.intersect1d(mine, theirs, assume_unique=True))
                >= INSIDE * min(len(mine), len(theirs))
                and abs(onset - int(emerged.onset[terms[kept[place][0]]])) <= SAME_TIME
            ),
            None,
        )
        if home is None:
            kept.append(list(group))
            stories.append(mine)
        else:
            kept[home] += group
            stories[home] = _stories(
                built, [int(terms[at]) for at in kept[home]], [waves[at] for at in kept[home]]
            )
    return kept


def merged_e(log_e: npt.NDArray[np.floating[Any]]) -> float:
    """Mean of e-values given by their logarithms; infinite beyond what a float holds is cut to the largest float."""
    top = float(np.max(log_e))
    log_mean = top + float(np.log(np.mean(np.exp(log_e - top))))
    return float(np.exp(min(log_mean, 700.0)))


def _topic(
    built: Built,
    emerged: Emerged,
    rows: pa.Table,
    terms: list[int],
    waves: list[Ids],
    *,
    documents: Fetch,
    reader: TermReader,
    zone: tzinfo,
    leads: int,
) -> FoundTopic:
    lead = terms[0]
    told = _stories(built, terms, waves, leads)
    held = [term for term in terms if emerged.selected[term]] or terms
    onset = min(int(emerged.onset[term]) for term in held)
    names = built.told["id"].take(pa.array(told)).to_pylist()
    inside = pc.is_in(rows["story"], pa.array(names, pa.string()))
    all_there = rows.filter(inside).sort_by([("at", "ascending"), ("id", "ascending")])
    copies = dict(
        zip(
            *(part.to_pylist() for part in pc.value_counts(all_there["story"].combine_chunks()).flatten()),
            strict=True,
        )
    )
    codes = {int(built.codes[term]): float(max(emerged.log_e[term], 0.1)) for term in terms}
    read = _to_read(names, built, told, terms)
    by_id = {one.id: one for one in documents(read)}
    texts = [by_id[name] for name in read if name in by_id]
    words = _words(codes, waves, texts, reader, least=TELLING * len(told), leads=leads)
    owner_at = built.owner[told]
    owners = tuple(built.panel.owners[at] for at in dict.fromkeys(owner_at.tolist()))
    kinds = tuple(dict.fromkeys(built.panel.origins[at] for at in owner_at.tolist()))
    second = merged_e(np.log(np.maximum(emerged.second_origin[held], 1e-300)))
    e_value = merged_e(emerged.log_e[held])
    grade, why = _grade(emerged, lead, held, kinds, second, len(owners))
    since = built.panel.weeks[onset]
    first = datetime.fromtimestamp(
        built.told["at"][_first_sight(built, lead, told, onset)].as_py() / 1e6, UTC
    )
    noticed = min(int(emerged.noticed[term]) for term in terms if emerged.noticed[term] >= 0)
    weekly = np.bincount(built.period[_all_rows(built, terms, leads)], minlength=len(built.panel.weeks))
    topic = Topic(
        id=_id(words, codes, since),
        terms=words,
        since=since,
        first_seen=first,
        noticed_at=_end(built, noticed, zone),
        owners=owners,
        origins=kinds,
        documents=all_there.num_rows,
        stories=len(told),
        e_value=e_value,
        second_origin=second,
        grade=grade,
        weeks=emerged.blocks(lead, "week") if built.grain == "week" else (),
        months=emerged.blocks(lead, "month") if built.grain == "week" else (),
        quarters=emerged.blocks(lead, "quarter") if built.grain == "week" else (),
        shares=_shares(built, told),
        quotes=quotes_of(texts, codes, reader=reader, copies=copies),
        why=why,
    )
    return FoundTopic(
        topic=topic,
        documents=tuple(all_there["id"].to_pylist()),
        stories=tuple(names),
        weekly=weekly.astype(np.int64),
        share_before=float(emerged.share_before[lead]),
        share_since=float(emerged.share_since[lead]),
        candidates=tuple(terms),
    )


def _stories(built: Built, terms: list[int], waves: list[Ids], leads: int = 1) -> Ids:
    """Stories of the topic since it began: they hold a leading term, a phrase of it, or two of its words."""
    every = np.concatenate(waves)
    stories, counts = np.unique(every, return_counts=True)
    sure = [
        wave
        for at, (term, wave) in enumerate(zip(terms, waves, strict=True))
        if at < leads or _is_pair(built, term)
    ]
    kept = np.isin(stories, np.concatenate(sure)) | (counts >= 2)
    return stories[kept]


def _first_sight(built: Built, lead: int, told: Ids, onset: int) -> int:
    """The story in which it was first seen: of the topic, or, where the leading term was new then, of the term.

    New is what at most NEW stories told of in the year before the topic's first.
    """
    year = 52 if built.grain == "week" else 364
    rows = built.rows_of(lead)
    earlier = rows[(rows < told[0]) & (built.period[rows] >= onset - year)]
    return int(earlier[0] if 0 < len(earlier) <= NEW else told[0])


def _is_pair(built: Built, term: int) -> bool:
    return int(built.codes[term]) % 2 == 0


def _all_rows(built: Built, terms: list[int], leads: int) -> Ids:
    """The same over all periods, also before."""
    return _stories(built, terms, [built.rows_of(term) for term in terms], leads)


def _to_read(names: list[str], built: Built, told: Ids, terms: list[int]) -> list[str]:
    if len(names) <= READ:
        return names
    counts = np.zeros(len(told), dtype=np.int64)
    for term in terms:
        counts += np.isin(told, built.rows_of(term))
    central = np.lexsort((np.arange(len(told)), -counts))[: READ // 2]
    return [names[at] for at in sorted({*range(READ // 2), *central.tolist()})]


def _words(
    codes: dict[int, float],
    waves: list[Ids],
    texts: Sequence[Document],
    reader: TermReader,
    *,
    least: float,
    leads: int,
) -> tuple[str, ...]:
    """How the topic reads: its leading term, then by evidence those that a part of its stories hold; of a word and a
    phrase with it the one that says more; phrases that follow on each other are joined."""
    forms = written_forms(codes, (f"{one.title}\n{one.text}" for one in texts), reader=reader)
    size = {code: len(wave) for code, wave in zip(codes, waves, strict=True)}
    names = {code: shown(forms[code]) for code in codes}
    usual = {code: {lemma(word) for word in names[code].lower().replace("ё", "е").split()} for code in codes}
    first = list(codes)[:leads]
    order = [code for code in codes if names[code] and (code in first or size[code] >= least)]
    said: list[int] = []
    for code in order:
        phrases = [one for one in order if usual[code] < usual[one]]
        if any(size[one] >= COVERS * size[code] for one in phrases):
            continue
        if not any(names[code].lower() == names[one].lower() for one in said):
            said.append(code)
    # A phrase that shares a word with a more telling one and is rarer says it again: «включают тихий», «тихий режим».
    told: list[int] = []
    for code in said:
        mine = set(names[code].lower().split())
        again = any(
            mine & set(names[one].lower().split()) and size[code] < COVERS * size[one] for one in told
        )
        if not again:
            told.append(code)
    return tuple(
        _chained([names[code] for code in told], [f"{one.title}\n{one.text}".lower() for one in texts])[
            :SHOWN_TERMS
        ]
    )


def _chained(said: list[str], texts: list[str]) -> list[str]:
    """«карта лояльности» and «лояльности банка» are «карта лояльности банка», where texts say so."""
    for one in said:
        for other in said:
            head, tail = one.split(), other.split()
            if one == other or len(head) < 2 or len(tail) < 2 or head[-1].lower() != tail[0].lower():
                continue
            long = " ".join([*head, *tail[1:]])
            both = sum(long.lower() in text for text in texts)
            if both >= COVERS * max(sum(p.lower() in text for text in texts) for p in (one, other)) and both:
                rest = [word for word in said if word not in (one, other)]
                at = min(said.index(one), said.index(other))
                return _chained([*rest[:at], long, *rest[at:]], texts)
    return said


def _grade(
    emerged: Emerged, lead: int, held: list[int], kinds: Sequence[Origin], second: float, owners: int
) -> tuple[Grade, tuple[str, ...]]:
    """By the rule of every signal; two owners with evidence of their own are two origins of a topic."""
    weeks, months, quarters = (emerged.blocks(lead, grain) for grain in ("week", "month", "quarter"))
    independent = second >= SECOND_AT
    grade, why = grade_of(
        holding=any(bool(emerged.selected[term]) for term in held),
        weeks=weeks,
        months=months,
        quarters=quarters,
        turned=float(emerged.turned[lead]),
        # Two families stand for two owners here: the evidence of the second was asked for above.
        origins=("outside", "voice") if independent else ("outside",),
    )
    if not independent and "one_origin" not in why:
        why = (*why, "one_owner" if owners < 2 else "second_owner_unproven")
    return grade, why


def _shares(built: Built, told: Ids) -> tuple[Share, ...]:
    """By owner and period, of the owners who speak of it."""
    w = len(built.panel.weeks)
    cells, counts = np.unique(built.owner[told] * w + built.period[told], return_counts=True)
    found = [
        Share(
            week=built.panel.weeks[cell % w],
            owner=built.panel.owners[cell // w],
            origin=built.panel.origins[cell // w],
            stories=number,
            volume=int(built.panel.volume[cell // w, cell % w]),
        )
        for cell, number in zip(cells.tolist(), counts.tolist(), strict=True)
    ]
    return tuple(sorted(found, key=lambda share: (share.week, share.owner)))


def _id(words: Sequence[str], codes: dict[int, float], since: date) -> str:
    """Follows from the leading term and the onset: the same texts give the same topic."""
    lead = next(iter(codes))
    return "t-" + hashlib.sha256(f"{lead:x}\0{since.isoformat()}".encode()).hexdigest()[:16]


def _end(built: Built, period: int, zone: tzinfo) -> datetime:
    step = 1 if built.grain == "day" else 7
    day = built.panel.weeks[period] + timedelta(days=step)
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def origin_count(topic: Topic) -> int:
    """Independent owners who speak of it."""
    return len(topic.owners)


def as_dict(topic: Topic) -> dict[str, Any]:
    """JSON keys of DESIGN §6 and what stands beside them."""
    return {
        "terms": list(topic.terms),
        "since": topic.since,
        "first_seen": topic.first_seen,
        "origins": origin_count(topic),
        "documents": topic.documents,
        "e_value": topic.e_value,
        "quotes": [
            {"text": q.text, "source": q.source, "url": q.url or None, "published_at": q.published_at}
            for q in topic.quotes
        ],
        "id": topic.id,
        "grade": topic.grade,
        "why": list(topic.why),
        "noticed_at": topic.noticed_at,
        "stories": topic.stories,
        "owners": list(topic.owners),
        "second_origin": topic.second_origin,
    }
