"""Words of the ledger: what was written, what is wrong with the chain, what customers wish for."""

from __future__ import annotations

from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    "recorded": {
        "en": "{new} entries written, {duplicates} told before; the ledger ends at {number}.",
        "ru": "Внесено записей: {new}, уже были: {duplicates}; последняя запись в журнале — № {number}.",
    },
    "conflicts": {
        "en": "{conflicts} came under a key that held something else: both are kept.",
        "ru": "Под уже занятым ключом пришло другое содержание: {conflicts}; сохранено и то и другое.",
    },
    "clock-behind": {
        "en": "The clock of this machine is behind the ledger; the ledger's last time was kept. Check the clock.",
        "ru": "Часы этой машины отстают от журнала; взято последнее время журнала. Проверьте часы.",
    },
    "whole": {
        "en": "The chain is whole: {entries} entries, {erased} of them erased.",
        "ru": "Цепочка цела. Записей: {entries}, из них стёрто по просьбе: {erased}.",
    },
    "broken": {
        "en": "The chain is broken: {found} faults in {entries} entries.",
        "ru": "Цепочка нарушена. Нарушений: {found}, записей: {entries}.",
    },
    "head": {"en": "Head {number}: {chain}", "ru": "Конец цепочки, № {number}: {chain}"},
    "saved": {"en": "Saved as the anchor of {day}.", "ru": "Сохранено как отметка за {day}."},
    "entry": {"en": "Entry", "ru": "Запись"},
    "fault": {"en": "What is wrong", "ru": "Что не так"},
    "more": {"en": "… and {more} more", "ru": "… и ещё {more}"},
    "changed": {"en": "its content was changed", "ru": "изменено содержание"},
    "missing": {"en": "it was removed", "ru": "запись удалена"},
    "inserted": {"en": "it stands out of order or twice", "ru": "стоит не на своём месте или дважды"},
    "unchained": {
        "en": "it does not follow from the entry before: one of the two was changed, inserted or moved",
        "ru": "не продолжает предыдущую запись: одна из двух изменена, вставлена или переставлена",
    },
    "unerased": {
        "en": "its content is gone, and no entry says that it was erased",
        "ru": "содержания нет, а записи о его стирании тоже нет",
    },
    "clock": {
        "en": "it was learnt before the entry that precedes it",
        "ru": "внесена раньше предыдущей записи",
    },
    "end": {
        "en": "the end of the ledger is not the one that was kept",
        "ru": "конец журнала не тот, что был сохранён",
    },
    "anchor": {
        "en": "it is not what stood there when the anchor was saved",
        "ru": "не совпадает с сохранённой отметкой",
    },
    "anchor-missing": {
        "en": "the ledger was longer when the anchor was saved",
        "ru": "при сохранении отметки журнал был длиннее",
    },
    "twice": {"en": "its key stands under two numbers", "ru": "один ключ под двумя номерами"},
    "no-wishes": {"en": "No wish waits for a person.", "ru": "Просьб, которые ждут решения, нет."},
    "one-wish": {
        "en": "1 wish waits for a person; until then its marketing pauses.",
        "ru": "Ждёт решения 1 просьба; до него рекламные сообщения этому клиенту не отправляются.",
    },
    "wishes": {
        "en": "{n} wishes wait for a person; until then their marketing pauses.",
        "ru": "Ждут решения просьбы: {n}; до него рекламные сообщения этим клиентам не отправляются.",
    },
    "found": {"en": "{n} new in {texts} texts.", "ru": "Новых: {n}, прочитано текстов: {texts}."},
    "nobody": {
        "en": "{n} texts with a wish name no customer: look for them yourself.",
        "ru": "Текстов с просьбой, но без номера клиента: {n}; найдите этих клиентов сами.",
    },
    "since": {
        "en": "Entries up to {number} are taken as they were when their head was saved.",
        "ru": "Записи до {number} не перечитывались: они приняты такими, какими были при сохранении отметки.",
    },
    "by-rules-alone": {
        "en": "Only the plainly worded ones were looked for: the sentence encoders are not installed.",
        "ru": "Искали только просьбы, сказанные прямо: пакеты, понимающие смысл фраз, не установлены.",
    },
    "key": {"en": "Key", "ru": "Ключ"},
    "said": {"en": "Said", "ru": "Когда"},
    "who": {"en": "Customer", "ru": "Клиент"},
    "means": {"en": "Wishes", "ru": "Просит"},
    "sentence": {"en": "In his words", "ru": "Его словами"},
    "stop-all": {"en": "no more messages", "ru": "не писать совсем"},
    "stop-channel": {"en": "nothing by {channels}", "ru": "не использовать: {channels}"},
    "only-channels": {"en": "only by {channels}", "ru": "только: {channels}"},
    "less-often": {"en": "less often", "ru": "писать реже"},
    "less-often-n": {"en": "at most {n} a week", "ru": "не чаще {n} в неделю"},
    "delete-data": {"en": "delete his data", "ru": "удалить данные клиента"},
}


def tell(lang: Language, code: str, **values: object) -> str:
    return WORDS[code][lang].format(**values)
