"""Words of a choice among several messages, in both languages."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "chosen": {"en": "goes", "ru": "отправляем"},
    "refused": {"en": "may not be sent: {rule}", "ru": "отправлять нельзя: {rule}"},
    "purpose": {"en": "its purpose comes later", "ru": "назначение уступает по очереди"},
    "value": {"en": "it is worth less", "ru": "меньше ожидаемая польза"},
    "deadline": {"en": "it can wait longer", "ru": "срок терпит"},
    "earlier": {"en": "the other was there first", "ru": "другое стоит раньше"},
    "past-deadline": {"en": "its time is over", "ru": "срок прошёл"},
    "line": {
        "en": "{message} goes, the others ({others}) do not.",
        "ru": "Отправляем {message}, остальные ({others}) — нет.",
    },
    "line.one": {"en": "{message} goes.", "ru": "Отправляем {message}."},
    "line.none": {"en": "None of them may be sent.", "ru": "Ничего из этого отправлять нельзя."},
    "message": {"en": "message", "ru": "сообщение"},
    "channel": {"en": "channel", "ru": "канал"},
    "purpose-head": {"en": "purpose", "ru": "назначение"},
    "why": {"en": "what becomes of it", "ru": "что с ним"},
    "earliest": {"en": "earliest", "ru": "раньше всего"},
}
