"""Words of accounts that look like one person's: what is seen and never what is suspected."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "line": {
        "en": "{accounts} accounts look like {people} people's: {customers} of customers, {orders} of orders, {discount} of "
        "all discounts.",
        "ru": "{accounts} учётных записей похожи на записи {people} человек: это {customers} клиентов, {orders} заказов и "
        "{discount} всех скидок.",
    },
    "line.one": {
        "en": "{accounts} accounts look like one person's: {customers} of customers, {orders} of orders, {discount} of all "
        "discounts.",
        "ru": "{accounts} учётных записей похожи на записи одного человека: это {customers} клиентов, {orders} заказов и "
        "{discount} всех скидок.",
    },
    "line.one.no-discount": {
        "en": "{accounts} accounts look like one person's: {customers} of customers, {orders} of orders.",
        "ru": "{accounts} учётных записей похожи на записи одного человека: это {customers} клиентов и {orders} заказов.",
    },
    "line.no-discount": {
        "en": "{accounts} accounts look like {people} people's: {customers} of customers, {orders} of orders.",
        "ru": "{accounts} учётных записей похожи на записи {people} человек: это {customers} клиентов и {orders} заказов.",
    },
    "none": {
        "en": "Among {customers} customers no accounts look like one person's.",
        "ru": "Среди {customers} клиентов нет учётных записей, похожих на записи одного человека.",
    },
    "cannot.no-identities": {
        "en": "Cannot tell: none of the identities belongs to a customer of the order log.",
        "ru": "Сказать нельзя: ни один телефон, адрес или устройство не относится к клиентам из заказов.",
    },
    "cannot.no-orders": {
        "en": "Cannot tell: there is no order of a known customer up to that day.",
        "ru": "Сказать нельзя: до этого дня нет ни одного заказа с известным клиентом.",
    },
    "cluster": {"en": "group", "ru": "группа"},
    "accounts": {"en": "accounts", "ru": "записей"},
    "orders": {"en": "orders", "ru": "заказов"},
    "discount": {"en": "discounts", "ru": "скидки"},
    "why": {"en": "why they look like one person's", "ru": "почему похоже на одного человека"},
    "kind.phone": {"en": "phone", "ru": "телефон"},
    "kind.device": {"en": "device", "ru": "устройство"},
    "kind.address": {"en": "address", "ru": "адрес"},
    "kind.payment": {"en": "payment card", "ru": "карта оплаты"},
    "kind.email": {"en": "e-mail", "ru": "почта"},
    "reason.shares": {"en": "they share: {kinds}", "ru": "общее: {kinds}"},
    "reason.codes": {
        "en": "{accounts} of {of} ordered once or twice, each time with a code",
        "ru": "{accounts} из {of} заказали один-два раза, каждый раз с промокодом",
    },
    "reason.burst": {
        "en": "{burst} of {of} were made within three days",
        "ru": "{burst} из {of} заведены за три дня",
    },
    "reason.large": {"en": "no household has {of} accounts", "ru": "в одной семье не бывает {of} записей"},
    "only-shares": {"en": "(may be a family)", "ru": "(может быть семьёй)"},
    "caution": {
        "en": "Sharing alone is no reason: a family does too. A second one is needed: orders with codes only, accounts made "
        "at once (by chance in {error} of bases), or too many accounts. Look before you block anybody.",
        "ru": "Одного общего телефона мало: он есть и у семьи. Нужен второй признак: заказы только с промокодом, записи "
        "заведены разом (случайно так бывает в {error} баз) или их слишком много. Прежде чем блокировать, посмотрите сами.",
    },
    "no-codes": {
        "en": "The orders carry no promo codes: that sign is not looked at.",
        "ru": "В заказах нет промокодов: этот признак не учтён.",
    },
    "wide": {
        "en": "Values shared by too many accounts join nobody ({values}; the widest is shared by {accounts}): a shop's phone "
        "or a placeholder.",
        "ru": "Значения, общие для слишком многих записей, никого не объединяют ({values}; самое частое — у {accounts}): это "
        "телефон магазина или заглушка.",
    },
    "split": {
        "en": "Groups whose accounts stand in several arms: {farms}. The same person saw both, which brings the arms "
        "closer together.",
        "ru": "Групп, записи которых попали в разные ветки: {farms}. Один человек видел и то и другое, и разница между "
        "ветками от этого меньше.",
    },
    "burst.title": {"en": "Days with too many new accounts", "ru": "Дни, когда новых записей слишком много"},
    "burst.alike": {"en": "what they have in common", "ru": "что общего"},
    "burst.day": {"en": "day", "ru": "день"},
    "burst.expected": {"en": "expected", "ru": "ожидалось"},
    "burst.codes": {"en": "orders with codes only", "ru": "заказы только с промокодом"},
    "burst.code": {"en": "code {name}", "ru": "промокод {name}"},
    "burst.source": {"en": "source {name}", "ru": "источник {name}"},
    "burst.caution": {
        "en": "Compared with four weeks before and after and with all other new accounts of the day; in {error} of bases one is "
        "reported by chance. A campaign of your own looks the same: check the calendar. Counted in no share above.",
        "ru": "Сравнение с четырьмя неделями до и после и со всеми другими новыми записями дня; случайно что-то попадает сюда в "
        "{error} баз. Так же выглядит ваша собственная кампания: сверьтесь с календарём. В доли выше не входит.",
    },
    "effects": {"en": "Effects with all and without them", "ru": "Эффекты со всеми и без них"},
    "rung": {"en": "rung", "ru": "ступень"},
    "arm": {"en": "arm", "ru": "ветка"},
    "with": {"en": "with all", "ru": "со всеми"},
    "without": {"en": "without them", "ru": "без них"},
    "interval": {"en": "interval", "ru": "интервал"},
}


def said(code: str, lang: str, **figures: object) -> str:
    """A sentence with its figures."""
    return WORDS[code][lang].format(**figures)
