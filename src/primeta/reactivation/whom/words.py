"""The words of "whom to write" in both languages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from primeta.reactivation import lottery_words
from primeta.show import locale

if TYPE_CHECKING:
    from primeta.reactivation.whom.result import Policy, Whom

WORDS: dict[str, dict[str, str]] = {
    **lottery_words.WHY_NOT,
    # Heads
    "policy": {"en": "whom to write", "ru": "кому писать"},
    "share": {"en": "written to", "ru": "доля клиентов"},
    "value": {
        "en": "money per customer, over no contact",
        "ru": "деньги на клиента по сравнению с «не писать»",
    },
    "ahead": {"en": "choosing by uplift is ahead by", "ru": "отбор по отклику лучше на"},
    "tenth": {"en": "tenth by predicted uplift", "ru": "десятая часть по прогнозу"},
    "predicted": {"en": "predicted per customer", "ru": "прогноз на клиента"},
    "came": {"en": "what came", "ru": "что вышло"},
    "feature": {"en": "known before", "ru": "что известно заранее"},
    "importance": {"en": "part in the choice", "ru": "вклад в отбор"},
    # Policies
    "learned": {"en": "by learned uplift", "ru": "по отклику, найденному на данных"},
    "all": {"en": "everybody", "ru": "всем"},
    "none": {"en": "nobody", "ru": "никому"},
    "risk": {"en": "as many, by risk of churn", "ru": "столько же, по риску оттока"},
    "recency": {"en": "as many, silent the longest", "ru": "столько же, самым давно молчащим"},
    "random": {"en": "as many, at random", "ru": "столько же, наугад"},
    # Why there is no answer
    "no-control": {
        "en": "there is no control that is left alone, so nobody knows who would have bought anyway",
        "ru": "нет контрольной группы, поэтому неизвестно, кто купил бы и так",
    },
    "small-arm": {
        "en": "fewer than 30 customers in the control or in every other arm",
        "ru": "меньше 30 клиентов в контрольной группе или в каждой из остальных веток",
    },
    "no-features": {
        "en": "nothing that differs between customers was known before the assignment",
        "ru": "до распределения о клиентах не было известно ничего, чем они различались бы",
    },
    "no-risk": {
        "en": "no risk of churn is known (--risk COL)",
        "ru": "риск оттока не известен (--risk COL)",
    },
    "no-recency": {
        "en": "the time since the last order is not known (--recency COL)",
        "ru": "срок с последнего заказа не известен (--recency COL)",
    },
}

FEATURES: dict[str, dict[str, str]] = {
    "recency_days": {"en": "days since the last order", "ru": "дней с последнего заказа"},
    "orders": {"en": "orders ever", "ru": "заказов за всё время"},
    "orders_year": {"en": "orders in the year before", "ru": "заказов за год до этого"},
    "age_days": {"en": "days since the first order", "ru": "дней с первого заказа"},
    "rhythm_days": {"en": "own usual gap, days", "ru": "обычный промежуток между заказами, дней"},
    "basket": {"en": "mean order", "ru": "средний заказ"},
    "revenue_year": {"en": "revenue in the year before", "ru": "выручка за год до этого"},
    "revenue_ever": {"en": "revenue ever", "ru": "выручка за всё время"},
    "returns": {"en": "returns", "ru": "возвратов"},
    "discount_share": {"en": "discount share", "ru": "доля скидок"},
    "discounted_orders": {"en": "share of orders at a discount", "ru": "доля заказов со скидкой"},
    "categories": {"en": "categories bought", "ru": "сколько категорий покупал"},
    "silence": {"en": "how unlikely the silence is for him", "ru": "насколько необычно его молчание"},
    "has_left": {"en": "risk that he has left", "ru": "вероятность, что уже ушёл"},
}

SENTENCES: dict[str, dict[str, str]] = {
    **lottery_words.SENTENCES,
    "learned": {
        "en": "Choose by uplift: write to {share}. It brings {money} per customer over writing to nobody, and is surely "
        "ahead of every simple rule.",
        "ru": "Отбирайте по отклику: пишите {share}. Это {money} на клиента по сравнению с «не писать никому», и "
        "уверенно лучше любого простого правила.",
    },
    "simple": {
        "en": "Write to {whom}: {money} per customer over writing to nobody{sure}. Choosing by uplift {why}: {ahead} "
        "per customer.",
        "ru": "Пишите {whom}: {money} на клиента по сравнению с «не писать никому»{sure}. Отбор по отклику {why}: "
        "{ahead} на клиента.",
    },
    "nobody": {
        "en": "Write to nobody: no simple rule brings money{sure}. Choosing by uplift {why}: {ahead} per customer.",
        "ru": "Не пишите никому: ни одно простое правило денег не приносит{sure}. Отбор по отклику {why}: {ahead} на "
        "клиента.",
    },
    "unsure": {"en": ", though this is not certain", "ru": ", хотя уверенности в этом нет"},
    "not-surely-better": {"en": "is not surely better", "ru": "не лучше наверняка"},
    "worse-than-simple": {"en": "is surely worse than a simple rule", "ru": "хуже простого правила"},
    "to.all": {"en": "everybody", "ru": "всем"},
    "to.all-arm": {"en": "everybody with {arm}", "ru": "всем ({arm})"},
    "to.risk": {
        "en": "{share}, those most at risk of having left",
        "ru": "{share}, тем, у кого риск оттока выше",
    },
    "to.recency": {"en": "{share}, those silent the longest", "ru": "{share}, тем, кто молчит дольше всех"},
    "share": {"en": "{share} of the customers", "ru": "{share} клиентов"},
    "all-arm": {"en": "everybody: {arm}", "ru": "всем: {arm}"},
    "subtitle": {
        "en": "money per customer over writing to nobody, by the share written to; {level} band; the straight line is a "
        "random choice",
        "ru": "деньги на клиента по сравнению с «не писать никому» в зависимости от доли, которой пишут; полоса {level}; "
        "прямая — выбор наугад",
    },
    "x": {"en": "share of customers written to", "ru": "доля клиентов, которым пишут"},
    "described": {
        "en": "Writing to {share} chosen by uplift: {money}.",
        "ru": "Если писать {share}, отобранным по отклику: {money}.",
    },
    # Notes
    "note.area": {
        "en": "The order by uplift beats a random one by {area} per customer, on average over the shares written to.",
        "ru": "Порядок по отклику лучше случайного на {area} на клиента, в среднем по долям.",
    },
    "note.arms": {
        "en": "Choosing by uplift sends: {arms}.",
        "ru": "При отборе по отклику отправляют: {arms}.",
    },
    "note.held-out": {
        "en": "Every customer was judged by policies that had not seen him (divisions averaged: {repeats}); intervals are "
        "{level}, each for itself, and count that parts of the sample learn from each other.",
        "ru": "Правила отбора проверены на клиентах, на которых не учились (разбиений: {repeats}); интервалы {level}, каждый "
        "сам по себе, с учётом того, что части выборки учатся друг на друге.",
    },
    "note.money": {
        "en": "Money is counted over {horizon} days since the assignment, contacts and discounts taken off.",
        "ru": "Деньги считаются за {horizon} дн. с распределения, за вычетом контактов и скидок.",
    },
    "note.constant-feature": {
        "en": "Feature {feature} is the same for all and says nothing.",
        "ru": "Признак {feature} у всех одинаков и ничего не говорит.",
    },
    "note.small-arms-left-out": {
        "en": "Left out, fewer than 30 customers: {arms}.",
        "ru": "Не учтены ветки, где меньше 30 клиентов: {arms}.",
    },
    "note.few-customers": {
        "en": "The smallest arm has {least} customers: little can be learnt from so few, and intervals are rough.",
        "ru": "В самой малой ветке {least} клиентов: на стольких мало чему научишься, и интервалы грубые.",
    },
}


def word(code: str, lang: str) -> str:
    return WORDS[code][lang] if code in WORDS else code


def say(code: str, lang: str, **values: Any) -> str:
    return SENTENCES[code][lang].format(**values)


def feature(name: str, lang: str) -> str:
    """A feature of the order log in words; a column that was given keeps its name."""
    return FEATURES[name][lang] if name in FEATURES else name


def policy(entry: Policy, result: Whom, lang: str) -> str:
    """Name of a policy in a table."""
    text = say("all-arm", lang, arm=entry.arm) if entry.name.startswith("all:") else word(entry.name, lang)
    return f"{text} ✓" if entry.name == result.recommended else text


def line(result: Whom, lang: str) -> str:
    """The verdict, with the money and what choosing by uplift adds."""
    if not result.recommended:
        return say("cannot", lang, why=word(result.why_not, lang))
    chosen = result.of(result.recommended)
    share = say("share", lang, share=locale.percent(chosen.share, lang, digits=0))
    money = result.money(chosen.value, lang, chosen.low, chosen.high)
    if result.recommended == "learned":
        return say("learned", lang, share=share, money=money)
    sure = "" if result.recommended_sure else say("unsure", lang)
    ahead = result.money(chosen.ahead, lang, chosen.ahead_low, chosen.ahead_high)
    why = say(result.why_not, lang)
    if result.recommended == "none":
        return say("nobody", lang, sure=sure, why=why, ahead=ahead)
    code = "all-arm" if result.recommended.startswith("all:") else result.recommended
    to = say(f"to.{code}", lang, arm=chosen.arm, share=share)
    return say("simple", lang, whom=to, money=money, sure=sure, why=why, ahead=ahead)


def remarks(result: Whom, lang: str) -> list[str]:
    """What a reader must know beside the numbers."""
    found = []
    if result.recommended:
        area = result.money(result.qini.area, lang, result.qini.low, result.qini.high)
        found.append(say("note.area", lang, area=area))
        if len(result.arm_shares) > 1:
            parts = [
                f"{arm} {locale.percent(part, lang, digits=0)}" for arm, part in result.arm_shares.items()
            ]
            found.append(say("note.arms", lang, arms=", ".join(parts)))
        found.append(
            say(
                "note.held-out",
                lang,
                repeats=locale.number(result.repeats, lang),
                level=locale.percent(result.level, lang, digits=0),
            )
        )
    if result.horizon:
        found.append(say("note.money", lang, horizon=locale.number(result.horizon, lang)))
    for note in result.notes:
        found.append(say(f"note.{note.code}", lang, **_shown(note.values, lang)))
    return found


def _shown(values: Any, lang: str) -> dict[str, str]:
    found = {}
    for name, value in values.items():
        if isinstance(value, list | tuple):
            found[name] = ", ".join(map(str, value))
        elif isinstance(value, str):
            found[name] = value
        elif name == "share":
            found[name] = locale.percent(value, lang, digits=0)
        else:
            found[name] = locale.number(value, lang) if math.isfinite(value) else locale.CANNOT_TELL[lang]
    return found
