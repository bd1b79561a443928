"""Words of credit."""

from __future__ import annotations

from primeta.show.locale import Language

WORDS: dict[str, dict[str, str]] = {
    "line": {
        "en": "{channel}: the next useful message is welcomed with probability {value} (95%: {interval}). {level}",
        "ru": "{channel}: следующему полезному сообщению будут рады с вероятностью {value} (95%: {interval}). {level}",
    },
    "level.none": {
        "en": "Nothing may be sent but service.",
        "ru": "Писать можно только по делу (сервисные сообщения).",
    },
    "level.useful": {"en": "Useful messages only.", "ru": "Пока только полезные сообщения."},
    "level.sell": {"en": "It bears selling.", "ru": "Можно и продавать."},
    "level.press": {"en": "It bears pressing, too.", "ru": "Выдержит и настойчивость."},
    "opted-out": {"en": "He opted out here.", "ru": "Здесь клиент отписался."},
    "unknown": {
        "en": "Nothing has been sent to {customer} yet: what holds for any new customer.",
        "ru": "Клиенту {customer} ещё ничего не отправляли: показано то, что верно для любого нового клиента.",
    },
    "model.state-space": {
        "en": "Worked out by the model: on later days of other customers it foretells better than both simple ways.",
        "ru": "Посчитано моделью: на других клиентах и более поздних днях она предсказывает лучше обоих простых способов.",
    },
    "model.unjudged": {
        "en": "Worked out by the model, which could not be judged: too few messages later than those it learnt from.",
        "ru": "Посчитано моделью; проверить её не на чем: после того, на чём она училась, сообщений слишком мало.",
    },
    "model.counts": {
        "en": "Worked out from counts of the last 1, 7 and 30 days: here the model foretells no better.",
        "ru": "Посчитано по числу сообщений и ответов за 1, 7 и 30 дней: модель здесь предсказывает не лучше.",
    },
    "model.beta-binomial": {
        "en": "Worked out from past answers, recent ones counting more: here the model foretells no better.",
        "ru": "Посчитано по прошлым ответам, недавние важнее: модель здесь предсказывает не лучше.",
    },
    "model.prior": {
        "en": "The log holds too few answers to learn from: general experience was used.",
        "ru": "Ответов в журнале слишком мало, чтобы учиться на них: взят общий опыт.",
    },
    "channel": {"en": "Channel", "ru": "Канал"},
    "credit": {"en": "Credit", "ru": "Кредит внимания"},
    "interval": {"en": "95% interval", "ru": "95% интервал"},
    "drives": {"en": "Would drive away", "ru": "Оттолкнёт"},
    "blind": {"en": "No longer looks", "ru": "Уже не смотрит"},
    "unanswered": {"en": "Unanswered", "ru": "Без ответа"},
    "level": {"en": "It bears", "ru": "Что можно"},
    "none": {"en": "service only", "ru": "только сервисное"},
    "useful": {"en": "useful", "ru": "полезное"},
    "sell": {"en": "selling", "ru": "продающее"},
    "press": {"en": "pressing", "ru": "настойчивое"},
    "rest": {
        "en": "{channel}: probably no longer looks ({blind}), {unanswered} messages without an answer. Let him rest for "
        "{days} days, then send one useful message on {day}.",
        "ru": "{channel}: похоже, уже не смотрит ({blind}), сообщений без ответа: {unanswered}. Дайте отдохнуть "
        "(дней: {days}), затем {day} отправьте одно полезное сообщение.",
    },
    "history": {
        "en": "{channel}: credit went from {first} to {last} (95%: {interval}) over {messages} messages, {welcomed} of "
        "them welcomed.",
        "ru": "{channel}: кредит внимания изменился с {first} до {last} (95%: {interval}); сообщений {messages}, "
        "откликов {welcomed}.",
    },
    "history.none": {
        "en": "{channel}: nothing was sent here yet.",
        "ru": "{channel}: сюда ещё ничего не отправляли.",
    },
    "history.subtitle": {
        "en": "Probability that a useful message is welcomed, just before each message, with its 95% band. Below: each "
        "message, a pin where it was welcomed (red: he opted out)",
        "ru": "Вероятность отклика на полезное сообщение перед каждой отправкой, серым — 95% интервал. Внизу — сами "
        "сообщения: булавка — отклик, красная — отписка",
    },
    "history.source": {
        "en": "By what was known before each message.",
        "ru": "По тому, что было известно перед каждым сообщением.",
    },
    "at": {"en": "Sent", "ru": "Отправлено"},
    "purpose": {"en": "Purpose", "ru": "Назначение"},
    "came": {"en": "What came of it", "ru": "Что вышло"},
    "purpose.service": {"en": "service", "ru": "сервисное"},
    "purpose.useful": {"en": "useful", "ru": "полезное"},
    "purpose.offer": {"en": "offer", "ru": "предложение"},
    "purpose.press": {"en": "pressing", "ru": "настойчивое"},
    "came.welcomed": {"en": "welcomed", "ru": "отклик"},
    "came.silent": {"en": "silence", "ru": "тишина"},
    "came.drove-away": {"en": "opted out", "ru": "отписка"},
    "came.open": {"en": "too early to tell", "ru": "ещё рано судить"},
}


def tell(lang: Language | str, code: str, **values: str) -> str:
    """The words of a code."""
    return WORDS[code]["ru" if lang == "ru" else "en"].format(**values)
