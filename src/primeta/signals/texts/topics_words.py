"""The words of `topics` in both languages."""

from __future__ import annotations

from primeta.show import locale

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "none": "No topic has emerged by {as_of}: {seen}.",
        "one": "By {as_of} one topic has emerged: {first}.",
        "several": "By {as_of} {topics} have emerged. Most evidence: {first}.",
        "said": "“{terms}”, since {since}, {origins}",
        "seen": "{stories} of {owners} over {periods}",
        "alone": " Said by one source only, so not counted: {terms}.",
        "topic_head": "Topic",
        "since": "Since",
        "origins": "Sources",
        "documents": "Texts",
        "share": "Share before → since",
        "evidence": "Evidence",
        "grade": "State",
        "note": "Sources are independent ones: reposts and retellings count for whoever spoke first. "
        "Of the topics that hold or better, at most {error} are expected to be false; noticed ones are worth a look.",
        "note.alone": "All texts have one source: a topic can be noticed and hold, but nobody else confirms it.",
        "quote": "“{text}” — {source}, {day}",
        "noticed": "noticed",
        "holding": "holding",
        "repeating": "repeating",
        "confirmed": "confirmed",
        "fading": "fading",
        "refuted": "died down",
        "no_texts": "Cannot tell: there are no texts up to {as_of}.",
        "too_few": "Cannot tell: texts cover {periods}, at least {least} are needed to know what is usual.",
        "subtitle": "Share of all stories, by {grain}",
        "week": "week",
        "day": "day",
        "description": "{terms}: {before} of stories before {since}, {after} since.",
        "described": " Share of all stories: {each}",
        "new": "new",
    },
    "ru": {
        "none": "К {as_of} новых тем не появилось: {seen}.",
        "one": "К {as_of} появилась одна новая тема: {first}.",
        "several": "К {as_of} {appeared} {topics}. Больше всего свидетельств: {first}.",
        "said": "«{terms}», с {since}, {origins}",
        "seen": "{stories}, {owners}, {periods}",
        "alone": " Говорит только один источник, поэтому не в счёт: {terms}.",
        "topic_head": "Тема",
        "since": "С какого дня",
        "origins": "Источники",
        "documents": "Тексты",
        "share": "Доля до и после",
        "evidence": "Свидетельство",
        "grade": "Состояние",
        "note": "Источники — независимые: репосты и пересказы засчитаны тому, кто сказал первым. "
        "Среди тем, которые держатся или прочнее, ложных в среднем не больше {error}; замеченные — повод присмотреться.",
        "note.alone": "У всех текстов один источник: тему можно заметить, она может держаться, но подтвердить её некому.",
        "quote": "«{text}» — {source}, {day}",
        "noticed": "замечена",
        "holding": "держится",
        "repeating": "повторяется",
        "confirmed": "подтверждена",
        "fading": "угасает",
        "refuted": "сошла на нет",
        "no_texts": "Сказать нельзя: до {as_of} нет ни одного текста.",
        "too_few": "Сказать нельзя: тексты охватывают {periods}, а чтобы знать, что обычно, нужно не меньше {least}.",
        "subtitle": "Доля среди всех сообщений, {grain}",
        "week": "по неделям",
        "day": "по дням",
        "description": "{terms}: {before} сообщений до {since}, {after} после.",
        "described": " Доля среди всех сообщений: {each}",
        "new": "новое",
    },
}

_NOUNS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "topics": ("topic", "topics"),
        "sources": ("source", "sources"),
        "independent": ("independent source", "independent sources"),
        "stories": ("story", "stories"),
        "week": ("week", "weeks"),
        "day": ("day", "days"),
    },
    "ru": {
        "topics": ("новая тема", "новые темы", "новых тем"),
        "sources": ("источник", "источника", "источников"),
        "independent": ("независимый источник", "независимых источника", "независимых источников"),
        "stories": ("сообщение", "сообщения", "сообщений"),
        "week": ("неделя", "недели", "недель"),
        "day": ("день", "дня", "дней"),
    },
}


def counted(n: int, noun: str, lang: str) -> str:
    """`1 topic`, `3 topics`; «1 новая тема», «3 новые темы», «5 новых тем»."""
    forms = _NOUNS[lang][noun]
    if lang == "en":
        return f"{locale.number(n, lang)} {forms[n != 1]}"
    return f"{locale.number(n, lang)} {forms[_form(n)]}"


def after_accusative(n: int, noun: str) -> str:
    """«охватывают 1 неделю, 2 недели, 5 недель»."""
    text = counted(n, noun, "ru")
    return text.removesuffix("неделя") + "неделю" if text.endswith("неделя") else text


def appeared(n: int) -> str:
    """«появилась 21 новая тема», «появилось 5 новых тем»."""
    return "появилась" if _form(n) == 0 else "появились" if _form(n) == 1 else "появилось"


def _form(n: int) -> int:
    if n % 10 == 1 and n % 100 != 11:
        return 0
    return 1 if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else 2
