"""The words of ltv in both languages."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "line": {
        "en": "{customers} customers will place about {orders} orders in the next {horizon}{money}.",
        "ru": "{customers} клиентов за {horizon} сделают примерно {orders} заказов{money}.",
    },
    "line.money": {
        "en": ", worth {value} {kind} today",
        "ru": "; сегодня {kind} от них стоит {value}",
    },
    "line.one": {
        "en": "One customer will place about {orders} orders in the next {horizon}{money}.",
        "ru": "Один клиент за {horizon} сделает примерно {orders} заказа{money}.",
    },
    "kind.margin": {"en": "of margin", "ru": "маржа"},
    "kind.revenue": {"en": "of revenue", "ru": "выручка"},
    "week": {"en": "{n} weeks", "ru": "{n} нед."},
    "day": {"en": "{n} days", "ru": "{n} дн."},
    "figure": {"en": "Figure", "ru": "Показатель"},
    "value": {"en": "Value", "ru": "Значение"},
    "interval": {"en": "95% interval", "ru": "95%-й интервал"},
    "customers": {"en": "Customers", "ru": "Клиентов"},
    "alive": {"en": "Still customers", "ru": "Ещё с нами"},
    "expected_orders": {"en": "Orders to expect", "ru": "Ожидаемые заказы"},
    "value_margin": {
        "en": "Margin to expect, at today's value",
        "ru": "Ожидаемая маржа по сегодняшней стоимости",
    },
    "value_revenue": {
        "en": "Revenue to expect, at today's value",
        "ru": "Ожидаемая выручка по сегодняшней стоимости",
    },
    "per_customer": {"en": "The same per customer", "ru": "То же на одного клиента"},
    "mean_order": {"en": "Mean of a repeat order", "ru": "Средний повторный заказ"},
    "holdout": {"en": "Check: orders promised and seen", "ru": "Проверка: заказов обещано и сделано"},
    "holdout.cell": {
        "en": "{expected} promised, {actual} seen",
        "ru": "обещано {expected}, сделано {actual}",
    },
    "group": {"en": "Group", "ru": "Группа"},
    "fit.fits": {"en": "The model fits.", "ru": "Модель подходит."},
    "fit.misses": {"en": "The model does not fit.", "ru": "Модель не подходит."},
    "fit.unknown": {
        "en": "Whether the model fits cannot be told.",
        "ru": "Подходит ли модель, сказать нельзя.",
    },
    "why.holdout-ok": {
        "en": "It promised {expected} orders for {days} days it had not seen; there were {actual} ({error}).",
        "ru": "На {days} дн., которых она не видела, обещано {expected} заказов, сделано {actual} ({error}).",
    },
    "why.holdout-off": {
        "en": "It promised {expected} orders for {days} days it had not seen, but there were {actual} ({error}): "
        "beyond its interval and beyond 10%.",
        "ru": "На {days} дн., которых она не видела, обещано {expected} заказов, а сделано {actual} ({error}): это вне "
        "интервала и больше 10%.",
    },
    "why.histogram-ok": {
        "en": "Numbers of customers by repeat orders are as it says (p {p}; {moved} would have to be moved).",
        "ru": "Число клиентов по количеству повторных заказов такое, как она говорит (p {p}; переставить пришлось бы "
        "{moved}).",
    },
    "why.histogram-close": {
        "en": "Numbers of customers by repeat orders differ a little from what it says: {moved} of customers would have "
        "to be moved (p {p}).",
        "ru": "Число клиентов по количеству повторных заказов немного не такое, как она говорит: переставить пришлось бы "
        "{moved} клиентов (p {p}).",
    },
    "why.histogram-off": {
        "en": "Numbers of customers by repeat orders differ from what it says (p {p}): {moved} of customers would have to "
        "be moved.",
        "ru": "Число клиентов по количеству повторных заказов не такое, как она говорит (p {p}): переставить пришлось бы "
        "{moved} клиентов.",
    },
    "why.short-log": {
        "en": "The log is too short to hold a part of it back and check.",
        "ru": "Журнал слишком короткий, чтобы часть его отложить и проверить.",
    },
    "why.few-repeats": {
        "en": "Too few customers came back: the numbers rest on next to nothing.",
        "ru": "Вернулось слишком мало клиентов: числа почти ни на чём не держатся.",
    },
    "cannot.no-repeats": {
        "en": "Cannot tell: no customer ordered on a second day, so nothing is known of coming back.",
        "ru": "Сказать нельзя: ни один клиент не заказывал во второй день, о возвращении ничего не известно.",
    },
    "cannot.few-repeats": {
        "en": "Cannot tell: too few customers ordered on a second day.",
        "ru": "Сказать нельзя: слишком мало клиентов заказывали во второй день.",
    },
    "cannot.no-fit": {
        "en": "Cannot tell: the model could not be fitted to these histories ({reason}).",
        "ru": "Сказать нельзя: модель не удалось подобрать к этим историям ({reason}).",
    },
    "cannot.no-revenue": {
        "en": "The log has no revenue, so there is no money here.",
        "ru": "В журнале нет выручки, поэтому и денег здесь нет.",
    },
    "cannot.no-spend": {
        "en": "No order carries money that could be used.",
        "ru": "Ни у одного заказа нет суммы, которую можно взять.",
    },
    "note.spend-gamma-gamma": {
        "en": "Money of an order: Gamma-Gamma, from repeat orders; customers with few of them lean on the mean {mean}.",
        "ru": "Деньги заказа: Gamma-Gamma по повторным заказам; клиенты, у которых их мало, опираются на среднее {mean}.",
    },
    "note.spend-normal": {
        "en": "Money of an order may be negative here, so a normal model is used; customers with few orders lean on the "
        "mean {mean}.",
        "ru": "Деньги заказа здесь бывают отрицательными, поэтому взята нормальная модель; клиенты, у которых заказов "
        "мало, опираются на среднее {mean}.",
    },
    "note.spend-normal-positive": {
        "en": "Money of an order: a normal model, since Gamma-Gamma cannot be fitted here; customers with few orders lean "
        "on the mean {mean}.",
        "ru": "Деньги заказа: нормальная модель, Gamma-Gamma здесь подобрать нельзя; клиенты, у которых заказов мало, "
        "опираются на среднее {mean}.",
    },
    "note.spend-pooled": {
        "en": "Too few repeat orders to tell customers apart by money: everybody gets the mean {mean}.",
        "ru": "Повторных заказов слишком мало, чтобы различать клиентов по деньгам: всем дано среднее {mean}.",
    },
    "note.spend-correlated": {
        "en": "Customers who order more often spend {way} per order (correlation {correlation}): their own mean counts, "
        "but totals may be off.",
        "ru": "Кто заказывает чаще, тратит на заказ {way} (корреляция {correlation}): учтено среднее каждого, но итог "
        "может быть смещён.",
    },
    "more": {"en": "more", "ru": "больше"},
    "less": {"en": "less", "ru": "меньше"},
    "note.groups-not-fitted": {
        "en": "The model could not be fitted with groups: everybody has the same parameters.",
        "ru": "С группами модель подобрать не удалось: параметры у всех общие.",
    },
    "note.edge": {
        "en": "A parameter ran to its edge ({names}): the model is simpler than it looks, and its standard errors are not "
        "known.",
        "ru": "Параметр ушёл на границу ({names}): модель проще, чем кажется, и её стандартные ошибки неизвестны.",
    },
    "note.season": {
        "en": "The calendar's season is in the clock: the busiest week of the year runs {ratio} times as fast as the mean.",
        "ru": "Сезонность учтена: в самую бойкую неделю года время идёт в {ratio} раза быстрее среднего.",
    },
    "note.few-in-group": {
        "en": "Groups in which fewer than {least} customers came back get no parameters of their own: {groups}.",
        "ru": "Группы, где вернулось меньше {least} клиентов, своих параметров не получили: {groups}.",
    },
    "note.interval": {
        "en": "Intervals hold for what these customers will in fact do, if they go on as before.",
        "ru": "Интервалы — о том, что эти клиенты сделают на самом деле, если будут вести себя как прежде.",
    },
    "tracking": {
        "en": "Repeat orders so far, as seen and as the model says",
        "ru": "Повторные заказы нарастающим итогом: сделано и по модели",
    },
    "by-repeats": {
        "en": "Orders per customer in the held-back time, by his repeat orders before",
        "ru": "Заказов на клиента за отложенное время, по числу его повторных заказов до того",
    },
    "histogram": {
        "en": "Customers by number of repeat orders",
        "ru": "Клиенты по числу повторных заказов",
    },
    "seen": {"en": "seen", "ru": "сделано"},
    "model": {"en": "model", "ru": "модель"},
    "held": {"en": "held back from here", "ru": "дальше модель не видела"},
    "and_more": {"en": "{n}+", "ru": "{n}+"},
    "source": {
        "en": "{model} on orders up to {day}.",
        "ru": "{model} по заказам до {day}.",
    },
}


def word(code: str, lang: str) -> str:
    return WORDS[code][lang]


def said(code: str, lang: str, **figures: object) -> str:
    """A sentence with its figures."""
    return WORDS[code][lang].format(**figures)
