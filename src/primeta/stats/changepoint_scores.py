"""How well found change points agree with those that people marked.

Both measures are those of the Turing Change Point Dataset: van den Burg & Williams (2020), "An evaluation of change
point detection algorithms", arXiv:2003.06222, section 4.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

MARGIN = 5


def f1(marked: Sequence[Collection[int]], found: Collection[int], *, margin: int = MARGIN) -> float:
    """F1 against several annotators: precision against the union of their marks, recall averaged over them.

    Args:
        marked: One collection of first points of new regimes for each annotator, possibly empty.
        found: The same, by a method. Index 0 counts as a change point on both sides.
        margin: A mark is met by a found point at most so far away; each found point meets one mark.
    """
    with_first = {0, *found}
    people = [{0, *marks} for marks in marked]
    union: set[int] = set().union(*people)
    precision = len(_met(union, with_first, margin)) / len(with_first)
    recall = sum(len(_met(marks, with_first, margin)) / len(marks) for marks in people) / len(people)
    return 2 * precision * recall / (precision + recall)


def cover(marked: Sequence[Collection[int]], found: Collection[int], *, n: int) -> float:
    """Covering of the annotators' segments by the found ones, averaged over annotators: 0 to 1.

    Each marked segment counts by its length with the largest Jaccard index that a found segment reaches.
    """
    pieces = _segments(found, n)
    scores = []
    for marks in marked:
        total = sum(
            len(segment) * max(_jaccard(segment, piece) for piece in pieces)
            for segment in _segments(marks, n)
        )
        scores.append(total / n)
    return sum(scores) / len(scores)


def _met(marks: set[int], found: set[int], margin: int) -> set[int]:
    left = set(found)
    met = set()
    for mark in sorted(marks):
        near = min(
            (point for point in left if abs(point - mark) <= margin),
            key=lambda p: (abs(p - mark), p),
            default=None,
        )
        if near is not None:
            met.add(mark)
            left.remove(near)
    return met


def _segments(changes: Collection[int], n: int) -> list[range]:
    edges = [0, *sorted({change for change in changes if 0 < change < n}), n]
    return [range(left, right) for left, right in itertools.pairwise(edges)]


def _jaccard(a: range, b: range) -> float:
    both = max(0, min(a.stop, b.stop) - max(a.start, b.start))
    return both / (len(a) + len(b) - both)
