"""Words of a search's answer."""

from __future__ import annotations

from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    "nothing": {
        "en": "Nothing found among {searched} documents.",
        "ru": "Ничего не нашлось. Просмотрено документов: {searched}.",
    },
    "found": {
        "en": "Found: {n}. Documents searched: {searched}.",
        "ru": "Найдено: {n}. Просмотрено документов: {searched}.",
    },
    "not-yet": {
        "en": "The newest documents are found by their words only, as yet: the rest of the index is still being "
        "made. The next `primeta collect` finishes it.",
        "ru": "Самые новые документы пока ищутся только по словам: поиск по смыслу ещё готовится. Закончит его "
        "следующий `primeta collect`.",
    },
    "published": {"en": "day", "ru": "дата"},
    "source": {"en": "who", "ru": "кто"},
    "text": {"en": "what", "ru": "что"},
    "by": {"en": "found by", "ru": "найдено"},
    "copies": {"en": "copies", "ru": "повторы"},
    "words": {"en": "words", "ru": "по словам"},
    "meaning": {"en": "meaning", "ru": "по смыслу"},
}


def tell(lang: Language, code: str, **values: object) -> str:
    """One piece of text in the reader's language."""
    return WORDS[code][lang].format(**values)
