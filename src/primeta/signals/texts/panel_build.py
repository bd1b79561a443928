"""From documents to the panel: terms kept week by week in a folder, counted by term, owner and period.

The folder is a cache. It holds no text, only numbers that follow from the words (`terms.py`), who spoke and when;
deleting it loses nothing, because documents and stories fill it again.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from primeta.signals.signal import Origin
from primeta.signals.texts.panel import Panel, Rare
from primeta.signals.texts.records import Story
from primeta.signals.texts.terms import Codes, TermReader
from primeta.sources.records import GROUP_OF, Document

pc: Any = pyarrow.compute
# Its functions are made at run time; type checkers do not see them.
Ids = npt.NDArray[np.int64]
Grain = Literal["week", "day"]

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("story", pa.string()),
        ("owner", pa.string()),
        ("origin", pa.string()),
        ("at", pa.int64()),
        ("terms", pa.large_list(pa.uint64())),
    ]
)
"""One row a document; `story` is the id of the one that told it first, `owner` who told the story first, `at`
microseconds since 1970, UTC."""

RAREST = 3
"""Stories that tell of a term, over the whole panel, from which it is a candidate …"""

RAREST_SHARE = 1e-5
"""… and this share of all stories. The rule does not look at when they were told, so it chooses nothing that the
evidence speaks of: given how often a term was told, every order of its stories is as likely as before."""

PART = 4_000_000
"""Terms that are sorted at once."""

SAMPLED = 1_000_000
"""Of so many terms of texts all rare ones are told to the panel, of twice as many every second one …"""

SHORT_SPAN = 16
"""Weeks of texts below which days are the periods."""

_MONDAY = date(1970, 1, 5).toordinal()
_EPOCH = date(1970, 1, 1).toordinal()
_HOUR = 3_600_000_000
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Built:
    """A panel, and the way back from its candidates to the stories."""

    panel: Panel
    grain: Grain
    codes: Codes
    """(C,) the term of each candidate."""
    pruned: int
    """Terms told too rarely to be a candidate, see `RAREST`."""
    rows: Ids
    """Rows of `told` that tell of candidate 0, then of 1 …, each in the order of time."""
    ends: Ids
    """(C,) where the rows of each candidate end."""
    told: pa.Table
    """Stories of the panel in the order of time: as `SCHEMA` without the terms, the first document of each."""
    period: Ids
    """(stories,) index into `panel.weeks`."""
    owner: Ids
    """(stories,) index into `panel.owners`."""

    def rows_of(self, candidate: int) -> Ids:
        """Stories that tell of a candidate, in the order of time."""
        return self.rows[self.ends[candidate - 1] if candidate else 0 : self.ends[candidate]]


def told_at(document: Document) -> datetime:
    """When it was said: as published, but never later than it was seen."""
    return document.seen_at if document.published_at is None else min(document.published_at, document.seen_at)


def told_rows(
    documents: Sequence[Document],
    stories: Iterable[Story],
    *,
    reader: TermReader,
    left: Mapping[str, str] | None = None,
) -> pa.Table:
    """Rows of `SCHEMA`, (n,).

    Args:
        stories: Cover the documents; one without a story is a story of its own.
        left: Id → what boilerplate leaves of title and text.
    """
    first = {member: story for story in stories for member in story.members}
    kept = left or {}
    found = reader.read([kept.get(one.id) or f"{one.title}\n{one.text}" for one in documents])
    of_story = [first.get(one.id) for one in documents]
    at = [round(told_at(one).timestamp() * 1e6) for one in documents]
    return pa.table(
        [
            pa.array([one.id for one in documents], pa.string()),
            pa.array(
                [s.first if s else one.id for s, one in zip(of_story, documents, strict=True)], pa.string()
            ),
            pa.array(
                [s.owner if s else one.owner for s, one in zip(of_story, documents, strict=True)], pa.string()
            ),
            pa.array([GROUP_OF[one.kind] for one in documents], pa.string()),
            pa.array(at, pa.int64()),
            pa.LargeListArray.from_arrays(np.concatenate([[0], found.ends]), pa.array(found.codes)),
        ],
        schema=SCHEMA,
    )


@dataclass(slots=True)
class TermStore:
    """Terms of documents in a folder, a file a week; grows and changes by the week.

    One process writes at a time. A file is written under another name and renamed, so a reader sees the old week or
    the new one, and a writer that was killed leaves every week whole: adding the same documents again repairs the rest.
    """

    folder: Path
    reader: TermReader = field(default_factory=TermReader)

    def add(
        self,
        documents: Sequence[Document],
        stories: Iterable[Story] = (),
        *,
        left: Mapping[str, str] | None = None,
    ) -> int:
        """Put documents in, or again where their text or story changed.

        Args:
            stories: Those that the documents belong to, as they now stand, and others that changed; members that
                were put in before move with them.
        Returns:
            Weeks that were written.
        """
        stories = list(stories)
        fresh = told_rows(documents, stories, reader=self.reader, left=left)
        weeks = _week_of(_integers(fresh, "at"))
        parts = {int(week): fresh.filter(pa.array(weeks == week)) for week in np.unique(weeks)}
        written = 0
        for week, part in parts.items():
            old = self._read(week)
            if old is not None:
                stays = pc.invert(pc.is_in(old["id"], part["id"].combine_chunks()))
                part = pa.concat_tables([old.filter(stays), part])
            self._write(week, part)
            written += 1
        put_in = set(fresh["id"].to_pylist())
        moved = {member: s for s in stories for member in s.members if member not in put_in}
        return written + (self._move(moved) if moved else 0)

    def remove(self, ids: Collection[str]) -> int:
        """Take documents out; returns how many were there. A story whose first is taken out is told by nobody until
        `add` names another."""
        gone, wanted = 0, pa.array(sorted(ids), pa.string())
        for week in self._weeks():
            old = self._read(week)
            if old is None:
                continue
            out = pc.is_in(old["id"], wanted)
            number = int(pc.sum(out).as_py() or 0)
            if number:
                gone += number
                self._write(week, old.filter(pc.invert(out)))
        return gone

    def table(self) -> pa.Table:
        """All rows, week after week."""
        parts = [part for week in self._weeks() if (part := self._read(week)) is not None]
        return pa.concat_tables(parts) if parts else SCHEMA.empty_table()

    def documents(self) -> int:
        """How many documents are in."""
        return sum(pq.read_metadata(self._path(week)).num_rows for week in self._weeks())

    def _move(self, moved: Mapping[str, Story]) -> int:
        wanted, written = pa.array(sorted(moved), pa.string()), 0
        for week in self._weeks():
            there = pc.is_in(pq.read_table(self._path(week), columns=["id"])["id"], wanted)
            if not pc.any(there).as_py():
                continue
            old = cast(pa.Table, self._read(week))
            ids = old["id"].to_pylist()
            story = [
                moved[i].first if i in moved else s
                for i, s in zip(ids, old["story"].to_pylist(), strict=True)
            ]
            owner = [
                moved[i].owner if i in moved else o
                for i, o in zip(ids, old["owner"].to_pylist(), strict=True)
            ]
            new = old.set_column(1, "story", pa.array(story, pa.string()))
            new = new.set_column(2, "owner", pa.array(owner, pa.string()))
            if not new.equals(old):
                self._write(week, new)
                written += 1
        return written

    def _path(self, week: int) -> Path:
        return self.folder / f"{date.fromordinal(_MONDAY + 7 * week).isoformat()}.parquet"

    def _weeks(self) -> list[int]:
        found = []
        for path in self.folder.glob("????-??-??.parquet"):
            try:
                found.append((date.fromisoformat(path.stem).toordinal() - _MONDAY) // 7)
            except ValueError:
                continue
        return sorted(found)

    def _read(self, week: int) -> pa.Table | None:
        path = self._path(week)
        return pq.read_table(path, schema=SCHEMA) if path.exists() else None

    def _write(self, week: int, rows: pa.Table) -> None:
        rows = rows.sort_by([("at", "ascending"), ("id", "ascending")])
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
        os.close(handle)
        try:
            pq.write_table(rows, name, compression="zstd")
            Path(name).replace(self._path(week))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def build(
    rows: pa.Table,
    *,
    until: datetime,
    zone: tzinfo = UTC,
    grain: Grain | None = None,
    rarest: int = RAREST,
) -> Built:
    """The panel of all periods that are finished at `until`.

    Args:
        rows: As `SCHEMA`. Nothing after `until` is looked at, not even by a copy.
        until: Exclusive; aware.
        zone: Days and weeks are cut in it.
        grain: None: weeks, or days where the texts span less than `SHORT_SPAN` weeks.
    """
    at = _integers(rows, "at")
    known = at < round(until.timestamp() * 1e6)
    first = np.asarray(pc.equal(rows["id"], rows["story"]).to_numpy(zero_copy_only=False), dtype=bool)
    days = local_days(at, zone)
    end = _local_end(until, zone)
    told = np.flatnonzero(known & first)
    if grain is None:
        span = int(days[told].max() - days[told].min()) + 1 if len(told) else 0
        grain = "week" if span >= 7 * SHORT_SPAN else "day"
    periods = days if grain == "day" else (days + _EPOCH - _MONDAY) // 7
    finished = end if grain == "day" else (end + _EPOCH - _MONDAY) // 7
    told = told[periods[told] < finished]
    told = told[np.lexsort((told, at[told]))]
    place = np.full(rows.num_rows, -1, dtype=np.int64)
    place[told] = np.arange(len(told))
    stories = rows.drop_columns(["terms"]).take(pa.array(told))
    start = int(periods[told].min()) if len(told) else finished
    weeks = tuple(
        date.fromordinal(_EPOCH + p) if grain == "day" else date.fromordinal(_MONDAY + 7 * p)
        for p in range(start, finished)
    )
    period = periods[told] - start
    owners, owner, origins = _owners(stories)
    volume = np.zeros((len(owners), len(weeks)), dtype=np.int64)
    np.add.at(volume, (owner, period), 1)
    least = max(rarest, int(np.ceil(RAREST_SHARE * len(told))))
    codes, row, ends, pruned, (rare, rare_row) = _candidates(rows, place, least)
    candidate = np.repeat(np.arange(len(codes)), np.diff(ends, prepend=0))
    count_of, w = max(len(owners), 1), max(len(weeks), 1)
    cells, place, counts = np.unique(
        (candidate * count_of + owner[row]) * w + period[row], return_inverse=True, return_counts=True
    )
    repeats = _repeats(rows, known & ~first, stories)
    panel = Panel(
        weeks=weeks,
        owners=owners,
        origins=origins,
        volume=volume,
        candidate=(cells // (count_of * w)).astype(np.int64),
        owner=(cells // w % count_of).astype(np.int64),
        week=(cells % w).astype(np.int64),
        stories=counts.astype(np.int64),
        candidates=len(codes),
        copies=np.bincount(place, weights=repeats[row], minlength=len(cells)).astype(np.int64),
        rare=Rare(
            terms=pruned,
            sampled=int(rare.max(initial=-1)) + 1,
            term=rare,
            owner=owner[rare_row],
            week=period[rare_row],
        ),
    )
    return Built(
        panel=panel, grain=grain, codes=codes, pruned=pruned, rows=row, ends=ends, told=stories, period=period,
        owner=owner,
    )  # fmt: skip


def _repeats(rows: pa.Table, copy: npt.NDArray[np.bool_], stories: pa.Table) -> Ids:
    """(stories,) how many of the rows marked as copies repeat each story."""
    counted = pc.value_counts(rows["story"].filter(pa.array(copy)))
    place = pc.index_in(counted.field("values"), stories["id"].combine_chunks())
    there = np.asarray(pc.is_valid(place).to_numpy(zero_copy_only=False), dtype=bool)
    found = np.zeros(len(stories), dtype=np.int64)
    found[place.drop_null().to_numpy()] = counted.field("counts").to_numpy()[there]
    return found


def _candidates(rows: pa.Table, place: Ids, least: int) -> tuple[Codes, Ids, Ids, int, tuple[Ids, Ids]]:
    """Terms told by at least so many stories; stories of each, where they end, and how many terms were left out.

    At last a sample of those: number of the term and story, one entry a story.

    Args:
        place: (n,) which story a row of `rows` tells first; −1 for the others.
    """
    chunks: list[tuple[Codes, npt.NDArray[np.int32]]] = []
    at = 0
    for lists in rows["terms"].chunks:
        codes = np.asarray(lists.flatten().to_numpy(zero_copy_only=False), dtype=np.uint64)
        lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
        story = np.repeat(place[at : at + len(lists)].astype(np.int32), lengths)
        at += len(lists)
        first = story >= 0
        chunks.append((codes[first], story[first]))
    total = sum(len(codes) for codes, _ in chunks)
    # A million texts hold thirty million terms: sorted part by part, in the order of their codes, they need little.
    bits = max(0, int(np.ceil(np.log2(max(total, 1) / PART))))
    found: list[tuple[Codes, Ids, Ids]] = []
    rare: list[tuple[Ids, Ids]] = []
    every = np.uint64(max(1, total // SAMPLED))
    pruned = sampled = 0
    for part in range(1 << bits):
        mine = [
            (codes, story) if not bits else (codes[there], story[there])
            for codes, story in chunks
            for there in [(codes >> np.uint64(64 - bits)) == np.uint64(part) if bits else slice(None)]
        ]
        codes = np.concatenate([codes for codes, _ in mine] or [np.zeros(0, dtype=np.uint64)])
        story = np.concatenate([story for _, story in mine] or [np.zeros(0, dtype=np.int32)])
        order = np.lexsort((story, codes))
        codes, story = codes[order], story[order]
        opens = np.flatnonzero(np.diff(codes, prepend=codes[:1] ^ np.uint64(1)))
        sizes = np.diff(opens, append=len(codes))
        kept = sizes >= least
        pruned += int((~kept).sum())
        # by bits that neither part the terms nor mark them
        some = ~kept & ((codes[opens] >> np.uint64(8)) % every == 0)
        few = np.cumsum(some)[some] - 1 + sampled
        rare.append((np.repeat(few, sizes[some]), story[np.repeat(some, sizes)].astype(np.int64)))
        sampled += int(some.sum())
        found.append((codes[opens[kept]], story[np.repeat(kept, sizes)].astype(np.int64), sizes[kept]))
    sizes = np.concatenate([sizes for _, _, sizes in found])
    return (
        np.concatenate([codes for codes, _, _ in found]),
        np.concatenate([story for _, story, _ in found]),
        np.cumsum(sizes),
        pruned,
        (np.concatenate([term for term, _ in rare]), np.concatenate([story for _, story in rare])),
    )


def _owners(stories: pa.Table) -> tuple[tuple[str, ...], Ids, tuple[Origin, ...]]:
    names = stories["owner"].combine_chunks()
    names = pa.chunked_array([names]) if not isinstance(names, pa.ChunkedArray) else names
    coded = names.dictionary_encode().combine_chunks()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    index = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    owners = tuple(coded.dictionary.to_pylist())
    groups = np.array(stories["origin"].to_pylist(), dtype=object)
    first = np.unique(index, return_index=True)[1]
    return owners, index, tuple(cast(Any, groups[first].tolist()))


def _integers(rows: pa.Table, name: str) -> Ids:
    return rows[name].to_numpy().astype(np.int64, copy=False)


def _week_of(at: Ids) -> Ids:
    """Weeks since the first Monday of 1970, UTC: how files are named, not how periods are cut."""
    return (at // _DAY + _EPOCH - _MONDAY) // 7


def local_days(at: Ids, zone: tzinfo) -> Ids:
    """(n,) days since 1970 by the clock of `zone`."""
    if zone is UTC or not len(at):
        return at // _DAY
    # Clocks change at whole quarters of an hour: one offset for each quarter that occurs.
    quarters, back = np.unique(at // (_HOUR // 4), return_inverse=True)
    offsets = np.array(
        [
            cast(
                timedelta, zone.utcoffset(datetime.fromtimestamp(q * 900, UTC).astimezone(zone))
            ).total_seconds()
            for q in quarters.tolist()
        ]
    )
    return (at + (offsets * 1e6).astype(np.int64)[back]) // _DAY


def _local_end(until: datetime, zone: tzinfo) -> int:
    """The day, since 1970, that is not finished at `until`."""
    return until.astimezone(zone).date().toordinal() - _EPOCH
