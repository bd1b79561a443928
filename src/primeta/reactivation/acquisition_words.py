"""Words of acquisition sources."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "line.same": {
        "en": "“{first}” brings most first orders and the best customers too.",
        "ru": "«{first}» приводит и больше всего первых заказов, и лучших клиентов.",
    },
    "line.flip": {
        "en": "“{first}” brings most first orders; a customer of “{best}” is worth more{cost}: {value} against {other}.",
        "ru": "Больше всего первых заказов приводит «{first}», но клиент из «{best}» приносит больше{cost}: {value} против "
        "{other}.",
    },
    "line.unsure": {
        "en": "“{first}” brings most first orders; whether another source brings better customers cannot be told yet.",
        "ru": "Больше всего первых заказов приводит «{first}»; приводит ли другой источник лучших клиентов, пока сказать "
        "нельзя.",
    },
    "line.one": {
        "en": "All customers come from “{first}”: there is nothing to compare.",
        "ru": "Все клиенты пришли из «{first}»: сравнивать не с чем.",
    },
    "after-cost": {"en": " after the cost of getting him", "ru": " за вычетом затрат на привлечение"},
    "cannot.no-customers": {
        "en": "Cannot tell: no order belongs to a customer up to that day.",
        "ru": "Сказать нельзя: до этого дня нет заказов с известным клиентом.",
    },
    "cannot.few": {
        "en": "Cannot tell: no source has brought {n} customers yet.",
        "ru": "Сказать нельзя: ни один источник ещё не привёл {n} клиентов.",
    },
    "source": {"en": "source", "ru": "источник"},
    "cohort": {"en": "first order", "ru": "первый заказ"},
    "customers": {"en": "first orders", "ru": "первых заказов"},
    "ltv": {"en": "LTV", "ru": "LTV"},
    "interval": {"en": "interval 95%", "ru": "интервал 95%"},
    "observed": {"en": "so far", "ru": "уже принёс"},
    "discount_share": {"en": "discounts", "ru": "скидки"},
    "farm_share": {"en": "farms", "ru": "фермы"},
    "cost": {"en": "cost each", "ru": "стоил"},
    "payback": {"en": "paid back", "ru": "окупился"},
    "rank": {"en": "rank", "ru": "место"},
    "return": {"en": "return on spend, {days} days", "ru": "возврат затрат, {days} дн."},
    "day": {"en": "day {n}", "ru": "день {n}"},
    "at-once": {"en": "at once", "ru": "сразу"},
    "not-yet": {"en": "not yet in {n} days", "ru": "за {n} дн. ещё нет"},
    "unknown-source": {"en": "unknown", "ru": "неизвестно"},
    "note.ltv": {
        "en": "LTV is what a customer brings in {days} days since his first order: seen so far, and the rest by the model.",
        "ru": "LTV: что клиент приносит за {days} дн. с первого заказа: уже увиденное и остаток по модели.",
    },
    "note.no-model": {
        "en": "The model cannot be fitted ({reason}): LTV stands empty and only what was brought so far is known.",
        "ru": "Модель построить нельзя ({reason}): LTV не указан, известно только то, что уже принесли.",
    },
    "note.no-spend": {
        "en": "No spend is known of: {sources}. What their customers cost, and whether they paid back, cannot be told.",
        "ru": "Затраты неизвестны для: {sources}. Сколько стоили эти клиенты и окупились ли, сказать нельзя.",
    },
    "note.spend-only": {
        "en": "Money was spent on {sources}, from which no customer came.",
        "ru": "На {sources} потрачены деньги, но ни одного клиента оттуда нет.",
    },
    "note.spend-since": {
        "en": "Spend is known from {day}: cost and payback speak of customers acquired since.",
        "ru": "Затраты известны с {day}: стоимость и окупаемость относятся к клиентам, пришедшим с этого дня.",
    },
    "note.choice": {
        "en": "Sources bring different people; none was drawn by lot. More spend on the best one need not bring more like them.",
        "ru": "Источники приводят разных людей, жребия не было. Если вложить в лучший источник больше, новые клиенты могут "
        "оказаться другими.",
    },
    "note.unknown": {
        "en": "{n} customers have no source.",
        "ru": "Клиентов без источника: {n}.",
    },
    "note.revenue": {
        "en": "No margin was given: money is revenue, and a return on spend of 100% is not yet profit.",
        "ru": "Маржа не указана: деньги здесь выручка, и возврат затрат в 100% ещё не прибыль.",
    },
    "why.few": {"en": "too few", "ru": "мало"},
}


def said(code: str, lang: str, **figures: object) -> str:
    """A sentence with its figures."""
    return WORDS[code][lang].format(**figures)
