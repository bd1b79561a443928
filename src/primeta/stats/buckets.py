"""Where a unit falls in [0, 1): a lottery without a memory, drawn anew and alike by everybody who asks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Hash = Literal["md5", "fnv1a"]
HASHES: tuple[Hash, ...] = ("md5", "fnv1a")

MD5_BUCKETS = 1 << 52
"""A double holds each of them exactly, and every engine counts so far in whole numbers."""
FNV_BUCKETS = 10_000
_OFFSET, _PRIME = 0x811C9DC5, 0x01000193
_BLOCK = 1 << 14
# A longer id is hashed on its own: it must not widen the array of all others.
_LONGEST = 200


def bucket(salt: str, unit: str, *, hash: Hash = "md5") -> float:
    """The bucket of one unit, in [0, 1).

    `md5`: the first 13 hexadecimal digits of md5(utf8(salt + ":" + unit)) as an integer / 2^52.
    `fnv1a`: GrowthBook's second version (`growthbook_v2`).
    """
    if hash == "fnv1a":
        return growthbook_v2(salt, unit)
    digest = hashlib.md5(f"{salt}:{unit}".encode(), usedforsecurity=False).digest()
    return (int.from_bytes(digest[:8], "big") >> 12) / MD5_BUCKETS


def buckets(salt: str, units: Sequence[str], *, hash: Hash = "md5") -> Floats:
    """(n,) the bucket of each unit: `bucket` for many, the same to the last bit."""
    if hash == "fnv1a":
        blocks = [_growthbook(salt, units[at : at + _BLOCK]) for at in range(0, len(units), _BLOCK)]
        return np.concatenate(blocks) if blocks else np.zeros(0)
    start = f"{salt}:".encode()
    md5 = hashlib.md5
    digests = b"".join(md5(start + unit.encode(), usedforsecurity=False).digest() for unit in units)
    first = np.frombuffer(digests, dtype=">u8").reshape(-1, 2)[:, 0].astype(np.uint64)
    return (first >> np.uint64(12)).astype(np.float64) / MD5_BUCKETS


def fnv1a(text: str) -> int:
    """FNV-1a of 32 bits over the code points of a text.

    Source:
        Fowler, Noll & Vo; draft-eastlake-fnv. Over code points instead of bytes, as GrowthBook's SDKs
        for JavaScript and Python have it: they differ from each other only outside the basic plane
        (emoji), where this follows Python.
    """
    value = _OFFSET
    for letter in text:
        value = (value ^ ord(letter)) * _PRIME & 0xFFFFFFFF
    return value


def growthbook_v1(seed: str, value: str) -> float:
    """GrowthBook's first hash, a thousand buckets and biased; for assignments made long ago."""
    return fnv1a(value + seed) % 1000 / 1000


def growthbook_v2(seed: str, value: str) -> float:
    """GrowthBook's hash, ten thousand buckets: FNV-1a of the decimal digits of FNV-1a of seed and value."""
    return fnv1a(str(fnv1a(seed + value))) % FNV_BUCKETS / FNV_BUCKETS


def _growthbook(seed: str, values: Sequence[str]) -> Floats:
    length = np.fromiter((len(value) for value in values), dtype=np.int64, count=len(values))
    found = np.empty(len(values))
    long = np.flatnonzero(length > _LONGEST).tolist()
    found[long] = [growthbook_v2(seed, values[at]) for at in long]
    short = np.flatnonzero(length <= _LONGEST).tolist()
    if short:
        found[short] = _growthbook_short(seed, [values[at] for at in short], length[short])
    return found


def _growthbook_short(seed: str, values: list[str], length: Ints) -> Floats:
    width = max(1, int(length.max()))
    letters = np.array(values, dtype=f"<U{width}").view(np.uint32).reshape(len(values), width)
    state = np.full(len(values), fnv1a(seed), dtype=np.uint32)
    for at in range(width):
        state = np.where(at < length, (state ^ letters[:, at]) * np.uint32(_PRIME), state)
    places = np.uint32(10) ** np.arange(9, -1, -1, dtype=np.uint32)
    digits = state[:, None] // places
    again = np.full(len(values), _OFFSET, dtype=np.uint32)
    for at in range(len(places)):
        letter = digits[:, at] % np.uint32(10) + np.uint32(ord("0"))
        # No zeros in front, but the number nought is written "0".
        written = (digits[:, at] > 0) | (at == len(places) - 1)
        again = np.where(written, (again ^ letter) * np.uint32(_PRIME), again)
    return (again % np.uint32(FNV_BUCKETS)).astype(np.float64) / FNV_BUCKETS


def bounds(shares: Sequence[float]) -> Floats:
    """(k − 1,) where one arm ends and the next begins: the shares added up in the order given.

    The last arm takes what is left, so that no bucket falls behind a sum of .9999999.
    """
    return np.array(list(accumulate(shares))[:-1], dtype=np.float64)


def arm_of(drawn: Floats, ends: Floats) -> Ints:
    """(n,) the number of the arm whose part of [0, 1) holds the bucket; `ends` from `bounds`."""
    return np.searchsorted(ends, drawn, side="right").astype(np.int64)
