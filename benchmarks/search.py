"""How well and how fast collected texts are found: by words, by meaning, by both."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from primeta.config import parse_config
from primeta.signals.texts.search import parse_query
from primeta.signals.texts.vectors import VectorFile, cosines, identity_of, middle
from primeta.signals.texts.word_index import WordIndex
from primeta.sources.records import Document
from primeta.store.database import Database
from primeta.store.documents import save_documents
from primeta.workspace import Workspace
from primeta.workspace import search as searching
from primeta.workspace.text_index import update_index

NAME = "search"

NOW = datetime(2026, 11, 26, tzinfo=UTC)
_TOML = """
[workspace]
name = "search"
currency = "RUB"
timezone = "UTC"
margin = 0.25
[goals]
revenue_per_customer = 1
"""


def shared_texts() -> Path | None:
    """The project's shared data: `PRIMETA_SHARED_DATA`, else `shared/data` beside the checkout."""
    named = os.environ.get("PRIMETA_SHARED_DATA")
    places = [Path(named)] if named else [up / "shared" / "data" for up in Path(__file__).resolve().parents]
    return next((place for place in places if (place / "news-pairs" / "pairs.parquet").exists()), None)


def _document(source: str, key: str, title: str, text: str, at: datetime) -> Document:
    name = "d-" + hashlib.sha256(f"{source}\x1f{key}".encode()).hexdigest()[:16]
    return Document(
        id=name,
        source=source,
        owner=source,
        kind="community",
        published_at=at,
        seen_at=at,
        title=title,
        text=text,
    )


def collection(place: Path) -> tuple[list[Document], dict[str, list[tuple[str, str, str]]]]:
    """29,000 real documents, and questions as (question, id of the answer, id of its own text that does not count).

    Of two reports of one event, the title of one asks for the other. Across languages, the machine translation of an
    English title into Russian, as it stands in the data, asks for the English text.
    """
    import pyarrow.parquet as pq

    day = datetime(2019, 11, 15, tzinfo=UTC)
    documents = [
        _document("hn", str(row["id"]), row["title"], "", row["created_at"].replace(tzinfo=UTC))
        for row in pq.read_table(place / "hn-titles" / "stories.parquet").to_pylist()
    ]
    documents += [
        _document("radio-t", f"{row['file']}{at}", item, "", row["date"].astimezone(UTC))
        for row in pq.read_table(place / "radio-t" / "posts.parquet").to_pylist()
        for at, item in enumerate(row["items"])
    ]
    questions: dict[str, list[tuple[str, str, str]]] = {"ru": [], "en": [], "ru → en": []}
    for at, row in enumerate(pq.read_table(place / "news-pairs" / "pairs.parquet").to_pylist()):
        one, other = (
            _document("news", f"{at}{side}", row[f"{side}_title"], row[f"{side}_text"], day)
            for side in ("first", "second")
        )
        documents += [one, other]
        if row["quality"] == "OK":
            asked = questions["ru" if row["pool"].startswith("ru") else "en"]
            asked += [(one.title, other.id, one.id), (other.title, one.id, other.id)]
    for at, row in enumerate(pq.read_table(place / "news-pairs" / "categories.parquet").to_pylist()):
        one = _document("category", str(at), row["title"], row["text"], day)
        documents.append(one)
        if row["trans_title"]:
            questions["ru → en"].append((row["trans_title"], one.id, ""))
    return list({one.id: one for one in documents}.values()), questions


def reciprocal_rank(ask: Callable[[str], Sequence[str]], questions: Sequence[tuple[str, str, str]]) -> float:
    """Mean of 1 / rank of the answer, 0 where it is not among those found."""
    found: list[float] = []
    for question, answer, own in questions:
        ranked = [name for name in ask(question) if name != own]
        found.append(1 / (ranked.index(answer) + 1) if answer in ranked else 0.0)
    return float(np.mean(found))


def _quality(place: Path) -> list[dict[str, str]]:
    documents, questions = collection(place)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "primeta.toml"
        path.write_text(_TOML, encoding="utf-8")
        database = Database(f"sqlite:///{folder}/state.sqlite")
        database.migrate()
        ws = Workspace(parse_config(_TOML, path), database)
        with database.write() as connection:
            save_documents(connection, documents, stories={})
        began = time.perf_counter()
        update_index(ws)
        took = time.perf_counter() - began

        def plain(question: str) -> str:
            return question.replace('"', " ").replace("“", " ").replace("”", " ").replace(" -", " ")

        ways: dict[str, Callable[[str], Sequence[str]]] = {
            "words": lambda q: [name for name, _ in searching._by_words(ws, parse_query(plain(q)), None, 20)],
            "meaning": lambda q: searching._by_meaning(ws, parse_query(plain(q)), None, 20),
            "both": lambda q: [hit.document.id for hit in ws.search(plain(q), limit=50, now=NOW).hits],
        }
        began = time.perf_counter()
        reached = {
            way: {kind: reciprocal_rank(ask, asked) for kind, asked in questions.items()}
            for way, ask in ways.items()
        }
        asked = 3 * sum(map(len, questions.values()))
        each = (time.perf_counter() - began) / asked
        database.close()
    return [
        {
            "what": f"search, {len(documents):,} documents, {len(questions[kind])} questions {kind}",
            "aim": "both ≥ the better of the two",
            "reached": f"MRR {reached['both'][kind]:.2f}",
            "peer": f"words {reached['words'][kind]:.2f}, meaning {reached['meaning'][kind]:.2f}",
            "note": f"indexed in {took:.0f} s, {each * 1000:.0f} ms a question",
        }
        for kind in questions
    ]


def _latency(number: int) -> dict[str, str]:
    """One question over `number` made texts, warm, in processor time; vectors are random."""
    rng = np.random.default_rng(3)
    stems = [f"{a}{b}{c}" for a in "бвгдклмнпрст" for b in "аеиоуы" for c in "бвгдклмнпрст"]
    ranks = np.minimum(rng.zipf(1.3, size=number * 12), 60_000) - 1
    with tempfile.TemporaryDirectory() as folder:
        words, vectors = WordIndex(Path(folder) / "words.sqlite"), VectorFile(Path(folder) / "vectors.bin")
        for start in range(0, number, 20_000):
            size = min(20_000, number - start)
            names = [identity_of(start + at + 1) for at in range(size)]
            texts = [
                " ".join(
                    f"{stems[r % len(stems)]}{stems[r // len(stems)]}q" for r in ranks[12 * at : 12 * at + 12]
                )
                for at in range(start, start + size)
            ]
            words.add((start + at + 1, names[at], "", text) for at, text in enumerate(texts))
            drawn = rng.normal(size=(size, 512)).astype(np.float32)
            vectors.add(names, drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
        took: dict[str, Any] = {"words": [], "meaning": []}
        question = [f"{stems[r % len(stems)]}{stems[r // len(stems)]}q" for r in (3, 40, 900, 7000)]
        query = np.asarray(drawn[0] / np.linalg.norm(drawn[0]), dtype=np.float32)
        for _ in range(5):
            began = time.process_time()
            words.search(question, limit=100)
            took["words"].append(time.process_time() - began)
            began = time.process_time()
            kept = vectors.rows()
            cosines(kept, query, around=middle(kept))
            took["meaning"].append(time.process_time() - began)
    by = {way: float(np.median(times)) for way, times in took.items()}
    return {
        "what": f"one question over {number:,} texts",
        "aim": "< 1 s of processor time",
        "reached": f"{sum(by.values()):.2f} s",
        "peer": "",
        "note": f"words {by['words'] * 1000:.0f} ms, meaning {by['meaning'] * 1000:.0f} ms",
    }


def run(*, quick: bool) -> list[dict[str, str]]:
    """Quality on real texts, where they are; time of a question over a hundred thousand and a million."""
    place = shared_texts()
    rows = _quality(place) if place is not None else [
        {"what": "search", "aim": "both ≥ the better of the two", "reached": "not measured", "peer": "",
         "note": "needs the shared data; name their folder in PRIMETA_SHARED_DATA"}
    ]  # fmt: skip
    return rows + [_latency(number) for number in ((20_000,) if quick else (100_000, 1_000_000))]
