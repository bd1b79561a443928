"""As the customer sees it: the shade of one customer, the first days of new ones, and what reviewers think of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.attention.replay_words import tell as replay_words
from primeta.attention.shade import Came
from primeta.errors import BadInput, NotFound
from primeta.show import locale
from primeta.warehouse.facts_store import load_facts
from primeta.web.background import Answers, Beside
from primeta.web.course_picture import ceiling_of, course_picture
from primeta.web.forms import Form
from primeta.web.page import Sent, done, page, reader_of, site_of, text_of
from primeta.web.page import person_of as known_person
from primeta.web.reader import Reader
from primeta.workspace.attention_customer import ChannelThen, CustomerView, Lying
from primeta.workspace.attention_customer_words import (
    between,
    preference_text,
    rule_words,
    sender_words,
    sign_days,
    tell,
)
from primeta.workspace.attention_first_days import FirstDays, week_days
from primeta.workspace.attention_marks import MarkGroup, TouchMarks, group_name

router = APIRouter()
PLACE = "/attention"
BEFORE, AFTER = 27, 7
"""Days of the strip around the moment."""
TALLEST = 3
"""Messages a day that fill a bar at least, so that a quiet month looks quiet."""
MARK_CODES = ("yes", "no", "neutral")
SHOWN_GROUPS = 12
DRAWN_LEAST = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCell:
    """One day of the strip."""

    day: date
    href: str
    count: int
    broken: int
    current: bool
    month: str
    """At the first day of a month and of the strip."""
    bar: Markup
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One message as it is drawn, and what is told beside it."""

    lying: Lying
    clock: str
    sender: str
    purpose: str
    read: str
    decision: str
    broke: tuple[str, ...]
    own: str
    """This reviewer's mark."""
    marks: tuple[tuple[str, str, str], ...]
    """Reviewer, mark in words, note."""

    @property
    def came(self) -> Came:
        return self.lying.came

    @property
    def anchor(self) -> str:
        return _anchor(self.lying.came.message_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRow:
    """Credit on one channel, with its course drawn."""

    channel: str
    value: str
    interval: str
    level: str
    plot: Markup | None
    top: str


@router.get("/attention/customers")
def customers(request: Request) -> Response:
    return _customers(request, Form(values={}))


def _customers(request: Request, form: Form, status: int = 200) -> Response:
    site, reader = site_of(request), reader_of(request)
    first, marks = _first_days(request), _marks(request)
    # Triggered messages belong to no campaign: programmes and purposes tell of them.
    groups = [group for group in (marks.answer.of("campaign") if marks.answer else ()) if group.name]
    return page(
        request,
        "attention_customers.html",
        reader,
        status=status,
        place=PLACE,
        form=form,
        working=first.working or marks.working,
        first=first.answer,
        span=_span(reader, first.answer) if first.answer else "",
        problem=first.problem or marks.problem,
        mapped="messages" in site.workspace.config.tables,
        marks=marks.answer,
        marks_line=marks.answer.line(reader.lang) if marks.answer else "",
        purposes=[
            _group_row(reader, group) for group in (marks.answer.of("purpose") if marks.answer else ())
        ],
        campaigns=[_group_row(reader, group) for group in _by_worst(groups)[:SHOWN_GROUPS]],
        more=max(0, len(groups) - SHOWN_GROUPS),
        alarmed=site.workspace.alarmed_customers(now=site.now()),
    )


def _by_worst(groups: Sequence[MarkGroup]) -> list[MarkGroup]:
    return sorted(groups, key=lambda group: (group.share, -group.touches, group.name))


def _group_row(reader: Reader, group: MarkGroup) -> dict[str, Any]:
    return {
        "name": group_name(group, reader.lang),
        "share": reader.percent(group.share, 0),
        "interval": f"{between(group.low, group.high, reader.lang, digits=0)}",
        "touches": group.touches,
        "reviewers": group.reviewers,
        "alpha": reader.number(group.alpha, 2) if group.alpha == group.alpha else "",
        "welcome": reader.percent(group.welcome, 1) if group.welcome == group.welcome else "",
        "sent": group.sent,
    }


@router.post("/attention/customers")
def search(request: Request, sent: Sent) -> Response:
    """The id travels in the form and never in an address."""
    site, reader = site_of(request), reader_of(request)
    given = text_of(sent, "customer")
    form = Form(values={"customer": ""})
    if not given:
        form.errors["customer"] = str(reader._("Give an id or a pseudonym."))
        return _customers(request, form, 400)
    try:
        pseudonym = site.workspace.find_customer(given, now=site.now())
    except NotFound:
        form.errors["customer"] = str(
            reader._(
                "The ledger holds nothing of this customer. Check the id; new messages come with attention sync."
            )
        )
        return _customers(request, form, 404)
    return done(f"/attention/customers/{pseudonym}")


@router.get("/attention/customers/first-days")
def first_days(request: Request) -> Response:
    reader = reader_of(request)
    lang = "ru" if reader.lang == "ru" else "en"
    beside = _first_days(request)
    found = beside.answer
    return page(
        request,
        "attention_first_days.html",
        reader,
        place=PLACE,
        working=beside.working,
        problem=beside.problem,
        mapped="messages" in site_of(request).workspace.config.tables,
        found=found,
        span=_span(reader, found) if found else "",
        weeks=[(week_days(week.week, found.days), week) for week in found.found.weeks] if found else [],
        rows=_programme_rows(reader, found) if found else [],
        sold=_sold(reader, found) if found else Markup(""),
        least=_least(reader, found) if found else [],
        why_words=lambda code: replay_words(lang, code),
    )


@router.get("/attention/customers/{pseudonym}")
def customer(request: Request, pseudonym: str) -> Response:
    return _customer(request, pseudonym, {})


def _customer(request: Request, pseudonym: str, errors: dict[str, str], status: int = 200) -> Response:
    site, reader = site_of(request), reader_of(request)
    given = request.query_params.get("at", "")
    known = "today" if request.query_params.get("known") == "today" else "then"
    problem = ""
    moment: datetime | None = None
    try:
        moment = datetime.fromisoformat(given) if given else None
    except ValueError:
        problem = str(
            reader._("“{given}” is no time; a time such as 2026-11-26T18:00 was expected.", given=given[:40])
        )
    try:
        view = site.workspace.customer_view(pseudonym, now=site.now(), at=moment, known=known)
    except BadInput:
        problem = str(reader._("That time lies in the future: what will lie there then is not known."))
        view = site.workspace.customer_view(pseudonym, now=site.now(), known=known)
    person = known_person(request)
    local = view.at.astimezone(view.zone)
    shade, mailbox, gone = (
        [_slip(reader, view, lying, person) for lying in listed]
        for listed in (view.shade, view.mailbox, view.gone)
    )
    # The axis begins where there is anything to draw.
    starts = [entry.course.points[0].at for entry in view.channels if entry.course.points]
    since = min([*starts, view.at - DRAWN_LEAST])
    top = ceiling_of(point for entry in view.channels for point in entry.course.points)
    return page(
        request,
        "attention_customer.html",
        reader,
        status=400 if problem else status,
        place=PLACE,
        view=view,
        title=_finding(reader, view),
        problem=problem,
        clock=f"{local:%H:%M}",
        today_words=reader.day_long(local.date()),
        at_value=f"{local:%Y-%m-%dT%H:%M}",
        zone=locale.zone_name(view.zone, reader.lang),
        strip=_strip(reader, view, known),
        steps=_steps(view, known),
        shade=shade,
        mailbox=mailbox,
        gone=gone,
        credits=[_credit_row(reader, view, entry, since, top) for entry in view.channels],
        since=since,
        sign=_sign(reader, view),
        consents=_consents(reader, view),
        preferences=[
            (tell(reader.lang, f"preference.{name}"), preference_text(reader.lang, name, value))
            for name, value in view.preferences.items()
        ],
        known_then=known == "then",
        other_known=_link(view, local, "then" if known == "today" else "today"),
        form=Form(values={"by": person}, errors=errors),
        back=_link(view, local, known),
    )


def _link(view: CustomerView, local: datetime, known: str) -> str:
    asked = {"at": f"{local:%Y-%m-%dT%H:%M}"} | ({"known": known} if known == "today" else {})
    return f"/attention/customers/{view.customer}?{urlencode(asked)}"


def _finding(reader: Reader, view: CustomerView) -> str:
    unread = str(
        reader._n(
            "{n:int} message lies there that he has not looked at",
            "{n:int} messages lie there that he has not looked at",
            view.unread,
        )
    )
    if not view.unread:
        unread = str(reader._("Nothing lies there that he has not looked at"))
    return unread


def _sign(reader: Reader, view: CustomerView) -> str:
    if view.sign is None:
        return str(reader._("He has never opened, clicked or answered anything."))
    days = sign_days(view)
    when = (
        str(reader._n("{n:int} day ago", "{n:int} days ago", days))
        if days
        else str(reader._("less than a day ago"))
    )
    later = view.sign.messages_since
    since = (
        str(reader._n("{n:int} message since", "{n:int} messages since", later))
        if later
        else str(reader._("nothing since"))
    )
    kind = tell(reader.lang, f"seen.{view.sign.kind}")
    told = f"{when} ({kind}, {view.sign.channel}); {since}"
    return str(reader._("last sign of life {told}", told=told))


def _strip(reader: Reader, view: CustomerView, known: str) -> list[DayCell]:
    """Days around the moment, each a link to the same hour of that day."""
    local = view.at.astimezone(view.zone)
    by_day = {entry.day: entry for entry in view.days}
    last = max([entry.day for entry in view.days], default=local.date())
    end = min(local.date() + timedelta(days=AFTER), max(last, local.date()))
    days = [end - timedelta(days=number) for number in range(BEFORE + AFTER, -1, -1)]
    tallest = max([TALLEST, *(by_day[day].count for day in days if day in by_day)])
    cells: list[DayCell] = []
    for number, day in enumerate(days):
        entry = by_day.get(day)
        count, broken = (entry.count, entry.broken) if entry else (0, 0)
        tall = round(28 * count / tallest, 1)
        bar = Markup(
            f'<svg viewBox="0 0 10 28" preserveAspectRatio="none" aria-hidden="true"><rect x="1" width="8" y="{28 - tall}" '
            f'height="{tall}"/></svg>'
        )
        words = str(reader._n("{n:int} message", "{n:int} messages", count))
        if broken:
            words += "; " + str(reader._("a promise broken"))
        cells.append(
            DayCell(
                day=day,
                href=_link(view, datetime.combine(day, local.time()), known),
                count=count,
                broken=broken,
                current=day == local.date(),
                month=reader.short(day) if not number or day.day == 1 else "",
                bar=bar,
                words=f"{reader.day(day)}: {words}",
            )
        )
    return cells


def _steps(view: CustomerView, known: str) -> dict[str, str]:
    """Links one day back and forth, and to the next and the previous day on which a message came."""
    local = view.at.astimezone(view.zone)
    came = [entry.day for entry in view.days if entry.count]
    before = [day for day in came if day < local.date()]
    after = [day for day in came if day > local.date()]

    def link(day: date) -> str:
        return _link(view, datetime.combine(day, local.time()), known)

    steps = {"day-before": link(local.date() - timedelta(days=1))}
    if after:
        steps["day-after"] = link(local.date() + timedelta(days=1))
        steps["next"] = link(after[0])
    if before:
        steps["previous"] = link(before[-1])
    return steps


def _slip(reader: Reader, view: CustomerView, lying: Lying, person: str) -> Slip:
    came = lying.came
    clock = f"{lying.local:%H:%M}"
    if lying.local.date() != view.at.astimezone(view.zone).date():
        clock = f"{reader.short(lying.local.date())}, {clock}"
    decision = ""
    if came.decision is not None:
        rule = rule_words(reader.lang, came.decision.rule)
        decision = (
            str(reader._("allowed by version {n} of the rules", n=came.decision.policy))
            if came.decision.allowed
            else str(reader._("refused ({rule}) and sent all the same", rule=rule))
        )
    texts = {entry.promise.name: entry.promise.text for entry in view.promises}
    return Slip(
        lying=lying,
        clock=clock,
        sender=sender_words(lying),
        purpose=tell(reader.lang, f"purpose.{came.purpose}"),
        read="" if lying.unread else tell(reader.lang, f"seen.{came.seen_by}"),
        decision=decision,
        broke=tuple(texts.get(name, name) or name for name in lying.broke),
        own=next((mark.mark for mark in lying.marks if mark.reviewer == person), ""),
        marks=tuple(
            (mark.reviewer, tell(reader.lang, f"mark.{mark.mark}"), mark.note) for mark in lying.marks
        ),
    )


def _credit_row(
    reader: Reader, view: CustomerView, entry: ChannelThen, since: datetime, top: float
) -> CreditRow:
    from primeta.attention.credit_words import tell as credit_words

    credit = entry.credit
    broken = [breach.at for breach in view.breaches if breach.channel in ("", entry.channel)]
    value, interval = reader.percent(credit.value), between(credit.low, credit.high, reader.lang)
    plot = None
    if len(entry.course.points) > 1:
        label = str(
            reader._(
                "Credit on {channel} from {first:date} to {last:date}: at the end {value}, 95% interval {interval}",
                channel=entry.channel,
                first=since.date(),
                last=view.at.date(),
                value=value,
                interval=interval,
            )
        )
        plot = course_picture(
            entry.course.points, first=since, last=view.at, top=top, broken=broken, label=label
        )
    opted_out = credit.why_not == "opted-out"
    return CreditRow(
        channel=entry.channel,
        value=value,
        interval=interval,
        level=credit_words(reader.lang, "opted-out" if opted_out else f"level.{credit.level}"),
        plot=plot,
        top=reader.percent(top, 0),
    )


def _consents(reader: Reader, view: CustomerView) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for entry in view.consents:
        name = tell(reader.lang, f"processing.{entry.processing}")
        if entry.channel:
            name = f"{name}, {entry.channel}"
        mark = entry.standing.mark
        since = reader.day(mark.at) if mark is not None and mark.at.year > 1 else ""
        rows.append((name, tell(reader.lang, f"consent.{entry.standing.state}"), since))
    return rows


@router.post("/attention/customers/{pseudonym}/marks")
def mark(request: Request, pseudonym: str, sent: Sent) -> Response:
    """One click on one message; the buttons carry the mark and the message."""
    site, reader = site_of(request), reader_of(request)
    form = Form.given(sent, ("by", "at", "known", "mark"))
    code, _, message_id = form.values["mark"].partition(":")
    by = form.values["by"]
    asked = {name: form.values[name] for name in ("at", "known") if form.values[name]}
    back = f"/attention/customers/{pseudonym}" + (f"?{urlencode(asked)}" if asked else "")
    if not by:
        return _customer(request, pseudonym, {"by": str(reader._("Say who you are."))}, 400)
    if not message_id:
        return done(f"{back}#marks", person=by)
    site.workspace.mark_touch(
        pseudonym,
        message_id,
        code if code in MARK_CODES else "",
        by=by,
        now=site.now(),
        note=text_of(sent, f"note:{message_id}"),
    )
    return done(f"{back}#{_anchor(message_id)}", "done.touch-mark", person=by)


def _anchor(message_id: str) -> str:
    return "m-" + "".join(letter if letter.isalnum() else "-" for letter in message_id)[:80]


# First days


def _first_days(request: Request) -> Beside[FirstDays]:
    site = site_of(request)
    now = site.now()
    facts = load_facts(site.workspace.folder / "facts")
    if "messages" not in site.workspace.config.tables:
        return Beside()
    answers: Answers[FirstDays] = request.app.state.first_days
    return answers.ask(facts.version if facts else "", lambda: site.workspace.first_days(now=now))


def _marks(request: Request) -> Beside[TouchMarks]:
    site = site_of(request)
    now = site.now()
    facts = load_facts(site.workspace.folder / "facts")
    answers: Answers[TouchMarks] = request.app.state.touch_marks
    question = (facts.version if facts else "", site.workspace.marks_version())
    return answers.ask(question, lambda: site.workspace.touch_marks(now=now))


def _span(reader: Reader, found: FirstDays) -> str:
    """`1–31 May 2025`."""
    return f"{reader.span(found.registered_from, found.registered_to)} {found.registered_to.year}"


def _programme_rows(reader: Reader, found: FirstDays) -> list[dict[str, Any]]:
    """Each programme with its days as a row of bars, on one scale."""
    top = max((max(entry.by_day) for entry in found.found.programmes), default=0.0) or 1.0
    return [
        {
            "name": entry.programme or str(reader._("no name")),
            "reached": reader.percent(entry.reached, 0),
            "first": reader.number(entry.first_day, 0),
            "mean": reader.number(entry.per_customer, 2),
            "selling": reader.percent(entry.selling, 0),
            "bars": _bars(
                entry.by_day,
                top,
                str(reader._("messages a customer by day, from the first to the last")),
            ),
        }
        for entry in found.found.programmes
    ]


def _bars(values: Sequence[float], top: float, label: str) -> Markup:
    rects = "".join(
        f'<rect x="{10 * place + 1}" width="8" y="{40 - round(40 * value / top, 1)}" height="{round(40 * value / top, 1)}"/>'
        for place, value in enumerate(values)
    )
    return Markup(
        f'<svg class="day-bars" viewBox="0 0 {10 * len(values)} 40" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{rects}</svg>'
    )


def _sold(reader: Reader, found: FirstDays) -> Markup:
    label = str(
        reader._(
            "share who had received a message that sells, by day; on the last day {share}",
            share=reader.percent(found.found.sold_by_day[-1], 0),
        )
    )
    return _bars(found.found.sold_by_day, 1.0, label)


def _least(reader: Reader, found: FirstDays) -> list[tuple[str, str, Markup]]:
    rows: list[tuple[str, str, Markup]] = []
    for n, share in found.found.at_least.items():
        bar = Markup(
            '<svg class="share-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect width="100" height="8" class="rail"/><rect width="{round(100 * share, 1)}" height="8"/></svg>'
        )
        rows.append((str(reader._n("{n:int} or more", "{n:int} or more", n)), reader.percent(share, 0), bar))
    return rows
