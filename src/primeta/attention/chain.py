"""The chain of the ledger: what each entry commits to, and how any change to it is found.

What may be erased (key, customer, payload) is hashed with the entry's own random salt into its commitment; what stays
for good (number, kind, times, who) and the commitment are hashed with the entry before into the chain. So payload
and salt can be deleted, nobody can then find out by guessing what they were, and the chain still holds.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from primeta.attention.records import Entry

START = hashlib.sha256(b"primeta ledger 1").hexdigest()
"""The chain before the first entry."""
SALT_BYTES = 32
FaultKind = Literal[
    "changed", "missing", "inserted", "unchained", "unerased", "clock", "head", "anchor", "anchor-missing", "twice"
]  # fmt: skip
"""An entry's content is not what was committed to; a number is missing; a number stands twice or out of order; the
chain does not follow from the entry before; the payload is gone though no entry says that it was erased; `learnt_at`
goes backwards; the head that is kept is not the last entry; a saved anchor does not match; the ledger is shorter than
a saved anchor; one key stands under two numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of the ledger: enough to go on, and enough to prove later that nothing before it was changed."""

    number: int
    """0: empty."""
    chain: str
    learnt_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with the ledger, and where."""

    number: int
    kind: FaultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check of the whole chain found."""

    entries: int
    erased: int
    head: Head
    faults: tuple[Fault, ...]
    """At most `most` of them, in order."""
    found: int
    """Faults in all."""

    @property
    def ok(self) -> bool:
        return self.found == 0


EMPTY = Head(number=0, chain=START)


def canonical(payload: Mapping[str, Any]) -> str:
    """The one way in which a payload is written: JSON, keys sorted, no spaces, no NaN.

    Raises:
        ValueError, TypeError: something that JSON does not have.
    """
    return _ENCODE(payload)


def _encoder() -> Callable[[Any], str]:
    """`json` builds its encoder in C anew for each text, which takes longer than writing a short one: build it once."""
    plain = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    letters: Any = getattr(json.encoder, "encode_basestring")  # noqa: B009
    encode = make(None, plain.default, letters, None, ":", ",", True, False, False)
    return lambda document: "".join(encode(document, 0))


_ENCODE = _encoder()


def stamp(moment: datetime) -> str:
    """A time as it is hashed: UTC, microseconds, Z."""
    if moment.tzinfo is UTC:
        return moment.isoformat(timespec="microseconds")[:-6] + "Z"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def salts(count: int) -> Iterator[str]:
    """Fresh random salts, in hexadecimal."""
    drawn = os.urandom(SALT_BYTES * count).hex()
    return (drawn[at : at + 2 * SALT_BYTES] for at in range(0, len(drawn), 2 * SALT_BYTES))


def commitment_of(*, salt: str, key: str, kind: str, customer_id: str, happened_at: str, payload: str) -> str:
    """SHA-256 of the salt and of everything that erasure deletes; `payload` is canonical, times are `stamp`ed.

    Lengths stand before texts, so that no two entries are written alike.
    """
    parts = f"{len(key)}:{key}{len(kind)}:{kind}{len(customer_id)}:{customer_id}{happened_at}{payload}"
    return hashlib.sha256(bytes.fromhex(salt) + parts.encode("utf-8", "surrogatepass")).hexdigest()


def link(
    before: str, *, number: int, kind: str, happened_at: str, learnt_at: str, by: str, commitment: str
) -> str:
    """The chain after an entry: SHA-256 of the chain before it, of what is never erased, and of its commitment."""
    parts = f"{before}{number}:{kind}:{happened_at}{learnt_at}{len(by)}:{by}{commitment}"
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


def check(
    entries: Iterable[Entry],
    *,
    head: Head | None = None,
    anchors: Sequence[Head] = (),
    since: Head = EMPTY,
    most: int = 100,
) -> Checked:
    """Go through all entries in the order of their numbers and say which were changed, removed, inserted, reordered.

    After a fault the check goes on from what stands there, so that each fault is told once.

    Args:
        entries: Those after `since`.
        since: Where an earlier check ended; what stands before it is taken as checked then.
        head: As the state keeps it; None: not compared.
        anchors: Heads that were saved elsewhere; each must still be what stands at its number.
    """
    faults: list[Fault] = []
    found = 0

    def fault(number: int, kind: FaultKind) -> None:
        nonlocal found
        found += 1
        if len(faults) < most:
            faults.append(Fault(number=number, kind=kind))

    saved: dict[int, list[str]] = {}
    for anchor in anchors:
        saved.setdefault(anchor.number, []).append(anchor.chain)
    for chain in saved.get(0, []):
        if chain != START:
            fault(0, "anchor")
    blank: set[int] = set()
    erased: set[int] = set()
    number, before, learnt = since.number, since.chain, since.learnt_at
    count, learnt_at = 0, "" if since.learnt_at is None else stamp(since.learnt_at)
    for entry in entries:
        count += 1
        if entry.number <= number:
            fault(entry.number, "inserted")
        for gone in range(number + 1, min(entry.number, number + 1 + most)):
            fault(gone, "missing")
        broken_off = entry.number != number + 1
        happened_at = stamp(entry.happened_at)
        if learnt is None or entry.learnt_at != learnt:
            learnt_at = stamp(entry.learnt_at)
        if not entry.salt:
            blank.add(entry.number)
            if entry.payload or entry.customer_id or entry.key:
                fault(entry.number, "changed")
        else:
            expected = commitment_of(
                salt=entry.salt,
                key=entry.key,
                kind=entry.kind,
                customer_id=entry.customer_id,
                happened_at=happened_at,
                payload=canonical(entry.payload),
            )
            if expected != entry.commitment:
                fault(entry.number, "changed")
            if entry.kind == "erased":
                erased |= numbers_in(entry.payload.get("numbers", ()), below=entry.number)
        follows = link(
            before,
            number=entry.number,
            kind=entry.kind,
            happened_at=happened_at,
            learnt_at=learnt_at,
            by=entry.by,
            commitment=entry.commitment,
        )
        if follows != entry.chain and not broken_off:
            fault(entry.number, "unchained")
        if learnt is not None and entry.learnt_at < learnt:
            fault(entry.number, "clock")
        if any(chain != entry.chain for chain in saved.get(entry.number, ())):
            fault(entry.number, "anchor")
        number, before, learnt = entry.number, entry.chain, entry.learnt_at
    for gone in sorted(blank - erased):
        fault(gone, "unerased")
    if head is not None and (head.number, head.chain) != (number, before):
        fault(head.number, "head")
    for at in sorted(saved):
        if at > max(number, since.number):
            fault(at, "anchor-missing")
    return Checked(
        entries=count,
        erased=len(blank),
        head=Head(number=number, chain=before, learnt_at=learnt),
        faults=tuple(sorted(faults, key=lambda entry: entry.number)),
        found=found,
    )


def numbers_in(ranges: Iterable[Any], *, below: int) -> set[int]:
    """Numbers of `[[first, last], …]`, as an entry of kind `erased` names them; only earlier ones than itself."""
    numbers: set[int] = set()
    for pair in ranges:
        if isinstance(pair, list | tuple) and len(pair) == 2:
            numbers.update(range(int(pair[0]), min(int(pair[1]), below - 1) + 1))
    return numbers


def ranges_of(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as `[[first, last], …]`, the other way round."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges
