"""What the ladder says: the finding, what each rung assumes, how far rungs are apart, how to climb, what to do next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from primeta.reactivation.ladder import UNFAIR_P, ends_between
from primeta.reactivation.ladder_words import (
    ABOUT,
    ASSUMES,
    FINDINGS,
    KNOWN,
    NEXT,
    NOTES,
    SHARES,
    STEPS,
    WHY_NOT,
    WORDS,
    words,
)
from primeta.reactivation.records import Behaviour, LadderFacts, Note, Rung, Step
from primeta.show import locale

IMPLIED = frozenset({"random", "everyone-assigned"})
"""Holds for every rung above 1, so it is not said again."""
MOST_TOLD = 3
"""Arms in one sentence."""
WEEKS_FROM = 70
"""Days from which whole weeks are told as weeks."""
FORMS = {"day": ("день", "дня", "дней"), "week": ("неделю", "недели", "недель")}


@dataclass(frozen=True, slots=True)
class Pen:
    """How figures are written for one reader: language and currency; without a currency money is a bare number."""

    lang: str
    currency: str = ""

    def money(
        self, value: float, low: float = math.nan, high: float = math.nan, *, sign: bool = False
    ) -> locale.Figure:
        """Money with its interval on one scale."""
        if self.currency or not math.isfinite(value):
            return locale.figure(
                value, self.lang, unit="money", low=low, high=high, currency=self.currency, sign=sign
            )
        ends = [abs(end) for end in (value, low, high) if math.isfinite(end)]
        size, word = next(
            (entry for entry in locale.SCALES[self.lang] if max(ends) >= entry[0]),
            locale.SCALES[self.lang][-1],
        )
        if max(ends) < locale.COMPACT_FROM:
            size, word = 1.0, ""
        told = locale.figure(
            value / size, self.lang, unit="count", low=low / size, high=high / size, sign=sign
        )
        space = locale.NBSP if self.lang == "ru" else ""
        return locale.Figure(text=told.text + (space + word if word else ""), interval=told.interval)

    def between(self, low: float, high: float, value: float = math.nan) -> str:
        """An interval of money inside a sentence: `0.55 to 1.56`, `от 0,55 до 1,56`."""
        told = self.money(value if math.isfinite(value) else high, low, high).interval
        if self.lang == "ru" and "…" in told:
            first, last = told.split("…")
            return f"от{locale.NBSP}{first} до{locale.NBSP}{last}"
        return told

    def span_of_money(self, low: float, high: float) -> str:
        """An interval that stands alone, with its unit: `₽171k to ₽434k`, `от 171 до 434 тыс. ₽`."""
        inside = self.between(low, high)
        unit = self.money(high, low, high)
        bare = unit.interval.split("…" if self.lang == "ru" else f"{locale.NBSP}to{locale.NBSP}")[-1]
        if not bare or bare not in unit.text:
            return inside
        lead, tail = unit.text.split(bare, 1)
        if self.lang == "en":
            first, last = inside.split(f"{locale.NBSP}to{locale.NBSP}")
            return f"{lead}{first}{tail} to {lead}{last}{tail}"
        return inside + tail

    def points(self, value: float, low: float = math.nan, high: float = math.nan) -> locale.Figure:
        return locale.figure(value, self.lang, unit="points", low=low, high=high, sign=True)

    def share(self, value: float) -> str:
        return locale.percent(value, self.lang)

    def count(self, value: float) -> str:
        return locale.number(round(value), self.lang, digits=0)

    def span(self, days: float) -> str:
        """`30 days`, `36 weeks`; in Russian as after «за»: «за 21 день», «за 36 недель»."""
        unit, number = ("week", days / 7) if days >= WEEKS_FROM and days % 7 == 0 else ("day", days)
        written = locale.number(number, self.lang, digits=0)
        if self.lang == "en":
            return f"{written}{locale.NBSP}{unit}{'' if number == 1 else 's'}"
        return f"{written}{locale.NBSP}{FORMS[unit][_form(int(number))]}"

    def span_of(self, days: float) -> str:
        """In Russian in the genitive, as after «в течение»."""
        if self.lang == "en":
            return self.span(days)
        unit, number = ("week", days / 7) if days >= WEEKS_FROM and days % 7 == 0 else ("day", days)
        one = number % 10 == 1 and number % 100 != 11
        word = {"day": ("дня", "дней"), "week": ("недели", "недель")}[unit][0 if one else 1]
        return f"{locale.number(number, self.lang, digits=0)}{locale.NBSP}{word}"

    def day(self, value: date) -> str:
        return locale.day(value, self.lang)

    def p(self, value: float) -> str:
        if value < 0.001:
            return f"<{locale.NBSP}{locale.number(0.001, self.lang, digits=3)}"
        return locale.number(value, self.lang, digits=3 if value < 0.1 else 2)

    def names(self, arms: Sequence[str]) -> str:
        quoted = [f"«{arm}»" if self.lang == "ru" else f"“{arm}”" for arm in arms]
        return locale.listed(quoted, self.lang)


def _form(number: int) -> int:
    if number % 10 == 1 and number % 100 != 11:
        return 0
    return 1 if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else 2


def pen_of(facts: LadderFacts, lang: str) -> Pen:
    return Pen(lang, facts.campaign.currency)


def rungs_of(facts: LadderFacts, number: int) -> list[Rung]:
    """The arms' rows of one rung."""
    return [rung for rung in facts.rungs if rung.rung == number]


def top_rung(facts: LadderFacts) -> int:
    """The highest of rungs 2 to 4 that can tell; 0 where none can."""
    for number in (4, 3, 2):
        known = [rung for rung in rungs_of(facts, number) if math.isfinite(rung.high - rung.low)]
        if number == 4:
            known = [rung for rung in known if not rung.why_not]
        if number == 3 and known and facts.seen_days <= facts.campaign.window_days:
            continue
        if known:
            return number
    return 0


# The finding


def finding(facts: LadderFacts, lang: str) -> str:
    """What was found, in one sentence without its full stop."""
    pen = pen_of(facts, lang)
    if facts.sample_ratio_p < UNFAIR_P:
        return words(FINDINGS, "split", lang, p=pen.p(facts.sample_ratio_p))
    claimed = facts.best.get("rung1")
    if not facts.campaign.control:
        claims = [rung for rung in rungs_of(facts, 1) if math.isfinite(rung.money)]
        if not claims:
            return words(FINDINGS, "cannot", lang, why=words(WHY_NOT, "no-control", lang))
        first = max(claims, key=lambda rung: rung.money)
        return words(FINDINGS, "no-control", lang, arm=first.arm, claim=str(pen.money(first.money)))
    top = top_rung(facts)
    if not top:
        reasons = [rung.why_not for rung in rungs_of(facts, 2) if rung.why_not]
        return words(
            FINDINGS, "cannot", lang, why=words(WHY_NOT, reasons[0] if reasons else "short-follow-up", lang)
        )
    ranked = sorted(
        (rung for rung in rungs_of(facts, top) if math.isfinite(rung.value_per_assigned)),
        key=lambda rung: -rung.value_per_assigned,
    )
    first = ranked[0]
    said: dict[str, Any] = {
        "arm": first.arm,
        "claimed": claimed or "",
        "other": ranked[1].arm if len(ranked) > 1 else "",
        "value": pen.money(first.value_per_assigned, first.low, first.high, sign=True).text,
        "amount": pen.money(first.value_per_assigned, first.low, first.high).text,
        "interval": pen.between(first.low, first.high, first.value_per_assigned),
        "span": pen.span(first.window),
        "span_for": pen.span(first.window),
    }
    ahead, sure = first.low > 0, facts.best_sure.get(f"rung{top}", False)
    if first.high < 0 or (facts.best.get(f"rung{top}") == facts.campaign.control and sure):
        code = "loses"
    elif not ahead:
        code = "nothing" if len(ranked) > 1 else "nothing.one"
    elif claimed not in (None, first.arm, facts.campaign.control):
        code = "turn" if sure else "turn.unsure"
    else:
        code = "leads" if sure or len(ranked) == 1 else "leads.unsure"
    return words(FINDINGS, code, lang, **said)


def lead(facts: LadderFacts, lang: str) -> str:
    """The second sentence: what rung 1 claims, and what the control group says of the same arms."""
    pen = pen_of(facts, lang)
    # of many arms those that claim most
    told = sorted(rungs_of(facts, 1), key=lambda rung: -rung.money if math.isfinite(rung.money) else math.inf)
    claims = [
        f"{pen.names([rung.arm])} {pen.money(rung.money)}"
        for rung in told[:MOST_TOLD]
        if math.isfinite(rung.money)
    ]
    found = []
    if claims:
        found.append(words(FINDINGS, "lead.claims", lang, claims=locale.listed(claims, lang)))
    top = top_rung(facts)
    if not facts.campaign.control:
        found.append(words(FINDINGS, "lead.no-control", lang))
    elif top:
        rows = [rung for rung in rungs_of(facts, top) if math.isfinite(rung.money)]
        rows = sorted(rows, key=lambda rung: -rung.money)[:MOST_TOLD]
        values = [f"{pen.names([rung.arm])} {money_of(rung, pen)}" for rung in rows]
        span = pen.span(rows[0].window)
        found.append(
            words(
                FINDINGS, "lead.control", lang, span=span, span_for=span, values=locale.listed(values, lang)
            )
        )
    return " ".join(found)


def money_of(rung: Rung, pen: Pen) -> locale.Figure:
    """Money over all assigned with its interval; claims carry none."""
    return pen.money(rung.money, rung.low * rung.n, rung.high * rung.n, sign=rung.rung >= 2)


def trap(facts: LadderFacts, lang: str) -> str:
    """The trap of comparing buyers alone, where it would pick another arm; empty where it would not."""
    treated = [row for row in facts.trap if row.arm != facts.campaign.control]
    if len(treated) < 2 or not facts.campaign.control:
        return ""
    wrong = max(treated, key=lambda row: row.revenue_per_buyer)
    right = max(treated, key=lambda row: row.revenue_per_assigned)
    if wrong.arm == right.arm:
        return ""
    pen = pen_of(facts, lang)
    return words(
        FINDINGS,
        "trap",
        lang,
        trap=wrong.arm,
        arm=right.arm,
        high=str(pen.money(wrong.revenue_per_buyer)),
        low=str(pen.money(right.revenue_per_buyer)),
        span=pen.span(facts.campaign.window_days),
        difference=str(pen.money(right.revenue_per_assigned - wrong.revenue_per_assigned, sign=True)),
    )


def gives_discounts(facts: LadderFacts, arm: str) -> bool:
    """Whether an arm's discounts are its own: it has a code, or they are deeper than the control's for sure.

    Where neither is so, what looks needless are everyday markdowns, which a campaign cannot make smaller.
    """
    if facts.campaign.promo_codes.get(arm):
        return True
    return any(
        row.arm == arm and row.metric in ("discount_depth", "discounted_share") and row.low > 0
        for row in facts.behaviour
    )


# A rung's own words


def about(facts: LadderFacts, number: int, lang: str) -> str:
    """What a rung looks at: `everyone who came back in 30 days`."""
    pen, campaign = pen_of(facts, lang), facts.campaign
    rows = rungs_of(facts, number)
    days = rows[0].window if rows and rows[0].window else campaign.window_days
    code = str(number)
    if number == 4:
        modelled = [rung.modelled for rung in rows if math.isfinite(rung.modelled)]
        if modelled:
            code = "4" if any(modelled) else "4.seen"
        elif rows and facts.seen_days:
            # the tail was not to be trusted, so nothing was added to what was seen
            code = "4.only"
    text = words(
        ABOUT,
        code,
        lang,
        span=pen.span(days),
        seen=pen.span(facts.seen_days),
        attribution=pen.span_of(campaign.attribution_days),
    )
    if number == 4 and campaign.annual_discount:
        text += words(ABOUT, "4.rate", lang, rate=locale.percent(campaign.annual_discount, lang))
    return text


def assumes(facts: LadderFacts, number: int, lang: str) -> str:
    """What a rung silently assumes, with what is known of it."""
    pen = pen_of(facts, lang)
    rows = rungs_of(facts, number)
    codes = list(dict.fromkeys(code for rung in rows for code in rung.assumes))
    shares = [row.self_share for row in facts.returners if math.isfinite(row.self_share)]
    reached = facts.contamination.get(facts.campaign.control, math.nan)
    figures: dict[str, Any] = {
        "span": pen.span(rows[0].window) if rows else "",
        "seen": pen.span_of(facts.seen_days),
    }
    found = []
    for code in codes:
        if code in IMPLIED:
            continue
        if code == "all-returns-are-ours" and shares:
            found.append(words(ASSUMES, code + ".control", lang, share=pen.share(shares[0])))
        elif code == "contaminated":
            if reached > 0:
                found.append(words(ASSUMES, code, lang, share=pen.share(reached)))
        elif code == "alike-afterwards":
            days = rows[0].window
            found.append(words(ASSUMES, code, lang, span=pen.span(days)))
        else:
            found.append(words(ASSUMES, code, lang, **figures))
    if number == 4:
        for check in facts.checks[:1]:
            found.append(
                words(
                    ASSUMES,
                    "tail-tested",
                    lang,
                    first=check.from_day,
                    last=check.to_day,
                    promised=str(pen.money(check.promised)),
                    came=str(pen.money(check.seen)),
                    interval=pen.between(check.low, check.high, check.promised),
                )
            )
    return " ".join(found)


def away(facts: LadderFacts, number: int, lang: str) -> str:
    """How far this rung is from the one below, in money by arm; empty where that is not known."""
    pen = pen_of(facts, lang)
    rows = [rung for rung in rungs_of(facts, number) if math.isfinite(rung.away)]
    if not rows:
        return ""
    what = ", ".join(f"{rung.arm} {pen.money(rung.away, sign=True)}" for rung in rows)
    return words(WORDS, "away", lang, rung=number - 1, what=what)


def trait(row: Behaviour, pen: Pen) -> tuple[str, locale.Figure]:
    """The control's own figure, and the arm's difference with its interval."""
    if row.metric in SHARES:
        return pen.share(row.control), pen.points(row.difference, row.low, row.high)
    if row.metric == "average_order_value":
        return str(pen.money(row.control)), pen.money(row.difference, row.low, row.high, sign=True)
    digits = locale.decimals_for(row.low, row.high) if math.isfinite(row.high - row.low) else None
    own = locale.number(row.control, pen.lang, digits=digits)
    return own, locale.figure(row.difference, pen.lang, unit="count", low=row.low, high=row.high, sign=True)


# Notes, the climb, what to do


def note(entry: Note, facts: LadderFacts, lang: str) -> str:
    """What must be known beside the numbers, as a sentence."""
    pen = pen_of(facts, lang)
    return words(
        NOTES, entry.code, lang, **{name: _written(name, value, pen) for name, value in entry.values.items()}
    )


def _written(name: str, value: Any, pen: Pen) -> str:
    if isinstance(value, date):
        return pen.day(value)
    if name == "known":
        return words(KNOWN, value, pen.lang)
    if isinstance(value, str):
        return value
    if name == "p":
        return pen.p(float(value))
    if name in ("revenue", "cost", "effect"):
        return str(pen.money(float(value)))
    if name in ("share", "power"):
        return pen.share(abs(float(value)))
    if name in ("early", "later"):
        return locale.number(float(value), pen.lang, digits=3, sign=True)
    if name == "days":
        return pen.span(float(value))
    if isinstance(value, int | float):
        return (
            pen.count(float(value))
            if abs(value) >= 1 or value == 0
            else locale.number(float(value), pen.lang)
        )
    return str(value)


def step(entry: Step, facts: LadderFacts, lang: str) -> str:
    """One rung of the climb: reached, or what is missing and how to get it."""
    pen = pen_of(facts, lang)
    figures = {name: _written(name, value, pen) for name, value in entry.values.items()}
    if "days" in entry.values and entry.how in (
        "wait",
        "hold-out",
        "hold-half",
        "hold-out-any",
        "keep-control",
    ):
        figures["days"] = pen.span(entry.values["days"])
    if entry.reached:
        told = [
            words(
                STEPS,
                "reached.detectable" if "detectable" in entry.values else "reached",
                lang,
                effect=str(pen.money(entry.values.get("detectable", math.nan))),
                power=figures.get("power", ""),
            )
        ]
    else:
        code = entry.missing
        text = STEPS[code][lang] if code in STEPS else words(WHY_NOT, code, lang)
        told = [text if text.endswith(".") else text[:1].upper() + text[1:] + "."]
    if entry.how:
        told.append(_how(entry, figures, lang))
    return " ".join(told)


def _how(entry: Step, figures: dict[str, Any], lang: str) -> str:
    how = entry.how
    if how == "wait-seen" and not entry.values.get("cost", 0) > 0:
        how = "wait-seen.free"
    return words(STEPS, how, lang, **figures)


def next_steps(facts: LadderFacts, lang: str) -> list[tuple[str, str]]:
    """What to do next: a heading and its reason, the most important first; at most three."""
    pen, campaign = pen_of(facts, lang), facts.campaign
    found: list[tuple[str, str]] = []
    top = top_rung(facts)
    if facts.sample_ratio_p < UNFAIR_P:
        once = pen.count(1 / facts.sample_ratio_p) if facts.sample_ratio_p > 1e-12 else pen.count(1e12)
        found.append((words(NEXT, "split", lang), words(NEXT, "split.why", lang, once=once)))
    elif top:
        found += _decide(facts, top, pen)
    missing = next((entry for entry in facts.climb if not entry.reached), None)
    last = facts.climb[-1] if facts.climb else None
    if missing is not None:
        heading = (
            words(NEXT, "control", lang)
            if missing.missing == "no-control"
            else words(NEXT, "climb", lang, rung=missing.rung, missing=_lower(_missing(missing, lang)))
        )
        figures = {name: _written(name, value, pen) for name, value in missing.values.items()}
        found.append((heading, _how(missing, figures, lang)))
    elif last is not None and last.how == "wait-seen":
        figures = {name: _written(name, value, pen) for name, value in last.values.items()}
        why = "seen.why" if last.values.get("cost", 0) > 0 else "seen.free"
        found.append((words(NEXT, "seen", lang, until=figures["until"]), words(NEXT, why, lang, **figures)))
    wasted = [
        row
        for row in facts.returners
        # without its code an arm's discounts are everybody's, and nothing follows from them
        if row.needless_low > 0 and row.discount > 0 and row.arm in campaign.promo_codes
    ]
    if wasted:
        row = max(wasted, key=lambda entry: entry.needless_discount)
        found.append(
            (
                words(NEXT, "discount", lang),
                words(
                    NEXT,
                    "discount.why",
                    lang,
                    given=str(pen.money(row.discount)),
                    needless=str(pen.money(row.needless_discount, row.needless_low, row.needless_high).text),
                    interval=pen.between(row.needless_low, row.needless_high, row.needless_discount),
                ),
            )
        )
    elif campaign.control and top:
        found.append((words(NEXT, "moment", lang), words(NEXT, "moment.why", lang)))
    return found[:3]


def _decide(facts: LadderFacts, top: int, pen: Pen) -> list[tuple[str, str]]:
    lang = pen.lang
    ranked = sorted(
        (rung for rung in rungs_of(facts, top) if math.isfinite(rung.high - rung.low)),
        key=lambda rung: -rung.value_per_assigned,
    )
    first = ranked[0]
    told = money_of(first, pen)
    amount = pen.money(first.money, first.low * first.n, first.high * first.n).text
    inside = pen.between(first.low * first.n, first.high * first.n, first.money)
    if all(rung.high < 0 for rung in ranked):
        why = words(NEXT, "stop.why", lang, arm=first.arm, value=told.text, interval=inside)
        return [(words(NEXT, "stop", lang), why)]
    if not first.low > 0:
        seen = next((entry.values.get("detectable") for entry in facts.climb if entry.rung == top), None)
        effect = str(pen.money(seen)) if seen else locale.CANNOT_TELL[lang]
        return [(words(NEXT, "more", lang), words(NEXT, "more.why", lang, effect=effect))]
    behind = [rung.arm for rung in ranked[1:] if ends_between(facts.between, top, first.arm, rung.arm)[0] > 0]
    if len(ranked) > 1 and ranked[1].arm not in behind:
        low, gap, high = ends_between(facts.between, top, first.arm, ranked[1].arm)
        why = words(
            NEXT,
            "both.why",
            lang,
            arm=first.arm,
            value=pen.money(gap, low, high, sign=True).text,
            interval=pen.between(low, high, gap) if math.isfinite(low) else locale.CANNOT_TELL[lang],
        )
        return [(words(NEXT, "both", lang, arm=first.arm, other=ranked[1].arm), why)]
    why = words(NEXT, "send.why", lang, rung=top, amount=amount, interval=inside)
    if not behind:
        return [(words(NEXT, "send", lang, arm=first.arm), why)]
    low, gap, high = ends_between(facts.between, top, first.arm, ranked[1].arm)
    more = words(
        NEXT,
        "send.between",
        lang,
        other=ranked[1].arm,
        value=pen.money(gap, low, high, sign=True).text,
        interval=pen.between(low, high, gap),
    )
    return [(words(NEXT, "send.stop", lang, arm=first.arm, others=pen.names(behind)), f"{why} {more}")]


def _missing(entry: Step, lang: str) -> str:
    return STEPS[entry.missing][lang] if entry.missing in STEPS else words(WHY_NOT, entry.missing, lang)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def segments(facts: LadderFacts, lang: str) -> list[str]:
    """Whom we tried to bring back: in which segments an arm works otherwise than in the rest."""
    if not facts.segments:
        return []
    pen, by = pen_of(facts, lang), facts.campaign.by
    found = []
    for row in facts.differs:
        # where all was seen to the horizon, rung 4 repeats rung 3
        if not row.segments or (row.rung == 4 and facts.seen_days >= facts.campaign.horizon_days):
            continue
        mine = [
            rung
            for part in facts.segments
            for rung in part.rungs
            if rung.rung == row.rung and rung.arm == row.arm and rung.segment in row.segments
        ]
        values = [
            f"{rung.segment} {pen.money(rung.value_per_assigned, rung.low, rung.high, sign=True)}"
            for rung in mine
        ]
        span = pen.span(mine[0].window)
        if any(rung.rung == 4 and rung.modelled for rung in mine):
            span = words(WORDS, "partly-modelled", lang, span=span)
        found.append(
            words(
                FINDINGS,
                "segments.some",
                lang,
                by=by,
                arm=row.arm,
                segments=locale.listed(row.segments, lang),
                span=span,
                values="; ".join(values),
            )
        )
    return found or [words(FINDINGS, "segments.none", lang, by=by)]
