"""Words of the collection and of the list of sources."""

from __future__ import annotations

from typing import Any

from primeta.show import locale
from primeta.show.locale import Language
from primeta.sources.trouble_words import explain_trouble
from primeta.workspace.texts_views import CollectReport

HEALTH: dict[str, dict[str, str]] = {
    "well": {"en": "well", "ru": "в порядке"},
    "quiet": {"en": "quiet", "ru": "молчит"},
    "failing": {"en": "failing, tried again", "ru": "сбой, пробуем ещё"},
    "stopped": {"en": "stopped, a person must act", "ru": "остановлен, нужен человек"},
    "paused": {"en": "paused", "ru": "на паузе"},
    "never": {"en": "not asked yet", "ru": "ещё не опрошен"},
}

WORDS: dict[str, dict[str, str]] = {
    "sources": {"en": "Sources: {n} ({parts}).", "ru": "Источников: {n} ({parts})."},
    "none": {
        "en": "No source is declared yet: add [sources.NAME] to primeta.toml.",
        "ru": "Источников пока нет: добавьте [sources.ИМЯ] в primeta.toml.",
    },
    "count-well": {"en": "well: {n}", "ru": "в порядке: {n}"},
    "count-quiet": {"en": "quiet: {n}", "ru": "молчат: {n}"},
    "count-failing": {"en": "failing: {n}", "ru": "сбой: {n}"},
    "count-stopped": {"en": "stopped: {n}", "ru": "остановлены: {n}"},
    "count-paused": {"en": "paused: {n}", "ru": "на паузе: {n}"},
    "count-never": {"en": "not asked yet: {n}", "ru": "ещё не опрошены: {n}"},
    "gone": {
        "en": "{name} is no longer declared; its {n} documents stay.",
        "ru": "Источник {name} больше не объявлен, его тексты ({n}) остаются.",
    },
    "quiet-why": {
        "en": "It answers, but nothing new has come for unusually long. See whether it has moved.",
        "ru": "Отвечает, но непривычно долго нет ничего нового. Проверьте, не переехал ли он.",
    },
    "head-source": {"en": "source", "ru": "источник"},
    "head-health": {"en": "how it does", "ru": "состояние"},
    "head-documents": {"en": "texts", "ru": "текстов"},
    "head-week": {"en": "last 7 days", "ru": "за 7 дней"},
    "head-succeeded": {"en": "last success", "ru": "последний успех"},
    "head-why": {"en": "what is wrong", "ru": "что не так"},
    "asked": {"en": "Sources asked: {n}.", "ru": "Опрошено источников: {n}."},
    "asked-none": {"en": "No source is due yet.", "ru": "Ни одному источнику ещё не пора."},
    "new": {"en": "New texts: {n}.", "ru": "Новых текстов: {n}."},
    "copies": {"en": "Copies of others among them: {n}.", "ru": "Из них повторяют другие: {n}."},
    "failed": {"en": "Failed: {n}.", "ru": "Сбоев: {n}."},
    "waiting": {"en": "Not due yet: {n}.", "ru": "Ещё не пора: {n}."},
    "reread": {
        "en": "Read again: {things} things kept. New texts: {new}, changed: {changed}.",
        "ru": "Перечитано сохранённого: {things}. Новых текстов: {new}, изменилось: {changed}.",
    },
    "reread-failed": {"en": "Could not be read: {n}.", "ru": "Не удалось прочитать: {n}."},
}


def tell(lang: Language, code: str, **values: Any) -> str:
    """A sentence with its numbers as people write them."""
    told = {
        name: locale.number(value, lang, digits=0) if isinstance(value, int) else value
        for name, value in values.items()
    }
    return WORDS[code][lang].format(**told)


def report_line(report: CollectReport, lang: Language) -> str:
    """What one collection did."""
    parts = [tell(lang, "asked", n=report.asked), tell(lang, "new", n=report.new)]
    if not report.asked:
        parts = [tell(lang, "asked-none")]
    if report.copies:
        parts.append(tell(lang, "copies", n=report.copies))
    if report.failed:
        parts.append(tell(lang, "failed", n=len(report.failed)))
        parts += (f"{name}: {explain_trouble(trouble, lang)}" for name, trouble in report.failed)
    if report.waiting and report.asked:
        parts.append(tell(lang, "waiting", n=report.waiting))
    return " ".join(parts)


def report_document(report: CollectReport) -> dict[str, Any]:
    """What `--json` says of a collection."""
    return {
        "at": report.at,
        "asked": report.asked,
        "new": report.new,
        "same": report.same,
        "copies": report.copies,
        "waiting": report.waiting,
        "failed": [
            {
                "source": name,
                "code": trouble.code,
                "permanent": trouble.permanent,
                "why": {"en": explain_trouble(trouble, "en"), "ru": explain_trouble(trouble, "ru")},
            }
            for name, trouble in report.failed
        ],
    }
