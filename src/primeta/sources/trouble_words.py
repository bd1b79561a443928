"""Any trouble of a source in plain words: of fetching, of reading, of files and room on the disk."""

from __future__ import annotations

from primeta.show.locale import Language, number
from primeta.sources.fetching.words import explain
from primeta.sources.reading_words import explain_reading
from primeta.sources.records import Trouble

WORDS: dict[str, dict[str, str]] = {
    "no-file": {
        "en": "There is no file at {at}. Put it there, or correct `at` of this source.",
        "ru": "По пути {at} файлов нет. Положите файл туда или исправьте `at` этого источника.",
    },
    "outside": {
        "en": "{at} leads out of the folder that this source names, so it was not read.",
        "ru": "{at} ведёт за пределы папки источника, поэтому мы это не читали.",
    },
    "being-written": {
        "en": "{at} is being written just now. It will be read next time.",
        "ru": "{at} сейчас записывается. Прочитаем в следующий раз.",
    },
    "no-right": {
        "en": "{at} cannot be opened: {why}. Give the user who runs Primeta the right to read it.",
        "ru": "{at} не открывается: {why}. Дайте право на чтение пользователю, от имени которого работает Primeta.",
    },
    "disk-full": {
        "en": "There is no room on the disk, so what came was not kept: {why}",
        "ru": "На диске нет места, поэтому полученное не сохранено: {why}",
    },
    "damaged": {
        "en": "What was kept is damaged: {why}",
        "ru": "Сохранённый файл повреждён: {why}",
    },
    "defect": {
        "en": "Reading failed in a way that was not foreseen: {why}. What came is kept; please tell whoever looks after "
        "Primeta.",
        "ru": "При чтении случилась непредвиденная ошибка: {why}. Полученное сохранено; сообщите тем, кто "
        "обслуживает Primeta.",
    },
    "moved": {
        "en": "The source has moved to {to} for good. It is read there; write the new address into primeta.toml.",
        "ru": "Источник насовсем переехал на {to}. Читаем его там; впишите новый адрес в primeta.toml.",
    },
    "more-waits": {
        "en": "Further pages wait for the next time: {pages}.",
        "ru": "Ещё страниц на следующий раз: {pages}.",
    },
    "follow": {
        "en": "A page that belongs to it could not be read ({url}). {why}",
        "ru": "Не удалось прочитать одну из его страниц ({url}). {why}",
    },
    "other": {
        "en": "It could not be read ({code}).",
        "ru": "Прочитать не удалось ({code}).",
    },
}


def explain_trouble(trouble: Trouble, lang: Language) -> str:
    """One or two sentences; what a site said of itself stands in it as plain text: whoever shows it escapes it."""
    values = trouble.values
    if trouble.code == "follow":
        inner = Trouble(code=str(values.get("code", "")), values=values)
        return WORDS["follow"][lang].format(url=values.get("url", ""), why=explain_trouble(inner, lang))
    if trouble.code in WORDS:
        pages = values.get("pages")
        return WORDS[trouble.code][lang].format(
            at=values.get("at", "?"),
            why=values.get("why", "?"),
            to=values.get("to", "?"),
            code=trouble.code,
            pages=number(float(pages), lang, digits=0) if isinstance(pages, int) else "?",
        )
    first, then = (
        (explain_reading, explain) if values.get("reason") == "reading" else (explain, explain_reading)
    )
    return first(trouble, lang) or then(trouble, lang) or WORDS["other"][lang].format(code=trouble.code)
