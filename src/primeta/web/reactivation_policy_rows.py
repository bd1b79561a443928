"""The best moment, sequence or discount as the rows of its page: heading, rivals on one scale, points, segments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from primeta.reactivation.policy import words
from primeta.reactivation.policy.result import Action, PolicyResult
from primeta.show import locale
from primeta.show.interval import Scale, Verdict, scale_of, verdict_of
from primeta.web.reactivation_finding import length
from primeta.web.reactivation_pictures import rung_bar
from primeta.web.reader import Reader, capital

NAN = math.nan
NO_CONTACT = ("never", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing that could be done, in money per lapsed customer."""

    name: str
    part: str
    """Who it is for; empty: everybody."""
    figure: locale.Figure | None
    kind: str
    picture: Markup
    n: str = ""
    mark: str = ""
    """`chosen`, `may` (not told from the best), or nothing."""
    ahead: locale.Figure | None = None
    ahead_kind: str = ""
    returned: str = ""
    lost: str = ""
    why_not: str = ""
    again: bool = False
    """The part stands in the row above already."""


# The heading


def heading(reader: Reader, found: PolicyResult) -> str:
    """What to do, in a sentence."""
    _ = reader._
    if found.why_not:
        told = {
            "moment": _("The best day to write cannot be told."),
            "sequence": _("The best sequence cannot be told."),
            "discount": _("The best discount cannot be told."),
        }
        return str(told[found.kind])
    if found.kind == "moment":
        return _moment(reader, found.recommended)
    if found.kind == "sequence":
        if found.recommended in NO_CONTACT:
            return str(_("Do not write: no sequence earns more than it costs."))
        name = words.action("sequence", found.recommended, reader.lang)
        return str(_("Most was earned by: {name}.", name=name))
    return _discount(reader, found)


def _moment(reader: Reader, best: object) -> str:
    _ = reader._
    if best in NO_CONTACT or not isinstance(best, int | float):
        return str(_("Do not write: no day that was tried earns more than it costs."))
    if best == 0:
        return str(_("Write at once, on the day of the lapse."))
    if float(best).is_integer():
        return str(
            reader._n("Write {n:int} day after the lapse.", "Write {n:int} days after the lapse.", int(best))
        )
    return str(_("Write {days} days after the lapse.", days=reader.number(best, 1)))


def _discount(reader: Reader, found: PolicyResult) -> str:
    _ = reader._
    chosen = [choice.x for choice in found.choices]
    depths = sorted({float(x) for x in chosen if isinstance(x, int | float)})
    if not depths:
        return str(_("Do not write: no discount earns more than it costs."))
    if len(depths) == 1 and "none" not in chosen:
        if depths[0] == 0:
            return str(_("Write without a discount."))
        return str(_("Give {depth} off.", depth=reader.percent(depths[0])))
    span = {"low": reader.percent(depths[0]), "high": reader.percent(depths[-1])}
    if "none" in chosen and len(depths) == 1:
        return str(_("Give {high} off to some, and leave the others alone.", high=span["high"]))
    if "none" in chosen:
        return str(
            _("Discounts from {low} to {high}, by customer and day; some are better left alone.", **span)
        )
    return str(_("Discounts from {low} to {high}, by customer and by day since the lapse.", **span))


def lead(reader: Reader, found: PolicyResult) -> str:
    """What it is worth, what cannot be told from it, how much better anything could be."""
    _ = reader._
    if found.why_not:
        return capital(words.word(found.why_not, reader.lang)).rstrip(".") + "."
    parts = []
    days = length(reader, found.horizon)
    if found.recommended in NO_CONTACT:
        pass
    elif found.basis == "over-control":
        figure = reader.figure(found.value, "money", found.low, found.high, sign=True)
        parts.append(
            _(
                "{figure} per lapsed customer in {days}, against never writing.",
                figure=str(figure),
                days=days,
            )
        )
    else:
        figure = reader.figure(found.value, "money", found.low, found.high)
        parts.append(
            _("{figure} per lapsed customer in {days}, all orders together.", figure=str(figure), days=days)
        )
    parts += _alike(reader, found)
    if math.isfinite(found.regret_high):
        parts.append(
            _(
                "The best policy of all would bring at most {money} more, with {level} certainty.",
                money=reader.money(found.regret_high),
                level=reader.percent(found.level),
            )
        )
    return " ".join(str(part) for part in parts)


def _alike(reader: Reader, found: PolicyResult) -> list[object]:
    """What cannot be told from the best."""
    _ = reader._
    told: list[object] = []
    others = [x for x in found.best_set if x != found.recommended and x not in NO_CONTACT]
    if found.kind == "moment":
        low, high = found.recommended_low, found.recommended_high
        if isinstance(low, int | float) and isinstance(high, int | float) and low < high:
            told.append(
                _(
                    "Days from {low} to {high} cannot be told from it.",
                    low=reader.number(low),
                    high=reader.number(high),
                )
            )
    elif found.kind == "sequence" and others:
        told.append(
            reader._n(
                "{n:int} other sequence cannot be told from it.",
                "{n:int} other sequences cannot be told from it.",
                len(others),
            )
        )
    if found.recommended not in NO_CONTACT and any(x in NO_CONTACT for x in found.best_set):
        told.append(_("Nor can it be told from not writing at all."))
    return told


# Rows


def option_rows(reader: Reader, found: PolicyResult) -> tuple[list[Option], Scale]:
    """The recommendation first, then what is simpler, on one scale."""
    if found.why_not:
        return [], scale_of([])
    ends = [found.value, found.low, found.high]
    ends += [end for rival in found.rivals for end in (rival.value, rival.low, rival.high)]
    scale = scale_of([end for end in ends if math.isfinite(end)])
    name = {
        "moment": lambda: action(reader, found, found.recommended),
        "sequence": lambda: action(reader, found, found.recommended),
        "discount": lambda: str(reader._("The discounts below")),
    }[found.kind]()
    rows = [_option(reader, found, name, found.value, found.low, found.high, scale, mark="chosen")]
    rivals = found.rivals
    if found.kind == "sequence":
        # Every other sequence is a rival: the best come first.
        rivals = tuple(sorted(rivals, key=lambda rival: -rival.value))
    for rival in rivals:
        if rival.x == found.recommended and rival.x is not None:
            continue
        figure = reader.figure(rival.ahead, "money", rival.ahead_low, rival.ahead_high, sign=True)
        verdict = verdict_of(rival.ahead_low, rival.ahead_high)
        row = _option(
            reader,
            found,
            capital(words.rival(found.kind, rival.name, rival.x, reader.lang))
            + _day(reader, found, rival.x, rival.name),
            rival.value,
            rival.low,
            rival.high,
            scale,
            ahead=figure if math.isfinite(rival.ahead) else None,
            ahead_kind="" if verdict == "unsure" else verdict,
        )
        rows.append(row)
    return rows, scale


def _day(reader: Reader, found: PolicyResult, x: Action, name: str) -> str:
    """Which day a rival such as `the latest tried` is."""
    if found.kind == "moment" and isinstance(x, int | float) and name != "at-once":
        return f", {reader._('day {n}', n=reader.number(x))}"
    return ""


def action(reader: Reader, found: PolicyResult, x: object) -> str:
    """What is done, as the first word of a row."""
    if found.kind == "moment" and isinstance(x, int | float):
        return capital(str(reader._("day {n}", n=reader.number(x))))
    if found.kind == "discount" and x == 0:
        return str(reader._("A message without a discount"))
    return capital(words.action(found.kind, x, reader.lang))


def _option(
    reader: Reader,
    found: PolicyResult,
    name: str,
    value: float,
    low: float,
    high: float,
    scale: Scale,
    **more: object,
) -> Option:
    over = found.basis == "over-control"
    known = math.isfinite(value)
    figure = reader.figure(value, "money", low, high, sign=over) if known else None
    if known and value == low == high == 0:
        # No contact against no contact: nothing is measured there.
        figure, known = locale.Figure(text="0"), False
    verdict: Verdict = verdict_of(low, high) if over else "unsure"
    return Option(
        name=name,
        part=str(more.pop("part", "")),
        figure=figure,
        kind="" if verdict == "unsure" else verdict,
        picture=rung_bar(value, low, high, scale=scale, basis="measured" if known else "", verdict=verdict),
        **more,  # pyright: ignore[reportArgumentType]
    )


def point_rows(reader: Reader, found: PolicyResult, *, parts: bool) -> tuple[list[Option], Scale]:
    """What was tried, in all customers, or part by part: by day since the lapse, by segment."""
    tried = [point for point in found.curve if point.tried and (point.by is not None) == parts]
    ends = [end for point in tried for end in (point.value, point.low, point.high) if math.isfinite(end)]
    scale = scale_of(ends)
    chosen = {choice.by: choice.x for choice in found.choices}
    rows: list[Option] = []
    before: object = object()
    for point in tried:
        best = chosen.get(point.by) if found.kind == "discount" else found.recommended
        chooses = point.x == best and not point.why_not and (found.kind != "discount" or point.by in chosen)
        mark = "chosen" if chooses else ("may" if point.best else "")
        rows.append(
            _option(
                reader,
                found,
                action(reader, found, point.x),
                point.value,
                point.low,
                point.high,
                scale,
                part=part(reader, point.by),
                n=reader.number(point.n),
                mark=mark,
                returned=_share(reader, point.returned),
                lost=_share(reader, point.lost),
                why_not=capital(words.word(point.why_not, reader.lang)) if point.why_not else "",
                again=point.by == before,
            )
        )
        before = point.by
    return rows, scale


def part(reader: Reader, by: object) -> str:
    """Whom a row is about: `Day 7, loyal`."""
    if by is None:
        return ""
    pieces = []
    for piece in str(by).split(" / "):
        try:
            pieces.append(str(reader._("day {n}", n=reader.number(float(piece)))))
        except ValueError:
            pieces.append(piece)
    return capital(", ".join(pieces))


def _share(reader: Reader, value: float) -> str:
    return reader.percent(value, 1) if math.isfinite(value) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the discount policy does in one part of the customers."""

    part: str
    action: str
    share: str
    value: str
    cost: str


def choice_rows(reader: Reader, found: PolicyResult) -> list[Choice]:
    return [
        Choice(
            part=part(reader, choice.by) or str(reader._("everybody")),
            action=words.action("discount", choice.x, reader.lang),
            share=reader.percent(choice.share),
            value=reader.money(choice.value, sign=True),
            cost=reader.money(choice.cost, sign=True),
        )
        for choice in found.choices
    ]


def segment_rows(reader: Reader, found: PolicyResult) -> tuple[list[Option], Scale]:
    """The recommendation for each value of `by`."""
    ends = [end for row in found.segments for end in (row.value, row.low, row.high) if math.isfinite(end)]
    scale = scale_of(ends)
    rows = []
    for row in found.segments:
        name = "" if row.why_not else action(reader, found, row.recommended)
        option = _option(
            reader, found, name, row.value, row.low, row.high, scale, part=row.by, n=reader.number(row.n),
            why_not=capital(words.word(row.why_not, reader.lang)) if row.why_not else "",
        )  # fmt: skip
        rows.append(option)
    return rows, scale


def remarks(reader: Reader, found: PolicyResult) -> Sequence[str]:
    return found.remarks(reader.lang)
