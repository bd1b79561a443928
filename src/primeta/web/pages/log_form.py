"""The form for a sign that a person saw: by hand, from a bookmarklet, with a photo or a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from primeta.errors import BadInput, NotAllowed, NotFound
from primeta.signals.signal import MEASURED, ORIGINS
from primeta.sources.records import GROUP_OF
from primeta.web.forms import Form
from primeta.web.page import MOST_FIELDS, done, form_of, page, person_of, reader_of, sent_from_us, site_of
from primeta.web.pages.signals import SHOWN_PICTURES
from primeta.web.texts_rows import safe_url

router = APIRouter()
NOTE_ORIGINS = tuple(origin for origin in ORIGINS if origin not in MEASURED)
LOG_FIELDS = (
    "text", "origin", "subject", "source", "happened_at", "url", "direction", "trend", "by", "document",
)  # fmt: skip
MOST_FILES = 4
LARGEST = 10 * 2**20
"""Bytes of one request: its files together with its texts."""
LONGEST_TEXT = 20_000
LONGEST_TITLE = 300


@router.get("/log")
def log_form(request: Request) -> Response:
    """The form, filled from the query where a bookmarklet or another page gives `url`, `title`, `text`."""
    site, given = site_of(request), request.query_params
    url = safe_url(given.get("url", ""))[:2000]
    title = given.get("title", "").strip()[:LONGEST_TITLE]
    values = {
        "origin": "outside" if url else "voice",
        "direction": "up",
        "happened_at": site.workspace.day(site.now()).isoformat(),
        "trend": given.get("trend", ""),
        "by": person_of(request),
        "url": url,
        "subject": title,
        "text": given.get("text", "").strip()[:LONGEST_TEXT] or title,
        "source": "",
        "document": "",
    }
    if given.get("document"):
        values |= _of_document(request, given["document"])
    return _log_page(request, Form(values=values))


def _of_document(request: Request, identity: str) -> dict[str, str]:
    """What a collected document fills in."""
    try:
        document = site_of(request).workspace.document(identity)
    except NotFound:
        return {}
    text = document.text or document.title
    return {
        "document": document.id,
        "url": safe_url(document.url),
        "subject": document.title[:LONGEST_TITLE],
        "text": text[:2000].strip(),
        "source": document.owner,
        "origin": GROUP_OF[document.kind],
        "happened_at": (document.published_at or document.seen_at).astimezone(reader_of(request).zone).date().isoformat(),
    }  # fmt: skip


def bookmarklet(request: Request) -> str:
    """The address of a bookmark that opens this form, filled from the page on which it is pressed."""
    address = str(request.base_url).rstrip("/")
    # Quotes would end the string in which the address stands; no host name holds any.
    safe = "".join(letter for letter in address if letter not in "'\"\\<> ")
    return (
        f"javascript:void open('{safe}/log?url='+encodeURIComponent(location.href)+"
        "'&title='+encodeURIComponent(document.title)+"
        "'&text='+encodeURIComponent(String(getSelection()).slice(0,4000)),'_blank','noopener')"
    )


def _log_page(request: Request, form: Form, status: int = 200) -> Response:
    site, reader = site_of(request), reader_of(request)
    return page(
        request,
        "log.html",
        reader,
        status=status,
        form=form,
        origins=NOTE_ORIGINS,
        trends=site.workspace.trends(),
        bookmarklet=Markup(bookmarklet(request).replace("&", "&amp;").replace('"', "&quot;")),
        most_files=MOST_FILES,
        megabytes=LARGEST // 2**20,
    )


async def sent_with_files(request: Request) -> FormData:
    """The form of a POST from our own page that may carry files; read no further than the limit.

    Raises:
        NotAllowed: the token is missing or wrong. BadInput: too large, too many files, or cut short.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await form_of(request)
    try:
        form = await MultiPartParser(
            request.headers,
            _limited(request.stream()),
            max_files=MOST_FILES,
            max_fields=MOST_FIELDS,
            max_part_size=LONGEST_TEXT * 8,
        ).parse()
    except MultiPartException as error:
        raise BadInput(f"the form cannot be read: {error.message}") from None
    try:
        return sent_from_us(request, form)
    except NotAllowed:
        await form.close()
        raise


async def _limited(stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    room = LARGEST
    async for piece in stream:
        room -= len(piece)
        if room < 0:
            # Of this kind the parser closes what it has begun to write.
            raise MultiPartException(
                f"the files are larger than {LARGEST // 2**20} MB together; nothing was saved"
            )
        yield piece


def _is_of_document(request: Request, values: Mapping[str, str]) -> bool:
    """Whether the sign is the document's own: where and when it stood has not been changed in the form."""
    if not values["document"]:
        return False
    filled = _of_document(request, values["document"])
    return bool(filled) and all(
        values[name] == filled[name] for name in ("url", "source", "origin", "happened_at")
    )


SentWithFiles = Annotated[FormData, Depends(sent_with_files)]


@router.post("/log")
async def log(request: Request, sent: SentWithFiles) -> Response:
    files = [
        (entry.filename or "", await entry.read())
        for entry in sent.getlist("files")
        if isinstance(entry, UploadFile) and entry.filename
    ]
    await sent.close()
    return await run_in_threadpool(_log, request, sent, files)


def _log(request: Request, sent: FormData, files: list[tuple[str, bytes]]) -> Response:
    site, reader = site_of(request), reader_of(request)
    form = Form.given(sent, LOG_FIELDS)
    form.require(
        {"text": str(reader._("Write at least a few words.")), "by": str(reader._("Say who you are."))}
    )
    form.one_of("origin", NOTE_ORIGINS, str(reader._("Choose where it comes from.")))
    form.one_of("direction", ("up", "down"), str(reader._("Choose a direction.")))
    day = form.day("happened_at", str(reader._("Name the day on which it was seen.")))
    if day and day > site.workspace.day(site.now()):
        form.errors["happened_at"] = str(
            reader._("This day is in the future; name the day on which it was seen.")
        )
    if form.values["url"] and not safe_url(form.values["url"]):
        form.errors["url"] = str(reader._("A link begins with http:// or https://."))
    if not form.ok:
        return _log_page(request, form, status=400)
    values, by, now = form.values, form.values["by"], site.now()
    try:
        if not files and _is_of_document(request, values):
            note = site.workspace.log_document(
                values["document"],
                text=values["text"],
                subject=values["subject"],
                direction=values["direction"],  # pyright: ignore[reportArgumentType]
                trend=values["trend"] or None,
                by=by,
                now=now,
            )
        else:
            more: dict[str, Any] = {"files": files} if files else {}
            note = site.workspace.log_signal(
                text=values["text"],
                origin=values["origin"],  # pyright: ignore[reportArgumentType]
                subject=values["subject"],
                source=values["source"],
                happened_at=day or date.min,
                url=values["url"],
                direction=values["direction"],  # pyright: ignore[reportArgumentType]
                trend=values["trend"] or None,
                by=by,
                now=now,
                **more,
            )
    except BadInput as error:
        form.problem, form.detail = str(reader._("This was not saved")), str(error)
        return _log_page(request, form, status=400)
    target = f"/trends/{form.values['trend']}" if form.values["trend"] else f"/signals/{note.id}"
    return done(target, "done.logged", person=form.values["by"], subject=note.subject)


@router.get("/signals/{identity}/files/{digest}")
def note_file(request: Request, identity: str, digest: str) -> Response:
    """A photo or paper of a note. What it is was told by its bytes; a page is never served from it."""
    file, content = site_of(request).workspace.note_file(identity, digest)
    place = "inline" if file.media in SHOWN_PICTURES else "attachment"
    return Response(
        content,
        media_type=file.media if file.media in SHOWN_PICTURES else "application/octet-stream",
        headers={"Content-Disposition": f"{place}; filename*=UTF-8''{quote(file.name, safe='')}"},
    )
