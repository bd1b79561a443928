"""Sentences of a card: its money, where its inputs come from, its history."""

from __future__ import annotations

import math

from markupsafe import Markup

from primeta.show import locale
from primeta.show.locale import Figure
from primeta.trends.records import DECOMPOSITION, Event, Input, Trend, Weighing
from primeta.web.reader import Reader

GUESSES = ("adoption", "effect", "cost", "compliance")
"""Inputs that a person may guess, in the order of the form."""


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
    name = reader.metric_name(about)
    # A topic has no slice: it is of all texts.
    return name if code == "texts" else f"{name}, {reader.slice_name(code)}"


def _field_word(name: str) -> str:
    prefix = "part." if name in DECOMPOSITION else "input." if name in GUESSES else "field."
    return "field.type" if name == "type" else prefix + name
