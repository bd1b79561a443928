"""Words of coverage: how far consents reach, what contradicts, what a proof says."""

from __future__ import annotations

from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    "proven": {"en": "with proof", "ru": "с подтверждением"},
    "accepted": {"en": "on a person’s word", "ru": "под ответственность сотрудника"},
    "claimed": {"en": "without proof", "ru": "без подтверждения"},
    "withdrawn": {"en": "withdrawn or refused", "ru": "отозвано или отказ"},
    "never": {"en": "never given", "ru": "не давали"},
    "channel": {"en": "Channel", "ru": "Канал"},
    "line": {
        "en": "{proven} of {customers} customers may be written to on the best channel.",
        "ru": "В лучшем канале можно писать {proven} клиентам из {customers}.",
    },
    "behind": {
        "en": "Entries since the count: {n}.",
        "ru": "Записей после подсчёта: {n}.",
    },
    "nobody": {
        "en": "The ledger holds nothing of this customer.",
        "ru": "В журнале ничего нет об этом клиенте.",
    },
    "may": {
        "en": "{customer} agreed to marketing by: {channels}.",
        "ru": "{customer}: согласие на рекламу есть в каналах: {channels}.",
    },
    "may-not": {
        "en": "Nothing may be sold to {customer}.",
        "ru": "{customer}: рекламу отправлять нельзя.",
    },
    "entry": {"en": "Entry", "ru": "Запись"},
    "when": {"en": "When", "ru": "Когда"},
    "what": {"en": "What", "ru": "Что"},
    "of": {"en": "Of what", "ru": "О чём"},
    "text": {"en": "Text, surface", "ru": "Текст, место"},
    "check": {"en": "Check", "ru": "Проверка"},
    "whole": {"en": "fits", "ru": "сходится"},
    "faulty": {"en": "does not fit", "ru": "не сходится"},
    "never-counted": {
        "en": "Consents were not counted yet.",
        "ru": "Согласия ещё не считали.",
    },
}
"""Reaches and sentences."""
KINDS: dict[str, dict[str, str]] = {
    "given": {"en": "Consent given", "ru": "Согласие дано"},
    "claim": {"en": "Consent claimed, without proof", "ru": "Согласие без подтверждения"},
    "accepted": {"en": "Consent on a person’s word", "ru": "Согласие под ответственность сотрудника"},
    "withdrawn": {"en": "Consent withdrawn", "ru": "Согласие отозвано"},
    "refused": {"en": "Consent refused", "ru": "Отказ от согласия"},
    "never": {"en": "Nothing known", "ru": "Ничего не известно"},
    "unsubscribed": {"en": "Opted out in a message", "ru": "Отписка в сообщении"},
    "complained": {"en": "Complained about a message", "ru": "Жалоба на сообщение"},
    "suppressed": {"en": "Writing forbidden", "ru": "Писать запрещено"},
    "wish-confirmed": {"en": "A wish, confirmed by a person", "ru": "Просьба, подтверждена сотрудником"},
    "wish-released": {"en": "No wish, a person decided", "ru": "Не просьба, решил сотрудник"},
    "preference": {"en": "Own settings", "ru": "Собственные настройки"},
    "notice": {"en": "A notice was shown", "ru": "Показано уведомление"},
}
"""Of the entries that tell what a customer said."""
PROCESSINGS: dict[str, dict[str, str]] = {
    "service": {"en": "service", "ru": "обслуживание"},
    "marketing": {"en": "marketing", "ru": "реклама"},
    "personalisation": {"en": "personalisation", "ru": "персонализация"},
    "profiling": {"en": "profiling", "ru": "профилирование"},
}
BASES: dict[str, dict[str, str]] = {
    "consent": {"en": "consent", "ru": "согласие"},
    "contract": {"en": "contract", "ru": "договор"},
    "legal_obligation": {"en": "legal obligation", "ru": "требование закона"},
    "legitimate_interest": {"en": "legitimate interest", "ru": "законный интерес"},
    "vital_interest": {"en": "vital interest", "ru": "жизненно важный интерес"},
    "public_task": {"en": "public task", "ru": "общественная задача"},
}


def tell(lang: Language, code: str, **values: object) -> str:
    return WORDS[code][lang].format(**values)
