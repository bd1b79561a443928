"""Rules of sending: what is in force, its history, and a draft that is replayed before it is switched on."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from primeta.attention.decide import MARKETING
from primeta.attention.policy import DEFAULTS, policy_from
from primeta.attention.policy_words import PURPOSES, WORDS, changes, rules
from primeta.attention.records import PURPOSES as ALL_PURPOSES
from primeta.errors import BadInput, Conflict, NotFound, Refused
from primeta.web.attention_policy_form import (
    UNITS,
    Rows,
    changed_rows,
    fields,
    form_of_policy,
    policy_keys,
)
from primeta.web.attention_policy_rows import compared, heading, stopped_rows
from primeta.web.forms import Form
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of, text_of
from primeta.web.reader import Reader
from primeta.workspace import attention_policy as verbs
from primeta.workspace.attention_policy import RETURN, PolicyBook
from primeta.workspace.may_send import promises_in_force

router = APIRouter()
HERE = "/attention/policy"
JOB = "attention-draft"
VERSIONS = 12
LISTED = 15


@router.get(HERE)
def policy(request: Request) -> Response:
    return _show(request, Form(values={"by": person_of(request)}))


def _show(request: Request, form: Form, *, act: str = "", status: int = 200) -> Response:
    """Args:
    act: Which of the small forms was sent: `switch`, `back`, `drop`.
    """
    site, reader = site_of(request), reader_of(request)
    ws = site.workspace
    book = verbs.policy_book(ws, now=site.now())
    lang, currency = _lang(reader), ws.config.currency
    draft = book.replay.document["policy"] if book.replay and book.replay.document else None
    beside = book.beside.document["policy"] if book.beside and book.beside.document else None
    texts = {promise.name: promise.text for promise in promises_in_force(ws)} if draft else {}
    told = verbs.what_changed(book, lang)
    return page(
        request,
        "attention_policy.html",
        reader,
        status=status,
        place="/attention",
        book=book,
        title=heading(reader, draft) if draft else _title(reader, book),
        rules=rules(book.in_force.policy, lang, currency=currency),
        drafted=changes(book.in_force.policy, book.draft.policy, lang, currency=currency)
        if book.draft
        else (),
        compared=compared(reader, draft, beside, texts) if draft else [],
        stopped=stopped_rows(reader, draft, beside) if draft else [],
        beside=beside is not None,
        waiting=book.replay is not None and draft is None,
        mapped="messages" in ws.config.tables,
        versions=[
            (kept, told.get(kept.policy.version, ()), _noted(reader, kept.note)) for kept in book.versions
        ],
        shown=VERSIONS,
        listed=LISTED,
        form=form,
        act=act,
        file=ws.config.path.name,
    )


def _title(reader: Reader, book: PolicyBook) -> str:
    kept = book.in_force
    if kept.origin == "file":
        return str(
            reader._(
                "Version {n} of the rules is in force, from {file}",
                n=kept.policy.version,
                file=kept.by,
            )
        )
    return str(
        reader._(
            "Version {n} of the rules is in force, switched on by {who}", n=kept.policy.version, who=kept.by
        )
    )


def _noted(reader: Reader, note: str) -> str:
    found = re.fullmatch(rf"{re.escape(RETURN)}(\d+)", note)
    if found:
        return str(reader._("the return of version {n}", n=int(found[1])))
    return str(reader._("switched on without a replay: {why}", why=note)) if note else ""


def _lang(reader: Reader) -> Any:
    return "ru" if reader.lang == "ru" else "en"


# The editor


@router.get(HERE + "/edit")
def edit_form(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    book = verbs.policy_book(site.workspace, now=site.now())
    start = book.draft.policy if book.draft else book.in_force.policy
    form, rows = form_of_policy(start, reader=reader)
    form.values |= {
        "by": person_of(request),
        "read": str(book.read),
        "base": str(book.in_force.policy.version),
    }
    return _edit(request, form, rows, book)


@router.post(HERE + "/edit")
def edit(request: Request, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    rows = Rows.read(text_of(sent, "rows"))
    form = Form.given(sent, fields(rows))
    act = text_of(sent, "act")
    if act:
        rows = changed_rows(form, rows, act)
        return _edit(request, form, rows)
    keys = policy_keys(form, rows, reader)
    form.require({"by": str(reader._("Say who you are."))})
    if not form.ok:
        return _edit(request, form, rows, status=400)
    numbers = {name: int(form.values[name]) for name in ("read", "base") if form.values[name].isdigit()}
    try:
        verbs.save_policy_draft(
            site.workspace, policy_from(keys), by=form.values["by"], now=site.now(), **numbers
        )
    except Conflict:
        book = verbs.policy_book(site.workspace, now=site.now())
        form.problem = str(reader._("Somebody changed the rules while you were writing"))
        form.detail = (
            _last_change(reader, book)
            + " "
            + str(
                reader._(
                    "Your text is kept here. Look at the rules as they are now; save again to put yours over it."
                )
            )
        )
        form.values |= {"read": str(book.read), "base": str(book.in_force.policy.version)}
        return _edit(request, form, rows, book, status=409)
    except Refused:
        form.problem = str(reader._("This is what the rules in force say already; nothing was saved."))
        return _edit(request, form, rows, status=400)
    except BadInput as error:
        form.problem = str(reader._("With these rules nothing but service could ever be sent"))
        form.detail = _impossible(reader, str(error))
        return _edit(request, form, rows, status=400)
    return done(HERE + "#draft", "done.policy-draft", person=form.values["by"])


def _last_change(reader: Reader, book: PolicyBook) -> str:
    """Who changed the draft or the rules in force last, and when."""
    last = book.in_force if book.draft is None or book.draft.at < book.in_force.at else book.draft
    words = (
        reader._("{who} saved the draft on {moment}.", who=last.by, moment=reader.moment(last.at))
        if last is book.draft
        else reader._(
            "Version {n} is in force since {moment}: {who}.",
            n=book.in_force.policy.version,
            moment=reader.moment(last.at),
            who=last.by,
        )
    )
    return str(words)


def _impossible(reader: Reader, why: str) -> str:
    """Which rules refuse everything, from the message of `policy.impossible`."""
    by = why.rpartition("refused by: ")[2]
    words = {
        "cap": reader._("caps"),
        "quiet-hours": reader._("quiet hours"),
        "first-touches": reader._("first touches"),
    }
    named = [
        str(words.get(rule, reader._("the promise {name}", name=rule.removeprefix("promise "))))
        if rule in words or rule.startswith("promise ")
        else rule
        for rule in by.split(", ")
    ]
    return str(
        reader._(
            "Not even a customer who agreed to everything could be written to at any hour of a week. It is refused by: "
            "{rules}. Change one of them.",
            rules=", ".join(named),
        )
    )


def _edit(
    request: Request, form: Form, rows: Rows, book: PolicyBook | None = None, *, status: int = 200
) -> Response:
    site, reader = site_of(request), reader_of(request)
    lang = _lang(reader)
    book = book or verbs.policy_book(site.workspace, now=site.now())
    return page(
        request,
        "attention_policy_edit.html",
        reader,
        status=status,
        place="/attention",
        form=form,
        rows=rows,
        book=book,
        here_url=HERE,
        marketing=[(code, PURPOSES[code][lang]) for code in MARKETING],
        all_purposes=[(code, PURPOSES[code][lang]) for code in ALL_PURPOSES],
        units=[(unit, str(words)) for unit, words in _units(reader).items() if unit in UNITS],
        defaults=[(code, WORDS[f"default.{code}"][lang]) for code in DEFAULTS],
        file=site.workspace.config.path.name,
    )


def _units(reader: Reader) -> dict[str, Any]:
    return {"h": reader._("hours"), "d": reader._("days"), "w": reader._("weeks")}


# What is done with a draft


@router.post(HERE + "/replay")
def replay(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    by = text_of(sent, "by") or person_of(request) or "page"
    verbs.ask_draft_replay(site.workspace, by=by, now=site.now())
    job = site.workspace.start_job(JOB, now=site.now())
    return done(f"/jobs/{job.id}?back={quote(HERE, safe='')}")


@router.post(HERE + "/switch")
def switch(request: Request, sent: Sent) -> Response:
    """The draft comes into force."""
    site = site_of(request)

    def work(form: Form, number: int) -> int:
        kept = verbs.switch_on(
            site.workspace,
            number,
            by=form.values["by"],
            now=site.now(),
            without_replay=form.values["reason"],
        )
        return kept.policy.version

    return _done(request, sent, "switch", "number", work, "done.policy-on")


@router.post(HERE + "/back")
def back(request: Request, sent: Sent) -> Response:
    """An earlier version comes into force again."""
    site = site_of(request)

    def work(form: Form, version: int) -> int:
        read = form.values["read"]
        kept = verbs.switch_back(
            site.workspace,
            version,
            read=int(read) if read.isdigit() else 0,
            by=form.values["by"],
            now=site.now(),
        )
        return kept.policy.version

    return _done(request, sent, "back", "version", work, "done.policy-on")


@router.post(HERE + "/drop")
def drop(request: Request, sent: Sent) -> Response:
    """The draft is not wanted."""
    site = site_of(request)

    def work(form: Form, number: int) -> int:
        verbs.drop_draft(site.workspace, number, by=form.values["by"], now=site.now())
        return number

    return _done(request, sent, "drop", "number", work, "done.policy-dropped")


def _done(request: Request, sent: Any, act: str, named: str, work: Any, toast: str) -> Response:
    site, reader = site_of(request), reader_of(request)
    form = Form.given(sent, ("by", "reason", "read", "number", "version"))
    form.require({"by": str(reader._("Say who you are."))})
    number = form.values[named]
    if not form.ok:
        return _show(request, form, act=act, status=400)
    try:
        version = work(form, int(number) if number.isdigit() else 0)
    except (Conflict, NotFound):
        form.problem = str(reader._("Somebody changed the rules meanwhile; nothing was switched"))
        form.detail = _last_change(reader, verbs.policy_book(site.workspace, now=site.now()))
        return _show(request, form, act=act, status=409)
    except Refused as error:
        if act == "switch":
            form.errors["reason"] = str(
                reader._("Replay the draft first, or write down why it is switched on without.")
            )
        else:
            form.problem, form.detail = str(reader._("Nothing was switched")), str(error)
        return _show(request, form, act=act, status=400)
    except BadInput as error:
        form.problem = str(reader._("With these rules nothing but service could ever be sent"))
        form.detail = _impossible(reader, str(error))
        return _show(request, form, act=act, status=400)
    if act != "drop":
        request.app.state.switched.turn()
    return done(HERE, toast, person=form.values["by"], n=str(version))
