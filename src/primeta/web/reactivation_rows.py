"""A ladder as the rows of its page: arms with their letters, rungs on one scale, returners, traits, segments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from primeta.reactivation import ladder_sentences as sentences
from primeta.reactivation.ladder_words import MONEY, RUNGS, SHARES
from primeta.reactivation.records import Behaviour, Curve, LadderFacts, Returners, Rung
from primeta.show import locale
from primeta.show.interval import Scale, scale_of, verdict_of
from primeta.web.experiment_rows import COLOURED, LETTERS
from primeta.web.reactivation_finding import length, rung_of, treated
from primeta.web.reactivation_pictures import (
    Labelled,
    change_bar,
    curves_picture,
    needless_bar,
    returned_strip,
    rung_bar,
)
from primeta.web.reader import Reader

NAN = math.nan
ALIKE = 1.05
"""Arms whose sizes differ by less are shown in money over all their customers; others per customer assigned."""
WIDEST = 1.0
"""A trait's interval beyond this share of the control's figure is cut at the edge of its column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTag:
    """An arm as the page names it: a letter on its colour, its name, what it gets, how many."""

    name: str
    letter: str
    css: str
    """Class of its colour; empty for the control, which is grey."""
    n: int
    what: str = ""

    @property
    def is_control(self) -> bool:
        return not self.css


def tags_of(reader: Reader, facts: LadderFacts, what: Mapping[str, str] | None = None) -> dict[str, ArmTag]:
    """Every arm, the control first."""
    found: dict[str, ArmTag] = {}
    place = 0
    for arm, n in zip(facts.arms, facts.n, strict=True):
        control = arm == facts.campaign.control
        css = "" if control else (LETTERS[place] if place < COLOURED else "more")
        letter = str(reader._("C")) if control else LETTERS[place % len(LETTERS)].upper()
        found[arm] = ArmTag(name=arm, letter=letter, css=css, n=n, what=(what or {}).get(arm, ""))
        place += not control
    return found


def of_all(facts: LadderFacts) -> bool:
    """Whether money is told over all customers of an arm: the arms are alike in size, so bars can be compared."""
    sizes = [n for arm, n in zip(facts.arms, facts.n, strict=True) if arm != facts.campaign.control and n]
    return bool(sizes) and max(sizes) <= ALIKE * min(sizes)


# Rungs


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One arm on one rung."""

    tag: ArmTag
    figure: locale.Figure | None
    kind: str
    """`gain`, `loss` or nothing: colour of the figure."""
    note: str
    leads: str
    """`sure`, `unsure` or empty."""
    picture: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRow:
    """One rung of the page."""

    number: int
    title: str
    what: str
    lines: tuple[Line, ...]
    assumes: str
    away: str
    why_not: str

    @property
    def claimed(self) -> bool:
        return self.number < 2


def scale_for(facts: LadderFacts) -> Scale:
    """One scale of money for all rungs."""
    whole = of_all(facts)
    ends = [
        end * (rung.n if whole else 1)
        for rung in facts.rungs
        if not rung.segment
        for end in (rung.value_per_assigned, rung.low, rung.high)
        if math.isfinite(end)
    ]
    return scale_of(ends, ticks=6)


def rung_rows(
    reader: Reader,
    facts: LadderFacts,
    tags: Mapping[str, ArmTag],
    scale: Scale,
    why: Callable[[str], str],
) -> list[RungRow]:
    """The five rungs.

    Args:
        why: The words for why there is no answer.
    """
    return [
        RungRow(
            number=number,
            title=RUNGS[number][reader.lang],
            what=sentences.about(facts, number, reader.lang),
            lines=tuple(_line(reader, facts, tag, number, scale, why) for tag in tags.values()),
            assumes=sentences.assumes(facts, number, reader.lang) if _answered(facts, number) else "",
            away=_away(reader, facts, tags, number),
            why_not=_why_not(facts, number, why),
        )
        for number in range(5)
    ]


def _answered(facts: LadderFacts, number: int) -> bool:
    return any(rung_of(facts, number, arm) for arm in treated(facts))


def _why_not(facts: LadderFacts, number: int, why: Callable[[str], str]) -> str:
    codes = {
        rung.why_not for rung in facts.rungs if rung.rung == number and not rung.segment and rung.why_not
    }
    return " ".join(why(code) for code in sorted(codes))


def _line(
    reader: Reader,
    facts: LadderFacts,
    tag: ArmTag,
    number: int,
    scale: Scale,
    why: Callable[[str], str],
) -> Line:
    if tag.is_control:
        return _control_line(reader, facts, tag, number, scale)
    rung = rung_of(facts, number, tag.name)
    if rung is None:
        nothing = rung_bar(NAN, NAN, NAN, scale=scale, basis="")
        return Line(
            tag=tag, figure=None, kind="", note=str(reader._("cannot tell")), leads="", picture=nothing
        )
    factor = rung.n if of_all(facts) else 1
    value, low, high = (end * factor for end in (rung.value_per_assigned, rung.low, rung.high))
    figure = reader.figure(value, "money", low, high, sign=number > 1)
    verdict = verdict_of(low, high)
    basis = "claim" if number < 2 else ("model" if _modelled(rung) else "measured")
    note = str(reader._("claimed")) if number < 2 else ""
    leads = ""
    if facts.best.get(f"rung{number}") == tag.name and len(treated(facts)) > 1:
        leads = "sure" if facts.best_sure.get(f"rung{number}", number < 2) else "unsure"
    label = f"{tag.letter}: {figure}" + (f", {note}" if note else "")
    return Line(
        tag=tag,
        figure=figure,
        kind="" if verdict == "unsure" or number < 2 else verdict,
        note=note,
        leads=leads,
        picture=rung_bar(value, low, high, scale=scale, basis=basis, verdict=verdict, label=label),
    )


def _modelled(rung: Rung) -> bool:
    return rung.rung == 4 and math.isfinite(rung.modelled) and rung.modelled != 0


def _control_line(reader: Reader, facts: LadderFacts, tag: ArmTag, number: int, scale: Scale) -> Line:
    if number < 2:
        nothing = rung_bar(NAN, NAN, NAN, scale=scale, basis="")
        return Line(
            tag=tag, figure=None, kind="", note=str(reader._("not looked at")), leads="", picture=nothing
        )
    known = next(
        (
            rung
            for rung in facts.rungs
            if rung.rung == number and not rung.segment and math.isfinite(rung.control)
        ),
        None,
    )
    zero = rung_bar(0.0 if known else NAN, NAN, NAN, scale=scale, basis="")
    if known is None:
        return Line(tag=tag, figure=None, kind="", note=str(reader._("cannot tell")), leads="", picture=zero)
    figure = reader.figure(known.control, "money", known.control_low, known.control_high)
    note = reader._("each, unasked") if number == 2 else reader._("each")
    return Line(tag=tag, figure=figure, kind="", note=str(note), leads="", picture=zero)


def _away(reader: Reader, facts: LadderFacts, tags: Mapping[str, ArmTag], number: int) -> str:
    """How far each arm is from the rung below."""
    parts = []
    whole = of_all(facts)
    for tag in tags.values():
        rung = rung_of(facts, number, tag.name)
        if rung is None or not math.isfinite(rung.away) or not number:
            continue
        money = rung.away if whole else rung.away / max(rung.n, 1)
        parts.append(f"{tag.letter}{locale.NBSP}{reader.money(money, sign=True)}")
    if not parts:
        return ""
    return str(reader._("From rung {n}: {differences}", n=number - 1, differences=", ".join(parts)))


# Who came back


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One arm's share of all assigned who came back."""

    tag: ArmTag
    figure: locale.Figure
    note: str
    picture: Markup
    why_not: str = ""


def strips(
    reader: Reader, facts: LadderFacts, tags: Mapping[str, ArmTag], why: Callable[[str], str]
) -> list[Strip]:
    """The control's own returners, then the net share of each arm on top of them."""
    _ = reader._
    rows = [row for row in facts.returners if row.arm in tags and not row.segment]
    known = [row for row in rows if math.isfinite(row.self_share)]
    if not known:
        return []
    ends = [row.self_share + end for row in known for end in (0.0, row.induced_share, row.induced_high)]
    most = max(end for end in ends if math.isfinite(end)) * 1.08 or 1.0
    found = []
    control = tags.get(facts.campaign.control)
    if control is not None:
        row = known[0]
        own = locale.Figure(text=reader.percent(row.self_share))
        label = str(_("by themselves {share}", share=own.text))
        picture = returned_strip(row.self_share, NAN, NAN, NAN, most=most, css="", label=label)
        found.append(Strip(tag=control, figure=own, note=str(_("by themselves")), picture=picture))
    for row in rows:
        tag = tags[row.arm]
        if not math.isfinite(row.induced_share):
            blank = returned_strip(known[0].self_share, NAN, NAN, NAN, most=most, css="", label="")
            told = locale.Figure(text=str(_("cannot tell")), known=False)
            found.append(Strip(tag=tag, figure=told, note="", picture=blank, why_not=why(row.why_not)))
            continue
        figure = reader.figure(row.induced_share, "points", row.induced_low, row.induced_high, sign=True)
        label = str(
            _(
                "by themselves {own}, net {net}",
                own=reader.percent(row.self_share),
                net=str(figure),
            )
        )
        picture = returned_strip(
            row.self_share,
            row.induced_share,
            row.induced_low,
            row.induced_high,
            most=most,
            css=tag.css,
            label=label,
        )
        found.append(Strip(tag=tag, figure=figure, note="", picture=picture))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Needless:
    """The discount of one arm that went to who would have come anyway."""

    tag: ArmTag
    figure: locale.Figure
    total: str
    bounds: tuple[str, str]
    picture: Markup
    has_code: bool
    """Whether only discounts of the arm's own code are counted."""


def needless(reader: Reader, facts: LadderFacts, tags: Mapping[str, ArmTag]) -> list[Needless]:
    """Arms that gave discounts, the largest first."""
    rows = [
        row
        for row in facts.returners
        if row.arm in tags and not row.segment and math.isfinite(row.discount) and row.discount > 0
        if sentences.gives_discounts(facts, row.arm)
    ]
    rows.sort(key=lambda row: row.discount, reverse=True)
    return [
        _needless(reader, facts, row, tags[row.arm]) for row in rows if math.isfinite(row.needless_discount)
    ]


def _needless(reader: Reader, facts: LadderFacts, row: Returners, tag: ArmTag) -> Needless:
    figure = reader.figure(row.needless_discount, "money", row.needless_low, row.needless_high)
    low, high = (reader.money(end) for end in row.needless_bounds)
    total = reader.money(row.discount)
    label = str(
        reader._(
            "{figure} of {total}; without the assumption {low} to {high}",
            figure=str(figure),
            total=total,
            low=low,
            high=high,
        )
    )
    picture = needless_bar(
        row.needless_discount,
        row.needless_low,
        row.needless_high,
        bounds=row.needless_bounds,
        total=row.discount,
        label=label,
    )
    return Needless(
        tag=tag,
        figure=figure,
        total=total,
        bounds=(low, high),
        picture=picture,
        has_code=bool(facts.campaign.promo_codes.get(row.arm)),
    )


# Behaviour


def unit_of(metric: str) -> locale.Unit:
    """Shares are compared in points, everything else in its own unit."""
    if metric in SHARES:
        return "points"
    return "money" if metric in MONEY else "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One arm's difference on one trait."""

    tag: ArmTag
    figure: locale.Figure
    kind: str
    picture: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitRow:
    """One trait over all arms."""

    metric: str
    name: str
    control: str
    among_returned: bool
    arms: tuple[Trait, ...]


def trait_rows(
    reader: Reader, facts: LadderFacts, tags: Mapping[str, ArmTag], name_of: Callable[[str], str]
) -> tuple[list[TraitRow], Scale]:
    """Traits in the order of the facts, those without any figure left out; the scale is a share of the control's."""
    by_metric: dict[str, dict[str, Behaviour]] = {}
    for row in facts.behaviour:
        if row.arm in tags and not row.segment and math.isfinite(row.difference):
            by_metric.setdefault(row.metric, {})[row.arm] = row
    ends = [
        min(max(end / row.control, -WIDEST), WIDEST)
        for rows in by_metric.values()
        for row in rows.values()
        if row.control > 0
        for end in (row.low, row.high, row.difference)
        if math.isfinite(end)
    ]
    scale = scale_of(ends, ticks=4)
    found = []
    for metric, rows in by_metric.items():
        first = next(iter(rows.values()))
        unit = unit_of(metric)
        level = "share" if unit == "points" else unit
        control = reader.figure(
            first.control, level, first.control + first.low, first.control + first.high
        ).text
        traits = []
        for tag in tags.values():
            row = rows.get(tag.name)
            if tag.is_control:
                continue
            if row is None:
                told = locale.Figure(text=str(reader._("cannot tell")), known=False)
                traits.append(Trait(tag=tag, figure=told, kind="", picture=Markup("")))
                continue
            traits.append(_trait(reader, row, tag, scale, unit))
        found.append(
            TraitRow(
                metric=metric,
                name=name_of(metric),
                control=control,
                among_returned=first.basis == "returned",
                arms=tuple(traits),
            )
        )
    return found, scale


def _trait(reader: Reader, row: Behaviour, tag: ArmTag, scale: Scale, unit: locale.Unit) -> Trait:
    figure = reader.figure(row.difference, unit, row.low, row.high, sign=True)
    verdict = verdict_of(row.low, row.high, up_is_bad=row.good < 0)
    shown = verdict if row.good else ("unsure" if verdict == "unsure" else "moved")
    base = row.control if row.control > 0 else NAN
    picture = change_bar(
        row.difference / base,
        row.low / base,
        row.high / base,
        scale=scale,
        verdict=shown,  # pyright: ignore[reportArgumentType]
        label=f"{tag.letter}: {figure}",
    )
    return Trait(tag=tag, figure=figure, kind=shown if shown in ("gain", "loss") else "", picture=picture)


# Over time


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The chart of cumulative money."""

    title: str
    picture: Markup
    modelled: bool


def course_of(reader: Reader, facts: LadderFacts, tags: Mapping[str, ArmTag]) -> Course | None:
    """Cumulative money per assigned by arm; None where there is none to draw."""
    curves = [
        curve
        for curve in facts.curves
        if curve.measure == "money" and curve.arm in tags and len(curve.day) > 1
    ]
    curves = [curve for curve in curves if any(math.isfinite(value) for value in curve.difference.tolist())]
    if not curves:
        return None
    order = list(tags)
    curves.sort(key=lambda curve: order.index(curve.arm))
    labelled = [
        Labelled(
            curve=curve,
            css=tags[curve.arm].css,
            words=f"{tags[curve.arm].letter}, {curve.arm}",
            figure=reader.money(_at_last(curve), sign=True),
        )
        for curve in curves
    ]
    told = "; ".join(
        str(
            reader._(
                "{arm}: {money} after {time}",
                arm=curve.arm,
                money=reader.money(_at_last(curve), sign=True),
                time=length(reader, _last_seen(curve)),
            )
        )
        for curve in curves
    )
    picture = curves_picture(reader, labelled, description=told, zero_words=str(reader._("control = 0")))
    return Course(
        title=_course_title(reader, curves),
        picture=picture,
        modelled=any(bool(curve.modelled.any()) for curve in curves),
    )


def _seen(curve: Curve) -> list[tuple[int, float]]:
    return [
        (int(day), float(value))
        for day, value, modelled in zip(curve.day, curve.difference, curve.modelled, strict=True)
        if not modelled and math.isfinite(value)
    ]


def _at_last(curve: Curve) -> float:
    seen = _seen(curve)
    return seen[-1][1] if seen else NAN


def _last_seen(curve: Curve) -> int:
    seen = _seen(curve)
    return seen[-1][0] if seen else 0


def _course_title(reader: Reader, curves: Sequence[Curve]) -> str:
    """The finding of the chart: who overtakes whom for good, else where the best curve stands at last."""
    _ = reader._
    ranked = sorted(curves, key=_at_last, reverse=True)
    first = ranked[0]
    if len(ranked) > 1:
        day = _overtakes(first, ranked[1])
        if day:
            return str(
                _(
                    "“{first}” overtakes “{second}” in week {n} and stays ahead",
                    first=first.arm,
                    second=ranked[1].arm,
                    n=day // 7 + 1,
                )
            )
    return str(
        _(
            "After {time} “{arm}” stands at {money} a customer",
            time=length(reader, _last_seen(first)),
            arm=first.arm,
            money=reader.money(_at_last(first), sign=True),
        )
    )


def _overtakes(first: Curve, second: Curve) -> int:
    """The day from which the first curve stays above the second, where it was below it before; else 0."""
    other = dict(_seen(second))
    gaps = [(day, value - other[day]) for day, value in _seen(first) if day in other and day]
    below = [day for day, gap in gaps if gap < 0]
    if not below or not gaps or gaps[-1][1] <= 0:
        return 0
    return next((day for day, _ in gaps if day > below[-1]), 0)


# Segments


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """One arm in one segment on one rung."""

    segment: str
    tag: ArmTag
    n: str
    figure: locale.Figure | None
    kind: str
    picture: Markup
    why_not: str
    p: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRung:
    """What one rung tells of every segment."""

    rung: int
    rows: list[SegmentRow]
    scale: Scale


def segment_rungs(
    reader: Reader, facts: LadderFacts, tags: Mapping[str, ArmTag], why: Callable[[str], str]
) -> list[SegmentRung]:
    """Value per assigned against the control, segment by segment: on rung 3, or on rung 2 where 3 has no answer, and
    on rung 4 where any segment has a model of its own."""
    rungs = [(part, rung) for part in facts.segments for rung in part.rungs if rung.arm in tags]
    measured = 3 if any(rung.rung == 3 and math.isfinite(rung.value_per_assigned) for _, rung in rungs) else 2
    modelled = any(rung.rung == 4 and math.isfinite(rung.modelled) and rung.modelled for _, rung in rungs)
    return [
        _segment_rung(reader, facts, tags, why, chosen)
        for chosen in (measured, *((4,) if modelled else ()))
        if rungs
    ]


def _segment_rung(
    reader: Reader,
    facts: LadderFacts,
    tags: Mapping[str, ArmTag],
    why: Callable[[str], str],
    chosen: int,
) -> SegmentRung:
    found: list[tuple[LadderFacts, ArmTag, Rung]] = [
        (part, tags[rung.arm], rung)
        for part in facts.segments
        for rung in part.rungs
        if rung.rung == chosen and rung.arm in tags
    ]
    scale = scale_of(
        [
            end
            for _, _, rung in found
            for end in (rung.value_per_assigned, rung.low, rung.high)
            if math.isfinite(end)
        ]
    )
    rows = []
    for part, tag, rung in found:
        # The seen part alone is no answer of rung 4: it is why there is none.
        known = math.isfinite(rung.value_per_assigned) and not rung.why_not
        figure = (
            reader.figure(rung.value_per_assigned, "money", rung.low, rung.high, sign=True) if known else None
        )
        verdict = verdict_of(rung.low, rung.high)
        # An interval is told segment by segment; its colour follows the test over all of them.
        if math.isfinite(rung.p_adjusted) and rung.p_adjusted >= 1 - facts.campaign.level:
            verdict = "unsure"
        rows.append(
            SegmentRow(
                segment=part.segment,
                tag=tag,
                n=reader.number(rung.n),
                figure=figure,
                kind="" if verdict == "unsure" else verdict,
                picture=rung_bar(
                    rung.value_per_assigned,
                    rung.low,
                    rung.high,
                    scale=scale,
                    basis="model" if chosen == 4 and rung.modelled else "measured",
                    verdict=verdict,
                    label=f"{part.segment}, {tag.letter}: {figure}" if known else "",
                ),
                why_not="" if known else why(rung.why_not),
                p=reader.number(rung.p_adjusted, 2) if math.isfinite(rung.p_adjusted) else "",
            )
        )
    return SegmentRung(rung=chosen, rows=rows, scale=scale)
