"""Which texts are copies of another: the same words by their digest, nearly the same by MinHash, then proved word by word.

Near copies are looked for by shingles of the normal form (Broder 1997) in bands (locality-sensitive hashing); what the
bands propose is proved by the share of shingles that the two texts really share, without boilerplate, and is refused
where the texts contradict each other. Numpy computes the hashes of a whole batch at once: datasketch 2.0 does the same
text by text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from primeta.signals.texts.contradiction import contradict
from primeta.signals.texts.plain_words import normal_form

HASHES = 60
BANDS = 20
"""Bands of three over pairs of words: texts that share .55 of their pairs are proposed with probability
1 − (1 − .55³)²⁰ = .97, texts that share .05 with .0025."""

SAME = 0.55
"""Jaccard share of shingles from which two texts are near copies."""

WITHIN = 0.85
"""Or this share of the shorter one lies in the longer one: a copy with a note, or cut short."""

SHORTEST = 4
"""Words below which only the same words are a copy: «всё хорошо» is said by many who never read one another."""

CROWD = 48
"""Neighbours in a band that a text is compared with: more than that share a template, and boilerplate takes it out."""

RIVALS = 8
"""Earlier texts that one text is proved against at most, those of the most shared bands: ten thousand tickets of one
template would else be compared each with each."""

BATCH = 50_000

Ids: TypeAlias = npt.NDArray[np.int64]
Hashes: TypeAlias = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """`later` repeats `earlier`."""

    earlier: str
    later: str
    how: Literal["exact", "near"]
    share: float
    """Of shingles that both have: Jaccard."""


@dataclass(slots=True)
class CopyIndex:
    """Texts seen so far and where a copy of them would be found; grows by batches, merges with another."""

    strip: Callable[[str], str] | None = None
    """Takes boilerplate out of a text before it is compared."""
    checked: bool = True
    """Whether near copies that contradict each other are left out; else whoever reads the pairs must do that."""
    ids: list[str] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)
    _circles: list[str] = field(default_factory=list)
    _exact: dict[bytes, list[int]] = field(default_factory=dict)
    _keys: Hashes = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    _owners: Ids = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    _shingles: dict[int, npt.NDArray[np.uint32]] = field(default_factory=dict)

    def add(
        self, ids: Sequence[str], texts: Sequence[str], *, circles: Sequence[str] | None = None
    ) -> tuple[Copied, ...]:
        """Put texts in and tell which of them repeat another, seen before or in this batch.

        Args:
            ids: n ids, each once in the life of the index.
            texts: n texts, as they read.
            circles: n names; texts of different circles are not compared. None: all are of one.
        Returns:
            Pairs; a text that repeats several is paired with each, so that the union of all pairs is the same in
            whatever order texts come in.
        """
        found: list[Copied] = []
        fresh: list[tuple[int, str]] = []
        for name, text, of in zip(ids, texts, circles or [""] * len(ids), strict=True):
            kept = self.strip(text) if self.strip is not None else text
            plain = normal_form(kept) or normal_form(text)
            at = len(self.ids)
            self.ids.append(name)
            self._texts.append(kept if len(kept) <= 2000 else kept[:2000])
            self._circles.append(of)
            digest = same_words(plain, text, of)
            twins = self._exact.setdefault(digest, []) if plain else []
            if twins:
                found += (
                    Copied(earlier=self.ids[twin], later=name, how="exact", share=1.0) for twin in twins
                )
                # One customer says it again: which of his days are near each other is for the reader to judge.
                if of and len(twins) < CROWD:
                    twins.append(at)
                continue
            twins.append(at)
            fresh.append((at, plain))
        found.extend(self._near(fresh))
        return tuple(found)

    def merge(self, other: CopyIndex) -> tuple[Copied, ...]:
        """Take in what another index saw; its pairs with this one's texts are returned."""
        return self.add(other.ids, other._texts, circles=other._circles)

    def _near(self, fresh: Sequence[tuple[int, str]]) -> Iterable[Copied]:
        for start in range(0, len(fresh), BATCH):
            part = fresh[start : start + BATCH]
            singles, pairs, ends, pair_ends, counts = shingles([plain for _, plain in part])
            wide = np.flatnonzero(counts >= SHORTEST)
            begins, pair_begins = ends - np.diff(ends, prepend=0), pair_ends - np.diff(pair_ends, prepend=0)
            at = np.fromiter((number for number, _ in part), dtype=np.int64, count=len(part))
            for row in wide.tolist():
                both = np.concatenate(
                    [singles[begins[row] : ends[row]], pairs[pair_begins[row] : pair_ends[row]]]
                )
                self._shingles[int(at[row])] = both.astype(np.uint32)
            keys = of_circle(
                band_keys(pairs, pair_ends)[wide], [self._circles[row] for row in at[wide].tolist()]
            )
            yield from self._prove(self._meet(keys.ravel(), np.repeat(at[wide], BANDS)))

    def _meet(self, keys: Hashes, owners: Ids) -> Ids:
        """(p, 2) texts that share a band with one of the new ones; the new ones are put in."""
        order = np.lexsort((owners, keys))
        keys, owners = keys[order], owners[order]
        met: list[Ids] = []
        for apart in range(1, CROWD + 1):
            equal = np.flatnonzero(keys[apart:] == keys[:-apart])
            if not len(equal):
                break
            met.append(np.stack([owners[equal], owners[equal + apart]], axis=1))
        low, high = np.searchsorted(self._keys, keys, "left"), np.searchsorted(self._keys, keys, "right")
        for apart in range(CROWD):
            hit = np.flatnonzero(low + apart < high)
            if not len(hit):
                break
            met.append(np.stack([self._owners[low[hit] + apart], owners[hit]], axis=1))
        # Owners grow, so what is put in behind equal keys keeps each band in order of arrival.
        self._keys, self._owners = np.insert(self._keys, high, keys), np.insert(self._owners, high, owners)
        if not met:
            return np.zeros((0, 2), dtype=np.int64)
        pairs = np.concatenate(met)
        pairs, bands = np.unique(
            np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0, return_counts=True
        )
        by_later = np.lexsort((pairs[:, 0], -bands, pairs[:, 1]))
        pairs = pairs[by_later]
        opens = np.flatnonzero(np.diff(pairs[:, 1], prepend=-1))
        place = np.arange(len(pairs)) - np.repeat(opens, np.diff(opens, append=len(pairs)))
        kept = pairs[place < RIVALS]
        return kept[np.lexsort((kept[:, 1], kept[:, 0]))]

    def _prove(self, pairs: Ids) -> Iterable[Copied]:
        last, mine = -1, frozenset[int]()
        for one, other in pairs.tolist():
            if one != last:
                last, mine = one, frozenset(self._shingles[one].tolist())
            share = near_share(mine, self._shingles[other].tolist())
            if share is None or (self.checked and contradict(self._texts[one], self._texts[other])):
                continue
            yield Copied(earlier=self.ids[one], later=self.ids[other], how="near", share=share)


def same_words(plain: str, text: str, of: str = "") -> bytes:
    """12 bytes that texts of the same words share; a question is another thing than a statement.

    Args:
        plain: Its normal form.
        text: As it reads.
        of: Its circle; the same words in another one are another digest.
    """
    asks = b"?" if text.rstrip().endswith("?") else b""
    apart = b"\0" + of.encode("utf-8", "surrogatepass") if of else b""
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass") + asks + apart, digest_size=12).digest()


def of_circle(keys: Hashes, circles: Sequence[str]) -> Hashes:
    """(n, BANDS) keys that texts of other circles do not share."""
    own = np.fromiter(
        (
            int.from_bytes(
                hashlib.blake2b(of.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
            )
            if of
            else 0
            for of in circles
        ),
        dtype=np.uint64,
        count=len(circles),
    )
    return np.where(own[:, None] == 0, keys, _mix(keys ^ own[:, None]))


def near_share(mine: frozenset[int], there: Iterable[int]) -> float | None:
    """Jaccard share where it makes a near copy, else None."""
    theirs = frozenset(there)
    both = len(mine & theirs)
    jaccard = both / (len(mine) + len(theirs) - both)
    fewest = min(len(mine), len(theirs))
    # What lies in a longer text must be a sentence at least, or it lies there by chance.
    inside = fewest >= 2 * SHORTEST and both >= WITHIN * fewest
    return jaccard if jaccard >= SAME or inside else None


def shingles(plain: Sequence[str]) -> tuple[Hashes, Hashes, Ids, Ids, Ids]:
    """Hashes of every text's words and pairs of neighbouring words, side by side.

    Args:
        plain: n normal forms.
    Returns:
        Of all texts in a row: hashes of words, hashes of pairs; where each text's words and pairs end, (n,) each; its
        words, (n,).
    """
    split = [text.split() for text in plain]
    counts = np.fromiter(map(len, split), dtype=np.int64, count=len(split))
    code: dict[str, int] = {}
    for row in split:
        for word in row:
            if word not in code:
                code[word] = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
    one = np.fromiter((code[word] for row in split for word in row), dtype=np.uint64, count=int(counts.sum()))
    if not len(one):
        nothing = np.zeros(len(split), dtype=np.int64)
        return one, one, nothing, nothing, counts
    owner = np.repeat(np.arange(len(split)), counts)
    together = owner[:-1] == owner[1:]
    two = _mix(one[:-1] * np.uint64(0x9E3779B97F4A7C15) + one[1:])[together]
    pair_counts = np.bincount(owner[:-1][together], minlength=len(split))
    return one, two, np.cumsum(counts), np.cumsum(pair_counts), counts


def _mix(values: Hashes) -> Hashes:
    """Finaliser of splitmix64: every bit of the input moves every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _seeds() -> Hashes:
    return _mix(np.arange(1, HASHES + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def band_keys(hashed: Hashes, ends: Ids) -> Hashes:
    """(n, BANDS) keys: texts that share one are looked at side by side."""
    rows = HASHES // BANDS
    n = len(ends)
    keys = np.zeros((n, BANDS), dtype=np.uint64)
    begins = ends - np.diff(ends, prepend=0)
    full = begins < ends
    if not full.any():
        return keys
    cuts = begins[full]
    for band in range(BANDS):
        key = np.full(int(full.sum()), band + 1, dtype=np.uint64)
        for seed in _seeds()[band * rows : (band + 1) * rows]:
            least = np.minimum.reduceat(_mix(hashed ^ seed), cuts)
            key = _mix(key * np.uint64(0x9E3779B97F4A7C15) + least)
        keys[full, band] = key
    return keys
