"""Rows for `topics`: dated texts of a file or a table, checked, in the order of time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from primeta.errors import BadInput, BadTable
from primeta.signals.detect_table import Text
from primeta.sources.identity import document_id
from primeta.sources.links import canonical_link
from primeta.sources.records import Document, SourceKind
from primeta.sources.voices import kind_of
from primeta.warehouse.duck import arrow, connect, named
from primeta.warehouse.files import read_table
from primeta.warehouse.times import read_time

pc: Any = pyarrow.compute
# Its functions are made at run time; type checkers do not see them.
NEEDED = ("published_at", "source", "text")
OPTIONAL = ("id", "url", "title", "owner", "kind", "forwarded_from", "customer_id")
KIND: SourceKind = "community"
"""What a source is where the table does not say."""
SPOKEN: SourceKind = "support"
"""What it is where the row names the customer."""

NEVER = 221_845_392_000_000_000
"""Microseconds from 1970 to the year 9000."""
LATE = ((1_000, 56), (100, 366))
"""Of so many texts at most one, after so many days in which nobody spoke, is dated by mistake, not the end of the
file: else nothing would be known of all the weeks between."""
EARLY = ((100, 366),)
"""The same before the first texts: 1970 is what a clock that was never set says."""

_LINK = re.compile(r"https?://[^\s<>\"'»)\]]+")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DatedTexts:
    """Texts in the order of time; columns of `rows`: id, source, owner, kind, forwarded_from, customer_id, title,
    text, url, shared, at."""

    rows: pa.Table
    until: datetime
    """Exclusive: the end of the day up to which texts are known."""
    zone: tzinfo
    notes: tuple[Text, ...]
    later: int
    """Rows after `until`, not looked at."""
    _places: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.rows.num_rows

    def documents(self, start: int = 0, end: int | None = None) -> list[Document]:
        """Rows `start` … `end` − 1 as documents."""
        part = self.rows.slice(start, None if end is None else end - start)
        return [_document(row) for row in part.to_pylist()]

    def load(self, ids: Sequence[str]) -> list[Document]:
        """Documents by their ids."""
        place = self.places()
        rows = pa.array([place[name] for name in ids], pa.int64())
        return [_document(row) for row in self.rows.take(rows).to_pylist()]

    def places(self) -> dict[str, int]:
        """Id → row."""
        if not self._places:
            self._places.update((name, at) for at, name in enumerate(self.rows["id"].to_pylist()))
        return self._places

    def owners(self) -> Any:
        """(n,) who speaks: whom a text forwards, else its own owner."""
        forwarded = self.rows["forwarded_from"].combine_chunks()
        return pc.if_else(pc.equal(forwarded, ""), self.rows["owner"].combine_chunks(), forwarded)


def _document(row: Mapping[str, Any]) -> Document:
    links = dict.fromkeys(map(canonical_link, _LINK.findall(row["text"])))
    if row["shared"]:
        links[row["shared"]] = None
    return Document(
        id=row["id"],
        source=row["source"],
        owner=row["owner"],
        kind=row["kind"],
        published_at=row["at"],
        seen_at=row["at"],
        title=row["title"],
        text=row["text"],
        url="" if row["shared"] else row["url"],
        links=tuple(filter(None, links)),
        forwarded_from=row["forwarded_from"],
        customer_id=row["customer_id"],
    )


def dated_texts(
    rows: Any,
    *,
    as_of: date | datetime | str | None,
    columns: Mapping[str, str] | None,
    timezone: str,
) -> DatedTexts:
    """The texts of a path, an Arrow table, a data frame, a mapping of columns or a list of mappings; see `topics`.

    Raises:
        BadTable: a file, a column or a date that cannot be used. BadInput: an option that cannot.
    """
    zone = _zone(timezone)
    wanted = as_of_day(as_of, zone)
    table, place = _read(rows, dict(columns or {}))
    if table.num_rows == 0:
        raise BadTable(f"{place}: there are column heads and no rows; at least one text was expected")
    notes: list[Text] = []
    at = _times(table, place, timezone)
    text, title = _words(table, "text", place), _words(table, "title", place)
    empty = (pc.utf8_length(pc.utf8_trim_whitespace(text)).to_numpy(zero_copy_only=False) == 0) & (
        pc.utf8_length(pc.utf8_trim_whitespace(title)).to_numpy(zero_copy_only=False) == 0
    )
    undated = np.asarray(at.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    # 9999-12-31 is how databases write "never".
    undated |= at.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64) >= NEVER
    source = _words(table, "source", place)
    unknown = pc.utf8_length(pc.utf8_trim_whitespace(source)).to_numpy(zero_copy_only=False) == 0
    _remark(notes, empty, "Rows without text, left out", "Строки без текста, пропущены")
    _remark(notes, undated & ~empty, "Texts without a date, left out", "Тексты без даты, пропущены")
    _remark(
        notes,
        unknown & ~empty & ~undated,
        "Texts without a source, left out",
        "Тексты без источника, пропущены",
    )
    usable = ~empty & ~undated & ~unknown
    if not usable.any():
        raise BadTable(f"{place}: no row has a text, a date and a source; check the columns (--columns)")
    stamps = at.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    if wanted is None:
        stray = _stray(stamps[usable], LATE)
        if stray:
            notes.append(
                Text(
                    f"Texts dated long after all others, left out: {stray} (--as-of a later day keeps them).",
                    f"Тексты с датой намного позже остальных, пропущены: {stray} (останутся, если назвать --as-of).",
                )
            )
        newest = int(np.sort(stamps[usable])[-1 - stray])
        last = datetime.fromtimestamp(newest / 1e6, UTC).astimezone(zone).date()
        wanted = _end_of(last, zone)
    known = stamps < round(wanted.timestamp() * 1e6)
    early = _stray(-stamps[usable & known], EARLY)
    if early:
        notes.append(
            Text(
                f"Texts dated long before all others, left out: {early}.",
                f"Тексты с датой намного раньше остальных, пропущены: {early}.",
            )
        )
        usable &= stamps >= np.sort(stamps[usable & known])[early]
    later = int((usable & ~known).sum())
    kept = np.flatnonzero(usable & known)
    kept = kept[np.argsort(stamps[kept], kind="stable")]
    made = _canonical(table, kept, stamps, source, title, text, place)
    once = _once(made, notes)
    return DatedTexts(rows=once, until=wanted, zone=zone, notes=tuple(notes), later=later)


def as_of_day(as_of: date | datetime | str | None, zone: tzinfo) -> datetime | None:
    """The end, exclusive, of the time up to which texts are known; a day is known to its end."""
    if as_of is None or as_of == "":
        return None
    if isinstance(as_of, str):
        try:
            as_of = date.fromisoformat(as_of) if len(as_of) <= 10 else datetime.fromisoformat(as_of)
        except ValueError:
            raise BadInput(f"--as-of is a day such as 2026-11-21; {as_of!r} was given") from None
    if isinstance(as_of, datetime):
        return as_of if as_of.tzinfo else as_of.replace(tzinfo=zone)
    return _end_of(as_of, zone)


def _end_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)


def _zone(timezone: str) -> tzinfo:
    if timezone.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"--timezone is a name such as Europe/Moscow; {timezone!r} is not known") from None


def _read(rows: Any, columns: dict[str, str]) -> tuple[pa.Table, str]:
    strange = sorted(set(columns) - {*NEEDED, *OPTIONAL})
    if strange:
        raise BadInput(
            f"--columns: {strange[0]!r} is no column of topics; there are {', '.join((*NEEDED, *OPTIONAL))}"
        )
    if isinstance(rows, str | Path):
        place = str(rows)
        table = read_table(
            rows, columns=columns, text=[name for name in (*NEEDED, *OPTIONAL) if name != "published_at"]
        )
    else:
        place = "the table"
        try:
            if isinstance(rows, pa.Table):
                table = rows
            elif isinstance(rows, list | tuple):
                table = pa.Table.from_pylist(list(rows))
            else:
                table = pa.table(rows)
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, ValueError, AttributeError) as error:
            raise BadTable(
                f"a path, an Arrow table, a data frame, a mapping of columns or a list of rows was expected ({error})"
            ) from None
        for ours, theirs in columns.items():
            if theirs not in table.column_names:
                raise BadTable(
                    f"{place}: no column {theirs!r} (asked for as {ours}); there are {_listed(table)}"
                )
        back = {theirs: ours for ours, theirs in columns.items()}
        # A column that is meant by another name makes room for it.
        names = [
            back.get(name, f"{name} (theirs)" if name in columns else name) for name in table.column_names
        ]
        table = table.rename_columns(names)
    missing = [name for name in NEEDED if name not in table.column_names]
    if missing:
        raise BadTable(
            f"{place}: no column {missing[0]!r}; there are {_listed(table)}. Needed are {', '.join(NEEDED)}; "
            f"name yours with --columns {missing[0]}=YOURS"
        )
    return table.combine_chunks(), place


def _listed(table: pa.Table) -> str:
    return ", ".join(table.column_names[:20]) or "none"


def _times(table: pa.Table, place: str, timezone: str) -> pa.Array:
    """(n,) microseconds since 1970, UTC; null where there is no date."""
    given = table["published_at"]
    if pa.types.is_null(given.type):
        raise BadTable(f"{place}: published_at is empty in every row; dates were expected")
    with closing(connect()) as connection:
        connection.register("texts", pa.table({"published_at": given}))
        kind = str(arrow(connection, "DESCRIBE texts")["column_type"][0])
        reading = read_time(connection, "texts", named("published_at"), kind, timezone=timezone)
        if reading.ambiguous:
            raise BadTable(
                f"{place}: published_at: {given[0]} can be read with the day or the month first; "
                f"write the dates as 2026-12-31"
            )
        read = arrow(connection, f"SELECT epoch_us(CAST({reading.utc} AS TIMESTAMP)) AS at FROM texts")[
            "at"
        ].combine_chunks()
    read = read.chunk(0) if isinstance(read, pa.ChunkedArray) and read.num_chunks else read
    there = given.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_string(given.type) or pa.types.is_large_string(given.type):
        there = there & (
            pc.utf8_length(pc.utf8_trim_whitespace(given)).fill_null(0).to_numpy(zero_copy_only=False) > 0
        )
    wrong = np.flatnonzero(there & read.is_null().to_numpy(zero_copy_only=False))
    if len(wrong):
        raise BadTable(
            f"{place}: published_at: {len(wrong)} of {table.num_rows} values are no date, first in row {wrong[0] + 1} "
            f"(without the head): {given[int(wrong[0])].as_py()!r}; write them as 2026-12-31 or 2026-12-31 09:30"
        )
    return read


def _words(table: pa.Table, name: str, place: str) -> Any:
    """(n,) text of a column; empty where there is none."""
    if name not in table.column_names:
        return pa.array([""], pa.large_string()).take(pa.array(np.zeros(table.num_rows, dtype=np.int64)))
    column = table[name].combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return column.cast(pa.large_string()).fill_null("")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise BadTable(f"{place}: column {name!r} holds {column.type}, text was expected") from None


def _stray(stamps: npt.NDArray[np.int64], rules: tuple[tuple[int, int], ...]) -> int:
    """How many of the last texts, dates in microseconds, are dated too late by mistake."""
    late = np.sort(stamps)[::-1][: len(stamps) // min(each for each, _ in rules) + 1]
    silent = (late[:-1] - late[1:]) / 86_400e6
    after = np.arange(1, len(silent) + 1)
    mistaken = [
        int(after[(silent >= days) & (after * each <= len(stamps))].max(initial=0)) for each, days in rules
    ]
    return max(mistaken)


def _remark(notes: list[Text], rows: npt.NDArray[np.bool_], en: str, ru: str) -> None:
    number = int(rows.sum())
    if number:
        notes.append(Text(f"{en}: {number}.", f"{ru}: {number}."))


def _canonical(
    table: pa.Table, kept: npt.NDArray[np.int64], stamps: npt.NDArray[np.int64], source: Any, title: Any, text: Any,
    place: str,
) -> pa.Table:  # fmt: skip
    take = pa.array(kept)
    source = pc.utf8_trim_whitespace(source.take(take))
    owner = pc.utf8_trim_whitespace(_words(table, "owner", place).take(take))
    owner = pc.if_else(pc.equal(owner, ""), source, owner)
    kind = pc.utf8_trim_whitespace(_words(table, "kind", place).take(take))
    customer = pc.utf8_trim_whitespace(_words(table, "customer_id", place).take(take))
    kind = pc.if_else(pc.equal(kind, ""), _usual_kinds(source, customer), kind)
    strange = sorted(set(pc.unique(kind).to_pylist()) - set(get_args(SourceKind)))
    if strange:
        raise BadTable(
            f"{place}: column 'kind': {strange[0]!r} is no kind of source; there are {', '.join(get_args(SourceKind))}"
        )
    url = pc.utf8_trim_whitespace(_words(table, "url", place).take(take))
    given = _words(table, "id", place).take(take)
    ids = _ids(given, source, stamps[kept], title.take(take), text.take(take), customer)
    return pa.table(
        {
            "id": ids,
            "source": source,
            "owner": owner,
            "kind": kind,
            "forwarded_from": pc.utf8_trim_whitespace(_words(table, "forwarded_from", place).take(take)),
            "customer_id": customer,
            "title": title.take(take),
            "text": text.take(take),
            "url": url,
            "shared": _shared(url),
            "at": pa.array(stamps[kept], pa.timestamp("us", tz="UTC")),
        }
    )


def _usual_kinds(source: Any, customer: Any) -> Any:
    """(n,) what a source is whose row does not say: by its name (ticket, review, отзыв …), or as customers speak."""
    named = source.dictionary_encode()
    words = [kind_of(name, otherwise=KIND) for name in named.dictionary.to_pylist()]
    usual = pa.array(words, pa.large_string()).take(named.indices)
    anonymous = pc.or_(pc.equal(customer, ""), pc.not_equal(usual, KIND))
    return pc.if_else(anonymous, usual, SPOKEN)


def _ids(given: Any, source: Any, at: npt.NDArray[np.int64], title: Any, text: Any, customer: Any) -> Any:
    """(n,) `document_id` of the row's own id, else of who said what and when."""
    rest = zip(given, source, at.tolist(), title, text, customer, strict=True)
    return pa.array(
        [
            document_id("", own)
            if (own := name.as_py())
            else document_id(where.as_py(), f"{when}\0{head.as_py()}\0{body.as_py()}" + said_by(who.as_py()))
            for name, where, when, head, body, who in rest
        ],
        pa.string(),
    )


def said_by(customer: str) -> str:
    """What tells two customers' equal texts of one moment apart."""
    return f"\0{customer}" if customer else ""


def _shared(url: Any) -> Any:
    """(n,) the address where several rows name it: then it is what they tell of, not where they stand; else empty."""
    counted = pc.value_counts(url)
    several = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    twice = pc.is_in(url, value_set=several)
    links = {one: canonical_link(one) for one in several.to_pylist()}
    return pa.array(
        [links[one] if many else "" for one, many in zip(url.to_pylist(), twice.to_pylist(), strict=True)],
        pa.large_string(),
    )


def _once(made: pa.Table, notes: list[Text]) -> pa.Table:
    ids = made["id"].combine_chunks()
    ids = ids.chunk(0) if isinstance(ids, pa.ChunkedArray) and ids.num_chunks else ids
    coded = ids.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    first = np.sort(np.unique(coded, return_index=True)[1])
    again = len(coded) - len(first)
    if not again:
        return made
    notes.append(
        Text(
            f"Rows that repeat an id (or source, time and text), counted once: {again}.",
            f"Строки с повторным id (или теми же источником, временем и текстом), учтены один раз: {again}.",
        )
    )
    return cast(pa.Table, made.take(pa.array(first)))
