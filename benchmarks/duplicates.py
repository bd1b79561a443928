"""How fast copies of short texts are found, and how many of those that were planted."""

from __future__ import annotations

import resource
import time

import numpy as np

from primeta.signals.texts.duplicates import CopyIndex

NAME = "duplicates"

WORDS = 20_000
COPIED = 0.2


def made(number: int, *, rng: np.random.Generator) -> tuple[list[str], list[tuple[int, int]]]:
    """Texts of 8–24 words as often as words are in a language (Zipf), a fifth of them copies with one word more."""
    endings = ["ает", "ние", "ость", "ами", "ый", "ов"]
    stems = ["кл", "рас", "пром", "дост", "цен", "бан", "скид", "воз", "при", "сет"]
    vocabulary = [
        f"{stems[i % 10]}{chr(1072 + i // 1000)}{chr(1072 + i // 30 % 32)}{i % 30}{endings[i % 6]}"
        for i in range(WORDS)
    ]
    weight = 1 / np.arange(1, WORDS + 1)
    lengths = rng.integers(8, 25, number)
    drawn = rng.choice(WORDS, size=int(lengths.sum()), p=weight / weight.sum())
    texts, at = [], 0
    for length in lengths.tolist():
        texts.append(" ".join(vocabulary[i] for i in drawn[at : at + length]))
        at += length
    half = number // 2
    later = rng.choice(np.arange(half, number), size=int(COPIED * number), replace=False)
    pairs = []
    for copy, original in zip(later.tolist(), rng.integers(0, half, len(later)).tolist(), strict=True):
        texts[copy] = texts[original] + " читайте" if copy % 2 else texts[original].upper() + "!"
        pairs.append((original, copy))
    return texts, pairs


def run(*, quick: bool) -> list[dict[str, str]]:
    """One million texts (quick: 50,000) in batches of a hundred thousand, then a day of ten thousand more."""
    number = 50_000 if quick else 1_000_000
    texts, planted = made(number + 10_000, rng=np.random.default_rng(1))
    index = CopyIndex()
    began, busy = time.perf_counter(), time.process_time()
    found: set[tuple[str, str]] = set()
    for start in range(0, number, 100_000):
        names = [str(i) for i in range(start, min(start + 100_000, number))]
        found |= {(pair.earlier, pair.later) for pair in index.add(names, texts[start : start + len(names)])}
    wall, cpu = time.perf_counter() - began, time.process_time() - busy
    began = time.perf_counter()
    index.add([str(i) for i in range(number, number + 10_000)], texts[number:])
    day = time.perf_counter() - began
    there = [(one, other) for one, other in planted if other < number]
    caught = sum((str(one), str(other)) in found for one, other in there) / len(there)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return [
        {
            "what": f"copies among {number:,} short texts",
            "aim": "minutes" if not quick else "",
            "reached": f"{number / wall:,.0f} texts a second ({cpu:.0f} s of processor time), "
            f"{caught:.1%} of planted copies found directly",
            "peer": "",
            "note": f"then a day of 10,000 in {day:.1f} s; peak memory of the run {memory:.1f} GiB",
        }
    ]
