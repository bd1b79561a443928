"""What is told of an event that came from outside, in words."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "future": {
        "en": "It is dated in the future: a consent holds from then on, an opt-out at once.",
        "ru": "Событие датировано будущим: согласие начнёт действовать тогда, отказ действует сразу.",
    },
    "no-time": {
        "en": "No time was given; since it forbids, it counts from now on.",
        "ru": "Время не указано; это запрет, поэтому он действует с этой минуты.",
    },
    "no-key": {
        "en": "It has no key; one was made from its content. With a key of yours, repeats are told more surely.",
        "ru": "У события нет ключа, он получен из содержания. С вашим ключом повторы узнаются надёжнее.",
    },
    "left-out": {
        "en": "This field is not known and was left out.",
        "ru": "Такое поле неизвестно, оно пропущено.",
    },
    "unverifiable": {
        "en": "It says something that Primeta does not know; it is kept and allows nothing.",
        "ru": "Примета не знает такого значения; запись сохранена и ничего не разрешает.",
    },
}


def tell(lang: str, code: str) -> str:
    """A note in words; what stands behind a colon is a name."""
    return WORDS[code.partition(":")[0]]["ru" if lang == "ru" else "en"]
