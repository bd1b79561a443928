"""How long it takes from raw rows to topics: a million short texts, then a day of ten thousand more."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from primeta.signals.texts.emergence import emerge
from primeta.signals.texts.panel_build import TermStore, build
from primeta.signals.texts.records import Story
from primeta.signals.texts.terms import TermReader
from primeta.signals.texts.topics import topics_of
from primeta.signals.topics import topics
from primeta.sources.records import Document

NAME = "topics-speed"
WORDS = 60_000
SOURCES = 300
WEEKS = 104
COPIED = 0.15
PLANTED = 12
START = datetime(2024, 1, 1, tzinfo=UTC)


def made(number: int, *, rng: np.random.Generator) -> tuple[pa.Table, list[tuple[str, int]]]:
    """Rows of 6–20 words as often as words are in a language (Zipf), three in four Russian, and what was planted.

    A planted topic is a phrase of two rare words that a growing number of sources take up from some week on.
    """
    endings = ["ение", "ость", "ация", "ник", "ка", "ство", "ер", "инг", "тор", "ора"]
    stems = [
        "прод",
        "раз",
        "пром",
        "дост",
        "цен",
        "бан",
        "скид",
        "воз",
        "кли",
        "сет",
        "маг",
        "зак",
        "опл",
        "рас",
        "пере",
    ]
    latin = ["mark", "ship", "pay", "deal", "cart", "push", "mail", "brand", "shop", "card", "sale", "loan"]
    russian = [
        f"{stems[i % 15]}{'аеиоуыбвгдклмнпрст'[i // 15 % 18]}{'абвгдежзиклмнопр'[i // 270 % 16]}"
        f"{'аеиоу'[i // 4320 % 5]}{'нлтр'[i // 21600 % 4]}{endings[i % 10]}"
        for i in range(WORDS * 3 // 4)
    ]
    english = [
        f"{latin[i % 12]}{chr(97 + i // 12 % 26)}{chr(97 + i // 312 % 26)}{i // 8112}er"
        for i in range(WORDS // 4)
    ]
    vocabulary = np.array(
        [word for group in zip(*[iter(russian)] * 3, english, strict=False) for word in group], dtype=object
    )
    weight = 1 / (np.arange(len(vocabulary)) + 20.0)
    lengths = rng.integers(6, 21, number)
    drawn = rng.choice(len(vocabulary), size=int(lengths.sum()), p=weight / weight.sum())
    at = np.sort(rng.uniform(0, WEEKS * 7 * 86_400, number))
    source = rng.choice(SOURCES, size=number, p=(w := 1 / (np.arange(SOURCES) + 5.0)) / w.sum())
    texts: list[str] = []
    place = 0
    for length in lengths.tolist():
        texts.append(" ".join(vocabulary[drawn[place : place + length]]))
        place += length
    copies = np.flatnonzero(rng.random(number) < COPIED)
    for later in copies.tolist():
        if later:
            original = int(rng.integers(max(0, later - 5000), later))
            texts[later] = texts[original] + (" читайте" if later % 2 else "")
    planted: list[tuple[str, int]] = []
    week = (at // (7 * 86_400)).astype(int)
    rare = rng.choice(np.arange(20_000, len(vocabulary)), size=2 * PLANTED, replace=False)
    for topic in range(PLANTED):
        phrase = f"{vocabulary[rare[2 * topic]]} {vocabulary[rare[2 * topic + 1]]}"
        onset = int(rng.integers(60, 96))
        speakers = rng.choice(SOURCES, size=60, replace=False)
        there = np.flatnonzero((week >= onset) & np.isin(source, speakers))
        chosen = rng.choice(there, size=min(len(there), max(30, int(number * 1.5e-4))), replace=False)
        for row in chosen.tolist():
            texts[row] = f"{texts[row]} {phrase}"
        planted.append((phrase, onset))
    stamps = pa.array((START.timestamp() * 1e6 + at * 1e6).astype(np.int64), pa.timestamp("us", tz="UTC"))
    return pa.table(
        {"published_at": stamps, "source": [f"source {i}" for i in source], "text": texts}
    ), planted


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds, seconds of processor time, GiB at most, and what was found."""

    wall: float
    cpu: float
    memory: float
    stories: int
    candidates: int
    topics: list[tuple[str, ...]]


def measured(path: str) -> Measured:
    """Topics of a file, with what they took."""
    began, busy = time.perf_counter(), time.process_time()
    found = topics(path)
    return Measured(
        wall=time.perf_counter() - began,
        cpu=time.process_time() - busy,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        stories=found.stories,
        candidates=found.candidates,
        topics=[topic.terms for topic in found.topics],
    )


def run(*, quick: bool) -> list[dict[str, str]]:
    """One million texts (quick: 50,000) to topics; then a day of ten thousand on top of what was kept."""
    number = 50_000 if quick else 1_000_000
    table, planted = made(number, rng=np.random.default_rng(1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.parquet"
        pq.write_table(table, path)
        # A process of its own: what made the texts is not counted.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
            found = alone.submit(measured, str(path)).result()
    wall, cpu, memory = found.wall, found.cpu, found.memory
    said = [{word for term in terms for word in term.split()} for terms in found.topics]
    caught = sum(any(set(phrase.split()) & words for words in said) for phrase, _ in planted)
    day, written = a_day_more(table)
    return [
        {
            "what": f"{number:,} short texts from rows to topics",
            "aim": "≤ 30 min on two cores, ≤ 4 GB" if not quick else "",
            "reached": f"{wall / 60:.1f} min ({cpu / 60:.1f} of processor time, one core), {memory:.1f} GiB at most",
            "peer": "",
            "note": f"{found.stories:,} stories, {found.candidates:,} candidates; {caught} of {PLANTED} planted topics, "
            f"{len(found.topics)} reported",
        },
        {
            "what": f"a day of {written:,} more, terms of {number:,} kept in a folder",
            "aim": "≤ 30 s" if not quick else "",
            "reached": f"{day:.1f} s",
            "peer": "",
            "note": "terms, panel, evidence and topics; copies are looked for before (benchmark `duplicates`)",
        },
    ]


def a_day_more(table: pa.Table, *, batch: int = 50_000) -> tuple[float, int]:
    """Seconds of adding a day to a store that holds `table`, and of telling its topics; and how many were added."""
    with tempfile.TemporaryDirectory() as folder:
        store = TermStore(Path(folder))
        total = table.num_rows
        fresh = min(10_000, total // 10)
        for start in range(0, total - fresh, batch):
            store.add(_documents(table.slice(start, min(batch, total - fresh - start)), start))
        store = TermStore(Path(folder), reader=TermReader())
        last = _documents(table.slice(total - fresh), total - fresh)
        began = time.perf_counter()
        store.add(last, [Story(first=one.id, owner=one.owner, members=(one.id,)) for one in last])
        rows = store.table()
        built = build(rows, until=START + timedelta(weeks=WEEKS))
        emerged = emerge(built.panel)

        def documents(ids: Sequence[str]) -> list[Document]:
            return [one for name in ids for one in _documents(table.slice(int(name), 1), int(name))]

        topics_of(built, emerged, rows, documents=documents, reader=store.reader)
        return time.perf_counter() - began, fresh


def _documents(rows: pa.Table, first: int) -> list[Document]:
    return [
        Document(
            id=str(first + place), source=row["source"], owner=row["source"], kind="community",
            published_at=row["published_at"], seen_at=row["published_at"], title="", text=row["text"],
        )
        for place, row in enumerate(rows.to_pylist())
    ]  # fmt: skip
