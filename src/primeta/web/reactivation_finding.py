"""What a ladder found, in a sentence or two: by rule, from who leads on which rung, and whether for sure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from primeta.reactivation.ladder import UNFAIR_P
from primeta.reactivation.ladder_sentences import top_rung
from primeta.reactivation.records import LadderFacts, Rung
from primeta.web.reader import Reader

MONTH = range(28, 32)
YEAR = range(360, 367)
MUCH = 1.15
"""One claim is called larger than another from here on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one rung stands: who leads, whether for sure, who is above nothing at all."""

    rung: int
    days: int
    leader: str
    """Empty where the control leads or nobody does."""
    sure: bool
    """The leader's interval against the next one leaves out zero."""
    above: tuple[str, ...]
    """Arms whose interval lies above the control."""
    below: tuple[str, ...]


def rung_of(facts: LadderFacts, number: int, arm: str) -> Rung | None:
    """What one rung says of one arm, where it says anything."""
    return next(
        (
            rung
            for rung in facts.rungs
            if rung.rung == number and rung.arm == arm and math.isfinite(rung.value_per_assigned)
        ),
        None,
    )


def treated(facts: LadderFacts) -> tuple[str, ...]:
    return tuple(arm for arm in facts.arms if arm != facts.campaign.control)


def standing(facts: LadderFacts, number: int) -> Standing | None:
    """A rung's standing; None where it has no answer for any arm."""
    found = [rung for arm in treated(facts) if (rung := rung_of(facts, number, arm))]
    if not found:
        return None
    leader = facts.best.get(f"rung{number}") or ""
    return Standing(
        rung=number,
        days=found[0].window,
        leader="" if leader == facts.campaign.control else leader,
        sure=bool(facts.best_sure.get(f"rung{number}", number < 2)),
        above=tuple(rung.arm for rung in found if math.isfinite(rung.low) and rung.low > 0),
        below=tuple(rung.arm for rung in found if math.isfinite(rung.high) and rung.high < 0),
    )


def top_of(facts: LadderFacts) -> Standing | None:
    """The highest rung with an answer, above the claims."""
    number = top_rung(facts)
    return standing(facts, number) if number else None


def finding(reader: Reader, facts: LadderFacts) -> str:
    """The heading of the page."""
    _ = reader._
    if facts.sample_ratio_p < UNFAIR_P:
        return str(_("The arms are not as large as the lottery should have made them: trust no rung yet."))
    if not facts.campaign.control:
        return str(_("What this campaign brought cannot be known: it had no control group."))
    top, short = top_of(facts), standing(facts, 2)
    if top is None:
        return _no_answer(reader, facts)
    first = _short(reader, short) if short and short.rung != top.rung else ""
    if top.leader and top.leader in top.above and top.sure:
        other = short if short is not None and short.rung != top.rung and short.sure else None
        if other is not None and other.leader == top.leader and other.leader in other.above:
            return _both(reader, other, top)
        return f"{first} {_long(reader, top)}".strip()
    if len(top.above) > 1 or (top.above and not top.sure):
        names = [_quoted(reader, arm) for arm in sorted(top.above)]
        if len(names) == 1:
            told = _(
                "{arm} brings more than doing nothing; whether it is the best arm cannot be told.",
                arm=names[0],
            )
        else:
            told = _(
                "{arms} bring more than doing nothing; which of them brings most cannot be told.",
                arms=reader.listed(names),
            )
        return str(told)
    arms = treated(facts)
    if len(top.below) == len(arms) and arms:
        told = _("Doing nothing brings more than the campaign.")
    elif len(arms) == 1:
        told = _("{period}, the campaign cannot be told from doing nothing.", period=over(reader, top.days))
    else:
        told = _("{period}, no arm can be told from doing nothing.", period=over(reader, top.days))
    return f"{first} {told}".strip()


def _no_answer(reader: Reader, facts: LadderFacts) -> str:
    _ = reader._
    codes = {rung.why_not for rung in facts.rungs if rung.rung == 2}
    if "short-follow-up" in codes:
        return str(
            reader._n(
                "It is too early: nobody has been followed for {n} day yet.",
                "It is too early: nobody has been followed for {n} days yet.",
                facts.campaign.window_days,
            )
        )
    if "small-arm" in codes:
        return str(_("Too few customers took part to tell anything."))
    return str(_("What this campaign brought cannot be told yet."))


def _quoted(reader: Reader, arm: str) -> str:
    return str(reader._("“{name}”", name=arm))


def _short(reader: Reader, short: Standing) -> str:
    """The first sentence: who won the short window."""
    if not (short.leader and short.leader in short.above and short.sure):
        return ""
    arm = _quoted(reader, short.leader)
    if short.days in MONTH:
        return str(reader._("{arm} won the month.", arm=arm))
    return str(
        reader._n("{arm} won the first {n} day.", "{arm} won the first {n} days.", short.days, arm=arm)
    )


def _long(reader: Reader, top: Standing) -> str:
    arm = _quoted(reader, top.leader)
    if top.days in YEAR:
        return str(reader._("{arm} is winning the year.", arm=arm))
    return str(reader._("{period}, {arm} brings most.", period=over(reader, top.days), arm=arm))


def _both(reader: Reader, short: Standing, top: Standing) -> str:
    arm = _quoted(reader, top.leader)
    if short.days in MONTH and top.days in YEAR:
        return str(reader._("{arm} wins the month and the year.", arm=arm))
    return str(
        reader._(
            "{arm} brings most, {short} and {long}.",
            arm=arm,
            short=over(reader, short.days, inside=True),
            long=over(reader, top.days, inside=True),
        )
    )


def over(reader: Reader, days: int, *, inside: bool = False) -> str:
    """`Over 36 weeks`, `За 36 недель`; weeks where they come out even and there are six of them at least."""
    if days in YEAR:
        told = reader._("Over the year")
    elif days % 7 == 0 and days >= 42:
        told = reader._n("Over {n} week", "Over {n} weeks", days // 7)
    else:
        told = reader._n("Over {n} day", "Over {n} days", days)
    text = str(told)
    return text[:1].lower() + text[1:] if inside else text


def length(reader: Reader, days: int) -> str:
    """`36 weeks`, `30 days`."""
    if days % 7 == 0 and days >= 42:
        return str(reader._n("{n} week", "{n} weeks", days // 7))
    return str(reader._n("{n} day", "{n} days", days))


def lead(reader: Reader, facts: LadderFacts) -> str:
    """The second sentence: what the usual report says, and what the control group says of the same arm."""
    _ = reader._
    claims = sorted(
        (rung for arm in treated(facts) if (rung := rung_of(facts, 1, arm))),
        key=lambda rung: rung.value_per_assigned,
        reverse=True,
    )
    if not claims:
        return ""
    first = claims[0]
    if not facts.campaign.control:
        return str(
            _(
                "The usual report claims {money} for it. How much of that would have come anyway, only a control group "
                "can say.",
                money=reader.money(first.money),
            )
        )
    top = top_of(facts)
    if top is None:
        return ""
    rung = rung_of(facts, top.rung, first.arm)
    if rung is None:
        return ""
    said = _claimed(reader, first, claims)
    figure = reader.figure(rung.money, "money", rung.low * rung.n, rung.high * rung.n, sign=True)
    when = over(reader, rung.window, inside=True)
    if not (math.isfinite(rung.low) and rung.low > 0) and not (math.isfinite(rung.high) and rung.high < 0):
        told = _("Against the control group, {period}, it cannot be told from doing nothing.", period=when)
    elif rung.value_per_assigned > 0:
        told = _("Against the control group, {period}, it is {figure}.", period=when, figure=str(figure))
    else:
        told = _("Against the control group, {period}, it loses: {figure}.", period=when, figure=str(figure))
    return f"{said} {told}"


def _claimed(reader: Reader, first: Rung, claims: list[Rung]) -> str:
    arm = _quoted(reader, first.arm)
    if len(claims) > 1 and claims[1].value_per_assigned > 0:
        ratio = first.value_per_assigned / claims[1].value_per_assigned
        if ratio >= MUCH:
            return str(
                reader._(
                    "In the report that everybody reads (rung 1) {arm} looks {ratio} times better.",
                    arm=arm,
                    ratio=reader.number(ratio, 1),
                )
            )
    return str(
        reader._(
            "The report that everybody reads (rung 1) claims {money} for {arm}.",
            arm=arm,
            money=reader.money(first.money),
        )
    )
