"""Words of reviewers' marks."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "none": {
        "en": "Nobody has marked a message yet; open a customer's shade and say of each message whether you would wait "
        "for the next one.",
        "ru": "Сообщения ещё никто не оценивал: откройте шторку клиента и отметьте у каждого, ждали бы вы следующего.",
    },
    "line": {
        "en": "{marks} marks of {touches} messages by {reviewers} reviewers.",
        "ru": "Оценок: {marks}, сообщений: {touches}, рецензентов: {reviewers}.",
    },
    "alpha": {
        "en": "They agree to {alpha} (Krippendorff's alpha; 1 is always, 0 is by chance).",
        "ru": "Согласие между ними {alpha} (альфа Криппендорфа; 1 — всегда, 0 — случайно).",
    },
    "alpha.none": {
        "en": "How far they agree cannot be told: no two have marked the same messages.",
        "ru": "Насколько они согласны, сказать нельзя: одни и те же сообщения вдвоём никто не оценил.",
    },
    "by": {"en": "By", "ru": "По чему"},
    "campaign": {"en": "campaign", "ru": "кампания"},
    "programme": {"en": "programme", "ru": "механика"},
    "purpose": {"en": "purpose", "ru": "назначение"},
    "name": {"en": "Name", "ru": "Название"},
    "marked": {"en": "Messages marked", "ru": "Оценено сообщений"},
    "reviewers": {"en": "Reviewers", "ru": "Рецензентов"},
    "wait": {"en": "Would wait", "ru": "Ждали бы"},
    "interval": {"en": "95%, %", "ru": "95%, %"},
    "alpha-head": {"en": "Agreement", "ru": "Согласие"},
    "welcome": {"en": "Customers welcomed", "ru": "Клиенты откликнулись"},
    "no-name": {"en": "(no name)", "ru": "(без названия)"},
    "purpose.service": {"en": "service", "ru": "сервисное"},
    "purpose.useful": {"en": "useful", "ru": "полезное"},
    "purpose.offer": {"en": "offer", "ru": "предложение"},
    "purpose.press": {"en": "press", "ru": "нажим"},
}


def tell(lang: str, code: str, /, **values: object) -> str:
    """Words for a code; a code that has none is shown as it is."""
    told = WORDS.get(code)
    return code.rpartition(".")[2] if told is None else told["ru" if lang == "ru" else "en"].format(**values)
