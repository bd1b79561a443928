"""Tables of tickets, reviews and NPS answers as documents: CSV, Excel and Parquet, row by row, in bounded memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from primeta.errors import PrimetaError
from primeta.facts import Provenance
from primeta.sources.feed import AHEAD, declared_language
from primeta.sources.html_text import plain_of, tidy
from primeta.sources.identity import document_id
from primeta.sources.links import canonical_link
from primeta.sources.records import Brought, Document, Source, Trouble
from primeta.sources.table_columns import CANONICAL, NoColumns, columns_of
from primeta.sources.table_rows import Rows, rows_of
from primeta.sources.table_values import DayOrder, day_order, number_of, text_of, when_of

BATCH = 50_000
"""Rows that become documents at once."""
LONGEST_TEXT = 100_000
_LONGEST_VALUE = 200
_SAMPLE = 500
"""Rows that are looked at to find out what the columns hold."""


def read_table(
    raw: bytes | Path,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    position: Mapping[str, object] | None = None,
    timezone: str = "UTC",
    most: int = BATCH,
) -> Brought:
    """The next rows of a table as documents, from `position` on.

    The position of the answer holds `more` where rows are left: call again with it. A file that has only grown since is
    read from where reading stopped; one that was written anew, from its first row (rows read before have
    the same ids).

    Args:
        raw: The file, or its bytes; what it is shows by its bytes, then its ending or type.
        encoding: Of CSV; empty: found out.
        url: Address of a row that names none: empty for local files.
        seen_at: Aware. What was said later than two days after it has no date.
        timezone: Of times that are written without one.
        most: Rows of this call.
    Returns:
        No exception for what is in the file: `bad-table` (with `why`), `no-columns` (with `found` and `wanted`),
        `too-large`, `too-slow`, `bomb`, `without-text`, `no-date`, `future-date`, `repeated`.
    """
    parts = table_batches(
        raw,
        source=source,
        media=media,
        encoding=encoding,
        url=url,
        seen_at=seen_at,
        position=position,
        timezone=timezone,
        batch=most,
    )
    try:
        return next(parts)
    finally:
        parts.close()


def table_batches(
    raw: bytes | Path,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    position: Mapping[str, object] | None = None,
    timezone: str = "UTC",
    batch: int = BATCH,
) -> Generator[Brought]:
    """`read_table` for the whole file, a batch at a time, read once; the last one's position lacks `more`."""
    try:
        with _file(raw, media=media, url=url) as path:
            yield from _batches(
                path,
                source=source,
                encoding=encoding,
                url=url,
                seen_at=seen_at,
                position=position or {},
                zone=ZoneInfo(timezone),
                batch=batch,
            )
    except PrimetaError as error:
        yield Brought(
            troubles=(
                Trouble(code="bad-table", values={"reason": "reading", "why": str(error)}, permanent=True),
            )
        )


def _batches(
    path: Path,
    *,
    source: Source,
    encoding: str,
    url: str,
    seen_at: datetime,
    position: Mapping[str, object],
    zone: ZoneInfo,
    batch: int,
) -> Iterator[Brought]:
    done = _number(position.get("rows"))
    opened = rows_of(path, encoding=encoding)
    if isinstance(opened, Trouble):
        yield Brought(troubles=(opened,))
        return
    sample = opened.first(_SAMPLE)
    if isinstance(sample, Trouble):
        yield Brought(troubles=(sample,))
        return
    columns = columns_of(opened.names, sample, wanted=source.columns)
    if isinstance(columns, NoColumns):
        yield Brought(troubles=(columns.trouble(),))
        return
    if done and (
        position.get("names") != _digest(opened.names)
        or not opened.has(done)
        or _last(opened, done) != position.get("last")
    ):
        done = 0
    making = _Making(
        source=source,
        columns=columns,
        names=opened.names,
        url=url,
        seen_at=seen_at,
        zone=zone,
        order=day_order(
            [row[opened.names.index(columns["said_at"])] for row in sample] if "said_at" in columns else [],
            language=source.language,
        ),
        raw=_digest_of(path),
        provenance=Provenance(source=url or source.at, seen_until=seen_at, code_version=version("primeta")),
    )
    last = str(position.get("last", "")) if done else ""
    waiting: Brought | None = None
    for rows in opened.batches(start=done, size=batch):
        if isinstance(rows, Trouble):
            yield Brought(troubles=(rows,), position={} if waiting is None else waiting.position)
            return
        if not rows:
            continue
        if waiting is not None:
            yield waiting
        done += len(rows)
        last = _digest(rows[-1])
        documents, troubles = making.documents(rows)
        waiting = Brought(
            documents=documents,
            troubles=troubles,
            position={"rows": done, "last": last, "names": _digest(opened.names), "more": True},
        )
    end: dict[str, object] = {"rows": done, "last": last, "names": _digest(opened.names)}
    if waiting is None:
        yield Brought(position=end)
    else:
        yield Brought(documents=waiting.documents, troubles=waiting.troubles, position=end)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """Rows to documents."""

    source: Source
    columns: Mapping[str, str]
    """Canonical name or attribute → name in the file."""
    names: Sequence[str]
    url: str
    seen_at: datetime
    zone: ZoneInfo
    order: DayOrder
    raw: str
    provenance: Provenance

    def documents(self, rows: Sequence[Sequence[Any]]) -> tuple[tuple[Document, ...], tuple[Trouble, ...]]:
        place = {ours: self.names.index(theirs) for ours, theirs in self.columns.items()}
        counts: Counter[str] = Counter()
        found: dict[str, Document] = {}
        for row in rows:
            document = self._document({ours: row[at] for ours, at in place.items()}, counts)
            if document is None:
                continue
            if document.id in found:
                counts["repeated"] += 1
            found[document.id] = document
        troubles = tuple(
            Trouble(code=code, values={"entries": number, "rows": len(rows)})
            for code, number in sorted(counts.items())
        )
        return tuple(found.values()), troubles

    def _document(self, row: Mapping[str, Any], counts: Counter[str]) -> Document | None:
        text = _plain(text_of(row["text"]))[:LONGEST_TEXT]
        title = " ".join(_plain(text_of(row.get("title"))).split())[:1_000]
        if not any(letter.isalnum() for letter in text):
            text, title = (title, "") if any(letter.isalnum() for letter in title) else ("", "")
        if not text:
            counts["without-text"] += 1
            return None
        written = row.get("said_at")
        said = when_of(written, zone=self.zone, order=self.order)
        if said is not None and said > self.seen_at + AHEAD:
            said = None
            counts["future-date"] += 1
        elif said is None:
            counts["no-date"] += 1
        customer = text_of(row.get("customer_id"))
        native = text_of(row.get("id"))
        if not native:
            when = said.isoformat() if said is not None else text_of(written)
            native = "\0".join(
                ("row", when, customer, hashlib.sha256(text.encode("utf-8", "replace")).hexdigest())
            )
        source = self.source
        return Document(
            id=document_id(source.name, native),
            source=source.name,
            owner=text_of(row.get("owner"))[:200] or source.owner,
            kind=source.kind,
            published_at=said,
            seen_at=self.seen_at,
            title=title,
            text=text,
            url=canonical_link(text_of(row.get("url")), base=self.url),
            author=text_of(row.get("author"))[:_LONGEST_VALUE],
            language=source.language or declared_language(text_of(row.get("language")), text),
            customer_id=customer[:_LONGEST_VALUE],
            score=number_of(row.get("score")),
            attributes={
                ours: value[:_LONGEST_VALUE]
                for ours, given in row.items()
                if ours not in CANONICAL and (value := text_of(given))
            },
            raw=self.raw,
            provenance=self.provenance,
        )


def _plain(text: str) -> str:
    # Helpdesks export mail with its markup; a comparison («цена < 100») is none.
    if "<" in text and ("</" in text or "<br" in text.lower() or "<p" in text.lower()):
        return plain_of(text).text
    return tidy(text)


def _last(opened: Rows, row: int) -> str:
    """The digest of the row before `row`, where there is one."""
    for rows in opened.batches(start=row - 1, size=1):
        return "" if isinstance(rows, Trouble) or not rows else _digest(rows[0])
    return ""


def _digest(values: Sequence[Any]) -> str:
    return hashlib.sha256(
        "\0".join(text_of(value) for value in values).encode("utf-8", "replace")
    ).hexdigest()[:16]


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


@contextmanager
def _file(raw: bytes | Path, *, media: str, url: str) -> Iterator[Path]:
    """The file itself; bytes are put into one that lives for the block, with the ending that they should have."""
    if isinstance(raw, Path):
        yield raw
        return
    with tempfile.TemporaryDirectory(prefix="primeta-") as folder:
        path = Path(folder) / f"table{_ending(raw, media, url)}"
        path.write_bytes(raw)
        yield path


def _ending(raw: bytes, media: str, url: str) -> str:
    if raw.startswith(b"PAR1"):
        return ".parquet"
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return ".xlsx"
    if raw.startswith(b"\x1f\x8b"):
        return ".csv.gz"
    return ".tsv" if "tab-separated" in media or url.lower().endswith(".tsv") else ".csv"
