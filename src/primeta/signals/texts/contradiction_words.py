"""Why two texts are kept apart, and why others are one story, in words."""

from __future__ import annotations

from primeta.signals.texts.contradiction import Code
from primeta.signals.texts.records import Copy

APART: dict[Code, dict[str, str]] = {
    "negation": {"en": "one says it, the other denies it", "ru": "в одном говорится «да», в другом «нет»"},
    "direction": {"en": "one says the opposite of the other", "ru": "говорят о противоположном"},
    "number": {"en": "the numbers differ", "ru": "числа разные"},
    "unit": {"en": "the numbers count different things", "ru": "числа в разных единицах"},
    "currency": {"en": "the currencies differ", "ru": "валюты разные"},
    "date": {"en": "the dates differ", "ru": "даты разные"},
    "who": {"en": "about someone or somewhere else", "ru": "о других людях, компаниях или местах"},
    "roles": {"en": "who did it and to whom have changed places", "ru": "кто и кому — наоборот"},
    "modality": {
        "en": "planned or possible in one, done in the other",
        "ru": "в одном это план, в другом — уже факт",
    },
    "question": {"en": "one asks, the other states", "ru": "один текст спрашивает, другой утверждает"},
}

TOGETHER: dict[Copy, dict[str, str]] = {
    "exact": {"en": "the same words", "ru": "те же слова"},
    "near": {"en": "nearly the same words", "ru": "почти те же слова"},
    "forward": {"en": "forwarded, or names the source", "ru": "репост или ссылка на источник"},
    "shared-link": {"en": "cites the same page", "ru": "ссылается на ту же страницу"},
    "shared-owner": {"en": "the same owner", "ru": "тот же владелец"},
    "same-event": {"en": "the same event in other words", "ru": "о том же событии другими словами"},
    "template": {
        "en": "one long text from several customers: a template or a campaign",
        "ru": "один длинный текст от разных клиентов: шаблон или рассылка",
    },
}
