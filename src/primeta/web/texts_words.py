"""Words for the codes of outside texts: kinds, readers, health of a source, why a text is a copy, outcomes."""

from __future__ import annotations

from typing import get_args

from primeta.show.locale import Language
from primeta.signals.texts.records import Copy
from primeta.sources.records import Reader as SourceReader
from primeta.sources.records import SourceKind
from primeta.workspace.texts_views import Health, Mark

KINDS: tuple[SourceKind, ...] = get_args(SourceKind)
MARKS: tuple[Mark, ...] = get_args(Mark)

KIND: dict[SourceKind, dict[str, str]] = {
    "industry_report": {"en": "industry reports", "ru": "отраслевые обзоры"},
    "platform": {"en": "platform releases", "ru": "новости платформ"},
    "law": {"en": "privacy and law", "ru": "законы и данные"},
    "research": {"en": "research", "ru": "исследования"},
    "conference": {"en": "conferences", "ru": "конференции"},
    "social": {"en": "social networks", "ru": "соцсети"},
    "agency": {"en": "agencies", "ru": "агентства"},
    "competitor": {"en": "competitors", "ru": "конкуренты"},
    "community": {"en": "communities", "ru": "сообщества"},
    "support": {"en": "support tickets", "ru": "обращения в поддержку"},
    "reviews": {"en": "reviews", "ru": "отзывы"},
    "nps": {"en": "NPS comments", "ru": "комментарии NPS"},
    "interviews": {"en": "interviews", "ru": "интервью"},
    "focus_group": {"en": "focus groups", "ru": "фокус-группы"},
}

READER: dict[SourceReader, dict[str, str]] = {
    "feed": {"en": "a feed", "ru": "лента (RSS)"},
    "telegram": {"en": "a Telegram channel", "ru": "канал в Telegram"},
    "page": {"en": "a web page", "ru": "страница сайта"},
    "pdf": {"en": "PDF files", "ru": "файлы PDF"},
    "table": {"en": "a table", "ru": "таблица"},
    "voices": {"en": "the table of voices", "ru": "таблица голосов"},
    "mail": {"en": "a mailbox", "ru": "почтовый ящик"},
    "notes": {"en": "notes by hand", "ru": "записи от руки"},
}

HEALTH: dict[Health, dict[str, str]] = {
    "well": {"en": "answers", "ru": "отвечает"},
    "quiet": {"en": "nothing new for long", "ru": "давно ничего нового"},
    "failing": {"en": "failed, will try again", "ru": "не получилось, попробуем ещё"},
    "stopped": {"en": "stopped, needs a person", "ru": "остановлен, нужен человек"},
    "paused": {"en": "paused", "ru": "на паузе"},
    "never": {"en": "not tried yet", "ru": "ещё не читали"},
}

COPY: dict[Copy, dict[str, str]] = {
    "exact": {"en": "word for word", "ru": "слово в слово"},
    "near": {"en": "nearly the same words", "ru": "почти те же слова"},
    "forward": {"en": "a forward", "ru": "пересланное"},
    "shared-link": {"en": "refers to the same page", "ru": "ссылка на ту же страницу"},
    "shared-owner": {"en": "the same owner", "ru": "тот же владелец"},
    "same-event": {"en": "the same event in other words", "ru": "то же событие другими словами"},
    "template": {"en": "one text that many customers sent", "ru": "один текст от многих клиентов"},
}

OWN_SEGMENTS = {
    "silence": {"en": "days without an order", "ru": "дней без заказа"},
    "value": {"en": "spending of the year before", "ru": "траты за год до этого"},
}
"""Segments that the voices themselves bring, beside the attributes of customers."""

SEGMENTS = {
    "silence=≤30": {"en": "up to 30 days without an order", "ru": "до 30 дней без заказа"},
    "silence=31-90": {"en": "31 to 90 days without an order", "ru": "от 31 до 90 дней без заказа"},
    "silence=91-180": {"en": "91 to 180 days without an order", "ru": "от 91 до 180 дней без заказа"},
    "silence=181-365": {"en": "181 to 365 days without an order", "ru": "от 181 до 365 дней без заказа"},
    "silence=>365": {"en": "more than a year without an order", "ru": "больше года без заказа"},
    "silence=never": {"en": "never ordered", "ru": "ни разу не заказывали"},
    "value=none": {"en": "spent nothing in the year before", "ru": "за год до этого не тратили"},
    "value=low": {"en": "spent little in the year before", "ru": "за год до этого тратили мало"},
    "value=middle": {"en": "spent a middling sum in the year before", "ru": "за год до этого тратили средне"},
    "value=high": {"en": "spent much in the year before", "ru": "за год до этого тратили много"},
}


def kind_word(kind: str, lang: str) -> str:
    return KIND.get(kind, {}).get(lang, kind.replace("_", " "))  # pyright: ignore[reportArgumentType, reportCallIssue]


def told(words: dict, code: str, lang: Language | str) -> str:
    """The words for a code; an unknown one is shown as it is."""
    return words.get(code, {}).get(lang, code)
