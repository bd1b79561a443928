"""Words of links for a terminal."""

from __future__ import annotations

from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    "linked": {
        "en": "{rows} rows have their links; they are in {out}.",
        "ru": "Ссылки добавлены; строк: {rows}. Они в файле {out}.",
    },
    "new-key": {
        "en": "Links are sealed with key {key} from now on. Those of earlier keys go on working for opting out, and for "
        "nothing else.",
        "ru": "Новые ссылки защищены ключом {key}. По прежним можно только отписаться, больше они ничего не открывают.",
    },
}


def tell(lang: Language, code: str, /, **figures: object) -> str:
    return WORDS[code][lang].format(**figures)
