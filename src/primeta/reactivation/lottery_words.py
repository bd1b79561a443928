"""Words of what is learnt from a lottery on lapsed customers, the same for what to do and for whom to write."""

from __future__ import annotations

WHY_NOT: dict[str, dict[str, str]] = {
    "no-contact-arm": {
        "en": "nobody was contacted: there is only the control",
        "ru": "никому не писали: есть только контрольная группа",
    },
    "short-follow-up": {
        "en": "fewer than 30 customers of an arm have been followed to the horizon; wait, or take a shorter horizon",
        "ru": "в одной из веток до конца срока дожили меньше 30 клиентов; подождите или возьмите срок короче",
    },
    "not-a-lottery": {
        "en": "no probabilities were recorded, and what was known before tells the arms apart: this was no plain lottery",
        "ru": "вероятности не записаны, а ветки различались ещё до начала: это была не простая жеребьёвка",
    },
    "probabilities-contradict": {
        "en": "the recorded probabilities do not agree with how many customers got each arm",
        "ru": "записанные вероятности не сходятся с тем, сколько клиентов попало в каждую ветку",
    },
}
"""Why there is no answer."""

SENTENCES: dict[str, dict[str, str]] = {
    "cannot": {"en": "Cannot tell: {why}.", "ru": "Сказать нельзя: {why}."},
    "note.probabilities-from-shares": {
        "en": "No probabilities were recorded; the shares of the arms stand for them, which holds for a plain lottery.",
        "ru": "Вероятности не записаны; вместо них взяты доли веток, что верно для простой жеребьёвки.",
    },
    "note.contradicting-arm": {
        "en": "Arm {arm} is not as large as its recorded probabilities say.",
        "ru": "Ветка {arm} не такого размера, как следует из записанных вероятностей.",
    },
    "note.partly-followed": {
        "en": "{share} of the customers have been followed for all {days} days; the others are used as far as they go.",
        "ru": "Все {days} дн. пройдены у {share} клиентов; остальные учтены за то время, что прошло.",
    },
    "note.orders-without-customer": {
        "en": "Order rows without a customer, left out: {rows}.",
        "ru": "Строк заказов без клиента, они не учтены: {rows}.",
    },
    "note.assigned-after-the-log": {
        "en": "Customers assigned after the log ends, left out: {customers}.",
        "ru": "Клиентов, распределённых после конца журнала, они не учтены: {customers}.",
    },
    "note.money-is-revenue": {
        "en": "No margin is known, so money is revenue.",
        "ru": "Маржа не известна, поэтому деньги здесь — выручка.",
    },
    "note.discount-in-percent": {
        "en": "Discounts were read as percent.",
        "ru": "Скидки прочитаны как проценты.",
    },
}
"""The answer where there is none, and notes on the rows that were read."""
