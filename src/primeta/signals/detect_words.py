"""The words of `detect` in both languages."""

from __future__ import annotations

from primeta.show import locale

ROWS_SHOWN = ("series_head", "at", "before", "after", "difference", "interval", "evidence")

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "series": "The series",
        "series_head": "Series",
        "at": "Changed from",
        "before": "Mean before",
        "after": "Mean after",
        "difference": "Difference",
        "interval": "95% interval",
        "evidence": "Evidence",
        "up": "up",
        "down": "down",
        "change": "{way} on average from {before} to {after} since {at} (difference {interval})",
        "changes": "{subject}: {changes}.",
        "no_change": "{subject}: no change found.",
        "no_change.lines": " It follows a trend without a break.",
        "no_change.broken line": " It follows a trend without a break.",
        "no_change.curve": " It follows a smooth curve without a break.",
        "no_change.drift": " It wanders, without a break in its drift.",
        "too_short": "Cannot tell: fewer than {least} known points.",
        "of_many": "Changed: {changed} of {series}.",
        "strongest": " Most evidence: {name}, {change}.",
        "error_note": "Of series that never change, {share} would be reported as changed.",
        "fdr_note": "Of the series reported as changed, at most {share} are expected not to have changed.",
        "point": "point {index}",
    },
    "ru": {
        "series": "Ряд",
        "series_head": "Ряд",
        "at": "Изменился с",
        "before": "В среднем было",
        "after": "В среднем стало",
        "difference": "Разница",
        "interval": "95%-й интервал",
        "evidence": "Свидетельство",
        "up": "рост",
        "down": "падение",
        "change": "{way} в среднем с {before} до {after}, начиная с {at} (разница {interval})",
        "changes": "{subject}: {changes}.",
        "no_change": "{subject}: изменений не найдено.",
        "no_change.lines": " Ряд идёт по тренду без перелома.",
        "no_change.broken line": " Ряд идёт по тренду без перелома.",
        "no_change.curve": " Ряд идёт по плавной кривой без перелома.",
        "no_change.drift": " Ряд блуждает, его снос не менялся.",
        "too_short": "Сказать нельзя: известно меньше {least} точек.",
        "of_many": "Изменились: {changed} из {series}.",
        "strongest": " Больше всего свидетельств: {name}, {change}.",
        "error_note": "Из рядов, которые не меняются, изменившимися были бы названы {share}.",
        "fdr_note": "Среди рядов, названных изменившимися, не изменились в среднем не больше {share}.",
        "point": "точки {index}",
    },
}


def counted(n: int, lang: str) -> str:
    """`1 series`, `3 series`; after «из» the genitive: `1 ряда`, `3 рядов`."""
    number = locale.number(n, lang)
    if lang == "en":
        return f"{number} series"
    return f"{number} " + ("ряда" if n % 10 == 1 and n % 100 != 11 else "рядов")
