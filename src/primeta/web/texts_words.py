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
}

OUTCOME = {
    "returned": {"en": "ordered again", "ru": "заказали снова"},
    "orders": {"en": "orders per customer", "ru": "заказов на клиента"},
    "opted_out": {"en": "unsubscribed or complained", "ru": "отписались или пожаловались"},
}

WHY_NOT = {
    "no-voices": {
        "en": "No ticket, review or comment of this period has been read yet.",
        "ru": "За этот период не прочитано ни одного обращения, отзыва или комментария.",
    },
    "too-few": {
        "en": "too few customers said it",
        "ru": "это сказали слишком мало клиентов",
    },
    "no-customers": {
        "en": "it is not known which customers said it",
        "ru": "неизвестно, какие клиенты это сказали",
    },
    "no-facts": {
        "en": "the orders of this workspace have not been read yet",
        "ru": "заказы этой рабочей папки ещё не прочитаны",
    },
    "not-over": {
        "en": "the days after are not over yet",
        "ru": "дни после этого ещё не прошли",
    },
}


def kind_word(kind: str, lang: str) -> str:
    return KIND.get(kind, {}).get(lang, kind.replace("_", " "))  # pyright: ignore[reportArgumentType, reportCallIssue]


def told(words: dict, code: str, lang: Language | str) -> str:
    """The words for a code; an unknown one is shown as it is."""
    return words.get(code, {}).get(lang, code)
