"""May we send this? One question asked by a person, answered in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from primeta.attention.answer_words import WORDS, flip_words, from_minute, reason
from primeta.attention.policy_words import PURPOSES
from primeta.attention.records import PURPOSES as ALL_PURPOSES
from primeta.attention.records import Answer, Question
from primeta.show import locale
from primeta.show.locale import Figure
from primeta.web.forms import Form
from primeta.web.page import Sent, page, reader_of, site_of
from primeta.web.reader import Reader
from primeta.workspace.attention_find import found_customer
from primeta.workspace.may_send import Desk, moment_of

router = APIRouter()
NAMES = ("customer", "channel", "purpose", "programme", "at", "personal", "personalised")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer in the reader's words."""

    answer: Answer
    pseudonym: str
    why: str
    rule: str
    credit: Figure | None
    credit_why: str
    earliest: str
    """In the customer's zone; empty where waiting does not help."""
    asked_at: str
    zone: str
    changes: tuple[str, ...]


@router.get("/attention/ask")
def ask_form(request: Request) -> Response:
    """The empty form; a page may name the customer by his pseudonym, the channel and the purpose."""
    given = request.query_params
    values = {name: given.get(name, "")[:100] for name in ("channel", "purpose", "programme")}
    known = given.get("customer", "")
    values["customer"] = known if re.fullmatch(r"C-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", known) else ""
    return _show(request, Form(values=values), None)


@router.post("/attention/ask")
def ask(request: Request, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    form = Form.given(sent, NAMES)
    _ = reader._
    form.require(
        {
            "customer": str(_("Whom is it about? His pseudonym or his id.")),
            "channel": str(_("On which channel?")),
        }
    )
    form.one_of("purpose", ALL_PURPOSES, str(_("What is the message for?")))
    now = site.now()
    at = _moment(form, reader) if form.values["at"] else moment_of(site.workspace, now=now)
    if at is None:
        form.errors["at"] = str(_("A day and an hour were expected, such as 2026-11-26 18:00."))
    if not form.ok or at is None:
        return _show(request, form, None, status=400)
    who, pseudonym = found_customer(site.workspace, form.values["customer"], now=now)
    # What was typed may be an id: the page shows pseudonyms only.
    form.values["customer"] = pseudonym
    desk = Desk(site.workspace, now=now)
    try:
        question = Question(
            customer_id=who,
            channel=form.values["channel"].lower(),
            purpose=form.values["purpose"],  # type: ignore[arg-type]
            at=at,
            programme=form.values["programme"],
            personal=bool(form.values["personal"]),
            personalised=bool(form.values["personalised"]),
        )
        answer = desk.full_answer(question, now=now, learn=False)
        row = desk.reader.one(who)
        zone = desk.zone(row.zone if row else "")
    finally:
        desk.close()
    return _show(request, form, _told(reader, answer, pseudonym, at, zone))


def _moment(form: Form, reader: Reader) -> datetime | None:
    """As people write it, in the workspace's zone; None: it is none."""
    text = form.values["at"].strip().replace("T", " ")
    for shape in ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text, shape).replace(tzinfo=reader.zone)
        except ValueError:
            continue
    return None


def _told(reader: Reader, answer: Answer, pseudonym: str, at: datetime, zone: ZoneInfo) -> Told:
    lang = "ru" if reader.lang == "ru" else "en"
    credit = answer.credit
    known = credit is not None and credit.value == credit.value
    return Told(
        answer=answer,
        pseudonym=pseudonym,
        why=reason(answer, lang, zone=zone),
        rule=WORDS.get(f"rule.{answer.rule}", {}).get(lang, ""),
        credit=reader.figure(credit.value, "share", credit.low, credit.high) if credit and known else None,
        credit_why="" if known else str(reader._("nothing is known of how he takes messages here")),
        earliest=""
        if answer.allowed or answer.earliest is None
        else from_minute(answer.earliest, lang, zone),
        asked_at=locale.moment(at, lang, zone),
        zone=locale.zone_name(zone, lang),
        changes=tuple(flip_words(flip, lang, zone) for flip in answer.flips if flip.change != "wait-until"),
    )


def _show(request: Request, form: Form, told: Told | None, *, status: int = 200) -> Response:
    site, reader = site_of(request), reader_of(request)
    lang = "ru" if reader.lang == "ru" else "en"
    return page(
        request,
        "attention_ask.html",
        reader,
        status=status,
        place="/attention",
        form=form,
        told=told,
        title=_title(reader, told),
        purposes=[("", str(reader._("choose")))] + [(code, PURPOSES[code][lang]) for code in ALL_PURPOSES],
        channels=_channels(site.workspace, site.now()),
    )


def _title(reader: Reader, told: Told | None) -> str:
    if told is None:
        return str(reader._("May we send this?"))
    return str(reader._("Yes, it may be sent")) if told.answer.allowed else str(reader._("No, not this"))


def _channels(ws: Any, now: datetime) -> tuple[str, ...]:
    """Channels that the policy names, to choose from."""
    from primeta.workspace.may_send import policy_in_force

    policy = policy_in_force(ws, now=now)
    named = set(policy.channels) | {cap.channel for cap in policy.caps} | set(policy.cost_per_message)
    return tuple(sorted(named - {""}))
