"""Words of an import of consents."""

from __future__ import annotations

from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    "line": {
        "en": "{rows} rows: {given} consents count, {claims} are claims without proof and allow nothing, {against} are "
        "against.",
        "ru": "Строк: {rows}. Согласий, которые действуют: {given}; без подтверждения, ничего не разрешают: {claims}; "
        "отказов и отзывов: {against}.",
    },
    "what": {"en": "What", "ru": "Что"},
    "how-many": {"en": "How many", "ru": "Сколько"},
    "example": {"en": "The first", "ru": "Первая такая строка"},
    "rows": {"en": "rows read", "ru": "прочитано строк"},
    "given": {"en": "consents with proof", "ru": "согласия с подтверждением"},
    "claims": {
        "en": "consents without proof: they allow nothing",
        "ru": "согласия без подтверждения: ничего не разрешают",
    },
    "accepted": {
        "en": "consents without proof that a named person takes upon himself",
        "ru": "согласия без подтверждения под ответственность названного сотрудника",
    },
    "withdrawn": {"en": "withdrawn", "ru": "отозваны"},
    "refused": {"en": "refused", "ru": "отказы"},
    "never": {"en": "never asked, or nobody knows", "ru": "не спрашивали или неизвестно"},
    "unknown_processing": {
        "en": "processing is not known; kept, allows nothing",
        "ru": "вид обработки неизвестен; сохранены, ничего не разрешают",
    },
    "unknown_state": {
        "en": "state is not known; taken as never asked",
        "ru": "состояние непонятно; считаем, что согласия нет",
    },
    "undated": {
        "en": "no time that can be read; opt-outs count as the latest of all, consents allow nothing",
        "ru": "нет понятной даты; отказы считаем самыми поздними, согласия ничего не разрешают",
    },
    "future": {
        "en": "dated in the future; a consent is not in force until then",
        "ru": "дата в будущем; согласие до неё не действует",
    },
    "wrong_hash": {
        "en": "the hash is not that of the text; taken as without proof",
        "ru": "контрольная сумма не от этого текста; считаем, что подтверждения нет",
    },
    "without_customer": {
        "en": "no customer_id; left out",
        "ru": "нет customer_id; пропущены",
    },
    "new": {"en": "entries written", "ru": "записей внесено"},
    "duplicates": {"en": "told before", "ru": "уже были внесены"},
}


def tell(lang: Language, code: str, **values: str) -> str:
    return WORDS[code][lang].format(**values)
