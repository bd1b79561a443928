"""Editing a card: the form, two people at once, guesses."""

from __future__ import annotations

import math
from typing import Any

from fastapi import APIRouter, Request, Response

from primeta.errors import BadInput, Conflict
from primeta.trends.records import CARD_FIELDS, DECOMPOSITION, TREND_TYPES, Input, Trend
from primeta.web.card_words import GUESSES
from primeta.web.forms import Form
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of
from primeta.web.reader import Reader

router = APIRouter()
FIELDS = (*CARD_FIELDS, "type", *DECOMPOSITION, *GUESSES, "by", "version")


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


def _guess_text(given: Input) -> str:
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
    )


@router.post("/trends/{identity}/edit")
def edit(request: Request, identity: str, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    trend = site.workspace.trend(identity)
    form = Form.given(sent, FIELDS)
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
        for name in FIELDS
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
