"""Stories of texts that keep coming: a new text finds its likes among a million earlier ones without reading them.

Of every text a few hundred bytes are kept: the digest of its words, the bands of its MinHash, its links, the sources it
names. They propose which earlier texts a new one may repeat; only those are read and proved, as `duplicates` and
`origins` do. Reasons to join two texts are kept. The stories of all texts that are connected with a new one are then
read off anew by `origins.StoryIndex`, so they are what they would be had everything come at once.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.signals.texts.boilerplate import Boilerplate
from primeta.signals.texts.contradiction import contradict
from primeta.signals.texts.duplicates import (
    BANDS,
    RIVALS,
    SHORTEST,
    band_keys,
    near_share,
    of_circle,
    same_words,
    shingles,
)
from primeta.signals.texts.origins import (
    ALIKE,
    CITED_DAYS,
    LINK_DAYS,
    OWN_USES,
    ROUND_UP,
    StoryIndex,
    named_sources,
    source_name,
    story_links,
    told_at,
)
from primeta.signals.texts.plain_words import normal_form, words
from primeta.signals.texts.postings import Postings
from primeta.signals.texts.records import Copy
from primeta.signals.texts.separate_voices import REPEATED_DAYS, circle, is_long, is_voice
from primeta.sources.records import Document

VERSION = 2
"""Of what is kept; a file of another version is made anew."""
WINDOW_DAYS = 60
"""Texts further apart are not compared; through texts between them they can still be one story."""
CROWD = 48
"""Texts of one band, those that came last, that a new one is compared with."""
FIRST_COUNT = 8
"""Boilerplate of a source is counted anew when it has brought 8, 16, 32 … texts, so that it does not depend on the
portions in which they came."""
NAMING = 60
"""Texts within five days that name one source, those nearest in time, that a new one is compared with."""
PART = 4_000

_DAY = 86_400
_COPIES: tuple[Copy, ...] = ("exact", "near", "forward", "shared-link", "shared-owner", "same-event")

Load = Callable[[Sequence[str]], Iterable[Document]]
"""Documents by their ids, from the store."""
Told = dict[str, tuple[str, str]]
"""Document → (the document that told its story first, why it is a copy of that)."""


@dataclass(slots=True)
class _Columns:
    """One value a text, growing."""

    values: npt.NDArray[Any]
    size: int = 0

    def extend(self, more: Sequence[Any] | npt.NDArray[Any]) -> None:
        need = self.size + len(more)
        if need > len(self.values):
            grown = np.zeros(max(need, 2 * len(self.values), 1024), dtype=self.values.dtype)
            grown[: self.size] = self.values[: self.size]
            self.values = grown
        self.values[self.size : need] = more
        self.size = need

    @property
    def all(self) -> npt.NDArray[Any]:
        return self.values[: self.size]


def _column(kind: type[np.generic]) -> Callable[[], _Columns]:
    return lambda: _Columns(np.zeros(0, dtype=kind))


@dataclass(slots=True)
class _Phase:
    """Boilerplate of one source as it was counted at 8, 16, 32 … texts."""

    counted: int = 0
    marks: list[tuple[int, frozenset[int]]] = field(default_factory=list)
    """From which text on, and the sentences that were boilerplate by then."""


@dataclass(slots=True)
class KeptStories:
    """What is kept of all texts so far."""

    _ids: _Columns = field(default_factory=_column(np.uint64))
    _at: _Columns = field(default_factory=_column(np.int64))
    _owner: _Columns = field(default_factory=_column(np.uint64))
    _links: _Columns = field(default_factory=_column(np.int16))
    _place: _Columns = field(default_factory=_column(np.int32))
    """Which text of its source it is."""
    _alive: _Columns = field(default_factory=_column(np.bool_))
    _voice: _Columns = field(default_factory=_column(np.int8))
    """0: no customer speaks; 1: a voice that is compared with the same customer's only; 2: a long one."""
    _by_id: Postings = field(default_factory=Postings)
    _exact: Postings = field(default_factory=Postings)
    _bands: Postings = field(default_factory=Postings)
    _citing: Postings = field(default_factory=Postings)
    _own: Postings = field(default_factory=Postings)
    _names: Postings = field(default_factory=Postings)
    _owners: Postings = field(default_factory=Postings)
    _whole: Postings = field(default_factory=Postings)
    _near: Postings = field(default_factory=Postings)
    """Text → its reasons, from both sides."""
    _first: _Columns = field(default_factory=_column(np.int32))
    _second: _Columns = field(default_factory=_column(np.int32))
    _how: _Columns = field(default_factory=_column(np.int8))
    _share: _Columns = field(default_factory=_column(np.float32))
    _boilerplate: Boilerplate = field(default_factory=Boilerplate)
    _phases: dict[str, _Phase] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self._alive.all.sum())

    def knows(self, ids: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which of these texts are kept, (n,)."""
        found = np.zeros(len(ids), dtype=np.bool_)
        which, rows = self._by_id.find([_number(name) for name in ids])
        found[which[self._alive.all[rows]]] = True
        return found

    def add(self, documents: Sequence[Document], *, load: Load) -> Told:
        """Put texts in and tell the stories of all that are connected with them.

        Args:
            documents: n texts, each id once; a known id is a text that was changed.
            load: Gives earlier texts by id; those that it does not give count as lost.
        """
        told: Told = {}
        for start in range(0, len(documents), PART):
            told |= self._add(documents[start : start + PART], load)
        return told

    def _add(self, documents: Sequence[Document], load: Load) -> Told:
        texts = _Texts(self, load)
        touched: set[int] = set()
        ids = [_number(one.id) for one in documents]
        _, rows = self._by_id.find(ids)
        for row in rows[self._alive.all[rows]].tolist():
            # A changed text leaves its story; those that were there with it may fall apart.
            touched.update(self._connected(row, texts))
            touched.discard(row)
            self._alive.all[row] = False
        base = self._ids.size
        fresh = range(base, base + len(documents))
        texts.give(dict(zip(fresh, documents, strict=True)))
        self._count(documents)
        places = self._places(documents)
        for row, one, place in zip(fresh, documents, places, strict=True):
            texts.left[row] = self._left(one, place)
        links = [story_links(one) for one in documents]
        touched.update(self._losing(links))
        self._ids.extend(np.array(ids, dtype=np.uint64))
        self._at.extend([int(told_at(one).timestamp()) for one in documents])
        self._owner.extend(np.array([_hash("o", one.owner) for one in documents], dtype=np.uint64))
        self._links.extend([min(len(cited), 32_000) for _, cited in links])
        self._place.extend(places)
        self._alive.extend([True] * len(documents))
        self._voice.extend(
            [
                (2 if is_long(one, texts.left[row]) else 1) if is_voice(one) else 0
                for row, one in zip(fresh, documents, strict=True)
            ]
        )
        self._by_id.put(ids, list(fresh))
        self._put_links(fresh, links)
        self._put_names(fresh, documents, texts)
        self._copies(list(fresh), texts)
        self._cited(list(fresh), documents, texts)
        return self._tell({*touched, *fresh}, texts)

    # Boilerplate

    def _count(self, documents: Sequence[Document]) -> None:
        whole = [_whole_text(one) for one in documents]
        marks = [_hash(one.source, text) for one, text in zip(documents, whole, strict=True)]
        seen = {marks[place] for place in self._whole.find(marks)[0].tolist()}
        for one, text, mark in zip(documents, whole, marks, strict=True):
            phase = self._phases.setdefault(one.source, _Phase())
            phase.counted += 1
            # The same words again say nothing of what the source says under other texts.
            if mark not in seen:
                seen.add(mark)
                self._boilerplate.add(one.source, [text], voices=is_voice(one))
            number = phase.counted
            if number >= FIRST_COUNT and number & (number - 1) == 0:
                phase.marks.append((number, self._boilerplate.repeated(one.source)))
        new = list(dict.fromkeys(marks))
        self._whole.put(new, [0] * len(new))

    def _places(self, documents: Sequence[Document]) -> list[int]:
        mine: Counter[str] = Counter(one.source for one in documents)
        left = dict(mine)
        places: list[int] = []
        for one in documents:
            places.append(self._phases[one.source].counted - left[one.source])
            left[one.source] -= 1
        return places

    def _left(self, one: Document, place: int) -> str:
        """What the text says beyond the boilerplate that its source was known for by then."""
        phase = self._phases.get(one.source, _Phase())
        marks = next((marks for begin, marks in reversed(phase.marks) if place >= begin), frozenset[int]())
        return self._boilerplate.without(_whole_text(one), marks)

    # What is kept of a text

    def _put_links(self, fresh: Sequence[int], links: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        citing = [
            (_hash("l", link), row) for row, (_, cited) in zip(fresh, links, strict=True) for link in cited
        ]
        own = [(_hash("l", url), row) for row, (url, _) in zip(fresh, links, strict=True) if url]
        for there, pairs in ((self._citing, citing), (self._own, own)):
            if pairs:
                there.put([key for key, _ in pairs], [row for _, row in pairs])

    def _put_names(self, fresh: Sequence[int], documents: Sequence[Document], texts: _Texts) -> None:
        named: list[tuple[int, int]] = []
        for row, one in zip(fresh, documents, strict=True):
            texts.names[row] = named_sources(one)
            named += ((_hash("n", name), row) for name in texts.names[row])
        if named:
            self._names.put([key for key, _ in named], [row for _, row in named])
        # Tickets are not copies of who names the shop.
        owners = [
            (_hash("n", source_name(one.owner)), row)
            for row, one in zip(fresh, documents, strict=True)
            if not is_voice(one)
        ]
        if owners:
            self._owners.put([key for key, _ in owners], [row for _, row in owners])

    # Reasons

    def _copies(self, fresh: Sequence[int], texts: _Texts) -> None:
        plain = [normal_form(texts.left[row]) or normal_form(texts.whole(row)) for row in fresh]
        circles = [circle(texts[row], texts.left[row]) for row in fresh]
        digests = np.array(
            [
                int.from_bytes(same_words(form, texts.whole(row), of)[:8], "little") if form else 0
                for form, row, of in zip(plain, fresh, circles, strict=True)
            ],
            dtype=np.uint64,
        )
        filled = np.flatnonzero(digests)
        self._exact.put(digests[filled], np.array(fresh, dtype=np.int32)[filled])
        twins = self._twins(fresh, digests, filled)
        single = [place for place in range(len(fresh)) if fresh[place] not in twins]
        if not single:
            return
        texts.forms |= {fresh[place]: plain[place] for place in single}
        _, pairs, _, pair_ends, counts = shingles([plain[place] for place in single])
        wide = np.flatnonzero(counts >= SHORTEST)
        keys = of_circle(
            band_keys(pairs, pair_ends)[wide], [circles[single[place]] for place in wide.tolist()]
        )
        rows = np.array([fresh[single[place]] for place in wide.tolist()], dtype=np.int32)
        flat, owners = keys.ravel(), np.repeat(rows, BANDS)
        self._bands.put(flat, owners)
        which, met = self._bands.find(flat, most=CROWD)
        self._prove(owners[which], met, texts)

    def _twins(
        self, fresh: Sequence[int], digests: npt.NDArray[np.uint64], filled: npt.NDArray[np.int64]
    ) -> set[int]:
        """Texts whose words another has too: their likes are found through that one, not through them."""
        shared, counts = np.unique(digests[filled], return_counts=True)
        which, rows = self._exact.find(shared)
        twins: set[int] = set()
        if len(rows) == len(shared) and counts.max(initial=0) <= 1:
            return twins
        at, alive = self._at.all, self._alive.all
        groups: dict[int, list[int]] = {}
        for place, row in zip(which.tolist(), rows.tolist(), strict=True):
            if alive[row]:
                groups.setdefault(place, []).append(row)
        new = set(fresh)
        for rows_there in groups.values():
            order = sorted(rows_there, key=lambda row: (int(at[row]), int(self._ids.all[row])))
            for one, other in itertools.pairwise(order):
                days = REPEATED_DAYS if self._voice.all[one] == 1 else WINDOW_DAYS
                if (one in new or other in new) and at[other] - at[one] <= days * _DAY:
                    self._join(one, other, "exact", 1.0)
                    # Of texts that came together the first stands for all; else whichever was there before.
                    twins.add(other if other in new else one)
        return twins

    def _prove(self, mine: npt.NDArray[np.int32], met: npt.NDArray[np.int32], texts: _Texts) -> None:
        at = self._at.all
        fit = (mine != met) & self._alive.all[met] & (np.abs(at[mine] - at[met]) <= WINDOW_DAYS * _DAY)
        if not fit.any():
            return
        pairs, bands = np.unique(
            np.stack([mine[fit], met[fit]], axis=1).astype(np.int64), axis=0, return_counts=True
        )
        order = np.lexsort((self._ids.all[pairs[:, 1]], at[pairs[:, 1]], -bands, pairs[:, 0]))
        pairs = pairs[order]
        opens = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
        nth = np.arange(len(pairs)) - np.repeat(opens, np.diff(opens, append=len(pairs)))
        pairs = np.unique(np.sort(pairs[nth < RIVALS], axis=1), axis=0)
        texts.need(np.unique(pairs).tolist())
        for one, other in pairs.tolist():
            if one in texts and other in texts:
                share = near_share(texts.shingles(one), texts.shingles(other))
                if share is not None:
                    self._join(one, other, "near", share)

    def _cited(self, fresh: Sequence[int], documents: Sequence[Document], texts: _Texts) -> None:
        """Texts that name one source within a few days, and a text and that source's own."""
        named = [(row, _hash("n", name)) for row in fresh for name in texts.names[row]]
        owned = [
            (row, _hash("n", source_name(one.owner)))
            for row, one in zip(fresh, documents, strict=True)
            if not is_voice(one)
        ]
        # Two texts of the source itself are not copies for being its own: owners are held against names only.
        met: set[tuple[int, int]] = set()
        for asked, postings in ((named, self._names), (named, self._owners), (owned, self._names)):
            keys, which = np.unique(np.array([key for _, key in asked], dtype=np.uint64), return_inverse=True)
            places, rows = postings.find(keys, most=20 * NAMING)
            if not len(rows):
                continue
            groups: dict[int, list[int]] = {}
            for place, row in zip(places.tolist(), rows.tolist(), strict=True):
                groups.setdefault(place, []).append(row)
            for (mine, _), place in zip(asked, which.tolist(), strict=True):
                if place in groups:
                    met |= self._near_in_time(mine, groups[place])
        texts.need(sorted({row for pair in met for row in pair}))
        for one, other in sorted(met):
            if one not in texts or other not in texts:
                continue
            mine, theirs = texts.bag(one), texts.bag(other)
            both = len(mine & theirs)
            alike = both >= 3 and both >= ALIKE * min(len(mine), len(theirs))
            if alike and not contradict(texts.left[one][:2000], texts.left[other][:2000]):
                self._join(one, other, "forward", 1.0)

    def _near_in_time(self, mine: int, rows: Sequence[int]) -> set[tuple[int, int]]:
        """Pairs of a text and those, at most `NAMING`, that were told within a few days of it."""
        at, alive = self._at.all, self._alive.all
        near = [
            (abs(int(at[row] - at[mine])), row)
            for row in rows
            if row != mine and alive[row] and abs(int(at[row] - at[mine])) <= CITED_DAYS * _DAY
        ]
        return {(min(mine, row), max(mine, row)) for _, row in sorted(near)[:NAMING]}

    def _join(self, one: int, other: int, how: Copy, share: float) -> None:
        place = self._first.size
        self._first.extend([one])
        self._second.extend([other])
        self._how.extend([_COPIES.index(how)])
        self._share.extend([share])
        self._near.put([one, other], [place, place])

    # Links

    def _group(self, key: int) -> tuple[int | None, list[int]]:
        """Of a link: the text that stands there itself, and those that cite it, by time; `origins` tells which count."""
        at, ids, alive = self._at.all, self._ids.all, self._alive.all
        citing = [row for row in self._citing.find([key])[1].tolist() if alive[row]]
        own = [row for row in self._own.find([key])[1].tolist() if alive[row]]
        uses = Counter(int(self._owner.all[row]) for row in citing)
        there = [
            row
            for row in citing
            if self._links.all[row] <= ROUND_UP and uses[int(self._owner.all[row])] <= OWN_USES
        ]
        there.sort(key=lambda row: (int(at[row]), int(ids[row])))
        origin = min(own, key=lambda row: (int(at[row]), int(ids[row])), default=None)
        return origin, there

    def _link_edges(self, key: int) -> list[tuple[int, int, bool]]:
        """(one, other, whether one is the cited text itself) of a link."""
        at = self._at.all
        origin, there = self._group(key)
        edges: list[tuple[int, int, bool]] = []
        if origin is not None:
            edges += (
                (origin, row, True)
                for row in there
                if row != origin and abs(int(at[row] - at[origin])) <= LINK_DAYS * _DAY
            )
        if len(there) > 1 and at[there[-1]] - at[there[0]] <= LINK_DAYS * _DAY:
            edges += ((there[0], row, False) for row in there[1:])
        return edges

    def _losing(self, links: Sequence[tuple[str, tuple[str, ...]]]) -> set[int]:
        """Texts that a link joins now: with the new ones it may turn out to be a signature, and join nobody."""
        keys = {_hash("l", link) for _, cited in links for link in cited}
        keys |= {_hash("l", url) for url, _ in links if url}
        if not keys:
            return set()
        known = np.array(sorted(keys), dtype=np.uint64)
        which, _ = self._citing.find(known)
        return {
            row
            for place in np.unique(which).tolist()
            for one, other, _ in self._link_edges(int(known[place]))
            for row in (one, other)
        }

    # Stories

    def _reasons(self, row: int) -> Iterable[int]:
        return self._near.find([row])[1].tolist()

    def _connected(self, row: int, texts: _Texts) -> set[int]:
        """Texts that a reason joins with this one."""
        found = {int(side.all[place]) for place in self._reasons(row) for side in (self._first, self._second)}
        texts.need([row])
        if row in texts:
            for key in texts.link_keys(row):
                edges = self._link_edges(key)
                found |= {side for one, other, _ in edges if row in (one, other) for side in (one, other)}
        return found

    def _tell(self, start: set[int], texts: _Texts) -> Told:
        """Stories of all texts that reasons connect with these."""
        alive = self._alive.all
        inside = {row for row in start if alive[row]}
        reasons: set[int] = set()
        edges: dict[int, list[tuple[int, int, bool]]] = {}
        frontier = set(inside)
        while frontier:
            texts.need(sorted(frontier))
            lost = {row for row in frontier if row not in texts}
            frontier -= lost
            inside -= lost
            _, places = self._near.find(sorted(frontier))
            reasons.update(places.tolist())
            met = {
                int(side.all[place]) for place in set(places.tolist()) for side in (self._first, self._second)
            }
            for row in frontier:
                for key in texts.link_keys(row):
                    if key not in edges:
                        edges[key] = self._link_edges(key)
                    met |= {
                        side for one, other, _ in edges[key] if row in (one, other) for side in (one, other)
                    }
            frontier = {row for row in met if alive[row]} - inside - lost
            inside |= frontier
        index = StoryIndex()
        index.add(
            [texts[row] for row in sorted(inside)],
            left={texts[row].id: texts.left[row] for row in inside},
        )
        for place in sorted(reasons):
            one, other = int(self._first.all[place]), int(self._second.all[place])
            if one in inside and other in inside:
                index.pair(
                    texts[one].id,
                    texts[other].id,
                    _COPIES[int(self._how.all[place])],
                    float(self._share.all[place]),
                )
        for joined in edges.values():
            for one, other, itself in joined:
                if one in inside and other in inside:
                    how: Copy = "shared-owner" if texts[one].owner == texts[other].owner else "shared-link"
                    if itself:
                        how = index.how_cited(texts[other].id, texts[one].id)
                    index.pair(texts[one].id, texts[other].id, how)
        return {
            name: (story.first, story.why.get(name, "") if name != story.first else "")
            for story in index.stories(marked=False)
            for name in story.members
        }

    # Keeping

    def save(self, path: Path, *, mark: int) -> None:
        """Write everything to a file, whole or not at all.

        Args:
            mark: The number of the last text, in the order of arrival, up to which all are kept.
        """
        from primeta.signals.texts.kept_file import write

        write(path, self, mark)

    @classmethod
    def load(cls, path: Path) -> tuple[KeptStories, int] | None:
        """What `save` wrote; None where there is nothing, or where another version wrote it."""
        from primeta.signals.texts.kept_file import read

        return read(path)


class _Texts:
    """Texts that are at hand in one portion: the new ones, and earlier ones as they are needed."""

    def __init__(self, kept: KeptStories, load: Load) -> None:
        self._kept = kept
        self._load = load
        self._documents: dict[int, Document] = {}
        self._lost: set[int] = set()
        self._bags: dict[int, frozenset[str]] = {}
        self._shingles: dict[int, frozenset[int]] = {}
        self._keys: dict[int, tuple[int, ...]] = {}
        self.left: dict[int, str] = {}
        self.names: dict[int, tuple[str, ...]] = {}
        self.forms: dict[int, str] = {}

    def __contains__(self, row: int) -> bool:
        return row in self._documents

    def __getitem__(self, row: int) -> Document:
        return self._documents[row]

    def give(self, documents: Mapping[int, Document]) -> None:
        self._documents |= documents

    def need(self, rows: Sequence[int]) -> None:
        """Load those that are not at hand; a text that the store has lost stays away."""
        missing = [row for row in rows if row not in self._documents and row not in self._lost]
        if not missing:
            return
        names = {_name(int(self._kept._ids.all[row])): row for row in missing}
        for one in self._load(list(names)):
            row = names.pop(one.id)
            self._documents[row] = one
            self.left[row] = self._kept._left(one, int(self._kept._place.all[row]))
        self._lost.update(names.values())

    def whole(self, row: int) -> str:
        return _whole_text(self._documents[row])

    def bag(self, row: int) -> frozenset[str]:
        if row not in self._bags:
            self._bags[row] = frozenset(words(self.left[row][:2000]))
        return self._bags[row]

    def shingles(self, row: int) -> frozenset[int]:
        if row not in self._shingles:
            form = self.forms.get(row)
            if form is None:
                form = normal_form(self.left[row]) or normal_form(self.whole(row))
            singles, pairs, _, _, _ = shingles([form])
            self._shingles[row] = frozenset(np.concatenate([singles, pairs]).astype(np.uint32).tolist())
        return self._shingles[row]

    def link_keys(self, row: int) -> tuple[int, ...]:
        if row not in self._keys:
            url, cited = story_links(self._documents[row])
            self._keys[row] = tuple(
                _hash("l", link) for link in dict.fromkeys((*cited, *filter(None, [url])))
            )
        return self._keys[row]


def _whole_text(one: Document) -> str:
    return f"{one.title}\n{one.text}".strip()


def _hash(kind: str, text: str) -> int:
    digest = hashlib.blake2b(f"{kind}\0{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _number(name: str) -> int:
    """The 64 bits of an id; one that is not made by `document_id` by its digest."""
    return int(name[2:], 16) if len(name) == 18 and name.startswith("d-") else _hash("id", name)


def _name(number: int) -> str:
    return f"d-{number:016x}"
