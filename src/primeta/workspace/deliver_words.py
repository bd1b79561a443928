"""Words of the reminders, of the calendar's entries and of what became of them."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    # The reminder of reviews
    "reviews-title": {"en": "{name}: what must be reviewed", "ru": "{name}: пора подвести итоги"},
    "reviews-one": {
        "en": "The day has come to judge a decision by its criteria.",
        "ru": "Пришло время проверить решение по его критериям.",
    },
    "reviews-many": {
        "en": "The day has come to judge decisions by their criteria: {n}.",
        "ru": "Пришло время проверить решения по их критериям: {n}.",
    },
    "trend": {"en": "trend", "ru": "тренд"},
    "decision": {"en": "decision", "ru": "решение"},
    "due": {"en": "due", "ru": "срок"},
    "criteria": {"en": "it worked if", "ru": "получилось, если"},
    "owner": {"en": "owner", "ru": "отвечает"},
    "today": {"en": "{day}, today", "ru": "{day}, сегодня"},
    "late": {"en": "{day}, days late: {n}", "ru": "{day}, просрочено дней: {n}"},
    "reviews-foot": {
        "en": "Look at the figures, then write down the next decision: scale, go on, or reject.",
        "ru": "Посмотрите на цифры и запишите следующее решение: внедрить, продолжить или отказаться.",
    },
    # The calendar
    "calendar": {"en": "{name}: reviews", "ru": "{name}: сроки"},
    "review-day": {"en": "Review: {name}", "ru": "Подвести итоги: {name}"},
    "experiment-day": {"en": "Nobody enters any more: {name}", "ru": "Набор закончен: {name}"},
    "answer-line": {"en": "Decision: {answer}", "ru": "Решение: {answer}"},
    "criteria-line": {"en": "It worked if: {criteria}", "ru": "Получилось, если: {criteria}"},
    "owner-line": {"en": "Owner: {owner}", "ru": "Отвечает: {owner}"},
    "hypothesis-line": {"en": "Hypothesis: {hypothesis}", "ru": "Гипотеза: {hypothesis}"},
    "result-line": {
        "en": "The whole result is known from {day} on.",
        "ru": "Полный результат будет известен с {day}.",
    },
    # What became of it
    "channel": {"en": "channel", "ru": "канал"},
    "what": {"en": "what", "ru": "что"},
    "state": {"en": "state", "ru": "что с ним"},
    "why": {"en": "why", "ru": "почему"},
    "digest": {"en": "digest", "ru": "дайджест"},
    "reviews": {"en": "reviews", "ru": "сроки"},
    "no-week": {"en": "no week has been watched yet", "ru": "ещё не измерена ни одна неделя"},
    "no-reviews": {"en": "no review is due that was not told", "ru": "новых сроков нет"},
    "none": {"en": "Nothing was to be sent.", "ru": "Отправлять было нечего."},
    "count": {
        "en": "Delivered: {delivered}. Not delivered: {failed}.",
        "ru": "Доставлено: {delivered}. Не доставлено: {failed}.",
    },
    "count-planned": {
        "en": "Would be sent: {planned}. Cannot be sent: {failed}.",
        "ru": "Будет отправлено: {planned}. Отправить нельзя: {failed}.",
    },
}


def tell(lang: str, code: str, **figures: object) -> str:
    """The sentence of a code with its figures."""
    return WORDS[code]["ru" if lang == "ru" else "en"].format(**figures)
