"""What was done to the rows of an order log, told in both languages."""

from __future__ import annotations

from datetime import date

from primeta.reactivation.records import Note
from primeta.show import locale

WORDS: dict[str, dict[str, str]] = {
    "ambiguous-dates": {
        "en": "Day and month of the dates could be exchanged; they were read as {format}.",
        "ru": "В датах день и месяц можно перепутать; прочитано как {format}.",
    },
    "no-customer": {
        "en": "Rows without a customer, left out: {rows} of {of}.",
        "ru": "Строки без клиента не учтены: {rows} из {of}.",
    },
    "no-time": {
        "en": "Rows without a time, left out: {rows} of {of}.",
        "ru": "Строки без даты не учтены: {rows} из {of}.",
    },
    "unread-time": {
        "en": "Rows whose time cannot be read, left out: {rows} of {of}.",
        "ru": "Строки с нечитаемой датой не учтены: {rows} из {of}.",
    },
    "cancelled": {
        "en": "Cancelled orders, left out: {rows} of {of}.",
        "ru": "Отменённые заказы не учтены: {rows} из {of}.",
    },
    "after-until": {
        "en": "Rows after the last day asked for, left out: {rows} of {of}.",
        "ru": "Строки позже указанного последнего дня не учтены: {rows} из {of}.",
    },
    "free-orders": {
        "en": "Orders that cost nothing: {rows} of {of}. They count as orders.",
        "ru": "Заказы с нулевой суммой: {rows} из {of}. Они учтены как заказы.",
    },
    "no-revenue": {
        "en": "Orders whose revenue is unknown: {rows} of {of}. They count as orders and bring no money.",
        "ru": "Заказы, сумма которых неизвестна: {rows} из {of}. Как заказы учтены, денег не приносят.",
    },
    "returns": {
        "en": "Days with returns and no order: {days}. Their money is taken off the order before.",
        "ru": "Дни, когда были только возвраты товара: {days}. Их сумма вычтена из предыдущего заказа.",
    },
    "silent-end": {
        "en": "The last order is of {last}, {days} days before the end. If the log stops there, give that day as the end: "
        "now everybody counts as silent since.",
        "ru": "Последний заказ — {last}, за {days} дней до конца. Если журнал на этом обрывается, укажите этот день "
        "последним: сейчас считается, что с тех пор молчат все.",
    },
    "attribute-changes": {
        "en": "Customers whose {column} changes: {customers}. The value at their first order counts.",
        "ru": "Клиенты, у которых меняется {column}: {customers}. Взято значение при первом заказе.",
    },
}


def remark(note: Note, lang: str) -> str:
    """One note about the input as a sentence."""
    values = {
        name: locale.number(value, lang)
        if isinstance(value, int)
        else locale.day(value, lang)
        if isinstance(value, date)
        else value
        for name, value in note.values.items()
    }
    return WORDS[note.code][lang].format(**values)
