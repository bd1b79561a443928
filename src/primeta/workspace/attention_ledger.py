"""The ledger of a workspace: write events down, look at one customer, check the chain, work states out again."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from primeta.attention.chain import EMPTY, Checked, Head, check
from primeta.attention.fold import CustomerState, fold, state_as_of
from primeta.attention.ledger import Event, event_of
from primeta.attention.ledger_words import tell
from primeta.attention.records import Entry
from primeta.errors import BadInput, BadTable
from primeta.show.locale import Language, number
from primeta.show.result import Head as ColumnHead
from primeta.show.result import Table
from primeta.store.attention_state import load_state
from primeta.store.ledger import (
    Appended,
    append_all,
    customers_in,
    each_entry,
    head_at,
    load_entries,
    load_head,
    rebuild_states,
)
from primeta.workspace import rights_words
from primeta.workspace.files import write_whole

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

ANCHORS = "ledger-anchors.csv"
ANCHOR_COLUMNS = ("day", "number", "chain", "learnt_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What came of writing events down."""

    new: int
    duplicates: int
    conflicts: int
    """Same key, other content: both are kept."""
    numbers: tuple[int, ...]
    """Of each event in the order given."""
    head: Head
    clock_behind: bool = False
    """This machine's clock is behind the ledger's last time, which was kept."""
    erased: int = 0
    """About customers who were erased: not written."""

    @classmethod
    def of(cls, done: Appended) -> Recorded:
        return cls(
            new=done.new,
            duplicates=done.duplicates,
            conflicts=done.conflicts,
            numbers=done.numbers,
            head=done.head,
            clock_behind=done.clock_behind,
            erased=done.erased,
        )

    def line(self, lang: Language = "en") -> str:
        said = tell(
            lang,
            "recorded",
            new=number(self.new, lang),
            duplicates=number(self.duplicates, lang),
            number=number(self.head.number, lang),
        )
        if self.conflicts:
            said += " " + tell(lang, "conflicts", conflicts=number(self.conflicts, lang))
        if self.erased:
            said += " " + rights_words.tell(lang, "recorded.erased", erased=number(self.erased, lang))
        if self.clock_behind:
            said += " " + tell(lang, "clock-behind")
        return said

    def as_dict(self) -> dict[str, Any]:
        return {
            "new": self.new,
            "duplicates": self.duplicates,
            "conflicts": self.conflicts,
            "erased": self.erased,
            "head": _told(self.head),
            "clock_behind": self.clock_behind,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a check of the chain found."""

    checked: Checked
    anchors: int
    """Saved heads that it was compared with."""
    saved: str = ""
    """The day for which the head was saved now."""
    since: int = 0
    """Entries up to this number were taken as an earlier check left them; 0: all were checked."""

    @property
    def ok(self) -> bool:
        return self.checked.ok

    def line(self, lang: Language = "en") -> str:
        found = self.checked
        return tell(
            lang,
            "whole" if found.ok else "broken",
            entries=number(found.entries, lang),
            erased=number(found.erased, lang),
            found=number(found.found, lang),
        )

    def table(self, lang: Language = "en") -> Table:
        found = self.checked
        rows = [
            (number(fault.number, lang), tell(lang, "end" if fault.kind == "head" else fault.kind))
            for fault in found.faults
        ]
        if found.found > len(rows):
            rows.append(("", tell(lang, "more", more=number(found.found - len(rows), lang))))
        note = [self.line(lang), tell(lang, "head", number=found.head.number, chain=found.head.chain)]
        if self.since:
            note.append(tell(lang, "since", number=number(self.since, lang)))
        if self.saved:
            note.append(tell(lang, "saved", day=self.saved))
        heads = (ColumnHead(tell(lang, "entry"), "right"), ColumnHead(tell(lang, "fault")))
        return Table(heads=heads if rows else (), rows=tuple(rows), note="\n".join(note))

    def as_dict(self) -> dict[str, Any]:
        found = self.checked
        return {
            "ok": found.ok,
            "entries": found.entries,
            "erased": found.erased,
            "head": _told(found.head),
            "anchors": self.anchors,
            "since": self.since,
            "found": found.found,
            "faults": [{"number": fault.number, "kind": fault.kind} for fault in found.faults],
        }


def _told(head: Head) -> dict[str, Any]:
    return {"number": head.number, "chain": head.chain, "learnt_at": head.learnt_at}


def record(ws: Workspace, events: Iterable[Event], *, now: datetime) -> Recorded:
    """Write events into the ledger, each once, and bring the states of their customers up to date.

    Raises:
        BadInput: an event cannot be kept; see `attention.ledger.checked`.
    """
    return Recorded.of(append_all(ws.database, events, now=now))


def read_events(file: str, *, by: str, zone: ZoneInfo) -> Iterator[Event]:
    """Events of a file with one JSON object a line: key, kind, customer_id, happened_at, payload, by.

    Args:
        file: `-` is standard input.
        by: Who told, where a line does not say.
        zone: Of times that carry none.
    Raises:
        BadTable: no such file, or a line that is no such object; says which line.
    """
    if file == "-":
        yield from _events(sys.stdin, "standard input", by, zone)
        return
    path = Path(file)
    if not path.is_file():
        raise BadTable(f"{path}: no such file; expected one JSON object a line, or - for standard input")
    with path.open(encoding="utf-8") as lines:
        try:
            yield from _events(lines, str(path), by, zone)
        except UnicodeDecodeError as error:
            raise BadTable(f"{path}: not UTF-8 ({error}); save it as UTF-8") from None


def _events(lines: Iterable[str], where: str, by: str, zone: ZoneInfo) -> Iterator[Event]:
    for place, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield event_of(json.loads(line), by=by, zone=zone)
        except BadInput as error:
            raise BadTable(f"{where}, line {place}: {error}") from None
        except ValueError as error:
            raise BadTable(f"{where}, line {place}: not JSON ({error})") from None


def customer_state(
    ws: Workspace, customer_id: str, *, happened: datetime | None = None, learnt: datetime | None = None
) -> CustomerState:
    """One customer now; or as he stood at `happened`, as far as it was known at `learnt` (both: any moment)."""
    with ws.database.read() as connection:
        if happened is None and learnt is None:
            return load_state(connection, customer_id) or CustomerState(customer_id=customer_id)
        entries = load_entries(connection, customer_id, learnt_until=learnt)
    if happened is None:
        return fold(entries, customer_id=customer_id)
    return state_as_of(entries, happened=happened, learnt=learnt, customer_id=customer_id)


def customer_entries(ws: Workspace, customer_id: str) -> tuple[Entry, ...]:
    """All that the ledger holds of one customer, in order."""
    with ws.database.read() as connection:
        return load_entries(connection, customer_id)


def verify(
    ws: Workspace, *, now: datetime, anchors: Path | None = None, save: bool = False, onwards: bool = False
) -> Verified:
    """Go through the whole chain and say which entries were changed, removed, inserted or reordered.

    Args:
        onwards: Only from the newest saved head on; what stands before it is taken as it was checked then.
        anchors: A file of heads that were saved before; None: the workspace's own, where there is one.
        save: Add the head to the workspace's file, once a day, where nothing is wrong.
    Raises:
        BadTable: the file of anchors cannot be read.
    """
    own = ws.folder / ANCHORS
    if anchors is not None and not anchors.is_file():
        raise BadTable(f"{anchors}: no such file; expected a CSV with {', '.join(ANCHOR_COLUMNS)}")
    path = anchors or (own if own.is_file() else None)
    heads = _anchors(path) if path else ()
    since = max(heads, key=lambda head: head.number, default=EMPTY) if onwards else EMPTY
    with ws.database.read() as connection:
        if since.number:
            stands = head_at(connection, since.number)
            # Where something else stands there, or nothing does, only the whole chain can tell what happened.
            since = stands if stands is not None and stands.chain == since.chain else EMPTY
        found = check(
            each_entry(connection, after=since.number),
            head=load_head(connection),
            anchors=[head for head in heads if head.number > since.number],
            since=since,
        )
    day = ws.day_of(now).isoformat()
    if not (save and found.ok and found.head.number):
        return Verified(checked=found, anchors=len(heads), since=since.number)
    lines: list[list[str]] = (
        list(csv.reader(own.read_text("utf-8").splitlines())) if own.is_file() else [list(ANCHOR_COLUMNS)]
    )
    if not any(line and line[0] == day for line in lines):
        head = found.head
        learnt = head.learnt_at.isoformat().replace("+00:00", "Z") if head.learnt_at else ""
        lines.append([day, str(head.number), head.chain, learnt])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        write_whole(own, text.getvalue())
    return Verified(checked=found, anchors=len(heads), saved=day, since=since.number)


def _anchors(path: Path) -> tuple[Head, ...]:
    try:
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        return tuple(Head(number=int(row["number"]), chain=_chain(row["chain"])) for row in rows)
    except (KeyError, TypeError, ValueError):
        raise BadTable(
            f"{path}: no file of anchors; expected the columns {', '.join(ANCHOR_COLUMNS)}, each chain of 64 "
            "hexadecimal digits"
        ) from None


def _chain(text: str) -> str:
    if len(bytes.fromhex(text)) != 32:
        raise ValueError(text)
    return text.lower()


def rebuild(ws: Workspace) -> int:
    """Work the state of every customer out of the ledger again; credit that was kept stays.

    Returns:
        How many customers.
    """
    with ws.database.read() as connection:
        ids = iter(customers_in(connection))
    done = 0
    while some := list(islice(ids, 1_000)):
        with ws.database.write() as connection:
            rebuild_states(connection, some)
        done += len(some)
    return done
