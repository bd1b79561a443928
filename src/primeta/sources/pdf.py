"""PDF reports as documents: one for a chapter or a few pages, so that a quote points to its page.

The file is parsed in a process apart, within limits of pages, time and memory.
"""

from __future__ import annotations

import hashlib
import io
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from primeta.facts import Provenance
from primeta.sources.apart import apart
from primeta.sources.feed import AHEAD
from primeta.sources.feed_dates import time_of
from primeta.sources.html_text import tidy
from primeta.sources.identity import document_id
from primeta.sources.links import canonical_link
from primeta.sources.pdf_text import hyphens_joined, paragraphs, without_furniture
from primeta.sources.records import Brought, Document, Source, Trouble

LARGEST = 64 * 2**20
"""Bytes of one file."""
MOST_PAGES = 2_000
TOGETHER = 5
"""Pages in one document, where the report has no chapters."""
LONGEST_CHAPTER = 12
"""Pages; a longer chapter is several documents."""
SECONDS = 120.0
LONGEST_TEXT = 500_000
FEWEST_LETTERS = 15
"""Of a page; one with fewer is a picture."""
_LONGEST_PAGE = 200_000
_MOST_LINKS = 500

_EMPTY_TITLE = re.compile(
    r"(?:untitled|без названия|microsoft (?:word|powerpoint|excel)|презентация powerpoint|powerpoint presentation|"
    r"slide \d+|слайд \d+|документ\d*|document\d*|presentation\d*|презентация\d*|book\d*|doc\d*)\W*$",
    re.IGNORECASE,
)
_PROGRAM = re.compile(r"^microsoft (?:word|powerpoint|excel)\s*[-–]\s*", re.IGNORECASE)
_ENDING = re.compile(r"\.(?:docx?|pptx?|xlsx?|odt|odp|indd|pdf|rtf|key|pages)$", re.IGNORECASE)
_DAY = re.compile(
    r"\d{1,2}\.\d{1,2}\.\d{4}|\d{4}-\d\d-\d\d|\d{1,2}\s+[^\W\d]{3,9}\.?\s+\d{4}|[A-Za-z]{3,9}\.?\s+\d{1,2},\s*\d{4}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfRead:
    """A PDF as it reads."""

    title: str
    author: str
    made_at: datetime | None
    """As the file says."""
    language: str
    pages: tuple[str, ...]
    """Text of each page that was read, without headers and footers."""
    total: int
    """Pages of the file."""
    chapters: tuple[tuple[int, str], ...]
    """(0-based first page, name) of the top level of its outline."""
    links: tuple[tuple[str, ...], ...]
    """Of each page."""
    in_time: bool


def read_pdf(
    raw: bytes | Path,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    position: Mapping[str, object] | None = None,
    seconds: float = SECONDS,
) -> Brought:
    """The documents of a PDF: its chapters by the outline, else five pages each; `#page=N` in their addresses.

    Attributes tell the pages (`pages` "6–10") and where each begins in the text (`page_starts`, characters).

    Args:
        raw: The file, or its bytes.
        url: Where it came from; of local files their path.
        seen_at: Aware. A date later than two days after it is none.
    Returns:
        No exception for what is in the bytes: `too-large`, `too-slow`, `bomb`, `unreadable`, `not-a-pdf`, `encrypted`,
        `no-text` (scanned), `some-pages-without-text`, `too-many-pages`, `future-date`, `no-date`.
    """
    del media, encoding, position
    content = raw.read_bytes() if isinstance(raw, Path) else raw
    if len(content) > LARGEST:
        return _only(
            "too-large", {"reason": "reading", "bytes": len(content), "largest": LARGEST}, permanent=True
        )
    if b"%PDF-" not in content[:1_024]:
        return _only("not-a-pdf", {}, permanent=True)
    # A little less than the process is given: what was read till then is kept.
    read = apart(pages_of, content, seconds=seconds, within=max(1.0, 0.8 * seconds))
    if isinstance(read, Trouble):
        return Brought(troubles=(read,))
    if isinstance(read, str):
        return _only(read, {}, permanent=True)
    return _documents(read, content, source=source, url=url, seen_at=seen_at)


def pages_of(content: bytes, *, within: float) -> PdfRead | str:
    """A PDF read in this process, or the code of why it is not: `encrypted`, `unreadable`."""
    import pypdf
    from pypdf.errors import PyPdfError

    until = time.monotonic() + within
    try:
        reader = pypdf.PdfReader(io.BytesIO(content), strict=False)
        # Many reports are locked against copying with an empty password: they open without one.
        if reader.is_encrypted and not reader.decrypt(""):
            return "encrypted"
        total = len(reader.pages)
    except (NotImplementedError, ImportError):
        return "encrypted"  # a cipher that is not spoken here
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, RecursionError):
        return "unreadable"
    raw_pages: list[str] = []
    links: list[tuple[str, ...]] = []
    heading = ""
    for at in range(min(total, MOST_PAGES)):
        if time.monotonic() > until:
            break
        try:
            page = reader.pages[at]
            sizes: list[tuple[float, str]] = []
            visit = _visitor(sizes) if at == 0 else None
            text = page.extract_text(visitor_text=visit) if visit else page.extract_text()
            if at == 0:
                heading = _largest(sizes)
            links.append(_links(page))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 — one page that cannot be read costs that page
            text = ""
            links = [*links[:at], ()]
        raw_pages.append((text or "")[:_LONGEST_PAGE])
    meta = _meta(reader)
    return PdfRead(
        title=_title(meta.get("title", "")) or heading,
        author=tidy(meta.get("author", "")).replace("\n", " ")[:200],
        made_at=meta.get("made_at"),
        language=meta.get("language", ""),
        pages=tuple(without_furniture(raw_pages)),
        total=total,
        chapters=_chapters(reader),
        links=tuple(links),
        in_time=len(raw_pages) == min(total, MOST_PAGES),
    )


def _documents(read: PdfRead, content: bytes, *, source: Source, url: str, seen_at: datetime) -> Brought:
    letters = [sum(letter.isalpha() for letter in page) for page in read.pages]
    without = sum(number < FEWEST_LETTERS for number in letters)
    troubles: list[Trouble] = []
    if not read.pages or without == len(read.pages):
        return _only("no-text", {"what": "scan", "pages": read.total}, permanent=True)
    if without:
        troubles.append(
            Trouble(code="some-pages-without-text", values={"entries": without, "read": len(read.pages)})
        )
    if read.total > len(read.pages):
        troubles.append(
            Trouble(code="too-many-pages", values={"entries": read.total, "read": len(read.pages)})
        )
    said = read.made_at
    future = said is not None and said > seen_at + AHEAD
    if said is None or future:
        said = _day_in(read.pages[0], until=seen_at)
    if said is None:
        troubles.append(Trouble(code="future-date" if future else "no-date", values={"entries": 1}))
    digest = hashlib.sha256(content).hexdigest()
    address = canonical_link(url) or url
    name = read.title or _name_in(url)
    base = Document(
        id="",
        source=source.name,
        owner=source.owner,
        kind=source.kind,
        published_at=said,
        seen_at=seen_at,
        title=name,
        text="",
        author=read.author,
        language=source.language or read.language,
        raw=digest,
        provenance=Provenance(source=url or source.at, seen_until=seen_at, code_version=version("primeta")),
    )
    documents: list[Document] = []
    for first, last, chapter in _groups(read):
        text, starts = _joined(read.pages[first:last])
        if sum(letter.isalpha() for letter in text) < FEWEST_LETTERS:
            continue
        alone = first == 0 and last == len(read.pages)
        links = dict.fromkeys(link for page in read.links[first:last] for link in page)
        links.pop(address, None)
        documents.append(
            replace(
                base,
                # The bytes are part of it: next month's report stands at the same address.
                id=document_id(source.name, f"{address}\0{digest}\0{first + 1}"),
                title=f"{name}: {chapter}" if chapter and chapter != name else name,
                text=text[:LONGEST_TEXT],
                url=f"{address}#page={first + 1}" if address else "",
                links=tuple(links)[:_MOST_LINKS],
                attributes={
                    "pages": str(first + 1) if last == first + 1 else f"{first + 1}–{last}",
                    "page_starts": ",".join(map(str, starts)),
                    **({"chapter": chapter} if chapter else {}),
                    **({} if alone else {"of": digest[:16]}),
                },
            )
        )
    return Brought(documents=tuple(documents), troubles=tuple(troubles))


def _groups(read: PdfRead) -> list[tuple[int, int, str]]:
    """(first page, page behind the last, chapter) of each document, in order."""
    count = len(read.pages)
    chapters = [(first, name) for first, name in read.chapters if first < count]
    # An outline with one entry, or with one for each page (slides), tells nothing of chapters.
    useful = len(chapters) >= 2 and count > TOGETHER and len(chapters) <= max(2, count // 2)
    if not useful:
        if count <= TOGETHER:
            return [(0, count, "")]
        return [(first, min(count, first + TOGETHER), "") for first in range(0, count, TOGETHER)]
    if chapters[0][0] > 0:
        chapters.insert(0, (0, ""))
    groups: list[tuple[int, int, str]] = []
    for at, (first, name) in enumerate(chapters):
        end = chapters[at + 1][0] if at + 1 < len(chapters) else count
        if end - first <= LONGEST_CHAPTER:
            groups.append((first, end, name))
        else:
            groups += [(start, min(end, start + TOGETHER), name) for start in range(first, end, TOGETHER)]
    return groups


def _joined(pages: tuple[str, ...]) -> tuple[str, list[int]]:
    """Text of some pages, and where each begins in it; a word that is broken between pages is joined."""
    whole, starts = "", [0]
    for page in pages:
        text = paragraphs(page)
        if whole and text:
            if (joined := hyphens_joined(f"{whole[-40:]}\n{text[:40]}")) != f"{whole[-40:]}\n{text[:40]}":
                whole = whole[:-40] + joined + text[40:] if len(whole) > 40 else joined + text[40:]
                starts.append(len(whole) - len(text))
                continue
            whole += " " if text[0].islower() and whole[-1] not in ".!?:…" else "\n"
        if len(starts) == 1 and not whole:
            whole = text
            starts = [0]
            continue
        starts.append(len(whole))
        whole += text
    return whole, starts


def _chapters(reader: Any) -> tuple[tuple[int, str], ...]:
    found: dict[int, str] = {}
    try:
        for entry in reader.outline[:500]:
            if isinstance(entry, list):
                continue
            page = reader.get_destination_page_number(entry)
            name = " ".join(tidy(str(entry.title)).split())[:200]
            if page is not None and page >= 0 and name:
                found.setdefault(page, name)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 — an outline that is broken is no outline
        return ()
    return tuple(sorted(found.items()))


def _meta(reader: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        meta = reader.metadata
        if meta is not None:
            found["title"] = str(meta.title or "")
            found["author"] = str(meta.author or "")
            made = meta.creation_date
            if made is not None:
                found["made_at"] = (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC)
    except Exception:  # noqa: BLE001 — what the file says of itself may be anything
        found.setdefault("title", "")
    try:
        language = str(reader.root_object.get("/Lang") or "").lower()[:2]
        found["language"] = language if re.fullmatch(r"[a-z]{2}", language) else ""
    except Exception:  # noqa: BLE001
        found["language"] = ""
    return found


def _title(said: str) -> str:
    """The title that the file states, where a person wrote it."""
    title = _PROGRAM.sub("", " ".join(tidy(said).split()))
    if _EMPTY_TITLE.match(title) or not any(letter.isalpha() for letter in title):
        return ""
    # The name of the file that it was made of is no title.
    return "" if _ENDING.search(title) else title[:1_000]


def _visitor(sizes: list[tuple[float, str]]) -> Any:
    def visit(text: str, user: Any, matrix: Any, font: Any, size: float) -> None:
        del font
        if text.strip() and len(sizes) < 5_000:
            scale = (abs(matrix[3]) or abs(matrix[0]) or 1.0) * (abs(user[3]) or 1.0)
            sizes.append((round(abs(size) * scale, 1), text))

    return visit


def _largest(sizes: list[tuple[float, str]]) -> str:
    """What is written largest on the first page, where it is larger than the rest."""
    written = [(size, text) for size, text in sizes if sum(letter.isalpha() for letter in text) >= 2]
    if not written:
        return ""
    largest = max(size for size, _ in written)
    title = " ".join(" ".join(text for size, text in written if size >= 0.95 * largest).split())
    title = hyphens_joined(title)
    return title[:300] if 4 <= len(title) <= 300 else ""


def _links(page: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for annotation in (page.get("/Annots") or [])[:_MOST_LINKS]:
        try:
            link = canonical_link(str(annotation.get_object()["/A"]["/URI"]))
        except Exception:  # noqa: BLE001 — most notes are no links
            continue
        if link:
            found[link] = None
    return tuple(found)


def _day_in(text: str, *, until: datetime) -> datetime | None:
    """The first day that the page names and that is not to come."""
    for written in _DAY.findall(text[:5_000]):
        found = time_of(written)
        if found is not None and found <= until:
            return found
    return None


def _name_in(url: str) -> str:
    return _ENDING.sub("", url.rstrip("/").rsplit("/", 1)[-1])[:200]


def _only(code: str, values: dict[str, object], *, permanent: bool) -> Brought:
    return Brought(
        troubles=(Trouble(code=code, values={"reason": "reading", **values}, permanent=permanent),)
    )
