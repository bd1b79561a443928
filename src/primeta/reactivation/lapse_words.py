"""The words of lapse in both languages."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "state": {"en": "State", "ru": "Состояние"},
    "customers": {"en": "Customers", "ru": "Клиентов"},
    "share": {"en": "Share", "ru": "Доля"},
    "meaning": {"en": "What it means", "ru": "Что это значит"},
    "active": {"en": "active", "ru": "активные"},
    "cooling": {"en": "cooling", "ru": "остывают"},
    "lapsed": {"en": "lapsed", "ru": "в оттоке"},
    "gone": {"en": "gone", "ru": "ушли"},
    "week": {"en": "Week from", "ru": "Неделя с"},
    "new": {"en": "New", "ru": "Новые"},
    "cooled": {"en": "Cooled", "ru": "Остыли"},
    "lapsing": {"en": "Lapsed", "ru": "Попали в отток"},
    "going": {"en": "Gone", "ru": "Ушли"},
    "returned": {"en": "Came back", "ru": "Вернулись"},
    "meaning.active": {
        "en": "the silence is nothing unusual for this customer",
        "ru": "для этого клиента такая пауза обычна",
    },
    "meaning.cooling": {
        "en": "only {cooling} of his pauses are so long",
        "ru": "так долго длятся лишь {cooling} его пауз",
    },
    "meaning.lapsed": {
        "en": "only {level} of his pauses are so long: he broke his own rhythm",
        "ru": "так долго длятся лишь {level} его пауз: клиент выбился из своего ритма",
    },
    "meaning.gone": {
        "en": "an order within a year is less likely than {level}",
        "ru": "вероятность заказа в ближайший год меньше {level}",
    },
    "line": {
        "en": "{lapsed} of {customers} customers ({share}) are silent longer than their own rhythm allows, and {gone} "
        "more are gone, as of {day}.",
        "ru": "{lapsed} из {customers} клиентов ({share}) молчат дольше, чем позволяет их собственный ритм, и ещё {gone} "
        "ушли, по данным на {day}.",
    },
    "fixed": {
        "en": "A fixed {days} days gets it wrong: {early} of those it calls lapsed are within their rhythm, and it misses "
        "{missed} of those who are lapsed.",
        "ru": "Единый порог в {days} дн. ошибается: {early} названных им ушедшими не выбились из своего ритма, "
        "а {missed} выбившихся он не замечает.",
    },
    "fixed.ordered": {
        "en": "Of the former, {share} ordered within the next {weeks} weeks.",
        "ru": "Из тех, кто не выбился, {share} сделали заказ в следующие {weeks} недель.",
    },
    "fixed.agrees": {
        "en": "A fixed {days} days says the same of everybody.",
        "ru": "Единый порог в {days} дн. говорит о каждом то же самое.",
    },
    "rhythm": {
        "en": "Customers who came back at least once usually order every {middle} days; a tenth of them more often than "
        "every {low}, a tenth more seldom than every {high}.",
        "ru": "Клиенты, которые заказывали не один раз, обычно делают это раз в {middle} дн.; десятая часть чаще, чем раз "
        "в {low} дн., десятая часть реже, чем раз в {high} дн.",
    },
    "one-order": {
        "en": "{share} of customers ordered once and have no rhythm yet: for them it is the rhythm of those who came back "
        "within a year.",
        "ru": "{share} клиентов заказали один раз, своего ритма у них ещё нет: для них взят ритм тех, кто вернулся в "
        "течение года.",
    },
    "cannot.no-rhythm": {
        "en": "Cannot tell: too few customers ever ordered twice, so there is no rhythm to speak of.",
        "ru": "Сказать нельзя: слишком мало клиентов заказывали хотя бы дважды, о ритме судить не по чему.",
    },
    "cannot.short-log": {
        "en": "What a fixed number of days gets wrong cannot be told: the log is too short to look back.",
        "ru": "В чём ошибается единый порог, сказать нельзя: журнал слишком короткий, чтобы оглянуться назад.",
    },
    "source": {
        "en": "Orders of {customers} customers up to {day}.",
        "ru": "Заказы {customers} клиентов по {day}.",
    },
    "by-week": {"en": "Customers by state, week by week", "ru": "Клиенты по состояниям, по неделям"},
    "by-state": {"en": "Customers by state", "ru": "Клиенты по состояниям"},
}


def word(code: str, lang: str) -> str:
    return WORDS[code][lang]


def said(code: str, lang: str, **figures: object) -> str:
    """A sentence with its figures."""
    return WORDS[code][lang].format(**figures)
