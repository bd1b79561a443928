"""The words of plans for moment, sequence and discount in both languages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from primeta.show import locale

if TYPE_CHECKING:
    from primeta.reactivation.policy.design import Drawn, PolicyPlan

WORDS = {
    "stage": {"en": "stage", "ru": "шаг"},
    "arm": {"en": "arm", "ru": "ветка"},
    "probability": {"en": "probability", "ru": "вероятность"},
    "per-week": {"en": "a week", "ru": "в неделю"},
    "n": {"en": "customers", "ru": "клиентов"},
    "difference": {"en": "difference seen", "ru": "видимая разница"},
    "plan": {
        "en": "{n} customers enter over {weeks} weeks; the answer is there after {days} days. A difference of {difference} per lapsed "
        "customer from never writing is seen with {power} power.",
        "ru": "За {weeks} нед. войдут {n} клиентов; ответ будет через {days} дн. Разницу от {difference} на ушедшего клиента по "
        "сравнению с «не писать» видно с вероятностью {power}.",
    },
    "plan.n": {
        "en": "{n} customers are needed to see a difference of {difference} per lapsed customer from never writing with {power} power.",
        "ru": "Нужно {n} клиентов, чтобы с вероятностью {power} увидеть разницу в {difference} на ушедшего клиента по сравнению с "
        "«не писать».",
    },
    "plan.weeks": {
        "en": "{n} customers enter over {weeks} weeks; the answer is there after {days} days. Give --sd to know which difference is seen.",
        "ru": "За {weeks} нед. войдут {n} клиентов; ответ будет через {days} дн. Укажите --sd, и станет известно, какую разницу "
        "будет видно.",
    },
    "no-size": {
        "en": "These are the arms. Give --sd and --effect, or --eligible-per-week and --weeks, to know how many customers and how long.",
        "ru": "Вот ветки. Укажите --sd и --effect или --eligible-per-week и --weeks, чтобы узнать, сколько нужно клиентов и времени.",
    },
    "note.lottery": {
        "en": "Draw each customer on the day of his lapse and keep his probability with his arm: the analysis rests on it.",
        "ru": "Разыгрывайте ветку в день ухода клиента в отток и храните вероятность вместе с веткой: на ней держится анализ.",
    },
    "note.moment": {
        "en": "Before each contact look whether he has come back: then he is not written to, and counts all the same.",
        "ru": "Перед каждым контактом проверьте, не вернулся ли клиент: тогда ему не пишут, но он учитывается.",
    },
    "note.sequence": {
        "en": "The second stage is drawn only for those who have not come back by then.",
        "ru": "Второй шаг разыгрывается только для тех, кто к этому дню не вернулся.",
    },
    "note.strategy": {
        "en": "The difference is that of a whole sequence; it weighs the silent by their second probability.",
        "ru": "Разница дана для цепочки целиком; молчащие взвешены по вероятности второго шага.",
    },
    "drawn": {"en": "Drawn: {counts}. Written to {out}.", "ru": "Распределено: {counts}. Записано в {out}."},
}  # fmt: skip


def word(code: str, lang: str) -> str:
    return WORDS[code][lang]


def headline(plan: PolicyPlan, lang: str) -> str:
    if plan.why_not:
        return word(plan.why_not, lang)
    difference = max((arm.difference for arm in plan.arms if math.isfinite(arm.difference)), default=math.nan)
    code = "plan" if math.isfinite(plan.weeks) else "plan.n"
    if not math.isfinite(difference):
        code = "plan.weeks"
    return word(code, lang).format(
        n=locale.number(round(plan.n), lang),
        weeks=locale.number(math.ceil(plan.weeks), lang) if math.isfinite(plan.weeks) else "",
        days=locale.number(math.ceil(plan.days), lang) if math.isfinite(plan.days) else "",
        difference=locale.number(difference, lang) if math.isfinite(difference) else "",
        power=locale.percent(plan.power, lang),
    )


def remarks(plan: PolicyPlan, lang: str) -> list[str]:
    found = [word("note.lottery", lang), word("note.moment", lang)]
    if plan.kind == "sequence":
        found += [word("note.sequence", lang), word("note.strategy", lang)]
    return found


def drawn(made: Drawn, lang: str) -> str:
    counts = ", ".join(f"{name} {locale.number(count, lang)}" for name, count in made.counts.items())
    return word("drawn", lang).format(counts=counts, out=made.out)
