"""The reading list: stories with their retellings folded, marked by plain forms; one press logs a signal."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from primeta.errors import BadInput, NotFound
from primeta.web.forms import Form
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of
from primeta.web.pages.sources import PLACE
from primeta.web.security import local_path
from primeta.web.texts_rows import story_rows, topic_name
from primeta.web.texts_words import KINDS, MARKS, kind_word
from primeta.workspace.texts_views import Mark, Reading

router = APIRouter()
ACTS: dict[str, Mark] = {"read": "read", "keep": "kept", "dismiss": "dismissed", "unread": "unread"}
LONGEST_QUERY = 200


@router.get("/reading")
def reading(request: Request) -> Response:
    return _list(request, Form(values={"by": person_of(request)}))


def _list(request: Request, form: Form, status: int = 200) -> Response:
    site, reader = site_of(request), reader_of(request)
    now, given = site.now(), request.query_params
    declared = site.workspace.declared()
    names = [source.name for source in declared]
    kinds = {source.kind for source in declared}
    kind = given.get("kind", "") if given.get("kind", "") in KINDS else ""
    source = given.get("source", "") if given.get("source", "") in names else ""
    shown = given.get("show", "unread") if given.get("show", "unread") in (*MARKS, "all") else "unread"
    query = given.get("q", "").strip()[:LONGEST_QUERY]
    topic = given.get("topic", "")[:64]
    number = int(given["page"]) if given.get("page", "").isdigit() and len(given["page"]) < 7 else 1
    problem = ""
    try:
        found = site.workspace.reading(
            page=number,
            kind=kind,
            source=source,
            mark="" if shown == "all" else shown,
            topic=topic,
            query=query,
            now=now,
        )
    except BadInput as error:
        # Words may hold conditions of the search, and these may be wrong.
        found, problem, status = Reading(items=(), total=0, unread=0, page=1, pages=1), str(error), 400
    filters = {"show": shown, "kind": kind, "source": source, "topic": topic, "q": query}

    def link(**changes: object) -> str:
        kept = {name: value for name, value in {**filters, **changes}.items() if value}
        return "?" + urlencode({name: str(value) for name, value in kept.items()})

    rows = story_rows(reader, found.items)
    return page(
        request,
        "reading.html",
        reader,
        status=status,
        place=PLACE,
        found=found,
        problem=problem,
        rows=rows,
        following=dict(
            zip([row.told.id for row in rows], [row.told.id for row in rows[1:]] + ["main"], strict=False)
        ),
        shown=shown,
        filters=filters,
        narrowed=bool(kind or source or query or topic),
        link=link,
        kinds=[(code, kind_word(code, reader.lang)) for code in KINDS if code in kinds],
        names=names,
        topic=_topic(request, topic),
        topic_names=_topic_names(request) if any(row.item.topics for row in rows) else {},
        form=form,
        # Who is not known yet says it once, above the list; then it stands in the margin.
        known=bool(form.values.get("by")) and not form.errors,
    )


def _topic(request: Request, identity: str):
    if not identity:
        return None
    try:
        return topic_name(site_of(request).workspace.topic(identity).topic, reader_of(request))
    except NotFound:
        return None


def _topic_names(request: Request) -> dict[str, str]:
    site, reader = site_of(request), reader_of(request)
    views = site.workspace.topics(now=site.now())
    return {view.topic.id: topic_name(view.topic, reader) for view in views}


@router.post("/reading/{identity}/{act}")
def mark(request: Request, identity: str, act: str, sent: Sent) -> Response:
    """Put a mark on a story, or write it down as a sign."""
    site, reader = site_of(request), reader_of(request)
    if act != "log" and act not in ACTS:
        raise NotFound(f"there is no act {act!r} for a document")
    form = Form.given(sent, ("by", "back"))
    form.require({"by": str(reader._("Say who you are."))})
    if not form.ok:
        return _list(request, form, status=400)
    by, now = form.values["by"], site.now()
    back = _back(form.values["back"], request.query_params.get("to", ""))
    if act == "log":
        note = site.workspace.log_document(identity, by=by, now=now)
        return done(back, "done.logged", person=by, subject=note.subject)
    site.workspace.mark_document(identity, ACTS[act], by=by, now=now)
    return done(back, f"done.marked.{act}", person=by)


def _back(path: str, to: str) -> str:
    """The list as it was filtered, at the story that follows."""
    target = local_path(path).partition("#")[0]
    if not target.startswith(("/reading", "/topics", "/search")):
        target = "/reading"
    known = to if to == "main" or (to.startswith("d-") and to[2:].isalnum()) else ""
    return f"{target}#{known}" if known else target
