"""Words of who no longer looks, in both languages."""

from __future__ import annotations

from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    "not-synced": {
        "en": "No credit is kept yet: run `primeta attention sync` first.",
        "ru": "Кредит внимания ещё не посчитан: сначала запустите `primeta attention sync`.",
    },
    "channel": {
        "en": "{channel}: {alarmed} of {customers} customers ({share}) seem to have stopped looking; {resting} of them rest now.",
        "ru": "{channel}: похоже, перестали смотреть {alarmed} из {customers} клиентов ({share}); сейчас отдыхают: {resting}.",
    },
    "segments": {
        "en": "Segments in which fewer look: {count} ({named}).",
        "ru": "Сегменты, где смотрят реже: {count} ({named}).",
    },
    "written": {"en": "All of them are in {file}.", "ru": "Полный список в файле {file}."},
    "note": {
        "en": "The surest. Marketing rests until the date, then one useful message tries whether he looks again.",
        "ru": "Самые вероятные. До указанной даты реклама отдыхает, затем одно полезное сообщение проверит, смотрит ли клиент "
        "снова.",
    },
    "customer": {"en": "Customer", "ru": "Клиент"},
    "on": {"en": "Channel", "ru": "Канал"},
    "blind": {"en": "No longer looks", "ru": "Не смотрит"},
    "touches": {"en": "Messages", "ru": "Сообщений"},
    "probe": {"en": "Rests until", "ru": "Отдыхает до"},
    "segment.falls": {
        "en": "{segment}: fewer look. {observed} of messages were welcomed over the last four weeks, {expected} would be as "
        "before (seen from week {week} on).",
        "ru": "{segment}: перестают смотреть. За последние четыре недели отклик получили {observed} сообщений, а раньше "
        "было бы {expected} (заметно с недели {week}).",
    },
    "segment.holds": {
        "en": "{segment}: looks as before. {observed} of messages were welcomed over the last four weeks, {expected} would "
        "be as before.",
        "ru": "{segment}: смотрят как прежде. За последние четыре недели отклик получили {observed} сообщений, как прежде "
        "было бы {expected}.",
    },
    "segment.too-few-weeks": {
        "en": "{segment}: too few weeks to tell.",
        "ru": "{segment}: недель пока мало, судить рано.",
    },
    "segment.too-few-touches": {
        "en": "{segment}: too few messages to tell.",
        "ru": "{segment}: сообщений слишком мало, чтобы судить.",
    },
}


def tell(lang: Language | str, code: str, **values: str) -> str:
    """The words of a code."""
    return WORDS[code]["ru" if lang == "ru" else "en"].format(**values)
