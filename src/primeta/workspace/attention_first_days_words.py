"""Words of the first days of new customers."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "line": {
        "en": "{customers} customers registered {span}; in their first {days} days they received {mean} messages on "
        "average, and {nothing} received nothing.",
        "ru": "Новых клиентов за {span}: {customers}. За первые {days} дн. клиент получил в среднем сообщений: {mean}; "
        "не получили ничего {nothing}.",
    },
    "sale": {
        "en": "The first message that sells comes on day {day} (median); {share} received one.",
        "ru": "Первое продающее сообщение приходит на {day}-й день (медиана); его получили {share}.",
    },
    "promise": {
        "en": "“{text}” was broken to {share} of them, {broken} times.",
        "ru": "«{text}»: нарушено перед {share} из них, всего раз: {broken}.",
    },
    "typical": {
        "en": "Typical: {customer} with {messages} messages.",
        "ru": "Типичный новый клиент: {customer}, сообщений: {messages}.",
    },
    "most": {
        "en": "Most written to: {customer} with {messages} messages.",
        "ru": "Больше всех писали клиенту {customer}, сообщений: {messages}.",
    },
    "not-whole": {
        "en": "Some of them have not had all their days yet, so these figures will still grow.",
        "ru": "Не у всех ещё прошёл весь срок, поэтому числа вырастут.",
    },
    "programme": {"en": "Programme", "ru": "Механика"},
    "reached": {"en": "Reached", "ru": "Охват"},
    "first": {"en": "First on day", "ru": "Впервые, день"},
    "per-customer": {"en": "Messages a customer", "ru": "Сообщений на клиента"},
    "selling": {"en": "Of it selling", "ru": "Из них продают"},
    "week": {"en": "Days", "ru": "Дни"},
    "median": {"en": "Median", "ru": "Медиана"},
    "p90": {"en": "One in ten gets at least", "ru": "Каждый десятый — не меньше"},
    "mean": {"en": "On average", "ru": "В среднем"},
    "no-name": {"en": "(no name)", "ru": "(без названия)"},
}


def tell(lang: str, code: str, /, **values: object) -> str:
    """Words for a code."""
    return WORDS[code]["ru" if lang == "ru" else "en"].format(**values)
