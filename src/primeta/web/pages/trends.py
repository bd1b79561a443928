"""Trends: the board, the card, what people do with a card."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.errors import BadInput, Conflict, NotFound
from primeta.facts import Grain
from primeta.show import locale
from primeta.show.interval import Scale, verdict_of
from primeta.show.locale import Figure
from primeta.signals.signal import Signal
from primeta.trends.evidence import STRENGTH, strongest
from primeta.trends.records import (
    ANSWERS,
    CARD_FIELDS,
    DECOMPOSITION,
    TREND_TYPES,
    Event,
    Input,
    Scenario,
    Trend,
    Weighing,
)
from primeta.web.charts import drawn, picture_of
from primeta.web.evidence_grid import grid_of
from primeta.web.forms import Form
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of
from primeta.web.pages.signals import finding, specification
from primeta.web.reader import Reader
from primeta.workspace.people import names_a_number

router = APIRouter()
DECIDE_FIELDS = ("answer", "criteria", "due", "owner", "by", "reason")
GUESSES = ("adoption", "effect", "cost", "compliance")
EDIT_FIELDS = (*(name for name in CARD_FIELDS), "type", *DECOMPOSITION, *GUESSES, "by", "version")
LONG_FIELDS = ("description", "hypothesis", "experiment_plan", "resources", "risks", "criteria")
DUE_IN = timedelta(weeks=8)
MOST_SUGGESTED = 4


@router.get("/trends")
def board(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    found = sorted(
        site.workspace.trends(),
        key=lambda trend: (-STRENGTH[trend.evidence.grade], -_at_stake(trend), trend.card.name),
    )
    undecided = [trend for trend in found if trend.decision is None]
    columns = [("", [trend for trend in undecided if STRENGTH[trend.evidence.grade] >= STRENGTH["holding"]])]
    columns += [
        (answer, [trend for trend in found if trend.decision and trend.decision.answer == answer])
        for answer in ANSWERS
    ]
    early = [trend for trend in undecided if STRENGTH[trend.evidence.grade] < STRENGTH["holding"]]
    return page(
        request,
        "trends.html",
        reader,
        trends=found,
        columns=columns,
        early=early,
        money=lambda trend: _money(reader, trend),
    )


def _at_stake(trend: Trend) -> float:
    scenario = trend.weighing.scenario("money") if trend.weighing else None
    return abs(scenario.p50) if scenario and math.isfinite(scenario.p50) else -1.0


def _money(reader: Reader, trend: Trend):
    scenario = trend.weighing.scenario("money") if trend.weighing else None
    if scenario is None or not math.isfinite(scenario.p50):
        return None
    return reader.figure(scenario.p50, "money", scenario.p10, scenario.p90, sign=True)


@router.get("/trends/new")
def new_form(request: Request) -> Response:
    values = {
        "type": "behavioural",
        "by": person_of(request),
        "signals": request.query_params.get("signal", ""),
    }
    return page(request, "trend_new.html", form=Form(values=values), types=TREND_TYPES)


@router.post("/trends/new")
def new(request: Request, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    form = Form.given(sent, ("name", "type", "by", "signals"))
    form.require(
        {
            "name": str(reader._("Give it a name: what is changing, in a few words.")),
            "by": str(reader._("Say who you are.")),
        }
    )
    form.one_of("type", TREND_TYPES, str(reader._("Choose a type.")))
    if form.ok:
        try:
            trend = site.workspace.new_trend(
                name=form.values["name"],
                type=form.values["type"],  # pyright: ignore[reportArgumentType]
                signals=[form.values["signals"]] if form.values["signals"] else [],
                by=form.values["by"],
                now=site.now(),
            )
            return done(f"/trends/{trend.id}", "done.trend", person=form.values["by"], name=trend.card.name)
        except (BadInput, NotFound) as error:
            form.problem, form.detail = str(reader._("This was not saved")), str(error)
    return page(request, "trend_new.html", reader, status=400, form=form, types=TREND_TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRow:
    """One outcome of the scenarios with its own scale; zero stands at the same place in all rows."""

    scenario: Scenario
    scale: Scale
    verdict: str


@router.get("/trends/{identity}")
def card(request: Request, identity: str) -> Response:
    trend = site_of(request).workspace.trend(identity)
    return _card(request, reader_of(request), trend, _decision_form(request, trend))


def _decision_form(request: Request, trend: Trend) -> Form:
    site = site_of(request)
    today = site.workspace.day(site.now())
    return Form(
        values={
            "answer": "",
            "criteria": trend.card.criteria,
            "due": (trend.card.review or today + DUE_IN).isoformat(),
            "owner": trend.card.owner or person_of(request),
            "by": person_of(request),
            "reason": "",
        }
    )


def _card(
    request: Request, reader: Reader, trend: Trend, form: Form, attach: Form | None = None, status: int = 200
) -> Response:
    site = site_of(request)
    signs = _signs(request, trend)
    signals = [entry for entry in signs if isinstance(entry, Signal)]
    lead = strongest(signals)
    matters = lead.frozen.smallest_effect if lead else math.nan
    evidence = trend.evidence
    counted: dict[Grain, tuple[int, int]] = {
        "week": evidence.weeks,
        "month": evidence.months,
        "quarter": evidence.quarters,
    }
    names = {view.name: view.label_in(reader.lang) for view in reader.metrics.values()}
    suggested = []
    for entry in site.workspace.suggestions(trend.id):
        try:
            suggested.append((entry, site.workspace.sign(entry.signal_id)))
        except NotFound:
            continue
    return page(
        request,
        "trend.html",
        reader,
        status=status,
        trend=trend,
        card=trend.card,
        signs=signs,
        matters=matters,
        grid=grid_of(reader, evidence.origins, counted=counted, matters=matters)
        if evidence.origins
        else None,  # pyright: ignore[reportArgumentType]
        picture=_picture(request, reader, lead),
        rows=_scenario_rows(trend),
        form=form,
        attach=attach or Form(values={"by": person_of(request)}),
        suggested=suggested,
        most_suggested=MOST_SUGGESTED,
        missing=set(trend.card.missing()),
        metric_names=names,
        answers=ANSWERS,
        field_names=CARD_FIELDS,
        parts=DECOMPOSITION,
        names_a_number=names_a_number,
        none_number=math.nan,
        money_say=lambda weighing: money_say(reader, weighing),
        input_note=lambda given, figure: input_note(reader, given, figure),
        edit_link=lambda trend: edit_link(reader, trend),
        told=lambda event: told(reader, event),
        signal_title=lambda entry: finding(reader, entry) if isinstance(entry, Signal) else entry.subject,
    )


def edit_link(reader: Reader, trend: Trend) -> Markup:
    return Markup('<a href="/trends/{}/edit">{}</a>').format(trend.id, reader._("Edit"))


def money_say(reader: Reader, weighing: Weighing) -> str:
    """The scenario of money in a sentence, with the chance of losing."""
    money = weighing.scenario("money")
    if money is None:
        return ""
    middle = locale.figure(
        money.p50,
        reader.lang,
        unit="money",
        low=money.p10,
        high=money.p90,
        currency=reader.currency,
        sign=True,
    ).text
    first = reader._("Most likely about {x} a year.", x=middle)
    chance = weighing.chance_of_loss
    if not math.isfinite(chance):
        return str(first)
    if chance < 0.01:
        second = reader._("A loss is hardly possible.")
    elif chance > 0.99:
        second = reader._("A loss is all but certain.")
    elif chance < 0.45:
        second = reader._("One chance in {n} of losing money.", n=round(1 / chance))
    else:
        second = reader._("The chance of losing money is {x:share}.", x=round(chance, 2))
    return f"{first} {second}"


def input_note(reader: Reader, given: Input, figure: Figure) -> str:
    """`20 to 50, a guess: Anna Kim, 9 Nov`; where an input comes from."""
    parts = [figure.interval] if figure.interval else []
    if not figure.known and given.basis == "guess":
        return str(reader._("nobody has guessed it yet"))
    basis = reader.word(given.basis)
    by = reader.metric_name(given.by) if given.by in reader.metrics else given.by
    parts.append(f"{basis}: {by}" if by else basis)
    if given.at:
        parts.append(reader.short(given.at))
    return ", ".join(parts)


def told(reader: Reader, event: Event) -> str:
    """One line of the history that is neither a grade nor a decision."""
    if event.kind == "card":
        names = [reader.word(_field_word(name)) for name in event.what.get("fields", ())]  # pyright: ignore[reportGeneralTypeIssues]
        return str(reader._("Card changed: {names}", names=reader.listed(names)))
    if event.kind == "signal":
        what = _sign_name(reader, event)
        if event.what.get("state") == "refused":
            return str(reader._("Taken out: {what}", what=what))
        return str(reader._("Sign attached: {what}", what=what))
    if event.kind == "new":
        return str(reader._("Trend begun"))
    return reader.t(f"event.{event.kind}", event.what)


def _sign_name(reader: Reader, event: Event) -> str:
    """What was attached: a metric with its slice, or a note's subject."""
    about, code = str(event.what.get("about", "")), str(event.what.get("slice", ""))
    if not about:
        what = str(event.what.get("what", ""))
        about, dot, code = what.partition(" · ")
        if not dot or about not in reader.metrics:
            return what
    return f"{reader.metric_name(about)}, {reader.slice_name(code)}"


def _field_word(name: str) -> str:
    prefix = "part." if name in DECOMPOSITION else "input." if name in GUESSES else "field."
    return "field.type" if name == "type" else prefix + name


def _signs(request: Request, trend: Trend) -> list[Any]:
    workspace = site_of(request).workspace
    by_id = {entry.id: entry for entry in (*workspace.signals(), *workspace.notes())}
    return [by_id[identity] for identity in trend.signals if identity in by_id]


def _picture(request: Request, reader: Reader, lead: Signal | None):
    if lead is None:
        return None
    try:
        view = site_of(request).workspace.signal_series(lead.id)
    except NotFound:
        return None
    return drawn(picture_of(reader, view, title=finding(reader, lead)))


def _scenario_rows(trend: Trend) -> list[ScenarioRow]:
    """Rows whose zeros are aligned: each scale is stretched around the same place of zero."""
    if trend.weighing is None:
        return []
    known = [entry for entry in trend.weighing.scenarios if math.isfinite(entry.p50)]
    shares = [
        (max(-min(entry.p10, 0.0), 0.0) / reach, max(entry.p90, 0.0) / reach)
        for entry in known
        if (reach := max(abs(entry.p10), abs(entry.p90))) > 0
    ]
    left, right = max([0.1, *(pair[0] for pair in shares)]), max([0.1, *(pair[1] for pair in shares)])
    rows = []
    for entry in trend.weighing.scenarios:
        reach = max(abs(entry.p10), abs(entry.p90)) if math.isfinite(entry.p50) else 1.0
        reach = (reach or 1.0) * 1.08
        rows.append(
            ScenarioRow(
                scenario=entry,
                scale=Scale(-left * reach, right * reach, ()),
                verdict=verdict_of(entry.p10, entry.p90),
            )
        )
    return rows


@router.get("/trends/{identity}/chart")
def card_chart(request: Request, identity: str) -> Response:
    """The specification of the card's chart, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    trend = site.workspace.trend(identity)
    lead = strongest([entry for entry in _signs(request, trend) if isinstance(entry, Signal)])
    if lead is None:
        raise NotFound(f"{trend.card.name} has no chart: no metric has seen it")
    view = site.workspace.signal_series(lead.id)
    return specification(request, picture_of(reader, view, title=finding(reader, lead)))


@router.post("/trends/{identity}/decide")
def decide(request: Request, identity: str, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    trend = site.workspace.trend(identity)
    form = Form.given(sent, DECIDE_FIELDS)
    form.one_of("answer", ANSWERS, str(reader._("Choose one of the four answers.")))
    form.require(
        {
            "criteria": str(reader._("Write what must be seen by that day to call it a success.")),
            "owner": str(reader._("Name who answers for it.")),
            "by": str(reader._("Say who you are.")),
        }
    )
    due = form.day("due", str(reader._("Name the day on which it is judged.")))
    if due and due <= site.workspace.day(site.now()):
        form.errors["due"] = str(reader._("This day has passed; name one ahead."))
    answer = form.values["answer"]
    if (
        form.values["criteria"]
        and answer in ("experiment", "observe")
        and not names_a_number(form.values["criteria"])
    ):
        form.errors["criteria"] = str(reader._("How much? Name a number, or nobody can judge it on the day."))
    if answer == "reject" and not form.values["reason"]:
        form.errors["reason"] = str(reader._("Write why, so that it is not reopened."))
    if not form.ok or due is None:
        return _card(request, reader, trend, form, status=400)
    site.workspace.decide(
        trend.id,
        answer=answer,  # pyright: ignore[reportArgumentType]
        criteria=form.values["criteria"],
        due=due,
        owner=form.values["owner"],
        by=form.values["by"],
        now=site.now(),
        reason=form.values["reason"],
    )
    return done(
        f"/trends/{trend.id}",
        "done.decided",
        person=form.values["by"],
        answer=answer,
        due=due.isoformat(),
    )


@router.post("/trends/{identity}/signals")
def change_signals(request: Request, identity: str, sent: Sent) -> Response:
    """Attach a suggested sign, or take one out; a refusal is remembered."""
    site, reader = site_of(request), reader_of(request)
    trend = site.workspace.trend(identity)
    form = Form.given(sent, ("by", "attach", "refuse"))
    form.require({"by": str(reader._("Say who you are."))})
    if not form.ok:
        return _card(request, reader, trend, _decision_form(request, trend), form, status=400)
    sign, refuse = (form.values["refuse"], True) if form.values["refuse"] else (form.values["attach"], False)
    site.workspace.attach(trend.id, sign, by=form.values["by"], now=site.now(), refuse=refuse)
    return done(
        f"/trends/{trend.id}",
        "done.refused" if refuse else "done.attached",
        person=form.values["by"],
        name=trend.card.name,
    )


@router.get("/trends/{identity}/edit")
def edit_form(request: Request, identity: str) -> Response:
    trend, reader = site_of(request).workspace.trend(identity), reader_of(request)
    return _edit_page(request, trend, Form(values={**_written(reader, trend), "by": person_of(request)}))


def _written(reader: Reader, trend: Trend) -> dict[str, str]:
    """A card as the texts of its form."""
    card = trend.card
    guesses = {entry.name: entry for entry in (trend.weighing.inputs if trend.weighing else ())}
    return {
        **{name: str(getattr(card, name) or "") for name in CARD_FIELDS},
        "metrics": "\n".join(reader.metric_name(name) for name in card.metrics),
        "review": card.review.isoformat() if card.review else "",
        "type": card.type,
        **{name: card.decomposition.get(name, "") for name in DECOMPOSITION},
        **{
            name: _guess_text(guesses[name]) if name in guesses and guesses[name].basis == "guess" else ""
            for name in GUESSES
        },
        "version": str(trend.version),
    }


def _guess_text(given) -> str:
    numbers = (given.low, given.value, given.high)
    if not all(math.isfinite(number) for number in numbers):
        return ""
    return f"{numbers[1]:g}" if numbers[0] == numbers[2] else ":".join(f"{number:g}" for number in numbers)


def _edit_page(
    request: Request, trend: Trend, form: Form, *, theirs: dict[str, str] | None = None, status: int = 200
) -> Response:
    return page(
        request,
        "trend_edit.html",
        status=status,
        trend=trend,
        form=form,
        theirs=theirs or {},
        types=TREND_TYPES,
        parts=DECOMPOSITION,
        guesses=GUESSES,
        long_fields=LONG_FIELDS,
    )


@router.post("/trends/{identity}/edit")
def edit(request: Request, identity: str, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    trend = site.workspace.trend(identity)
    form = Form.given(sent, EDIT_FIELDS)
    form.require(
        {
            "name": str(reader._("Give it a name: what is changing, in a few words.")),
            "by": str(reader._("Say who you are.")),
        }
    )
    if form.values["review"]:
        form.day("review", str(reader._("Name the day on which it is judged.")))
    if not form.ok:
        return _edit_page(request, trend, form, status=400)
    before = _written(reader, trend)
    changes: dict[str, Any] = {
        name: form.values[name]
        for name in EDIT_FIELDS
        if name not in ("by", "version")
        and form.values[name] != text_of_written(before[name])
        # A guess that is left empty is one that nobody made.
        and not (name in GUESSES and not form.values[name])
    }
    if "metrics" in changes:
        codes = {label.casefold(): name for name, label in reader.labels.items()}
        lines = [line.strip() for line in changes["metrics"].splitlines() if line.strip()]
        changes["metrics"] = [codes.get(line.casefold(), line) for line in lines]
    if not changes:
        return done(f"/trends/{trend.id}", "done.unchanged", person=form.values["by"])
    version = int(form.values["version"]) if form.values["version"].isdigit() else trend.version
    try:
        site.workspace.edit_card(
            trend.id, changes=changes, by=form.values["by"], now=site.now(), version=version
        )
    except Conflict:
        newer = site.workspace.trend(trend.id)
        theirs = {
            name: value for name, value in _written(reader, newer).items() if value != form.values.get(name)
        }
        form.values["version"] = str(newer.version)
        form.problem = str(reader._("Somebody saved this card while you were writing"))
        form.detail = str(
            reader._(
                "Your text is kept here. What stands in the card now is shown under each field that differs; "
                "save again to replace it."
            )
        )
        return _edit_page(request, newer, form, theirs=theirs, status=409)
    except BadInput as error:
        form.problem, form.detail = str(reader._("This was not saved")), str(error)
        for name in GUESSES:
            if str(error).startswith(f"{name}="):
                form.errors[name] = str(
                    reader._("One number, or three with colons: low, likely, high, such as 20%:35%:50%.")
                )
        return _edit_page(request, trend, form, status=400)
    return done(f"/trends/{trend.id}", "done.saved", person=form.values["by"], name=form.values["name"])


def text_of_written(text: str) -> str:
    """As a browser would send it back."""
    return text.replace("\r\n", "\n").strip()
