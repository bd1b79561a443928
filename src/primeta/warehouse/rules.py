"""Every rule of the doctor: its fixed name and what it is called in both languages."""

from __future__ import annotations

from typing import Literal

Action = Literal["drops", "keeps", "asks"]

RULES: dict[str, dict[str, str]] = {
    "empty-table": {"en": "no rows", "ru": "нет строк"},
    "missing-columns": {"en": "required columns not found", "ru": "не найдены обязательные столбцы"},
    "unreadable-values": {"en": "values that cannot be read", "ru": "значения, которые не удалось прочесть"},
    "non-finite-values": {"en": "NaN or infinity", "ru": "NaN или бесконечность"},
    "ambiguous-dates": {"en": "day and month cannot be told apart", "ru": "не отличить день от месяца"},
    "second-currency": {"en": "another currency", "ru": "другая валюта"},
    "left-out-by-where": {"en": "left out by your own filter", "ru": "исключены вашим условием where"},
    "null-ids": {"en": "rows without an id", "ru": "строки без идентификатора"},
    "null-customers": {"en": "rows without a customer", "ru": "строки без клиента"},
    "null-times": {"en": "rows without a time", "ru": "строки без времени"},
    "cancelled-orders": {"en": "orders that were cancelled", "ru": "отменённые заказы"},
    "exact-duplicates": {"en": "rows repeated value for value", "ru": "полностью повторённые строки"},
    "duplicate-keys": {"en": "one id on different rows", "ru": "один идентификатор у разных строк"},
    "file-overlap": {"en": "the same rows in two files", "ru": "одни и те же строки в двух файлах"},
    "unknown-customers": {"en": "customers missing from the customer list", "ru": "клиентов нет в списке клиентов"},
    "several-customers": {"en": "orders with several customers", "ru": "заказы с несколькими клиентами"},
    "lines-without-order": {"en": "lines without their order", "ru": "позиции без заказа"},
    "returns": {"en": "returns", "ru": "возвраты"},
    "cancellations": {"en": "cancellation documents", "ru": "документы отмены"},
    "negative-quantities": {"en": "negative quantities", "ru": "отрицательное количество"},
    "non-positive-prices": {"en": "prices of zero or below", "ru": "нулевые и отрицательные цены"},
    "negative-values": {"en": "values below zero where none may be", "ru": "значения меньше нуля, где их быть не может"},
    "absurd-values": {"en": "sums out of all proportion", "ru": "несоразмерно большие суммы"},
    "ancient-dates": {"en": "times before 1995", "ru": "время раньше 1995 года"},
    "future-dates": {"en": "times in the future", "ru": "время в будущем"},
    "orders-before-registration": {"en": "orders before registration", "ru": "заказы до регистрации"},
    "volume-gaps": {"en": "days without a row", "ru": "дни без единой строки"},
    "volume-drops": {"en": "days with far fewer rows than usual", "ru": "дни, когда строк намного меньше обычного"},
    "time-zone": {"en": "the time zone looks wrong", "ru": "похоже, указан не тот часовой пояс"},
    "unknown-kinds": {"en": "reactions of an unknown kind", "ru": "реакции неизвестного вида"},
    "reactions-without-message": {"en": "reactions without their message", "ru": "реакции без сообщения"},
    "reactions-before-message": {"en": "reactions before their message", "ru": "реакции раньше сообщения"},
}  # fmt: skip

ACTIONS: dict[Action, dict[str, str]] = {
    "drops": {"en": "leaves out", "ru": "не учитывает"},
    "keeps": {"en": "keeps", "ru": "учитывает"},
    "asks": {"en": "asks you", "ru": "ждёт ответа"},
}
