"""The words of moment, sequence and discount in both languages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from primeta.reactivation import lottery_words
from primeta.show import locale

if TYPE_CHECKING:
    from primeta.reactivation.policy.result import PolicyResult

WORDS: dict[str, dict[str, str]] = {
    **lottery_words.WHY_NOT,
    # Heads
    "part": {"en": "who", "ru": "кому"},
    "everybody": {"en": "everybody", "ru": "всем"},
    "x.moment": {"en": "days after the lapse", "ru": "дней после оттока"},
    "x.sequence": {"en": "sequence", "ru": "цепочка"},
    "x.discount": {"en": "discount", "ru": "скидка"},
    "n": {"en": "customers", "ru": "клиентов"},
    "value.over-control": {"en": "money per lapsed customer", "ru": "деньги на ушедшего клиента"},
    "value.total": {"en": "all money per lapsed customer", "ru": "все деньги на ушедшего клиента"},
    "returned": {"en": "back by then", "ru": "уже вернулись"},
    "lost": {"en": "lost by then", "ru": "уже потеряны"},
    "rival": {"en": "instead", "ru": "вместо этого"},
    "ahead": {"en": "recommended is ahead by", "ru": "рекомендация лучше на"},
    "share": {"en": "share", "ru": "доля"},
    "cost": {"en": "discounts and contacts per customer", "ru": "скидки и контакты на клиента"},
    "came": {"en": "came back", "ru": "вернулись"},
    "elasticity": {"en": "elasticity", "ru": "эластичность"},
    "recommended": {"en": "recommended", "ru": "рекомендация"},
    "p-adjusted": {"en": "p, adjusted", "ru": "p с поправкой"},
    "may-be-best": {"en": "may be the best", "ru": "может быть лучшим"},
    "by-time": {"en": "by time", "ru": "по сроку"},
    # Rivals
    "rival.at-once": {"en": "at once", "ru": "сразу"},
    "rival.earliest": {"en": "the earliest tried", "ru": "самый ранний срок"},
    "rival.latest": {"en": "the latest tried", "ru": "самый поздний срок"},
    "rival.never": {"en": "never write", "ru": "не писать совсем"},
    "rival.none": {"en": "no contact", "ru": "не писать совсем"},
    "rival.no-contact": {"en": "no contact", "ru": "не писать совсем"},
    "rival.zero-discount": {"en": "a message without a discount", "ru": "сообщение без скидки"},
    "rival.largest": {"en": "the largest discount to all", "ru": "всем самую большую скидку"},
    "rival.best-constant": {"en": "the best single discount for all", "ru": "всем одну лучшую скидку"},
    # Why there is no answer
    "no-control": {
        "en": "there is no control that is never contacted, so nothing tells what comes of writing",
        "ru": "нет контрольной группы, которой не пишут никогда, поэтому пользу от сообщений сравнить не с чем",
    },
    "no-control-in-part": {
        "en": "a part of the customers has no control; split by less",
        "ru": "в одной из частей нет контрольной группы; делите клиентов не так мелко",
    },
    "small-arm": {
        "en": "fewer than 30 customers",
        "ru": "меньше 30 клиентов",
    },
    "no-support": {
        "en": "the policy wants for some customers what nobody like them got",
        "ru": "политика требует для части клиентов того, чего никто из похожих на них не получал",
    },
    "few-followed": {
        "en": "too few customers got what the policy wants: their weights tell as much as fewer than 30",
        "ru": "слишком мало клиентов получили то, чего требует политика: с учётом весов меньше 30",
    },
}

SENTENCES: dict[str, dict[str, str]] = {
    **lottery_words.SENTENCES,
    "moment": {
        "en": "Write {x} after the lapse: {money} per lapsed customer over {horizon} days, against never writing{set}.",
        "ru": "Пишите {x}: {money} на ушедшего клиента за {horizon} дн. по сравнению с «не писать»{set}.",
    },
    "moment.never": {
        "en": "Do not write: nothing that was tried earns more than it costs over {horizon} days{set}.",
        "ru": "Не пишите: ни один из опробованных сроков не окупается за {horizon} дн.{set}.",
    },
    "moment.set": {
        "en": "; from {low} to {high} days cannot be told apart from it",
        "ru": "; сроки от {low} до {high} дн. от него не отличить",
    },
    "set.none": {
        "en": "; not writing at all cannot be ruled out either",
        "ru": "; вариант «не писать совсем» тоже не исключён",
    },
    "day.0": {"en": "at once", "ru": "сразу после оттока"},
    "day.1": {"en": "1 day", "ru": "через 1 день после оттока"},
    "day": {"en": "{days} days", "ru": "через {days} дн. после оттока"},
    "sequence": {
        "en": "Best: {x}: {money} per lapsed customer over {horizon} days{against}{set}.",
        "ru": "Лучше всего: {x}: {money} на ушедшего клиента за {horizon} дн.{against}{set}.",
    },
    "sequence.none": {
        "en": "Do not write: no sequence earns more than it costs over {horizon} days{set}.",
        "ru": "Не пишите: ни одна цепочка не окупается за {horizon} дн.{set}.",
    },
    "sequence.against": {"en": ", against no contact", "ru": " по сравнению с «не писать»"},
    "sequence.set": {"en": "; cannot be told apart from it: {names}", "ru": "; от неё не отличить: {names}"},
    "sequence.step": {"en": "{first}, then {second} if silent", "ru": "{first}, а молчащим затем {second}"},
    "discount.one": {
        "en": "Give {x}: {money} per lapsed customer over {horizon} days, against no contact{regret}.",
        "ru": "Давайте {x}: {money} на ушедшего клиента за {horizon} дн. по сравнению с «не писать»{regret}.",
    },
    "discount.many": {
        "en": "Discount by {what}, from {low} to {high}: {money} per lapsed customer over {horizon} days, against no "
        "contact{regret}.",
        "ru": "Скидка зависит от того, {what}: от {low} до {high}. Это {money} на ушедшего клиента за {horizon} дн. по "
        "сравнению с «не писать»{regret}.",
    },
    "discount.none": {
        "en": "Do not write: no discount earns more than it costs{regret}.",
        "ru": "Не пишите: ни одна скидка не окупается{regret}.",
    },
    "discount.regret": {
        "en": "; the best policy would earn at most {high} more (95% sure)",
        "ru": "; лучшая политика принесла бы больше не более чем на {high} (с уверенностью {level})",
    },
    "what.time": {"en": "time since the lapse", "ru": "сколько дней прошло после оттока"},
    "what.segment": {"en": "segment", "ru": "кто клиент"},
    "what.both": {
        "en": "time since the lapse and segment",
        "ru": "кто клиент и сколько дней прошло после оттока",
    },
    "depth.0": {"en": "a message without a discount", "ru": "сообщение без скидки"},
    "depth": {"en": "{depth} off", "ru": "скидку {depth}"},
    "no-contact": {"en": "no contact", "ru": "не писать"},
    "part.days": {"en": "day {days}", "ru": "день {days}"},
    "subtitle": {
        "en": "money per lapsed customer over {horizon} days{against}; {level} intervals, one at a time",
        "ru": "деньги на ушедшего клиента за {horizon} дн.{against}; интервалы {level}, каждый сам по себе",
    },
    "policy": {
        "en": "The policy that was given: {money} per customer; {followed} of {n} customers got what it wants, worth {effective} "
        "with equal weights.",
        "ru": "Заданная политика: {money} на клиента; то, чего она требует, получили {followed} из {n} клиентов, с учётом "
        "весов это {effective}.",
    },
    "policy.sequence": {
        "en": "The policy that was given: {money} per customer, over {n} customers.",
        "ru": "Заданная политика: {money} на клиента, по {n} клиентам.",
    },
    "policy.cannot": {
        "en": "The policy that was given: cannot tell: {why}.",
        "ru": "О заданной политике сказать нельзя: {why}.",
    },
    # Notes
    "note.intervals": {
        "en": "Intervals are {level}, each for itself. What may be the best was found with all compared at once.",
        "ru": "Интервалы {level}, каждый сам по себе. Что может быть лучшим, найдено при сравнении всех сразу.",
    },
    "note.between": {
        "en": "Between the days that were tried the curve is drawn through; only these are recommended.",
        "ru": "Между опробованными днями кривая проведена плавно; рекомендуется только то, что опробовано.",
    },
    "note.moment": {
        "en": "The clock starts at the lapse for all; who came back before his day was not written to, and counts.",
        "ru": "Отсчёт у всех идёт от оттока; кто вернулся раньше своего дня, тому не писали, но он учтён.",
    },
    "note.cross": {
        "en": "The policy is valued on customers who had no part in choosing it.",
        "ru": "Скидки выбраны по одним клиентам, а проверены на других.",
    },
    "note.kept": {
        "en": "Expected to earn {kept} of what the best policy gains over the best single discount.",
        "ru": "Ожидаемо приносит {kept} того, что лучшая политика даёт сверх одной лучшей скидки.",
    },
    "note.budget": {
        "en": "The policy costs {cost} of the budget of {budget} for {eligible} customers; one more unit of budget would bring "
        "{price}.",
        "ru": "Политика расходует {cost} из бюджета {budget} на {eligible} клиентов; ещё одна единица бюджета принесла бы "
        "{price}.",
    },
    "note.elasticity": {
        "en": "Elasticity: by how many percent returns grow when the price falls by 1%; it counts all who came back, also by "
        "themselves.",
        "ru": "Эластичность: на сколько процентов растёт число вернувшихся, когда цена ниже на 1%; считаются все, и те, кто "
        "вернулся сам.",
    },
    "note.drawn-from-range": {
        "en": "The days were drawn from a range; the curve is a smooth one through five knots.",
        "ru": "Дни выбирались из промежутка; кривая гладкая, по пяти узлам.",
    },
    "note.small-delay": {
        "en": "Left out, fewer than 30 customers: {days} days.",
        "ru": "Не учтён срок, где меньше 30 клиентов: {days} дн.",
    },
    "note.small-depth": {
        "en": "Left out, fewer than 30 customers: discount {depth}.",
        "ru": "Не учтена скидка, где меньше 30 клиентов: {depth}.",
    },
    "note.other-things-vary": {
        "en": "The {what} differs between the delays too; the curve is over the mix of them.",
        "ru": "Вместе со сроком различается и {what}; кривая построена по их смеси.",
    },
    "note.no-control-in-sequence": {
        "en": "Without a control that is never contacted, sequences are compared with each other; whether any is better than "
        "none is not known.",
        "ru": "Контрольной группы нет, поэтому цепочки сравнены только между собой; лучше ли они, чем не писать, неизвестно.",
    },
    "note.silent-without-second": {
        "en": "Silent customers who got no second stage: {customers}; they count as those who answered.",
        "ru": "Молчащих клиентов без второго шага: {customers}; они учтены как ответившие.",
    },
    "note.no-zero-discount": {
        "en": "No arm was contacted without a discount, so what the message alone brings is not known.",
        "ru": "Ветки с сообщением без скидки нет, поэтому неизвестно, что даёт само сообщение.",
    },
    "note.no-discounts-in-orders": {
        "en": "The orders carry no discounts: what a discount costs is seen only as far as it is in the revenue, and a budget "
        "holds contacts only.",
        "ru": "В заказах нет скидок: их цена видна только через выручку, а в бюджет попадают только контакты.",
    },
    "note.weighted": {
        "en": "By weights alone: {values}.",
        "ru": "Без модели, только по весам жребия: {values}.",
    },
}
THINGS = {"channel": {"en": "channel", "ru": "канал"}, "discount": {"en": "discount", "ru": "скидка"}}


def word(code: str, lang: str) -> str:
    return WORDS[code][lang] if code in WORDS else code


def say(code: str, lang: str, **values: Any) -> str:
    return SENTENCES[code][lang].format(**values)


def action(kind: str, x: Any, lang: str) -> str:
    """What is done, for a cell of a table."""
    if x in ("never", "none"):
        return say("no-contact", lang)
    if x is None:
        return word("by-time", lang)
    if kind == "moment":
        return locale.number(float(x), lang)
    if kind == "discount":
        return locale.percent(float(x), lang)
    first, mark, rest = str(x).partition(", then ")
    if not mark:
        return first
    return say("sequence.step", lang, first=first, second=rest.removesuffix(" if silent"))


def part(by: Any, lang: str) -> str:
    if by is None:
        return word("everybody", lang)
    if isinstance(by, int | float):
        return say("part.days", lang, days=locale.number(by, lang))
    return str(by)


def rival(kind: str, name: str, x: Any, lang: str) -> str:
    if kind == "sequence" and name != "none":
        return action(kind, x, lang)
    text = word(f"rival.{name}", lang)
    if name == "best-constant" and x is not None:
        return f"{text} ({action(kind, x, lang)})"
    return text


def _days(x: float, lang: str) -> str:
    if x in (0, 1):
        return say(f"day.{int(x)}", lang)
    return say("day", lang, days=locale.number(x, lang))


def _depth(x: Any, lang: str) -> str:
    if x == "none":
        return say("no-contact", lang)
    return say("depth.0", lang) if x == 0 else say("depth", lang, depth=locale.percent(float(x), lang))


def headline(result: PolicyResult, lang: str) -> str:
    """The one sentence."""
    if result.why_not:
        return say("cannot", lang, why=word(result.why_not, lang))
    money = result.money(result.value, lang, result.low, result.high)
    horizon = locale.number(result.horizon, lang)
    if result.kind == "moment":
        return _moment_line(result, money, horizon, lang)
    if result.kind == "sequence":
        return _sequence_line(result, money, horizon, lang)
    return _discount_line(result, money, horizon, lang)


def _moment_line(result: PolicyResult, money: str, horizon: str, lang: str) -> str:
    low, high = result.recommended_low, result.recommended_high
    set_of = ""
    if isinstance(low, float) and isinstance(high, float) and low < high:
        set_of = say("moment.set", lang, low=locale.number(low, lang), high=locale.number(high, lang))
    if result.recommended == "never":
        return say("moment.never", lang, horizon=horizon, set=set_of)
    if "never" in result.best_set:
        set_of += say("set.none", lang)
    assert isinstance(result.recommended, float)
    text = _days(result.recommended, lang)
    if lang == "en" and result.recommended == 0:
        return say("moment", lang, x=text, money=money, horizon=horizon, set=set_of).replace(
            " after the lapse", "", 1
        )
    return say("moment", lang, x=text, money=money, horizon=horizon, set=set_of)


def _sequence_line(result: PolicyResult, money: str, horizon: str, lang: str) -> str:
    others = [name for name in result.best_set if name not in (result.recommended, "none")]
    set_of = ""
    if others:
        names = "; ".join(action("sequence", name, lang) for name in others)
        set_of = say("sequence.set", lang, names=names)
    if result.recommended == "none":
        return say("sequence.none", lang, horizon=horizon, set=set_of)
    if "none" in result.best_set:
        set_of += say("set.none", lang)
    against = say("sequence.against", lang) if result.basis == "over-control" else ""
    name = action("sequence", result.recommended, lang)
    return say("sequence", lang, x=name, money=money, horizon=horizon, against=against, set=set_of)


def _discount_line(result: PolicyResult, money: str, horizon: str, lang: str) -> str:
    regret = ""
    if math.isfinite(result.regret_high):
        high = result.money(result.regret_high, lang, sign=False)
        regret = say("discount.regret", lang, high=high, level=locale.percent(result.level, lang))
        regret = regret.replace("95%", locale.percent(result.level, lang))
    chosen = [choice.x for choice in result.choices]
    if all(x == "none" for x in chosen):
        return say("discount.none", lang, regret=regret)
    if len(set(chosen)) == 1:
        return say(
            "discount.one", lang, x=_depth(chosen[0], lang), money=money, horizon=horizon, regret=regret
        )
    segments = bool(result.segments)
    times = not all(choice.by in {entry.by for entry in result.segments} for choice in result.choices)
    what = "both" if segments and times else "segment" if segments else "time"
    depths = sorted(float(x) for x in chosen if isinstance(x, int | float))
    low = action("discount", "none" if "none" in chosen else depths[0], lang)
    return say(
        "discount.many",
        lang,
        what=say(f"what.{what}", lang),
        low=low,
        high=locale.percent(depths[-1], lang),
        money=money,
        horizon=horizon,
        regret=regret,
    )


def subtitle(result: PolicyResult, lang: str) -> str:
    against = say("sequence.against", lang) if result.basis == "over-control" else ""
    return say(
        "subtitle",
        lang,
        horizon=locale.number(result.horizon, lang),
        against=against,
        level=locale.percent(result.level, lang),
    )


def remarks(result: PolicyResult, lang: str) -> list[str]:
    """Sentences for under the table."""
    found: list[str] = []
    if not result.why_not:
        found.append(say("note.intervals", lang, level=locale.percent(result.level, lang)))
        if result.kind == "moment":
            found.append(say("note.moment", lang))
            if any(not point.tried for point in result.curve):
                found.append(say("note.between", lang))
        if result.kind == "sequence":
            values = "; ".join(
                f"{action('sequence', p.x, lang)} {result.money(p.weighted, lang, p.weighted_low, p.weighted_high)}"
                for p in result.curve
                if p.by is None and math.isfinite(p.weighted)
            )
            found.append(say("note.weighted", lang, values=values))
        if result.kind == "discount":
            found.append(say("note.cross", lang))
            if math.isfinite(result.kept):
                kept = locale.percent(min(max(result.kept, 0.0), 1.0), lang, digits=0)
                found.append(say("note.kept", lang, kept=kept))
            if math.isfinite(result.budget):
                found.append(
                    say(
                        "note.budget",
                        lang,
                        cost=result.money(result.cost, lang, sign=False),
                        budget=result.money(result.budget, lang, sign=False),
                        eligible=locale.number(result.eligible, lang),
                        price=result.money(result.price_of_budget, lang, sign=False),
                    )
                )
            found.append(say("note.elasticity", lang))
    for note in result.notes:
        values = dict(note.values)
        for name, value in values.items():
            if name in ("share", "depth"):
                values[name] = locale.percent(float(value), lang)
            elif name == "what":
                values[name] = THINGS[value][lang]
            elif isinstance(value, int | float):
                values[name] = locale.number(value, lang)
        found.append(say(f"note.{note.code}", lang, **values))
    if result.policy is not None:
        found.append(_policy(result, lang))
    return found


def _policy(result: PolicyResult, lang: str) -> str:
    policy = result.policy
    assert policy is not None
    if policy.why_not:
        return say("policy.cannot", lang, why=word(policy.why_not, lang))
    money = result.money(policy.value, lang, policy.low, policy.high)
    n = locale.number(policy.n, lang)
    if not math.isfinite(policy.effective):
        return say("policy.sequence", lang, money=money, n=n)
    return say(
        "policy",
        lang,
        money=money,
        followed=locale.number(policy.followed, lang),
        n=n,
        effective=locale.number(policy.effective, lang, digits=0),
    )
