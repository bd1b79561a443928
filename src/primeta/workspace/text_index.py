"""The index of what sources brought: words and vectors of documents, in `cache/texts/`, brought up to date in steps.

It may be deleted at any time: the next `update_index` fills it again. A killed update goes on where it stopped.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from primeta.errors import Locked
from primeta.signals.texts.vectors import VectorFile, encode_many, head_of
from primeta.signals.texts.word_index import WordIndex
from primeta.store.documents import Numbered, documents_after, documents_numbered, last_number, load_numbered
from primeta.workspace.files import write_whole
from primeta.workspace.lock import only_one

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

FOLDER = "cache/texts"
STEP = 2_000
"""Documents that are read, indexed and written at once."""
STEP_VECTORS = 10_000
SAME_WORDS = frozenset(("exact", "near", "forward"))
"""Copies that say what their first says: its vector stands for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """What an update did."""

    words: int
    """Documents whose words were added."""
    vectors: int
    """Documents that were looked at for vectors."""
    left: int
    """Documents that can be found by their words only, as yet."""


def word_index(ws: Workspace) -> WordIndex:
    return WordIndex(ws.folder / FOLDER / "words.sqlite")


def vector_file(ws: Workspace) -> VectorFile:
    return VectorFile(ws.folder / FOLDER / "vectors.bin")


def _position(ws: Workspace) -> Path:
    return ws.folder / FOLDER / "vectors.position.json"


def update_index(
    ws: Workspace,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    renewed: Sequence[str] = (),
    most_words: int | None = None,
    most_vectors: int | None = None,
) -> Indexed:
    """Add what is not in the index yet. Where another process does so now, it does nothing.

    Args:
        progress: Called as (`words` or `vectors`, done, all).
        renewed: Ids of documents whose text was read anew.
        most_words: Documents to add at most; None: all.
        most_vectors: The same of vectors, which take a hundred times as long.
    """
    told = progress or (lambda _step, _done, _all: None)
    folder = ws.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with only_one(folder / "index.lock", "bringing the search up to date"):
            _check(ws)
            with ws.database.read() as connection:
                again = load_numbered(connection, list(renewed)) if renewed else ()
            words = _add_words(ws, told, again, most_words)
            vectors = _add_vectors(ws, told, again, most_vectors)
    except Locked:
        words = vectors = 0
    return Indexed(words=words, vectors=vectors, left=without_meaning(ws))


def forget_index(ws: Workspace) -> None:
    """Begin anew with the next update, where many texts read otherwise now."""
    folder = ws.folder / FOLDER
    if not folder.is_dir():
        return
    with only_one(folder / "index.lock", "bringing the search up to date"):
        word_index(ws).clear()
        vector_file(ws).clear()
        _position(ws).unlink(missing_ok=True)


def without_meaning(ws: Workspace) -> int:
    """Documents that have no vector yet."""
    with ws.database.read() as connection:
        last = last_number(connection)
    return max(0, last - _vectors_until(ws)[0])


def _check(ws: Workspace) -> None:
    """Begin anew what belongs to another state, to another version, or cannot be read."""
    words = word_index(ws)
    if words.path.exists() and not words.is_usable():
        words.clear()
    try:
        ends = (words.last(), _vectors_until(ws))
    except sqlite3.DatabaseError:
        words.clear()
        ends = ((0, ""), _vectors_until(ws))
    numbers = [number for number, _ in ends if number]
    with ws.database.read() as connection:
        there = {one.number: one.document.id for one in documents_numbered(connection, numbers)}
    (word_end, word_id), (vector_end, vector_id) = ends
    if word_end and there.get(word_end) != word_id:
        words.clear()
    vectors = vector_file(ws)
    if (vector_end and there.get(vector_end) != vector_id) or (not vector_end and len(vectors)):
        vectors.clear()
        _position(ws).unlink(missing_ok=True)


def _vectors_until(ws: Workspace) -> tuple[int, str]:
    """Number and id of the last document that was looked at for a vector."""
    try:
        kept = json.loads(_position(ws).read_text(encoding="utf-8"))
        number, name, rows = int(kept["number"]), str(kept["id"]), int(kept["rows"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, ""
    return (number, name) if len(vector_file(ws)) >= rows else (0, "")


def _add_words(
    ws: Workspace, told: Callable[[str, int, int], None], again: Sequence[Numbered], most: int | None
) -> int:
    index = word_index(ws)
    last, done = index.last()[0], 0
    with ws.database.read() as connection:
        whole = max(0, last_number(connection) - last)
    renewed = [one for one in again if one.number <= last]
    if renewed:
        index.add(_parts(one) for one in renewed)
    while most is None or done < most:
        with ws.database.read() as connection:
            batch = documents_after(connection, last, STEP)
        if not batch:
            break
        index.add(_parts(one) for one in batch)
        last, done = batch[-1].number, done + len(batch)
        told("words", done, max(whole, done))
    return done


def _parts(one: Numbered) -> tuple[int, str, str, str]:
    return one.number, one.document.id, one.document.title, one.document.text


def _add_vectors(
    ws: Workspace, told: Callable[[str, int, int], None], again: Sequence[Numbered], most: int | None
) -> int:
    file = vector_file(ws)
    last, done = _vectors_until(ws)[0], 0
    with ws.database.read() as connection:
        whole = max(0, last_number(connection) - last)
    renewed = [one for one in again if one.number <= last]
    if renewed:
        _encode(file, renewed, lambda _done: None)
    while most is None or done < most:
        with ws.database.read() as connection:
            step = STEP_VECTORS if most is None else min(STEP_VECTORS, most - done)
            batch = documents_after(connection, last, step)
        if not batch:
            break
        before = done
        _encode(
            file, batch, lambda part, before=before: told("vectors", before + part, max(whole, before + part))
        )
        last, done = batch[-1].number, done + len(batch)
        place = {"number": last, "id": batch[-1].document.id, "rows": len(file)}
        write_whole(_position(ws), json.dumps(place))
        told("vectors", done, max(whole, done))
    return done


def _encode(file: VectorFile, batch: Sequence[Numbered], told: Callable[[int], None]) -> None:
    chosen = [one.document for one in batch if one.why not in SAME_WORDS]
    vectors = encode_many([head_of(one.title, one.text) for one in chosen], progress=told)
    if len(chosen):
        file.add([one.id for one in chosen], vectors)
